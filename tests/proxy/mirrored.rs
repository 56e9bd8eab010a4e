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
