use super::*;

struct Clock {
    ledger: Ledger,
    options: Options,
    now: Instant,
}

impl Clock {
    fn new(grace: Grace) -> Self {
        let options = Options { grace, ..Options::default() };
        Clock { ledger: Ledger::default(), options, now: Instant::now() }
    }

    fn begin(&mut self, scope: &str) -> Issued {
        self.ledger.begin("c", &Scope::parse(scope).unwrap(), &self.options, self.now)
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn refresh(&mut self, pair: &Issued) -> Refresh {
        let place = self.ledger.place_of_refresh(pair.refresh.expose_secret()).unwrap();
        self.ledger.refresh(place, None, &self.options, self.now)
    }

    fn rotated(&mut self, pair: &Issued) -> Issued {
        match self.refresh(pair) {
            Refresh::Rotated(issued) => issued,
            _ => panic!("not rotated"),
        }
    }

    fn graced(&mut self, pair: &Issued) -> Issued {
        match self.refresh(pair) {
            Refresh::Graced(issued) => issued,
            _ => panic!("no grace"),
        }
    }

    fn is_reuse(&mut self, pair: &Issued) -> bool {
        matches!(self.refresh(pair), Refresh::Reused { .. })
    }

    fn check(&mut self, pair: &Issued) -> Result<(), &'static str> {
        let checked = self.ledger.check(pair.access.expose_secret(), &self.options, self.now);
        checked.map(|_| ()).map_err(|denied| denied.1)
    }
}

#[test]
fn an_access_token_lives_as_long_as_it_said_even_after_a_rotation() {
    let mut clock = Clock::new(Grace::None);
    let first = clock.begin("*");
    clock.wait(3599);
    let second = clock.rotated(&first);
    assert_eq!(clock.check(&first), Ok(()));
    clock.wait(1);
    assert_eq!(clock.check(&first), Err("expired"));
    assert_eq!(clock.check(&second), Ok(()));
    assert_eq!((first.place, second.place), ((1, 1), (1, 2)));
}

#[test]
fn early_rejection_comes_before_the_expiry_that_was_said() {
    let mut clock = Clock::new(Grace::None);
    clock.options.reject_early = Some(Duration::from_secs(10));
    let pair = clock.begin("*");
    clock.wait(9);
    assert_eq!(clock.check(&pair), Ok(()));
    clock.wait(1);
    assert_eq!(clock.check(&pair), Err("early"));
}

#[test]
fn a_refresh_token_ends_after_its_30_days() {
    let mut clock = Clock::new(Grace::None);
    let (first, second) = (clock.begin("*"), clock.begin("*"));
    clock.wait(30 * 24 * 3600 - 1);
    clock.rotated(&first);
    clock.wait(1);
    assert!(matches!(clock.refresh(&second), Refresh::Refused("the refresh token has expired")));
}

#[test]
fn reuse_without_grace_ends_the_family_and_no_other() {
    let mut clock = Clock::new(Grace::None);
    let (first, bystander) = (clock.begin("*"), clock.begin("*"));
    let second = clock.rotated(&first);
    assert!(matches!(clock.refresh(&first), Refresh::Reused { revoked: true }));
    assert_eq!(clock.check(&second), Err("revoked"));
    assert!(matches!(clock.refresh(&second), Refresh::Refused("the sign-in was revoked")));
    assert_eq!(clock.check(&bystander), Ok(()));
}

#[test]
fn reuse_leaves_the_family_alone_where_the_server_is_told_so() {
    let mut clock = Clock::new(Grace::None);
    clock.options.revoke_family_on_reuse = false;
    let first = clock.begin("*");
    let second = clock.rotated(&first);
    assert!(matches!(clock.refresh(&first), Refresh::Reused { revoked: false }));
    clock.rotated(&second);
}

#[test]
fn timed_grace_is_for_the_direct_predecessor_within_its_time() {
    let mut clock = Clock::new(Grace::For(Duration::from_secs(60)));
    let first = clock.begin("*");
    let lost = clock.rotated(&first);
    clock.wait(60);
    let again = clock.graced(&first);
    assert_eq!((lost.place.1, again.place.1), (2, 3));
    clock.wait(1);
    assert!(clock.is_reuse(&first), "the time is over");

    let mut clock = Clock::new(Grace::For(Duration::from_secs(60)));
    let first = clock.begin("*");
    let second = clock.rotated(&first);
    clock.rotated(&second);
    assert!(clock.is_reuse(&first), "a generation two back is no predecessor");
}

#[test]
fn grace_until_used_gives_the_same_pair_until_either_token_was_used() {
    let mut clock = Clock::new(Grace::UntilUsed);
    let first = clock.begin("*");
    let second = clock.rotated(&first);
    clock.wait(24 * 3600);
    let again = clock.graced(&first);
    assert_eq!(again.place, second.place);
    assert_eq!(again.refresh.expose_secret(), second.refresh.expose_secret());
    assert_eq!(again.access.expose_secret(), second.access.expose_secret());
    assert_eq!(again.expires_in, Duration::ZERO, "what is left of it");

    let mut clock = Clock::new(Grace::UntilUsed);
    let first = clock.begin("*");
    let second = clock.rotated(&first);
    assert_eq!(clock.check(&second), Ok(()));
    assert!(clock.is_reuse(&first), "the access token was used");

    let mut clock = Clock::new(Grace::UntilUsed);
    let first = clock.begin("*");
    let second = clock.rotated(&first);
    clock.rotated(&second);
    assert!(clock.is_reuse(&first), "the refresh token was used");
}

#[test]
fn a_refresh_narrows_scope_and_never_widens_it() {
    let mut clock = Clock::new(Grace::None);
    let pair = clock.begin("apps:read apps:write");
    let wide = Some(Scope::all());
    let refresh = clock.ledger.refresh(pair.place, wide, &clock.options, clock.now);
    assert!(matches!(refresh, Refresh::TooMuchScope));
    let narrow = Scope::parse("apps:read");
    match clock.ledger.refresh(pair.place, narrow, &clock.options, clock.now) {
        Refresh::Rotated(issued) => assert_eq!(issued.scope.to_string(), "apps:read"),
        _ => panic!("the refused request must not have spent the token"),
    }
}

#[test]
fn revoking_an_access_token_spares_the_sign_in_and_a_refresh_token_ends_it() {
    let mut clock = Clock::new(Grace::None);
    let first = clock.begin("*");
    assert!(!clock.ledger.revoke_token(first.access.expose_secret()));
    assert_eq!(clock.check(&first), Err("revoked"));
    let second = clock.rotated(&first);
    assert!(clock.ledger.revoke_token(first.refresh.expose_secret()));
    assert_eq!(clock.check(&second), Err("revoked"));
}

#[test]
fn a_refresh_token_is_no_access_token_and_the_other_way_round() {
    let mut clock = Clock::new(Grace::None);
    let pair = clock.begin("*");
    let refused = clock.ledger.check(pair.refresh.expose_secret(), &clock.options, clock.now);
    assert_eq!(refused.err().unwrap().1, "malformed");
    assert!(clock.ledger.place_of_refresh(pair.access.expose_secret()).is_none());
}

#[test]
fn the_ledger_forgets_the_oldest_pairs_when_it_is_full() {
    let mut clock = Clock::new(Grace::None);
    let first = clock.begin("*");
    for _ in 0..KEPT {
        clock.begin("*");
    }
    assert_eq!(clock.check(&first), Err("unknown"));
    assert_eq!((clock.ledger.families.len(), clock.ledger.index.len()), (KEPT, 2 * KEPT));
}
