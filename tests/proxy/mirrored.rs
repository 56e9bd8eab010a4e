//! Arguments of tools in headers, as `tools/list` asks for them (T-54 to T-56, T-71, T-73).

use serde_json::{Value, json};

use super::host::{Host, error_of};
use super::modern::modern;
use super::server::{Answer, Seen, Server};

/// A list with one good tool, and one with a name that no header can have between two others.
fn tools(seen: &Seen) -> Answer {
    let good = r#"{"name":"sql","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"where":{"type":"object","properties":{"limit":{"type":"integer","x-mcp-header":"Limit"}}}}}, "n": 1.50}"#;
    let bad = r#"{"name":"bad","inputSchema":{"properties":{"x":{"type":"string","x-mcp-header":"a b"}}}}"#;
    Answer::result(seen, &format!("{{\"tools\":[{good}, {bad} ,{{\"name\":\"last\"}}],\"ttlMs\":1.50e2}}"))
}

fn sql(region: &str) -> Value {
    modern(
        json!({"name": "sql", "arguments": {"region": region, "where": {"limit": 10.0}, "query": "SELECT 1"}}),
    )
}

// T-54, T-55.
#[tokio::test]
async fn what_a_list_asks_for_goes_with_the_calls() {
    let server = Server::start(|seen| (seen.method() == "tools/list").then(|| tools(seen))).await;
    let mut host = Host::start(&server);
    // Before the list nothing is known of the tool.
    host.call(0, "tools/call", sql("us")).await;
    host.next().await;
    host.call(1, "tools/list", modern(json!({}))).await;
    let list = host.line().await;
    assert!(list.contains(r#" "n": 1.50} ,{"name":"last"}],"ttlMs":1.50e2}"#), "{list}");
    assert!(!list.contains("bad"), "{list}");
    for (id, region) in [(2, "us-west1"), (3, "Zürich\r\nX: 1"), (4, "")] {
        host.call(id, "tools/call", sql(region)).await;
        host.next().await;
    }
    host.call(5, "tools/call", modern(json!({"name": "sql", "arguments": {"region": null}}))).await;
    host.next().await;
    host.call(6, "tools/call", modern(json!({"name": "last", "arguments": {"region": "us"}}))).await;
    host.next().await;
    let sent: Vec<_> = server.of("tools/call").iter().map(headers).collect();
    let both = |region: &str| vec!["mcp-param-limit: 10".to_owned(), format!("mcp-param-region: {region}")];
    let encoded = "=?base64?WsO8cmljaA0KWDogMQ==?=";
    assert_eq!(sent, [vec![], both("us-west1"), both(encoded), both(""), vec![], vec![]]);
}

fn headers(seen: &Seen) -> Vec<String> {
    let mut headers: Vec<_> = seen
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("mcp-param-"))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    headers
}

// T-55: a legacy server's list is none of this revision's business.
#[tokio::test]
async fn the_list_of_a_session_stays_as_it_is() {
    let server = Server::start(|seen| (seen.method() == "tools/list").then(|| tools(seen))).await;
    let mut host = Host::ready(&server).await;
    host.call(1, "tools/list", json!({})).await;
    assert!(host.line().await.contains("bad"));
    host.call(2, "tools/call", json!({"name": "sql", "arguments": {"region": "us"}})).await;
    host.next().await;
    assert!(headers(&server.of("tools/call")[0]).is_empty());
}

// T-73.
#[tokio::test]
async fn headers_that_are_too_large_are_an_error_with_a_name() {
    let server = Server::start(|seen| match seen.method().as_str() {
        "tools/list" => Some(tools(seen)),
        _ => Some(Answer::status(if seen.headers.len() > 8 { 431 } else { 413 })),
    })
    .await;
    let mut host = Host::start(&server);
    host.call(0, "tools/list", modern(json!({}))).await;
    host.next().await;
    let largest = "x".repeat(300 << 10);
    for (id, params) in [(1, sql("us")), (2, modern(json!({"name": "last"}))), (3, sql(&largest))] {
        host.call(id, "tools/call", params).await;
        assert_eq!(error_of(&host.next().await).0, "too-large", "{id}");
    }
    assert_eq!(server.count("tools/call"), 2, "what no server takes is not sent");
}

/// A server whose list has two pages, and whose tool wants the region in a header; `header` is the name of the
/// header that it looks for.
fn picky(header: &'static str) -> impl Fn(&Seen) -> Option<Answer> {
    move |seen| {
        let params = &seen.json()["params"];
        match (seen.method().as_str(), params["cursor"].as_str()) {
            ("tools/list", None) => {
                Some(Answer::result(seen, r#"{"tools":[{"name":"other"}],"nextCursor":"p\u0032"}"#))
            }
            ("tools/list", Some("p2")) => Some(tools(seen)),
            ("tools/call", _) if seen.header(header).is_none() => {
                let error = r#"{"code":-32020,"message":"Header mismatch: Mcp-Param-Region is missing"}"#;
                let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{error}}}", seen.id());
                Some(Answer { status: 400, ..Answer::json(text) })
            }
            _ => None,
        }
    }
}

// T-56, T-57: the proxy asks for the list by itself, all pages of it, and the tool runs once.
#[tokio::test]
async fn a_mismatch_is_mended_once() {
    let server = Server::start(picky("mcp-param-region")).await;
    let mut host = Host::start(&server);
    let mut params = sql("us");
    params["_meta"]["progressToken"] = json!(7);
    params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({"name": "host"});
    for id in [1, 2] {
        host.call(id, "tools/call", params.clone()).await;
        assert_eq!(host.next().await["result"]["ok"], true);
    }
    let methods: Vec<_> = server.seen().iter().map(Seen::method).collect();
    assert_eq!(methods, ["tools/call", "tools/list", "tools/list", "tools/call", "tools/call"]);
    for list in server.of("tools/list") {
        assert_eq!(list.header("mcp-method"), Some("tools/list"));
        assert_eq!(list.header("mcp-protocol-version"), Some("2026-07-28"));
        let mut meta = params["_meta"].clone();
        meta.as_object_mut().unwrap().remove("progressToken");
        assert_eq!(list.json()["params"]["_meta"], meta, "the host's last, and nothing that is its own");
    }
    let calls = server.of("tools/call");
    assert!(calls.iter().all(|call| call.body == calls[0].body || call.id() == 2));
    host.silence().await;
}

// T-56, T-64: where the list says nothing new, the host gets the server's error; nothing goes round in circles.
#[tokio::test]
async fn a_mismatch_that_cannot_be_mended_is_the_answer() {
    for (header, calls) in [("mcp-param-never", 3), ("x-never", 3)] {
        let server = Server::start(picky(header)).await;
        let mut host = Host::start(&server);
        for id in [1, 2] {
            host.call(id, "tools/call", sql("us")).await;
            let answer = host.next().await;
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(id), &json!(-32020)), "{answer}");
        }
        assert_eq!(server.count("tools/call"), calls, "the first one twice, since the list had news");
        // A tool of which the list knows nothing is not asked for twice.
        let lists = server.count("tools/list");
        for id in [3, 4] {
            host.call(id, "tools/call", modern(json!({"name": "last"}))).await;
            assert_eq!(host.next().await["error"]["code"], -32020);
        }
        assert_eq!(server.count("tools/list"), lists + 2, "two pages, once");
        host.silence().await;
    }
}

// T-56: many calls at a time are mended by one list.
#[tokio::test]
async fn many_mismatches_need_one_list() {
    let server = Server::start(picky("mcp-param-region")).await;
    let mut host = Host::start(&server);
    for id in 0..20 {
        host.call(id, "tools/call", sql("us")).await;
    }
    for _ in 0..20 {
        assert_eq!(host.next().await["result"]["ok"], true);
    }
    assert_eq!(server.count("tools/list"), 2);
    assert!(server.count("tools/call") <= 40);
}
