//! What becomes of each request and notification.

use serde_json::{Value, json};

use super::super::server::{Answer, Server, rpc};
use super::{offering, open, ready, serve};

/// T-50 to T-53, T-57, T-09: each request says what it must, in body and headers, and keeps what it said.
#[tokio::test]
async fn a_request_says_who_sends_it_and_keeps_its_text() {
    let server = serve(|_| None).await;
    let (mut host, _) =
        open(&server, "2025-06-18", json!({"roots": {"listChanged": true}, "tasks": {}})).await;
    host.raw(r#"{"jsonrpc":"2.0", "x":1.0,"id":9007199254740993,"method":"tools/call","params":{"_meta":{"progressToken":1.0},"name":"é","arguments":{ "n" : 1.00, "s":"\u0041" }}}"#)
        .await;
    host.raw("\n").await;
    let line = host.line().await;
    assert!(line.contains(r#""id":9007199254740993"#), "{line}");
    let call = &server.of("tools/call")[0];
    let body = String::from_utf8(call.body.to_vec()).unwrap();
    for part in
        [r#""x":1.0"#, r#""arguments":{ "n" : 1.00, "s":"\u0041" }"#, r#""_meta":{"progressToken":1.0,"#]
    {
        assert!(body.contains(part), "{body}");
    }
    let meta = &call.json()["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    assert_eq!(meta["io.modelcontextprotocol/clientInfo"], json!({"name": "host", "version": "1", "n": 1.5}));
    assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({"roots": {"listChanged": true}}));
    assert_eq!(call.header("mcp-method"), Some("tools/call"));
    assert_eq!(call.header("mcp-name"), Some("=?base64?w6k=?="));
    assert_eq!(call.header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(call.header("authorization"), Some("Bearer token-0"));
}

/// A request without parameters has some all the same; parameters that are no object cannot have any.
#[tokio::test]
async fn parameters_are_made_where_there_are_none() {
    let server = serve(|_| None).await;
    let mut host = ready(&server).await;
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/list\"}\n").await;
    assert_eq!(host.next().await["result"]["era"], "modern");
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"tools/list\",\"params\":[1]}\n").await;
    let refused = host.next().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!("b"), &json!(-32602)));
    assert_eq!(server.count("tools/list"), 1);
}

/// The answer to `initialize`, and the version in it.
#[tokio::test]
async fn a_session_is_offered_in_the_hosts_own_version() {
    let server = serve(|seen| {
        let all = json!({"tools": {}, "tasks": {}, "extensions": {"io.modelcontextprotocol/tasks": {}, "com.example/x": {}}});
        (seen.method() == "server/discover").then(|| Answer::result(seen, &offering(all).to_string()))
    })
    .await;
    for (asked, told) in
        [("2025-03-26", "2025-03-26"), ("2025-11-25", "2025-11-25"), ("2026-07-28", "2025-11-25")]
    {
        let (_, hello) = open(&server, asked, json!({})).await;
        let expected = json!({
            "protocolVersion": told,
            "capabilities": {"tools": {}, "extensions": {"com.example/x": {}}},
            "serverInfo": {"name": "modern", "version": "3"},
            "instructions": "be kind",
        });
        assert_eq!(hello["result"], expected);
    }
}

/// T-36: removed in 2026-07-28.
#[tokio::test]
async fn a_ping_is_answered_here() {
    let server = serve(|_| None).await;
    let mut host = ready(&server).await;
    host.call("p", "ping", json!({})).await;
    assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "id": "p", "result": {}}));
    assert_eq!(server.count("ping"), 0);
}

#[tokio::test]
async fn the_level_of_the_log_goes_with_each_request() {
    let server = serve(|_| None).await;
    let mut host = ready(&server).await;
    let level = |n: usize| {
        server.of("tools/call")[n].json()["params"]["_meta"]["io.modelcontextprotocol/logLevel"].clone()
    };
    host.tool(1).await;
    host.next().await;
    assert_eq!(level(0), Value::Null);
    host.call(2, "logging/setLevel", json!({"level": "warning"})).await;
    assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "id": 2, "result": {}}));
    host.tool(3).await;
    host.next().await;
    assert_eq!(level(1), "warning");
    host.call(4, "logging/setLevel", json!({"level": "loud"})).await;
    assert_eq!(host.next().await["error"]["code"], -32602);
    host.tool(5).await;
    host.next().await;
    assert_eq!(level(2), "warning");
    assert_eq!(server.count("logging/setLevel"), 0);
}

/// As a server of the older era answers for what it has not offered.
#[tokio::test]
async fn what_the_server_does_not_offer_is_no_method() {
    let server = serve(|seen| {
        let nothing = offering(json!({"resources": {}}));
        (seen.method() == "server/discover").then(|| Answer::result(seen, &nothing.to_string()))
    })
    .await;
    let mut host = ready(&server).await;
    for method in
        ["logging/setLevel", "resources/subscribe", "resources/unsubscribe", "tasks/get", "tasks/list"]
    {
        host.call(method, method, json!({"level": "info", "uri": "u", "taskId": "t"})).await;
        let answer = host.next().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(method), &json!(-32601)), "{answer}");
    }
    assert_eq!(server.count("initialize"), 1);
    assert_eq!(server.seen().len(), 2, "nothing of it went out");
}

/// T-08, T-63: the server's own errors are the host's answers.
#[tokio::test]
async fn an_error_of_the_server_is_the_answer() {
    let server = serve(|seen| {
        let code = seen.json()["params"]["name"].as_str()?.parse::<i32>().ok()?;
        let status = if code == -32602 { 200 } else { 404 };
        Some(super::super::eras::failure(seen, status, code, &json!({"a": 1})))
    })
    .await;
    let mut host = ready(&server).await;
    for code in [-32601, -32602, -32021] {
        host.call(code, "tools/call", json!({"name": code.to_string()})).await;
        let answer = host.next().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(code), &json!(code)));
        assert_eq!(answer["error"]["data"], json!({"a": 1}));
    }
    assert_eq!(server.count("initialize"), 1, "not taken for a lost session");
}

/// Progress and log come before the answer, in their order, with the host's own token (T-72).
#[tokio::test]
async fn progress_comes_with_the_hosts_token() {
    let server = serve(|seen| {
        (seen.method() == "tools/call").then(|| {
            let token = seen.json()["params"]["_meta"]["progressToken"].clone();
            let step = |n| json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": n}});
            let events = (1..=3).fold(Answer::events(), |answer, n| answer.event(step(n).to_string()));
            events.event(rpc(&seen.id(), r#"{"resultType":"complete","n":1e400}"#))
        })
    })
    .await;
    let mut host = ready(&server).await;
    host.call("t", "tools/call", json!({"name": "x", "_meta": {"progressToken": "mine"}})).await;
    for n in 1..=3 {
        let note = host.next().await;
        assert_eq!(
            (&note["params"]["progress"], &note["params"]["progressToken"]),
            (&json!(n), &json!("mine"))
        );
    }
    assert_eq!(
        host.line().await,
        r#"{"jsonrpc":"2.0","id":"t","result":{"resultType":"complete","n":1e400}}"#
    );
}

/// What is about a session, or about requests that no server makes, concerns nobody; the rest is passed on.
#[tokio::test]
async fn notifications_are_passed_on_where_they_concern_anybody() {
    let server = serve(|_| None).await;
    let mut host = ready(&server).await;
    for method in ["roots/list_changed", "progress", "tasks/status", "cancelled", "com.example/news"] {
        host.note(&format!("notifications/{method}"), json!({"requestId": 77})).await;
    }
    server.wait_for("notifications/com.example/news", 1).await;
    let news = &server.of("notifications/com.example/news")[0];
    assert_eq!(news.header("mcp-method"), Some("notifications/com.example/news"));
    let methods: Vec<_> = server.seen().iter().map(super::Seen::method).collect();
    assert!(
        !methods.iter().any(|method| method.contains("roots") || method.contains("cancelled")),
        "{methods:?}"
    );
    assert!(!methods.iter().any(|method| method.contains("progress") || method.contains("status")));
}

/// T-40: a host of 2025-03-26 may send batches; the newer era has none.
#[tokio::test]
async fn a_batch_is_taken_apart() {
    let server = serve(|_| None).await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 2, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"},
    ]);
    let (mut host, _) = open(&server, "2025-03-26", json!({})).await;
    host.raw(format!("{batch}\n")).await;
    let mut ids = vec![host.next().await["id"].clone(), host.next().await["id"].clone()];
    ids.sort_by_key(Value::as_u64);
    assert_eq!(ids, [1, 2]);
    assert_eq!((server.count("tools/list"), server.count("ping")), (1, 0));
    let (mut host, _) = open(&server, "2025-11-25", json!({})).await;
    host.raw(format!("{batch}\n")).await;
    assert_eq!(host.next().await["error"]["code"], -32600);
}

/// A host that opens another session at a server which opens some by now is not translated any longer.
#[tokio::test]
async fn the_next_initialize_decides_anew() {
    let sessions = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = sessions.clone();
    let server = Server::start(move |seen| {
        if now.load(std::sync::atomic::Ordering::SeqCst) {
            super::super::eras::legacy_only(seen)
        } else {
            super::super::eras::modern_only(seen)
        }
    })
    .await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["era"], "modern");
    sessions.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(host.greet().await["result"]["serverInfo"]["name"], "scripted");
    host.tool(2).await;
    assert_eq!(host.next().await["result"], json!({"ok": true}));
}

/// T-62, row 130: a broken stream is lost; a call is not sent again.
#[tokio::test]
async fn a_broken_stream_is_lost() {
    let server = serve(|seen| {
        (seen.method() == "tools/call")
            .then(|| Answer::events().data("id: 1\ndata:\n\n").part(super::super::server::Part::Break))
    })
    .await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    assert_eq!(super::super::host::error_of(&host.next().await).0, "stream-lost");
    assert_eq!((server.count("tools/call"), server.count("GET")), (1, 0));
}

/// T-54 and T-55 hold for translated requests as for any other: what a tool wants in headers goes there, and
/// what may not be called is left out.
#[tokio::test]
async fn tools_get_their_headers() {
    let tool = |name: &str, kind: &str| {
        let area = json!({"type": kind, "x-mcp-header": "Area"});
        json!({"name": name, "inputSchema": {"type": "object", "properties": {"area": area}}})
    };
    let list = json!({"resultType": "complete", "tools": [tool("good", "string"), tool("bad", "number")]})
        .to_string();
    let server =
        serve(move |seen| (seen.method() == "tools/list").then(|| Answer::result(seen, &list))).await;
    let mut host = ready(&server).await;
    host.call(1, "tools/list", json!({})).await;
    let tools = host.next().await["result"]["tools"].clone();
    assert_eq!((tools.as_array().unwrap().len(), &tools[0]["name"]), (1, &json!("good")));
    host.call(2, "tools/call", json!({"name": "good", "arguments": {"area": "é"}})).await;
    host.next().await;
    assert_eq!(server.of("tools/call")[0].header("mcp-param-area"), Some("=?base64?w6k=?="));
}

/// A schema or a result that is no object may be in the newer era, and breaks clients of the older one (SEP-2106).
#[tokio::test]
async fn results_are_such_as_an_older_host_can_take() {
    let tool = |kind: &str| json!({"name": kind, "inputSchema": {}, "outputSchema": {"type": kind}});
    let list = json!({"tools": [tool("object"), tool("array")]}).to_string();
    let server = serve(move |seen| match seen.method().as_str() {
        "tools/list" => Some(Answer::result(seen, &list)),
        "tools/call" => Some(Answer::result(seen, r#"{"content":[],"structuredContent":[1.50]}"#)),
        _ => None,
    })
    .await;
    let mut host = ready(&server).await;
    host.call(1, "tools/list", json!({})).await;
    let tools = host.next().await["result"]["tools"].clone();
    assert_eq!(tools[0], tool("object"));
    assert_eq!(tools[1], json!({"name": "array", "inputSchema": {}}));
    host.tool(2).await;
    assert_eq!(host.next().await["result"], json!({"content": [{"type": "text", "text": "[1.50]"}]}));
    // What says itself that it is of the newer era is left alone.
    host.call(3, "tools/call", super::super::eras::modern(json!({"name": "x"}))).await;
    assert_eq!(host.next().await["result"]["structuredContent"], json!([1.5]));
}
