//! Tokens bound to a key, in a session: each request for them with a proof, each use of them with another,
//! all by the one key of the record.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chipp_auth::error::Name;
use chipp_auth::oauth::dpop;
use chipp_auth::proxy::{Bearer, Refused};
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use url::Url;

use crate::endpoint::{Answer, error, issue};
use crate::{Room, key, text};

/// Header and claims, without looking at the signature: that is tested where proofs are made.
fn parts(proof: &str) -> (Value, Value) {
    let part = |n: usize| {
        let text = proof.split('.').nth(n).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}

fn bound(n: u64) -> Answer {
    let mut answer = issue(n);
    answer.body["token_type"] = "DPoP".into();
    answer
}

/// A room whose record has a key.
async fn room(age: u64, answers: Vec<Answer>) -> Room {
    let room = Room::new(age, answers).await;
    let mut stored = room.stored().await;
    stored.dpop_key = Some(dpop::Key::generate().unwrap());
    room.store.save(&key(), &stored).await.unwrap();
    room
}

fn mcp() -> Url {
    "https://e.com/mcp".parse().unwrap()
}

#[tokio::test]
async fn access_comes_with_a_proof_exactly_if_the_record_has_a_key() {
    let plain = Room::new(0, vec![]).await;
    assert!(plain.session.access().await.unwrap().proof.is_none());
    let room = room(0, vec![]).await;
    let access = room.session.bearer().await.unwrap().unwrap();
    let proof = access.proof.unwrap();
    let value = proof.header(&Method::GET, &mcp(), &access.token).unwrap();
    let (_, claims) = parts(value.to_str().unwrap());
    assert_eq!((&claims["htm"], &claims["htu"]), (&json!("GET"), &json!("https://e.com/mcp")));
    // The digest of `access-1`, by another program.
    assert_eq!(claims["ath"], json!("9MKET0Y7WpOlF96BtnoJyLnXlpe9Pn5RReIOHKIBPAY"));
    assert!(!format!("{proof:?}").contains("PRIVATE"));
}

// RFC 9449 section 5: for public clients the refresh token is bound to the same key.
#[tokio::test]
async fn a_renewal_proves_the_same_key_and_keeps_it() {
    let room = room(60, vec![bound(2), bound(3)]).await;
    let first = room.session.access().await.unwrap();
    assert_eq!(text(first.token.clone()), "access-2");
    let refused = Refused { used: Some(first.token), ..Refused::default() };
    let second = room.session.unauthorized(refused).await.unwrap();
    assert_eq!(text(second.token.clone()), "access-3");
    let used = second.proof.unwrap().header(&Method::POST, &mcp(), &second.token).unwrap();
    let mut keys = vec![parts(used.to_str().unwrap()).0["jwk"].clone()];
    for asked in room.endpoint.asked() {
        let (header, claims) = parts(asked.headers["dpop"].to_str().unwrap());
        assert_eq!(claims["htu"], json!(room.endpoint.url.as_str()));
        keys.push(header["jwk"].clone());
    }
    keys.dedup();
    assert_eq!(keys.len(), 1, "{keys:?}");
}

// RFC 9449 section 9: what one request learned, the next one uses, whoever makes it.
#[tokio::test]
async fn nonces_are_learned_for_the_whole_session() {
    let wants = error(400, "use_dpop_nonce").with("DPoP-Nonce", "as-nonce");
    let room = room(60, vec![wants, bound(2)]).await;
    let access = room.session.access().await.unwrap();
    let asked = room.endpoint.asked();
    let nonce = |n: usize| parts(asked[n].headers["dpop"].to_str().unwrap()).1["nonce"].clone();
    assert_eq!([nonce(0), nonce(1)], [Value::Null, json!("as-nonce")]);
    access.proof.unwrap().learn(&mcp(), &HeaderValue::from_static("rs-nonce"));
    let again = room.session.access().await.unwrap();
    let value = again.proof.unwrap().header(&Method::POST, &mcp(), &again.token).unwrap();
    assert_eq!(parts(value.to_str().unwrap()).1["nonce"], json!("rs-nonce"));
}

// RFC 9449 section 5: an unbound token in its place is discarded, after the refresh token beside it is safe.
#[tokio::test]
async fn a_bearer_token_in_the_place_of_a_bound_one_is_not_used() {
    let room = room(60, vec![issue(2), bound(3)]).await;
    assert_eq!(room.session.access().await.unwrap_err().name(), Name::WrongTokenType);
    let stored = room.stored().await;
    assert_eq!(text(stored.tokens.refresh.unwrap()), "refresh-2");
    assert_eq!(text(room.session.access().await.unwrap().token), "access-3");
}

#[tokio::test]
async fn a_damaged_key_is_named() {
    let room = Room::new(0, vec![]).await;
    let mut stored = room.stored().await;
    stored.dpop_key = Some("nonsense".into());
    room.store.save(&key(), &stored).await.unwrap();
    assert_eq!(room.session.access().await.unwrap_err().name(), Name::StoreCorrupt);
}
