//! Rows 130 to 132: each fault of the server, and the one answer that the host gets, word for word. All of them are
//! in `faults.txt`; after a change of words run with `SNAPSHOTS=overwrite`, then read the difference as somebody who
//! has only this sentence to go by.

use std::fmt::Write;

use serde_json::json;

use super::host::Host;
use super::reply::{HELLO, Reply, Step, rpc};
use super::server::{Seen, Server};

pub type Fault = (&'static str, fn(&Seen) -> Reply);

const HTML: &str = "content-type: text/html\r\n";
const TEXT: &str = "content-type: text/plain\r\n";
const JSON: &str = "content-type: application/json\r\n";
const SCOPE: &str = "www-authenticate: Bearer error=\"insufficient_scope\", scope=\"apps:write\"\r\n";

/// Row 132, and row 130 where nothing can be resumed.
const FAULTS: &[Fault] = &[
    ("202 to a request", |_| Reply::status(202, "")),
    ("204 to a request", |_| Reply::raw("HTTP/1.1 204 No Content\r\n\r\n")),
    ("200 without a body", |_| Reply::status(200, "")),
    ("200 without a body, JSON", |_| Reply::status(200, JSON)),
    ("JSON of nothing but white space", |_| Reply::json(" \r\n")),
    ("plain text", |_| Reply::body(200, TEXT, "{}")),
    ("an HTML page", |_| Reply::body(200, HTML, "<html>sign in</html>")),
    ("JSON that is no message", |_| Reply::json("{\"ok\":true}")),
    ("half a JSON", |_| Reply::json("{\"jsonrpc\":")),
    ("an answer for somebody else", |_| Reply::json(rpc(&json!("x"), "{}"))),
    ("an empty stream", |_| Reply::events().end()),
    ("a stream with answers for others", |_| Reply::events().event(rpc(&json!("x"), "{}")).end()),
    ("a stream broken before its first event", |_| Reply::events().step(Step::Close)),
    ("a stream broken in an event", |seen| {
        Reply::events().chunk(format!("data: {}\n", rpc(seen.id(), "{}"))).step(Step::Close)
    }),
    ("a connection closed before the answer", |_| Reply::default().step(Step::Close)),
    ("a connection reset before the answer", |_| Reply::default().step(Step::Reset)),
    ("a redirect", |_| Reply::status(307, "location: https://elsewhere.example/mcp\r\n")),
    ("a redirect to the same server", |_| Reply::status(302, "location: /other\r\n")),
    ("304", |_| Reply::status(304, "")),
    ("400 without a body", |_| Reply::status(400, "")),
    ("400 with words", |_| {
        Reply::body(
            400,
            JSON,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Bad\u001b[31m Request"}}"#,
        )
    }),
    ("400, the headers do not match", |_| {
        Reply::body(
            400,
            JSON,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32020,"message":"Header mismatch"}}"#,
        )
    }),
    ("403", |_| Reply::status(403, "")),
    ("403 for want of scope", |_| Reply::status(403, SCOPE)),
    ("404 without a session", |_| Reply::body(404, HTML, "<html>")),
    ("405", |_| Reply::status(405, "allow: GET\r\n")),
    ("406", |_| Reply::status(406, "")),
    ("408", |_| Reply::status(408, "")),
    ("413", |_| Reply::status(413, "")),
    ("415", |_| Reply::status(415, "")),
    ("429 for a long time", |_| Reply::status(429, "retry-after: 3000\r\n")),
    ("431", |_| Reply::status(431, "")),
    ("500", |_| Reply::body(500, TEXT, "Traceback (most recent call last)")),
    ("501", |_| Reply::status(501, "")),
    ("502 with a page", |_| Reply::body(502, HTML, "<html>bad gateway</html>")),
    ("503", |_| Reply::status(503, "retry-after: 1\r\n")),
    ("504", |_| Reply::status(504, "")),
    ("511", |_| Reply::status(511, "")),
];

/// The line that the host gets for a tool call that is answered like this. It is the only one, and the tool is called
/// once (P6).
async fn answer_to(fault: fn(&Seen) -> Reply, params: serde_json::Value) -> String {
    let server = Server::start(move |seen| match seen.method() {
        "tools/call" => Some(fault(seen)),
        // Without a session, so that 404 means 404.
        "initialize" => Some(Reply::result(seen, HELLO)),
        _ => None,
    })
    .await;
    let mut host = Host::with(server.url.clone(), Default::default(), Default::default());
    host.greet().await;
    host.call("t", "tools/call", params).await;
    let line = host.line().await;
    host.call("next", "tools/list", json!({})).await;
    assert_eq!(host.next().await["id"], "next", "the pipe stays usable");
    assert_eq!(server.count("tools/call"), 1, "sent again");
    assert_eq!(host.finish().await.0, Vec::<serde_json::Value>::new(), "a second answer");
    line
}

/// The line with `TIME` in place of each time of day.
fn without_times(line: &str) -> String {
    let mut text = line.to_owned();
    while let Some(at) = text.as_bytes().windows(8).position(|eight| {
        eight
            .iter()
            .enumerate()
            .all(|(n, byte)| if n % 3 == 2 { *byte == b':' } else { byte.is_ascii_digit() })
    }) {
        text.replace_range(at..at + 8, "TIME");
    }
    text
}

#[tokio::test]
async fn each_fault_of_the_server_is_one_answer_word_for_word() {
    let mut golden = String::new();
    for (what, fault) in FAULTS.iter().chain(super::wire::FAULTS) {
        let line = answer_to(*fault, json!({"name": "tool"})).await;
        writeln!(golden, "{what}\n{}\n", without_times(&line)).unwrap();
    }
    snapbox::assert_data_eq!(golden, snapbox::file!["faults.txt"].raw());
}
