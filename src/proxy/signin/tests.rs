mod step_up;

use std::collections::VecDeque;
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::*;

/// What a session and the server behind it know.
#[derive(Default)]
struct Account {
    /// The number of the token in force.
    token: Option<u32>,
    /// The scope that was asked for.
    scope: String,
    given_up: u32,
}

struct Known(Arc<Mutex<Account>>);

impl Known {
    fn other_than(&self, used: Option<SecretString>) -> Option<Access> {
        let present = self.0.lock().unwrap().token.map(|n| SecretString::from(format!("token-{n}")))?;
        let same = used.is_some_and(|used| used.expose_secret() == present.expose_secret());
        (!same).then(|| present.into())
    }
}

impl Bearer for Known {
    async fn bearer(&self) -> Result<Option<Access>> {
        Ok(self.other_than(None))
    }
    async fn unauthorized(&self, refused: Refused) -> Result<Access> {
        self.other_than(refused.used).ok_or_else(|| Error::new(Name::LoginRequired, "only a sign-in helps"))
    }
    async fn insufficient(&self, used: Option<SecretString>, challenge: Challenge) -> Result<StepUp> {
        if let Some(access) = self.other_than(used) {
            return Ok(StepUp::Use(access));
        }
        let before = self.0.lock().unwrap().scope.clone();
        let missing = challenge.missing_scopes().unwrap();
        let new: Vec<_> =
            missing.into_iter().filter(|scope| !before.split(' ').any(|s| s == scope)).collect();
        match new.is_empty() {
            true => Err(Error::new(Name::ScopeRequired, "asked for already")),
            false => Ok(StepUp::Ask(format!("{before} {}", new.join(" ")).trim().to_owned())),
        }
    }
    async fn give_up(&self, _: SecretString) -> Result<()> {
        let mut account = self.0.lock().unwrap();
        (account.token, account.given_up) = (None, account.given_up + 1);
        Ok(())
    }
}

/// A user who needs so many seconds, and then does so.
type Deed = (u64, Result<()>);

/// He does these one after the other, and the last one again and again.
struct User {
    deeds: Mutex<VecDeque<Deed>>,
    account: Arc<Mutex<Account>>,
    orders: Arc<Mutex<Vec<Order>>>,
    browser: bool,
}

impl Start for User {
    fn check(&self, _: &Order) -> Result<()> {
        if self.browser { Ok(()) } else { Err(Error::new(Name::LoginRequired, "no browser")) }
    }
    fn start(&self, order: Order) -> Result<Progress> {
        self.check(&order)?;
        let mut deeds = self.deeds.lock().unwrap();
        let (after, outcome) = deeds.pop_front().unwrap();
        if deeds.is_empty() {
            deeds.push_back((after, outcome.clone()));
        }
        self.orders.lock().unwrap().push(order.clone());
        let (sender, receiver) = watch::channel(None);
        let account = self.account.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(after)).await;
            if outcome.is_ok() {
                let mut account = account.lock().unwrap();
                account.token = Some(account.token.unwrap_or_default() + 1);
                account.scope = order.scope.unwrap_or_default();
            }
            let _ = sender.send(Some(outcome));
        });
        Ok(receiver)
    }
}

struct Room {
    bearer: Arc<SigningIn<Known, User>>,
    account: Arc<Mutex<Account>>,
    orders: Arc<Mutex<Vec<Order>>>,
}

fn room(deeds: impl IntoIterator<Item = Deed>) -> Room {
    room_with(deeds, true)
}

fn room_with(deeds: impl IntoIterator<Item = Deed>, browser: bool) -> Room {
    let (account, orders) = (Arc::<Mutex<Account>>::default(), Arc::<Mutex<Vec<Order>>>::default());
    let deeds = Mutex::new(deeds.into_iter().collect());
    let user = User { deeds, account: account.clone(), orders: orders.clone(), browser };
    Room { bearer: Arc::new(SigningIn::new(Known(account.clone()), user)), account, orders }
}

impl Room {
    /// Signed in already, with this scope.
    fn signed_in(self, scope: &str) -> Room {
        *self.account.lock().unwrap() = Account { token: Some(0), scope: scope.to_owned(), given_up: 0 };
        self
    }

    fn tabs(&self) -> usize {
        self.orders.lock().unwrap().len()
    }

    fn scope_of(&self, tab: usize) -> String {
        self.orders.lock().unwrap()[tab].scope.clone().unwrap()
    }

    async fn refused(&self, used: Option<&str>, again: bool) -> Result<String> {
        let refused = Refused { used: used.map(SecretString::from), again, ..Refused::default() };
        self.bearer.unauthorized(refused).await.map(|access| access.token.expose_secret().to_owned())
    }

    async fn lacks(&self, used: &str, scopes: &str) -> Result<String> {
        let values = vec![format!("Bearer error=\"insufficient_scope\", scope=\"{scopes}\"")];
        match self.bearer.insufficient(Some(used.into()), Challenge { values }).await? {
            StepUp::Use(access) => Ok(access.token.expose_secret().to_owned()),
            StepUp::Ask(scope) => panic!("{scope} was not asked for"),
        }
    }
}

fn no() -> Result<()> {
    Err(Error::new(Name::LoginDenied, "no"))
}

#[tokio::test(start_paused = true)]
async fn all_requests_wait_for_one_sign_in() {
    let room = room([(5, Ok(()))]);
    let (a, b) = tokio::join!(room.refused(None, false), room.refused(None, false));
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(room.tabs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_user_gets_an_answer_in_time_and_finds_the_sign_in_done_later() {
    let room = room([(60, Ok(()))]);
    let begun = Instant::now();
    let error = room.refused(None, false).await.unwrap_err();
    assert_eq!((error.name(), begun.elapsed().as_secs()), (Name::LoginRequired, 20));
    assert!(error.hint().contains("chipp-auth login"));
    tokio::time::sleep(Duration::from_secs(45)).await;
    assert!(room.refused(None, false).await.is_ok());
    assert_eq!(room.tabs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_asked_again() {
    let room = room([(1, no())]);
    for _ in 0..3 {
        assert_eq!(room.refused(None, false).await.unwrap_err().name(), Name::LoginDenied);
    }
    assert_eq!(room.tabs(), 1);
    // The user signed in by hand, and that has ended as well.
    room.bearer.accepted();
    assert_eq!(room.refused(None, false).await.unwrap_err().name(), Name::LoginDenied);
    assert_eq!(room.tabs(), 2);
}

// a server that takes no token at all opens one tab.
#[tokio::test(start_paused = true)]
async fn a_sign_in_that_the_server_did_not_take_is_not_followed_by_another() {
    let room = room([(1, Ok(()))]);
    assert_eq!(room.refused(None, false).await.unwrap(), "token-1");
    for again in [true, false] {
        let error = room.refused(Some("token-1"), again).await.unwrap_err();
        assert_eq!(error.name(), Name::LoginRequired);
        assert_eq!(error.what(), "the server does not accept the new sign-in either");
    }
    assert_eq!(room.tabs(), 1);
    assert_eq!(room.account.lock().unwrap().given_up, 0, "nothing is given up for nothing");
}

// a server that moved is signed in to anew, without anybody's doing.
#[tokio::test(start_paused = true)]
async fn after_the_server_took_a_token_another_sign_in_may_follow() {
    let room = room([(1, Ok(()))]);
    room.refused(None, false).await.unwrap();
    room.bearer.accepted();
    assert_eq!(room.refused(Some("token-1"), true).await.unwrap(), "token-1", "of the new sign-in");
    assert_eq!((room.tabs(), room.account.lock().unwrap().given_up), (2, 1));
    // What it took before the last sign-in says nothing about that one.
    let error = room.refused(Some("token-1"), true).await.unwrap_err();
    assert_eq!(error.what(), "the server does not accept the new sign-in either");
    assert_eq!(room.tabs(), 2);
}

// a server that answers 401 for one tool whatever the token.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_good_elsewhere_is_given_up_a_few_times_only() {
    let room = room([(1, Ok(()))]).signed_in("");
    let mut used = "token-0".to_owned();
    for _ in 0..2 {
        used = room.refused(Some(&used), true).await.unwrap();
        room.bearer.accepted();
    }
    let error = room.refused(Some(&used), true).await.unwrap_err();
    assert_eq!(error.what(), "the server refuses this request, and new sign-ins have not helped");
    assert_eq!((room.tabs(), room.account.lock().unwrap().given_up), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_given_up_where_nobody_can_sign_in() {
    let room = room_with([(1, Ok(()))], false).signed_in("");
    let error = room.refused(Some("token-0"), true).await.unwrap_err();
    assert_eq!((error.name(), error.what()), (Name::LoginRequired, "only a sign-in helps"));
    assert_eq!(room.account.lock().unwrap().given_up, 0);
}
