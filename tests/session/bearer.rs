//! What a session makes of a token that the MCP server does not take, or that lacks a scope (A-50 to
//!

use chipp_auth::credential::{Credential, Grant};
use chipp_auth::error::{Error, Name, Result};
use chipp_auth::proxy::{Access, Bearer, Challenge, Refused, StepUp};

use super::{Room, key, record, session, text};

fn again(used: &str) -> Refused {
    Refused { used: Some(used.into()), again: true, ..Refused::default() }
}

/// A challenge for these scopes.
fn lacking(scopes: &str) -> Challenge {
    Challenge { values: vec![format!("Bearer error=\"insufficient_scope\", scope=\"{scopes}\"")] }
}

impl Room {
    async fn change(&self, change: impl FnOnce(&mut Credential)) {
        let mut stored = self.stored().await;
        change(&mut stored);
        self.store.save(&key(), &stored).await.unwrap();
    }

    async fn lacks(&self, scopes: &str) -> Result<String> {
        self.lacks_with("access-1", lacking(scopes)).await
    }

    /// What has to be asked for, or `use TOKEN`.
    async fn lacks_with(&self, used: impl Into<Option<&str>>, challenge: Challenge) -> Result<String> {
        let step_up = self.session.insufficient(used.into().map(Into::into), challenge).await?;
        Ok(match step_up {
            StepUp::Use(Access { token, .. }) => format!("use {}", text(token)),
            StepUp::Ask(scope) => scope,
        })
    }
}

// no second renewal, and nothing is noted before somebody does something about it.
#[tokio::test]
async fn what_a_renewal_did_not_mend_is_not_renewed_again() {
    let room = Room::new(0, vec![]).await;
    let error = room.session.unauthorized(again("access-1")).await.unwrap_err();
    assert_eq!(error.name(), Name::LoginRequired);
    assert_eq!((room.endpoint.requests(), room.stored().await.refused_at), (0, None));
    assert_eq!(text(room.session.token().await.unwrap()), "access-1", "others may still use it");
}

#[tokio::test]
async fn a_token_that_somebody_else_got_meanwhile_is_tried_first() {
    let room = Room::new(0, vec![]).await;
    room.session.token().await.unwrap();
    room.store.save(&key(), &record(&room.endpoint, 2, 0)).await.unwrap();
    assert_eq!(text(room.session.unauthorized(again("access-1")).await.unwrap()), "access-2");
    assert_eq!(room.lacks("x").await.unwrap(), "use access-2");
    room.store.forget(&key()).await.unwrap();
    assert_eq!(room.session.unauthorized(again("access-2")).await.unwrap_err().name(), Name::LoginRequired);
}

// A-22, I1: given up for everybody, and nothing deleted.
#[tokio::test]
async fn a_sign_in_that_is_given_up_is_good_for_nobody_and_kept() {
    let room = Room::new(0, vec![]).await;
    room.session.give_up("access-0".into()).await.unwrap();
    assert_eq!(room.stored().await.refused_at, None, "that is another one's");
    room.session.give_up("access-1".into()).await.unwrap();
    for session in [session(&room.store, &room.home), room.session.clone()] {
        assert_eq!(session.token().await.unwrap_err().name(), Name::LoginRequired);
        assert!(session.bearer().await.unwrap().is_none());
    }
    assert_eq!(room.endpoint.requests(), 0);
    let stored = room.stored().await;
    assert!(stored.refused_at.is_some());
    assert_eq!(text(stored.tokens.refresh.unwrap()), "refresh-1");
    // A new sign-in is found.
    room.store.save(&key(), &record(&room.endpoint, 3, 0)).await.unwrap();
    assert_eq!(text(room.session.token().await.unwrap()), "access-3");
}

// Row 120: the record in force is in memory only.
#[tokio::test]
async fn a_renewed_record_that_could_not_be_saved_is_the_one_in_force() {
    let room = Room::new(60, vec![super::issue(2)]).await;
    let faults = room.store.faults().unwrap();
    for _ in 0..3 {
        faults.fail_next_save(Error::new(Name::KeychainLocked, "locked"));
    }
    assert_eq!(text(room.session.token().await.unwrap()), "access-2");
    assert_eq!(room.stored().await.generation, 1, "nothing was saved");
    assert_eq!(room.session.unauthorized(again("access-2")).await.unwrap_err().name(), Name::LoginRequired);
    assert_eq!(room.lacks_with("access-2", lacking("x")).await.unwrap(), "x");
    room.session.give_up("access-2".into()).await.unwrap();
    let stored = room.stored().await;
    assert_eq!((stored.generation, stored.refused_at.is_some()), (2, true));
}

// the union, in order, each scope once.
#[tokio::test]
async fn what_was_asked_for_before_is_asked_for_again_with_what_is_missing() {
    let room = Room::new(0, vec![]).await;
    assert_eq!(room.lacks("b a").await.unwrap(), "b a");
    room.change(|stored| stored.requested_scope = Some("c  a".into())).await;
    assert_eq!(room.lacks("b a d").await.unwrap(), "c a b d");
    // No scope is taken to include another.
    room.change(|stored| stored.requested_scope = Some("*".into())).await;
    assert_eq!(room.lacks("a").await.unwrap(), "* a");
    // What was requested counts, not what was granted; but where nothing was requested, it is all there is.
    room.change(|stored| stored.tokens.scope = Some("a".into())).await;
    assert_eq!(room.lacks("a").await.unwrap(), "* a");
    room.change(|stored| stored.requested_scope = None).await;
    assert_eq!(room.lacks("b").await.unwrap(), "a b");
    assert_eq!(room.endpoint.requests(), 0);
}

//
#[tokio::test]
async fn what_was_asked_for_and_not_granted_is_not_asked_for_again() {
    let room = Room::new(0, vec![]).await;
    room.change(|stored| stored.requested_scope = Some("a b".into())).await;
    let error = room.lacks("b").await.unwrap_err();
    assert_eq!(
        (error.name(), error.what()),
        (Name::ScopeRequired, "your sign-in to chipp asked for it and did not get it")
    );
    assert_eq!(error.hint(), "run `chipp-auth login --scope 'a b'`");
    // Nothing can be asked for that has no name.
    for challenge in [lacking(""), Challenge::default()] {
        assert_eq!(room.lacks_with("access-1", challenge).await.unwrap_err().name(), Name::ScopeRequired);
    }
}

#[tokio::test]
async fn without_a_token_the_question_is_who_is_signed_in() {
    let room = Room::new(0, vec![]).await;
    assert_eq!(room.lacks_with(None, lacking("a")).await.unwrap(), "use access-1");
    room.store.forget(&key()).await.unwrap();
    let other = session(&room.store, &room.home);
    assert_eq!(other.insufficient(None, lacking("a")).await.unwrap_err().name(), Name::LoginRequired);
    assert_eq!(room.lacks("a").await.unwrap_err().name(), Name::LoginRequired);
}

// a machine has nobody who could be asked.
#[tokio::test]
async fn a_sign_in_without_a_person_asks_nobody() {
    for grant in [Grant::ClientCredentials, Grant::Static] {
        let room = Room::new(0, vec![]).await;
        room.change(|stored| stored.grant = grant).await;
        assert_eq!(room.lacks("a").await.unwrap_err().name(), Name::ScopeRequired);
    }
}

// A token given by hand is not replaced by a sign-in that nobody asked for.
#[tokio::test]
async fn a_token_given_by_hand_asks_for_another_one() {
    let room = Room::new(0, vec![]).await;
    room.change(|stored| (stored.grant, stored.tokens.refresh) = (Grant::Static, None)).await;
    for refused in [Refused { again: false, ..again("access-1") }, again("access-1"), Refused::default()] {
        let error = room.session.unauthorized(refused).await.unwrap_err();
        assert_eq!(error.name(), Name::LoginDenied, "{error}");
        assert!(error.hint().contains("chipp-auth login"), "{}", error.hint());
    }
}

// I7.
#[tokio::test]
async fn a_sign_in_for_another_origin_is_not_asked_to_do_more() {
    let room = Room::new(0, vec![]).await;
    room.change(|stored| stored.origins = vec!["https://elsewhere.example".into()]).await;
    assert_eq!(room.lacks("a").await.unwrap_err().name(), Name::WrongOrigin);
}
