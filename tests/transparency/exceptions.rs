//! What does not come out as it went in. These, and no others:
//!
//! | id | what | why |
//! | --- | --- | --- |
//! | T-40 | a batch of a server | comes as its messages, one line each |
//! | T-40 | a batch of a host outside of 2025-03-26 | the server would have to refuse it |
//! | T-04, T-08 | an error that names no request | it is the answer to nothing |
//! | T-34, P8 | an answer that nobody waits for | it would be taken for another |
//! | T-18, S-04 | what is no JSON, or no message | it would break the pipe |
//! | T-33 | a cancellation of `initialize` | MCP forbids it |
//! | T-36 | `ping` while no session is open yet | the host must not think us dead |
//! | T-55 | tools with an invalid `x-mcp-header` in a modern `tools/list` | a client must not use them |
//! | T-80 | the words in which an older server refuses `server/discover` | none of them may end the host's interest |
//! | T-58, S-06 | a request of a modern server, an answer of a modern host | there are none |
//! | T-59, S-07 | a cancellation in 2026-07-28 | closes the stream of its request instead |
//! | P5 | a message of more than 32 MiB | see `tests/pipe` |
//!
//! Between a host of one era and a server of the other, what is said is translated: `tests/proxy` has that.

use super::proxy::{Proxy, hello};
use super::server::{Answer, Seen, Server};
use super::text::{member, parts, strip};

pub const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
const NOTE: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":1.0}}"#;
const REQUEST: &str = r#"{"jsonrpc":"2.0","id":1E+2,"method":"roots/list"}"#;

/// A server that answers `initialize`, and everything else with these messages.
async fn saying(messages: &'static [&'static str]) -> Server {
    Server::start(move |seen: &Seen| {
        let asked = seen.json();
        match (seen.verb.as_str(), seen.method().as_str()) {
            ("POST", "initialize") => {
                let revision = asked["params"]["protocolVersion"].as_str()?;
                Some(Answer::result(seen, &hello(revision)).header("mcp-session-id", "s"))
            }
            ("POST", "tools/call") => {
                let said = messages.iter().fold(Answer::events(), Answer::event);
                Some(said.event(format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{}}}}", asked["id"])))
            }
            _ => None,
        }
    })
    .await
}

fn call(id: u32, modern: bool) -> String {
    let meta = if modern { META } else { "" };
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{{meta}}}}}")
}

const NOTHING_FOR_THE_HOST: &[&str] = &[
    // T-04, T-08.
    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"whose?"}}"#,
    r#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"whose?"}}"#,
    // T-34, P8.
    r#"{"jsonrpc":"2.0","id":"never asked","result":{}}"#,
    r#"{"jsonrpc":"2.0","id":"1","result":{}}"#,
    // T-18.
    "rubbish",
    "17",
    "null",
    "{}",
    r#"{"jsonrpc":"2.0","id":1}"#,
    r#"{"jsonrpc":"2.0","id":{},"method":"roots/list"}"#,
    r#"{"jsonrpc":"2.0","id":1,"result":{}"#,
    "[]",
    "[1,[]]",
];

/// Whatever else a server says is kept back, in both eras, and the answer comes all the same.
#[tokio::test]
async fn what_is_nothing_for_the_host_is_kept_back() {
    for modern in [false, true] {
        let server = saying(NOTHING_FOR_THE_HOST).await;
        let mut proxy = Proxy::speaking(&server.url, if modern { "2026-07-28" } else { "2025-11-25" }).await;
        for _ in 0..2 {
            proxy.send(&call(1, modern)).await;
            assert_eq!(proxy.line().await, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        }
        assert_eq!(proxy.end().await, "");
    }
}

/// P8: the second answer to one request.
#[tokio::test]
async fn an_answer_comes_once() {
    let server = saying(&[r#"{"jsonrpc":"2.0","id":1,"result":{"n":1.0}}"#]).await;
    for modern in [false, true] {
        let mut proxy = Proxy::speaking(&server.url, if modern { "2026-07-28" } else { "2025-11-25" }).await;
        proxy.send(&call(1, modern)).await;
        assert_eq!(proxy.line().await, r#"{"jsonrpc":"2.0","id":1,"result":{"n":1.0}}"#);
        assert_eq!(proxy.end().await, "");
    }
}

/// T-40: whatever the revision, the messages of a server's batch come as they are, in their order.
#[tokio::test]
async fn a_batch_of_a_server_comes_one_by_one() {
    const BATCH: &str = r#"[ {"jsonrpc":"2.0","id":1E+2,"method":"roots/list"} , 17,
        {"jsonrpc":"2.0","id":"never asked","result":{}}, {"jsonrpc":"2.0","method":"a","params":[1e400,"\ud800"] },
        {"result":{"n":-0.0},"jsonrpc":"2.0","id":1}]"#;
    for revision in ["2025-03-26", "2025-11-25"] {
        let server = Server::start(|seen| {
            let is_call = seen.method() == "tools/call";
            is_call.then(|| match seen.json()["params"]["as"] == "json" {
                true => Answer::json(BATCH),
                false => Answer::events().event(BATCH.replace('\n', "\ndata:")),
            })
        })
        .await;
        let mut proxy = Proxy::start(&server.url);
        proxy.send(&format!("{{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{{\"protocolVersion\":\"{revision}\"}}}}")).await;
        proxy.line().await;
        for form in ["json", "events"] {
            proxy
                .send(&format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{\"as\":\"{form}\"}}}}"))
                .await;
            let batch = strip(BATCH);
            for expected in [0, 3, 4].map(|at| parts(&batch)[at]) {
                assert_eq!(strip(&proxy.line().await), expected, "{form}");
            }
        }
        assert_eq!(proxy.end().await, "");
    }
}

/// T-58: a request on a modern stream is a server's fault; in a session it is passed on.
#[tokio::test]
async fn a_modern_server_asks_nothing() {
    let server = saying(&[REQUEST, NOTE]).await;
    let mut proxy = Proxy::speaking(&server.url, "2025-11-25").await;
    proxy.send(&call(1, false)).await;
    for expected in [REQUEST, NOTE, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#] {
        assert_eq!(proxy.line().await, expected);
    }
    // Of one pipe, each request is judged by itself.
    proxy.send(&call(2, true)).await;
    for expected in [NOTE, r#"{"jsonrpc":"2.0","id":2,"result":{}}"#] {
        assert_eq!(proxy.line().await, expected);
    }
    assert_eq!(proxy.end().await, "");
}

/// T-33, T-36: while `initialize` is open its cancellation is dropped, and a ping answered here.
#[tokio::test]
async fn while_no_session_is_open_little_is_sent() {
    let server = Server::start(|seen| {
        (seen.method() == "initialize").then(|| Answer::result(seen, &hello("2025-11-25")).after(500))
    })
    .await;
    let mut proxy = Proxy::start(&server.url);
    proxy.send(r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{}}"#).await;
    proxy.send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"i"}}"#).await;
    proxy.send(r#"{"jsonrpc":"2.0","id":"p\/1","method":"ping"}"#).await;
    assert_eq!(proxy.line().await, r#"{"jsonrpc":"2.0","id":"p\/1","result":{}}"#);
    let answer = proxy.line().await;
    assert_eq!(member(&answer, "id"), Some("\"i\""));
    proxy.send(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#).await;
    proxy.line().await;
    assert_eq!(proxy.end().await, "");
    let asked: Vec<_> = server.seen().iter().map(Seen::method).collect();
    assert_eq!(asked, ["initialize", "ping"]);
}

/// T-58, T-59, S-06, S-07: without a session an answer of the host is for nobody, and a cancellation is the end
/// of a stream and no message. Nothing more is said for its id.
#[tokio::test]
async fn a_modern_host_answers_nothing_and_cancels_without_a_word() {
    let server = Server::start(|seen| {
        let id = seen.json()["id"].as_u64()?;
        Some(match id {
            1 => Answer::events().event(NOTE).wait(120_000),
            _ => Answer::result(seen, "{}"),
        })
    })
    .await;
    let mut proxy = Proxy::start(&server.url);
    proxy.send(&call(1, true)).await;
    assert_eq!(proxy.line().await, NOTE);
    proxy
        .send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"x"}}"#)
        .await;
    proxy.send(r#"{"jsonrpc":"2.0","id":"never asked","result":{}}"#).await;
    proxy.send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#).await;
    proxy.send(&call(2, true)).await;
    assert_eq!(proxy.line().await, r#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
    assert_eq!(proxy.end().await, "");
    let asked: Vec<_> = server.seen().iter().map(Seen::id).collect();
    assert_eq!(asked, [1, 2]);
}

/// T-80 and row 6 of checklist 1.5: a server with sessions refuses the probe in words of its own; what the host
/// reads leads it to `initialize`, and the pipe is as good as before.
#[tokio::test]
async fn an_older_server_refuses_a_probe_in_our_words() {
    let server = Server::start(|seen| match seen.method().as_str() {
        "server/discover" => Some(Answer::status(400).header("content-type", "application/json").data(
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: Server not initialized"}}"#,
        )),
        "initialize" => Some(Answer::result(seen, &hello("2025-11-25"))),
        _ => None,
    })
    .await;
    let mut proxy = Proxy::start(&server.url);
    proxy
        .send(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":\"p\\/\",\"method\":\"server/discover\",\"params\":{{{META}}}}}"
        ))
        .await;
    let refused = proxy.line().await;
    assert_eq!(member(&refused, "id"), Some(r#""p\/""#));
    assert_eq!(member(member(&refused, "error").unwrap(), "code"), Some("-32601"), "{refused}");
    proxy.send(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#).await;
    assert!(proxy.line().await.contains(&hello("2025-11-25")));
    assert_eq!(proxy.end().await, "");
}
