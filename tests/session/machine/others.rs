//! Records of other kinds, and other places to keep them.

use super::*;

// Where nothing is kept there is nothing to lock: a computer without a writable home is enough.
#[tokio::test]
async fn a_session_in_memory_needs_no_lock() {
    let world = World::new(vec![issue(2), issue(3)], vec![]).await;
    let machine = Some(world.machine(Grant::ClientCredentials));
    let account = Account { machine, lock: None, names_token_type: false, ..account(&world.home) };
    let session = Session::new(account, Store::memory());
    let used = session.token().await.unwrap();
    assert_eq!(text(session.another(used).await.unwrap()), "access-3");
    assert_eq!(std::fs::read_dir(world.home.path()).unwrap().count(), 0);
}

// I1: a person's sign-in is neither used by a machine nor replaced by its own, unless somebody says so.
#[tokio::test]
async fn a_persons_sign_in_is_left_alone() {
    let world = World::new(vec![issue(2)], vec![]).await;
    world.store.save(&key(), &record(&world.server, 1, 0)).await.unwrap();
    let session = world.session(world.machine(Grant::ClientCredentials));
    assert_eq!(session.token().await.unwrap_err().name(), Name::Usage);
    let used = Refused { used: Some("x".into()), ..Refused::default() };
    assert_eq!(session.unauthorized(used).await.unwrap_err().name(), Name::Usage);
    assert_eq!(world.server.requests(), 0);
    assert_eq!(world.store.load(&key()).await.unwrap().unwrap().grant, Grant::User);
    assert_eq!(session.sign_in_alone().await.unwrap().generation, 2);
    assert_eq!(text(session.token().await.unwrap()), "access-2");
}

// X-03 with X-01.
#[tokio::test]
async fn a_machine_binds_its_tokens_too() {
    let mut bound = issue(2);
    bound.body["token_type"] = "DPoP".into();
    let world = World::new(vec![bound, issue(3)], vec![]).await;
    let machine = Machine { dpop: true, ..world.machine(Grant::ClientCredentials) };
    let session = world.session(machine.clone());
    let access = session.access().await.unwrap();
    assert!(access.proof.is_some());
    assert!(world.server.asked()[0].headers.contains_key("dpop"));
    // A server that does not bind what is asked to be bound.
    world.store.forget(&key()).await.unwrap();
    let failure = world.session(machine).token().await.unwrap_err();
    assert_eq!(failure.name(), Name::WrongTokenType);
    assert!(world.store.load(&key()).await.unwrap().is_none());
}

// A token that the user gave: used until it is refused, never renewed, never deleted.
#[tokio::test]
async fn a_given_token_is_never_renewed() {
    let world = World::new(vec![], vec![]).await;
    let mut given = record(&world.server, 1, 0);
    given.grant = Grant::Static;
    given.tokens.expires_in = None;
    world.store.save(&key(), &given).await.unwrap();
    let session = Session::new(account(&world.home), world.store.clone());
    let used = session.token().await.unwrap();
    for _ in 0..2 {
        let failure = session.another(used.clone()).await.unwrap_err();
        assert_eq!(failure.name(), Name::LoginRequired);
        assert!(failure.hint().contains("chipp-auth login --with-token"), "{}", failure.hint());
    }
    assert_eq!(session.token().await.unwrap_err().name(), Name::LoginRequired);
    assert_eq!(session.refused_again().name(), Name::LoginRequired);
    assert_eq!(world.server.requests(), 0);
    assert_eq!(text(world.store.load(&key()).await.unwrap().unwrap().tokens.access), "access-1");
}

#[tokio::test]
async fn a_person_is_not_signed_in_alone() {
    let world = World::new(vec![], vec![]).await;
    let session = Session::new(account(&world.home), world.store.clone());
    assert_eq!(session.sign_in_alone().await.unwrap_err().name(), Name::Usage);
    assert!(!session.needs_no_person());
}
