//! The refresh transaction from inside: a store that fails when told to, and a token endpoint of a few
//! lines, so that the moment of each fault can be chosen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod accounts;
mod bearer;
mod bound;
mod endpoint;
mod machine;
mod patience;

use std::sync::Arc;
use std::time::Duration;

use chipp_auth::credential::{Client, Credential, Grant, Key, TokenStyle, Tokens, now, now_ms};
use chipp_auth::error::{Error, Name};
use chipp_auth::proxy::{Access, Bearer, Refused};
use chipp_auth::session::{Account, Session};
use chipp_auth::store::{Store, lock};
use endpoint::{Endpoint, issue, refuse};
use secrecy::ExposeSecret;

fn key() -> Key {
    Key { server: "http://127.0.0.1".into(), client: None, account: "default".into() }
}

/// A record with the tokens of generation `n`, `age` seconds old and living ten.
fn record(endpoint: &Endpoint, n: u64, age: u64) -> Credential {
    Credential {
        issuer: "http://127.0.0.1".into(),
        resource: None,
        origins: vec!["http://127.0.0.1".into()],
        token_endpoint: endpoint.url.clone(),
        revocation_endpoint: None,
        client: Client { id: "c".into(), style: TokenStyle::Json, ..Client::default() },
        grant: Grant::User,
        dpop_key: None,
        requested_scope: None,
        identity: None,
        subject: None,
        instance: None,
        tokens: Tokens {
            access: format!("access-{n}").into(),
            refresh: Some(format!("refresh-{n}").into()),
            scope: None,
            expires_in: Some(10),
            received_at_ms: now_ms() - age * 1000,
            refresh_expires_at: None,
        },
        generation: n,
        signed_in_at: now(),
        refused_at: None,
        client_refused_at: None,
    }
}

struct Room {
    store: Store,
    endpoint: Endpoint,
    session: Session,
    home: tempfile::TempDir,
}

impl Room {
    /// A stored record of the given age, and answers for the requests to come.
    async fn new(age: u64, answers: Vec<endpoint::Answer>) -> Room {
        let endpoint = Endpoint::start(answers).await;
        let store = Store::memory();
        store.save(&key(), &record(&endpoint, 1, age)).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let session = session(&store, &home);
        Room { store, endpoint, session, home }
    }

    async fn stored(&self) -> Credential {
        self.store.load(&key()).await.unwrap().unwrap()
    }
}

fn account(home: &tempfile::TempDir) -> Account {
    Account {
        key: key(),
        lock: Some(home.path().join("lock")),
        origin: "http://127.0.0.1".into(),
        named: vec![key().server],
        hosts: None,
        token_types: Vec::new(),
        typed: None,
        name: "chipp".into(),
        provider: None,
        no_refresh: None,
        refresh_lifetime: None,
        names_token_type: true,
        machine: None,
    }
}

/// Another process, as far as can be: it shares the store and the lock file only.
fn session(store: &Store, home: &tempfile::TempDir) -> Session {
    Session::new(account(home), store.clone())
}

fn text(token: impl Into<Access>) -> String {
    let token = token.into().token;
    token.expose_secret().to_owned()
}

#[tokio::test]
async fn a_fresh_token_is_used_and_nobody_is_asked() {
    let room = Room::new(0, vec![]).await;
    assert_eq!(text(room.session.token().await.unwrap()), "access-1");
    assert_eq!(room.endpoint.requests(), 0);
}

// Row 74.
#[tokio::test]
async fn fifty_401s_at_once_are_one_refresh() {
    let room = Room::new(0, vec![issue(2)]).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let session = room.session.clone();
            tokio::spawn(async move {
                session.unauthorized(Refused { used: Some("access-1".into()), ..Refused::default() }).await
            })
        })
        .collect();
    for call in calls {
        assert_eq!(text(call.await.unwrap().unwrap()), "access-2");
    }
    assert_eq!(room.endpoint.requests(), 1);
}

// Finding 2: the loser must not undo the winner's work.
#[tokio::test]
async fn invalid_grant_after_a_sibling_renewed_adopts_the_siblings_tokens() {
    let room = Room::new(60, vec![refuse()]).await;
    let (store, newer) = (room.store.clone(), record(&room.endpoint, 2, 0));
    room.endpoint.before_answer(move || {
        let (store, newer) = (store.clone(), newer.clone());
        async move { store.save(&key(), &newer).await.unwrap() }
    });
    assert_eq!(text(room.session.token().await.unwrap()), "access-2");
    assert_eq!(text(room.stored().await.tokens.refresh.unwrap()), "refresh-2");
}

// Row 77, I1: believed, remembered, and nothing deleted.
#[tokio::test]
async fn invalid_grant_marks_the_record_and_deletes_nothing() {
    let room = Room::new(60, vec![refuse()]).await;
    for _ in 0..2 {
        assert_eq!(room.session.token().await.unwrap_err().name(), Name::LoginRequired);
    }
    let stored = room.stored().await;
    assert!(stored.refused_at.is_some());
    assert_eq!(text(stored.tokens.refresh.unwrap()), "refresh-1");
    assert_eq!(room.endpoint.requests(), 1);
    // A request without a token may still be answered by the server.
    assert!(room.session.bearer().await.unwrap().is_none());
    // A new sign-in elsewhere is found.
    room.store.save(&key(), &record(&room.endpoint, 3, 0)).await.unwrap();
    assert_eq!(text(room.session.token().await.unwrap()), "access-3");
}

// what the server sends counts, whether it rotates or not (rows 99 and 100).
#[tokio::test]
async fn the_newest_refresh_token_is_kept() {
    let keeps = |mut answer: endpoint::Answer| {
        answer.body.as_object_mut().unwrap().remove("refresh_token");
        answer
    };
    let room = Room::new(60, vec![issue(2), keeps(issue(3)), issue(4)]).await;
    for (used, refresh) in [("access-1", "refresh-2"), ("access-2", "refresh-2"), ("access-3", "refresh-4")] {
        room.session.another(used.into()).await.unwrap();
        assert_eq!(text(room.stored().await.tokens.refresh.unwrap()), refresh);
    }
    assert_eq!(room.endpoint.presented(), ["refresh-1", "refresh-2", "refresh-2"]);
}

// a sign-in without one is used until it ends, and then named.
#[tokio::test]
async fn a_sign_in_without_a_refresh_token_lasts_as_long_as_its_token() {
    let room = Room::new(0, vec![]).await;
    let mut stored = room.stored().await;
    stored.tokens.refresh = None;
    room.store.save(&key(), &stored).await.unwrap();
    assert_eq!(text(room.session.token().await.unwrap()), "access-1");
    stored.tokens.received_at_ms -= 60_000;
    room.store.save(&key(), &stored).await.unwrap();
    let other = session(&room.store, &room.home);
    let failure = other.token().await.unwrap_err();
    assert_eq!(failure.name(), Name::RefreshMissing);
    assert!(failure.what().contains("no refresh token"), "{failure}");
    assert_eq!(room.endpoint.requests(), 0);
}

// Row 120: the old token is spent, so the new one must survive a store that fails.
#[tokio::test]
async fn a_renewed_record_that_cannot_be_saved_is_used_and_saved_later() {
    let room = Room::new(60, vec![issue(2), issue(3)]).await;
    let faults = room.store.faults().unwrap();
    for _ in 0..3 {
        faults.fail_next_save(Error::new(Name::KeychainLocked, "locked"));
    }
    assert_eq!(text(room.session.token().await.unwrap()), "access-2");
    assert_eq!(room.stored().await.generation, 1, "nothing was saved");
    // The next renewal starts from the unsaved record, not from the spent one.
    let token = room
        .session
        .unauthorized(Refused { used: Some("access-2".into()), ..Refused::default() })
        .await
        .unwrap();
    assert_eq!(text(token), "access-3");
    assert_eq!(room.endpoint.presented(), ["refresh-1", "refresh-2"]);
    assert_eq!(room.stored().await.generation, 3);
}

// 5.6 step 0: between the early moment and the end, trouble is no trouble.
#[tokio::test]
async fn a_failed_early_renewal_goes_on_with_the_present_token_and_rests() {
    let room = Room::new(9, vec![endpoint::status(503), issue(2)]).await;
    for _ in 0..5 {
        assert_eq!(text(room.session.token().await.unwrap()), "access-1");
    }
    assert_eq!(room.endpoint.requests(), 1, "no storm while the server is in trouble");
}

// Row 64: the lock is neither stolen nor done without.
#[tokio::test]
async fn a_lock_that_another_process_holds_is_waited_for() {
    let room = Room::new(60, vec![issue(2)]).await;
    let held = lock::acquire(&room.home.path().join("lock"), Duration::from_secs(1)).await.unwrap();
    let session = room.session.clone();
    let renewal = tokio::spawn(async move { session.token().await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(room.endpoint.requests(), 0);
    drop(held);
    assert_eq!(text(renewal.await.unwrap().unwrap()), "access-2");
}

// C4, row 76.
#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_the_rotation_with_it() {
    let room = Room::new(60, vec![issue(2)]).await;
    room.endpoint.before_answer(|| tokio::time::sleep(Duration::from_millis(300)));
    let given_up = tokio::time::timeout(Duration::from_millis(100), room.session.token()).await;
    assert!(given_up.is_err(), "the caller left");
    room.session.settle(Duration::from_secs(10)).await;
    assert_eq!(text(room.stored().await.tokens.refresh.unwrap()), "refresh-2");
}

// A sign-in made while an old one is being renewed must win.
#[tokio::test]
async fn a_new_sign_in_waits_for_the_renewal_of_the_old_one() {
    let room = Room::new(60, vec![issue(2)]).await;
    room.endpoint.before_answer(|| tokio::time::sleep(Duration::from_millis(300)));
    let other = session(&room.store, &room.home);
    let renewing = room.session.clone();
    let renewal = tokio::spawn(async move { renewing.token().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    other.begin(record(&room.endpoint, 9, 0)).await.unwrap();
    renewal.await.unwrap().unwrap();
    assert_eq!(text(room.stored().await.tokens.refresh.unwrap()), "refresh-9");
}

// I7: the stored token is not for every server that a configuration may name.
#[tokio::test]
async fn a_token_is_refused_to_an_origin_it_was_not_issued_for() {
    let room = Room::new(0, vec![]).await;
    let mut stored = room.stored().await;
    stored.origins = vec!["https://elsewhere.example".into()];
    room.store.save(&key(), &stored).await.unwrap();
    assert_eq!(room.session.token().await.unwrap_err().name(), Name::WrongOrigin);
}

// Finding 3: many sessions, each with its own cache, one lock.
#[tokio::test]
async fn twenty_sessions_that_meet_an_expired_token_refresh_once() {
    let room = Arc::new(Room::new(60, vec![issue(2)]).await);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let session = session(&room.store, &room.home);
            tokio::spawn(async move { session.token().await })
        })
        .collect();
    for call in calls {
        assert_eq!(text(call.await.unwrap().unwrap()), "access-2");
    }
    assert_eq!(room.endpoint.requests(), 1);
}
