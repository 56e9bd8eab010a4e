//! What the user is asked when a sign-in lacks scope.

use super::*;

//
#[tokio::test(start_paused = true)]
async fn more_scope_is_asked_for_together_with_what_was_there() {
    let room = room([(5, Ok(()))]).signed_in("a");
    let (one, two) = tokio::join!(room.lacks("token-0", "b"), room.lacks("token-0", "b"));
    assert_eq!((one.unwrap().as_str(), two.unwrap().as_str()), ("token-1", "token-1"));
    assert_eq!((room.tabs(), room.scope_of(0).as_str()), (1, "a b"));
    // discovery needs no probe.
    assert!(room.orders.lock().unwrap()[0].challenge.values[0].contains("insufficient_scope"));
}

// whatever the order in which the server names them.
#[tokio::test(start_paused = true)]
async fn a_scope_that_was_refused_is_not_asked_for_again() {
    let room = room([(5, no())]).signed_in("a");
    for scopes in ["b c", "c b", "b c"] {
        let error = room.lacks("token-0", scopes).await.unwrap_err();
        assert_eq!((error.name(), error.what()), (Name::ScopeRequired, "no"));
        assert!(error.hint().starts_with("run `chipp-auth login --scope 'a "), "{}", error.hint());
    }
    assert_eq!(room.tabs(), 1);
    assert_eq!(room.lacks("token-0", "d").await.unwrap_err().name(), Name::ScopeRequired);
    assert_eq!(room.tabs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_did_not_help_is_not_asked_for_again() {
    let room = room([(5, Ok(()))]).signed_in("a");
    assert_eq!(room.lacks("token-0", "b").await.unwrap(), "token-1");
    // Somebody signed in with less.
    room.account.lock().unwrap().scope = "a".to_owned();
    let error = room.lacks("token-1", "b").await.unwrap_err();
    assert_eq!((error.name(), error.what()), (Name::ScopeRequired, "asking you for it did not help"));
    assert_eq!(error.hint(), "run `chipp-auth login --scope 'a b'`");
    assert_eq!(room.tabs(), 1);
    // It is another question after another process has asked for something else.
    room.account.lock().unwrap().scope = "a c".to_owned();
    assert_eq!(room.lacks("token-1", "b").await.unwrap(), "token-2");
    assert_eq!((room.tabs(), room.scope_of(1).as_str()), (2, "a c b"));
}

// the request is answered in time, and the page stays open.
#[tokio::test(start_paused = true)]
async fn a_slow_user_finds_the_scope_there_later() {
    let room = room([(60, Ok(()))]).signed_in("a");
    let begun = Instant::now();
    let error = room.lacks("token-0", "b").await.unwrap_err();
    assert_eq!((error.name(), begun.elapsed().as_secs()), (Name::ScopeRequired, 20));
    assert_eq!(error.hint(), "approve it there, or run `chipp-auth login --scope 'a b'`, then try again");
    assert_eq!(room.bearer.bearer().await.unwrap().unwrap().token.expose_secret(), "token-0");
    tokio::time::sleep(Duration::from_secs(45)).await;
    assert_eq!(room.lacks("token-0", "b").await.unwrap(), "token-1");
    assert_eq!(room.tabs(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_page_is_open_at_a_time_and_the_second_request_asks_after_the_first() {
    let room = room([(5, no()), (5, Ok(()))]).signed_in("a");
    let begun = Instant::now();
    let (one, two) = tokio::join!(room.lacks("token-0", "b"), room.lacks("token-0", "c"));
    assert_eq!(one.unwrap_err().name(), Name::ScopeRequired);
    assert_eq!((two.unwrap().as_str(), begun.elapsed().as_secs()), ("token-1", 10));
    assert_eq!((room.tabs(), room.scope_of(1).as_str()), (2, "a c"));
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_waits_for_the_page_that_is_open_already() {
    let room = room([(5, Ok(()))]).signed_in("a");
    let (one, two) = tokio::join!(room.lacks("token-0", "b"), room.refused(Some("token-0"), true));
    assert_eq!((one.unwrap().as_str(), two.unwrap().as_str()), ("token-1", "token-1"));
    assert_eq!((room.tabs(), room.account.lock().unwrap().given_up), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn trouble_on_the_way_is_no_refusal_and_not_repeated_for_one_request() {
    let room = room([(1, Err(Error::new(Name::NetworkDown, "down"))), (1, Ok(()))]).signed_in("a");
    assert_eq!(room.lacks("token-0", "b").await.unwrap_err().name(), Name::NetworkDown);
    assert_eq!(room.tabs(), 1);
    assert_eq!(room.lacks("token-0", "b").await.unwrap(), "token-1");
}

#[tokio::test(start_paused = true)]
async fn without_a_browser_the_answer_comes_at_once() {
    let room = room_with([(1, Ok(()))], false).signed_in("a");
    let begun = Instant::now();
    let error = room.lacks("token-0", "b").await.unwrap_err();
    assert_eq!((error.name(), error.what()), (Name::ScopeRequired, "no browser"));
    assert_eq!(error.hint(), "run `chipp-auth login --scope 'a b'`");
    assert_eq!((room.tabs(), begun.elapsed()), (0, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_always_thinks_of_another_scope_comes_to_an_end() {
    let room = room([(1, no())]).signed_in("a");
    for n in 0..40 {
        room.lacks("token-0", &format!("scope-{n}")).await.unwrap_err();
    }
    assert_eq!(room.tabs(), 16);
}

// Nobody is signed in, and the server asks for a scope at once.
#[tokio::test(start_paused = true)]
async fn a_missing_scope_without_a_sign_in_is_a_sign_in() {
    struct Nobody(Known);
    impl Bearer for Nobody {
        async fn bearer(&self) -> Result<Option<Access>> {
            self.0.bearer().await
        }
        async fn unauthorized(&self, refused: Refused) -> Result<Access> {
            self.0.unauthorized(refused).await
        }
        async fn insufficient(&self, used: Option<SecretString>, _: Challenge) -> Result<StepUp> {
            self.unauthorized(Refused { used, ..Refused::default() }).await.map(StepUp::Use)
        }
    }
    let Room { account, orders, .. } = room([]);
    let deeds = Mutex::new(VecDeque::from([(1, Ok(()))]));
    let user = User { deeds, account: account.clone(), orders: orders.clone(), browser: true };
    let bearer = SigningIn::new(Nobody(Known(account)), user);
    let step_up = bearer.insufficient(None, Challenge::default()).await.unwrap();
    assert!(matches!(step_up, StepUp::Use(access) if access.token.expose_secret() == "token-1"));
    assert_eq!(orders.lock().unwrap().len(), 1);
}
