//! A server that does not take the token: what is done about it, and how often (A-11, A-22, A-46, A-50 to A-54,
//! D9).

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::host::error_of;
use super::ladder::Ladder;
use super::server::{Answer, Seen, Server};

fn token(seen: &Seen) -> usize {
    let token = seen.header("authorization").and_then(|value| value.strip_prefix("Bearer token-"));
    token.map_or(0, |number| number.parse().unwrap())
}

/// 401 for each token before this one.
async fn refusing(before: usize) -> Server {
    Server::start(move |seen| {
        let refused = seen.method() == "tools/call" && token(seen) < before;
        refused.then(|| Answer::status(401).header("www-authenticate", "Bearer error=\"invalid_token\""))
    })
    .await
}

fn lacking(status: u16, scope: &str) -> Answer {
    let value = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
    Answer::status(status).header("www-authenticate", value)
}

/// 403 for each token before this one, with another scope each time.
async fn demanding(before: usize, status: u16) -> Server {
    Server::start(move |seen| {
        let token = token(seen);
        let lacks = seen.json()["params"]["name"] == "tool" && token < before;
        lacks.then(|| lacking(status, &format!("scope-{token}")))
    })
    .await
}

/// what a renewal does not mend, a sign-in may.
#[tokio::test]
async fn a_second_401_says_that_the_renewal_did_not_help() {
    let server = refusing(2).await;
    let (mut host, ladder) = Ladder::default().ready(&server).await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["ok"], true);
    assert_eq!(ladder.refusals(), [("token-0".to_owned(), false), ("token-1".to_owned(), true)]);
    assert_eq!(server.count("tools/call"), 3);
}

/// the third is the error. The tool did not run, whatever the server says.
#[tokio::test]
async fn a_third_401_is_the_error() {
    let server = refusing(9).await;
    let (mut host, ladder) = Ladder::default().ready(&server).await;
    host.tool(1).await;
    let message = host.next().await;
    assert_eq!(error_of(&message), ("login-required".to_owned(), -31001));
    assert!(message["error"]["message"].as_str().unwrap().contains("`chipp-auth login mine`"), "{message}");
    assert_eq!((ladder.refusals().len(), server.count("tools/call")), (2, 3));
    host.silence().await;
}

/// a server may let `initialize` in and ask who it is at any later request, whatever its verb.
#[tokio::test]
async fn a_challenge_may_come_at_any_request() {
    let server = Server::start(|seen| {
        let open = matches!(seen.method().as_str(), "initialize");
        (!open && seen.header("authorization").is_none()).then(|| Answer::status(401))
    })
    .await;
    for late in ["notifications/initialized", "tools/list"] {
        let (mut host, ladder) = Ladder { signed_out: true, ..Ladder::default() }.host(&server);
        host.call(0, "initialize", json!({})).await;
        assert!(host.next().await["result"].is_object());
        assert!(ladder.refusals().is_empty(), "nobody was asked before the server asked");
        if late == "tools/list" {
            host.call(1, late, json!({})).await;
            assert!(host.next().await["result"].is_object());
        } else {
            host.note(late, json!({})).await;
            server.wait_for("GET", 1).await;
        }
        assert_eq!(ladder.refusals(), [(String::new(), false)]);
    }
}

/// a sign-in is worth another one only if the server took its token.
#[tokio::test]
async fn a_token_counts_as_taken_when_it_was_sent_and_the_answer_is_a_success() {
    let server = refusing(1).await;
    let (mut host, ladder) = Ladder { signed_out: true, ..Ladder::default() }.host(&server);
    host.call(0, "initialize", json!({})).await;
    host.next().await;
    assert_eq!(ladder.accepted.load(Ordering::SeqCst), 0, "there was no token");
    host.tool(1).await;
    host.next().await;
    assert_eq!(ladder.accepted.load(Ordering::SeqCst), 1);
    let failing = Server::start(|_| Some(Answer::status(500))).await;
    let (mut host, ladder) = Ladder::default().host(&failing);
    host.call(0, "initialize", json!({})).await;
    host.next().await;
    assert_eq!(ladder.accepted.load(Ordering::SeqCst), 0);
}

/// 403, and 401 with the same words (RFC 6750 section 3.1 says 403, and some servers do not read it).
#[tokio::test]
async fn insufficient_scope_is_asked_for_and_the_request_sent_again() {
    for status in [403, 401] {
        let server = demanding(1, status).await;
        let (mut host, ladder) = Ladder::default().ready(&server).await;
        host.tool(1).await;
        assert_eq!(host.next().await["result"]["ok"], true);
        assert_eq!(ladder.lacks(), [("token-0".to_owned(), vec!["scope-0".to_owned()])], "{status}");
        assert_eq!((ladder.refusals().len(), server.count("tools/call")), (0, 2), "{status}");
    }
}

/// one request waits for the person, the others go on with the old token.
#[tokio::test]
async fn a_step_up_blocks_its_own_request_only() {
    let server = demanding(1, 403).await;
    let ladder = Ladder { slow: Duration::from_millis(1500), ..Ladder::default() };
    let (mut host, _) = ladder.ready(&server).await;
    host.tool("asks").await;
    server.wait_for("tools/call", 1).await;
    host.call("goes on", "tools/list", json!({})).await;
    assert_eq!(host.next().await["id"], "goes on");
    assert_eq!(host.next().await["id"], "asks");
    assert_eq!(server.of("tools/list")[0].header("authorization"), Some("Bearer token-0"));
}

/// A-53, D9: two step-ups for one request, not more.
#[tokio::test]
async fn a_server_that_wants_ever_more_scope_comes_to_an_end() {
    for status in [403, 401] {
        let server = demanding(9, status).await;
        let (mut host, ladder) = Ladder::default().ready(&server).await;
        host.tool(1).await;
        let message = host.next().await;
        assert_eq!(error_of(&message), ("scope-required".to_owned(), -31001));
        let text = message["error"]["message"].as_str().unwrap();
        assert!(text.contains("the tool tool, which needs scope-2"), "{text}");
        assert_eq!((ladder.lacks().len(), server.count("tools/call")), (2, 3), "{status}");
    }
}

/// three questions in all, whatever they are about.
#[tokio::test]
async fn refusals_of_both_kinds_are_counted_together() {
    let server = Server::start(|seen| match token(seen) {
        _ if seen.method() != "tools/call" => None,
        0 | 1 => Some(Answer::status(401)),
        n => Some(lacking(403, &format!("scope-{n}"))),
    })
    .await;
    let (mut host, ladder) = Ladder::default().ready(&server).await;
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await).0, "scope-required");
    assert_eq!((ladder.refusals().len(), ladder.lacks().len()), (2, 1));
    assert_eq!(server.count("tools/call"), 4);

    let server = Server::start(|seen| match token(seen) {
        _ if seen.method() != "tools/call" => None,
        n @ (0 | 1) => Some(lacking(403, &format!("scope-{n}"))),
        _ => Some(Answer::status(401)),
    })
    .await;
    let (mut host, ladder) = Ladder::default().ready(&server).await;
    host.tool(1).await;
    assert_eq!(error_of(&host.next().await).0, "login-required");
    assert_eq!((ladder.refusals().len(), ladder.lacks().len()), (1, 2));
    assert_eq!(server.count("tools/call"), 4);
}

/// no sign-in changes a plain 403.
#[tokio::test]
async fn a_403_of_another_kind_is_a_plain_error() {
    for value in
        ["Bearer", "Bearer error=\"invalid_token\", scope=\"a\"", "Basic error=\"insufficient_scope\""]
    {
        let server = Server::start(move |seen| {
            let answer = || Answer::status(403).header("www-authenticate", value);
            (seen.method() == "tools/call").then(answer)
        })
        .await;
        let (mut host, ladder) = Ladder::default().ready(&server).await;
        host.tool(1).await;
        assert_eq!(error_of(&host.next().await).0, "bad-response", "{value}");
        assert_eq!((ladder.lacks().len(), ladder.refusals().len(), server.count("tools/call")), (0, 0, 1));
    }
}

/// Nobody is asked for the sake of the proxy's own stream.
#[tokio::test]
async fn a_stream_of_our_own_asks_for_no_scope() {
    for status in [403, 401] {
        let server = Server::start(move |seen| (seen.verb == "GET").then(|| lacking(status, "a"))).await;
        let (mut host, ladder) = Ladder::default().ready(&server).await;
        server.wait_for("GET", 1).await;
        host.tool(1).await;
        host.next().await;
        assert!(ladder.lacks().is_empty() && ladder.refusals().is_empty());
    }
}

/// The seed's "Scope not authorized": the tool, the scope, and the command for all of it.
#[tokio::test]
async fn a_scope_that_nobody_can_be_asked_for_is_named_with_its_tool_and_command() {
    let server = Server::start(|seen| {
        let scope = seen.json()["params"]["scope"].as_str()?.to_owned();
        Some(lacking(403, &scope))
    })
    .await;
    let (mut host, _) = Ladder { ask: Some("a:read b:write"), ..Ladder::default() }.ready(&server).await;
    host.call(1, "tools/call", json!({"name": "create\u{1b}[31m\n", "scope": "b:write"})).await;
    let message = host.next().await;
    assert_eq!(error_of(&message), ("scope-required".to_owned(), -31001));
    let text = message["error"]["message"].as_str().unwrap();
    assert!(text.contains("scope not authorized for the tool create [31m, which needs b:write"), "{text}");
    assert!(text.contains("run `chipp-auth login mine --scope 'a:read b:write'`"), "{text}");

    // What a shell would act on is shown, but is no part of a command.
    let (mut host, _) = Ladder { ask: Some("a'; rm -rf ~ #"), ..Ladder::default() }.ready(&server).await;
    host.call(1, "tools/call", json!({"name": "x", "scope": "a'; rm -rf ~ #"})).await;
    let message = host.next().await;
    let text = message["error"]["message"].as_str().unwrap();
    assert!(text.contains("which needs a'; rm -rf ~ #"), "{text}");
    assert!(text.contains("run `chipp-auth login mine` with the missing `--scope`"), "{text}");
}
