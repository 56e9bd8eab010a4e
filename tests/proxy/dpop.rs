//! Tokens that are bound to a key (X-03; RFC 9449 sections 7 and 9). The key of these tests writes its proofs in
//! plain words.

use std::sync::Arc;

use serde_json::json;

use super::host::error_of;
use super::ladder::{Key, Ladder};
use super::server::{Answer, Seen, Server};

fn bound() -> (Ladder, Arc<Key>) {
    let key = Arc::new(Key::default());
    (Ladder { key: Some(Arc::clone(&key)), ..Ladder::default() }, key)
}

/// The words of a request's proof after its number.
fn proof(seen: &Seen) -> Vec<String> {
    let proof = seen.header("dpop").expect("no proof");
    proof.split(' ').skip(1).map(str::to_owned).collect()
}

fn wants_nonce(nonce: &str) -> Answer {
    let challenge = "DPoP error=\"use_dpop_nonce\", error_description=\"a nonce is required\"";
    Answer::status(401).header("www-authenticate", challenge).header("dpop-nonce", nonce)
}

#[tokio::test]
async fn each_request_has_a_proof_of_its_own() {
    let server = Server::start(|_| None).await;
    let (ladder, _) = bound();
    let (mut host, _) = ladder.ready(&server).await;
    host.tool(1).await;
    host.next().await;
    server.wait_for("GET", 1).await;
    host.finish().await;
    let seen = server.seen();
    for verb in ["POST", "GET", "DELETE"] {
        assert!(seen.iter().any(|seen| seen.verb == verb), "{verb}");
    }
    let mut proofs: Vec<_> = seen.iter().map(|seen| seen.header("dpop").unwrap().to_owned()).collect();
    for seen in &seen {
        assert_eq!(seen.header("authorization"), Some("DPoP token-0"));
        assert_eq!(proof(seen), [&seen.verb, server.url.as_str(), "token-0", "-"]);
    }
    proofs.sort();
    proofs.dedup();
    assert_eq!(proofs.len(), seen.len(), "a proof was used twice");
}

#[tokio::test]
async fn a_bearer_token_goes_without_a_proof() {
    let server = Server::start(|_| None).await;
    let (_, _) = Ladder::default().ready(&server).await;
    assert!(server.seen().iter().all(|seen| seen.header("dpop").is_none()));
    assert_eq!(server.seen()[0].header("authorization"), Some("Bearer token-0"));
}

/// RFC 9449 section 9: a demand for a nonce says nothing against the token.
#[tokio::test]
async fn a_nonce_that_the_server_demands_is_used_at_once_and_no_refusal() {
    let server =
        Server::start(|seen| (seen.header("dpop")?.ends_with(" -")).then(|| wants_nonce("n1"))).await;
    let (ladder, key) = bound();
    let (mut host, ladder) = ladder.ready(&server).await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    assert!(ladder.refusals().is_empty());
    let hellos = server.of("initialize");
    assert_eq!(hellos.len(), 2);
    assert_eq!((proof(&hellos[0])[3].as_str(), proof(&hellos[1])[3].as_str()), ("-", "n1"));
    assert_eq!(server.count("tools/call"), 1, "the nonce is remembered");
    assert_eq!(key.learned.lock().unwrap().as_slice(), [server.url.to_string()]);
}

/// RFC 9449 section 8.2: the next nonce may come with any answer.
#[tokio::test]
async fn a_nonce_is_learned_from_every_answer() {
    let server = Server::start(|seen| {
        (seen.method() == "tools/call").then(|| Answer::result(seen, "{}").header("dpop-nonce", "n2"))
    })
    .await;
    let (ladder, _) = bound();
    let (mut host, _) = ladder.ready(&server).await;
    for id in 0..2 {
        host.tool(id).await;
        host.next().await;
    }
    let calls = server.of("tools/call");
    assert_eq!((proof(&calls[0])[3].as_str(), proof(&calls[1])[3].as_str()), ("-", "n2"));
}

/// Once: then it is a refusal like any other, and each new token may be met by a new nonce.
#[tokio::test]
async fn a_server_that_wants_ever_another_nonce_comes_to_an_end() {
    let server = Server::start(|seen| (seen.method() == "tools/call").then(|| wants_nonce("n"))).await;
    let (ladder, _) = bound();
    let (mut host, ladder) = ladder.ready(&server).await;
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await).0, "login-required");
    assert_eq!((ladder.refusals().len(), server.count("tools/call")), (2, 6));
}

/// Without a key there is nothing to prove, and without a nonce nothing to prove it with.
#[tokio::test]
async fn a_demand_that_cannot_be_met_is_a_refusal() {
    let challenge = || Answer::status(401).header("www-authenticate", "DPoP error=\"use_dpop_nonce\"");
    for (key, with_nonce) in [(true, false), (false, true)] {
        let server = Server::start(move |seen| {
            let answer = if with_nonce { challenge().header("dpop-nonce", "n") } else { challenge() };
            (seen.header("authorization")?.ends_with("token-0")).then_some(answer)
        })
        .await;
        let ladder = if key { bound().0 } else { Ladder::default() };
        let (mut host, ladder) = ladder.host(&server);
        host.call(0, "initialize", json!({})).await;
        assert!(host.next().await["result"].is_object());
        assert_eq!(ladder.refusals(), [("token-0".to_owned(), false)]);
        assert_eq!(server.count("initialize"), 2);
    }
}
