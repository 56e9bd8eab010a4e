//! The MCP endpoint: transport rules, tools, sessions.

use chipp_auth::sandbox::{Answers, Options};
use serde_json::{Value, json};

use crate::kit::{Kit, MCP, call, headless, initialize};

/// The messages of an event stream.
fn events(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[tokio::test]
async fn each_version_is_negotiated_and_an_unknown_one_gets_the_newest() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.access;
    for (asked, answered) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ] {
        let seen = kit.send(kit.mcp_request(MCP, &token, &initialize(asked))).await;
        assert_eq!(seen.json()["result"]["protocolVersion"], answered);
        assert_eq!(seen.json()["result"]["capabilities"]["tools"]["listChanged"], true);
        let id = seen.header("mcp-session-id");
        assert!(!id.is_empty() && id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
    }
}

#[tokio::test]
async fn the_tools_work_and_an_app_that_was_created_is_there() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.access;
    let session = kit.open(&token, "2025-11-25").await;
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let seen = kit.rpc(&token, &session, &initialized).await;
    assert_eq!((seen.status, seen.text.as_str()), (202, ""));
    let ping = kit.rpc(&token, &session, &json!({"jsonrpc": "2.0", "id": "x", "method": "ping"})).await;
    assert_eq!(ping.json(), json!({"jsonrpc": "2.0", "id": "x", "result": {}}));

    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let tools = async || kit.rpc(&token, &session, &list).await.json()["result"]["tools"].clone();
    let names: Vec<_> = tools().await.as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, ["list_apps", "create_app", "get_app_analytics", "search_documentation"]);
    let before = tools().await;

    let run = async |tool, arguments| kit.rpc(&token, &session, &call(7, tool, arguments)).await.json();
    let created = run("create_app", json!({"name": "Canary", "description": "sings"})).await;
    let id = &created["result"]["structuredContent"]["app"]["id"];
    let apps = run("list_apps", json!({})).await["result"]["structuredContent"]["apps"].clone();
    assert_eq!(
        apps.as_array().unwrap().last().unwrap(),
        &json!({"id": id, "name": "Canary", "description": "sings"})
    );
    assert_ne!(tools().await, before, "list_changed is no empty word");

    let week = run("get_app_analytics", json!({"appId": id})).await["result"]["structuredContent"].clone();
    let month = run("get_app_analytics", json!({"appId": id, "days": 28})).await["result"].clone();
    let conversations = |value: &Value| value["conversations"].as_u64().unwrap();
    assert_eq!(conversations(&month["structuredContent"]), 4 * conversations(&week));
    let text: Value = serde_json::from_str(month["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, month["structuredContent"]);
    let missing = run("get_app_analytics", json!({"appId": "app_9"})).await;
    assert_eq!(missing["result"]["isError"], true);
    let found = run("search_documentation", json!({"query": "rate limits"})).await;
    assert!(found["result"]["content"][0]["text"].as_str().unwrap().contains("Rate Limits"));
    assert_eq!(kit.sandbox.counts().tool_calls["get_app_analytics"], 3);
}

#[tokio::test]
async fn json_rpc_errors_carry_the_id_as_it_came() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.access;
    let session = kit.open(&token, "2025-11-25").await;
    let post = async |text: &'static str| {
        let request = kit.mcp_request(MCP, &token, &json!({})).body(text);
        kit.send(request.header("mcp-session-id", &session).header("mcp-protocol-version", "2025-11-25"))
            .await
    };
    let seen =
        post(r#"{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"server/discover"}"#).await;
    assert_eq!(seen.status, 200);
    assert!(seen.text.contains(r#""id":123456789012345678901234567890,"#), "{}", seen.text);
    assert_eq!(seen.json()["error"]["code"], -32601);
    let unknown = post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"no_tool"}}"#).await;
    assert_eq!(unknown.json()["error"]["code"], -32602);
    let bare = post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_app"}}"#).await;
    assert_eq!(bare.json()["error"]["code"], -32602);
    for (text, code) in [
        ("{", -32700),
        ("[]", -32600),
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600),
        (r#"{"id":1,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
    ] {
        let seen = post(text).await;
        assert_eq!((seen.status, seen.json()["error"]["code"].as_i64()), (400, Some(code)), "{text}");
    }
    assert_eq!(
        post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).await.status,
        202,
        "an answer from the client"
    );
}

#[tokio::test]
async fn requests_that_break_the_transport_rules_are_refused() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.access;
    let session = kit.open(&token, "2025-11-25").await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let status = async |session: &str, version: &str, extra: Option<(&'static str, &str)>| {
        let mut request = kit.mcp_request(MCP, &token, &list);
        for (name, value) in [("mcp-session-id", session), ("mcp-protocol-version", version)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let mut request = request.build().unwrap();
        if let Some((name, value)) = extra {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        kit.http.execute(request).await.unwrap().status().as_u16()
    };
    assert_eq!(status(&session, "2025-11-25", None).await, 200);
    assert_eq!(status(&session, "2025-06-18", None).await, 400, "not the negotiated version");
    assert_eq!(status(&session, "2026-07-28", None).await, 400, "a version from another era");
    assert_eq!(status(&session, "", None).await, 400, "no version");
    assert_eq!(status("", "2025-11-25", None).await, 400, "no session");
    assert_eq!(status("unknown", "2025-11-25", None).await, 404);
    assert_eq!(status(&session, "2025-11-25", Some(("accept", "application/json"))).await, 400);
    assert_eq!(status(&session, "2025-11-25", Some(("accept", "text/event-stream"))).await, 400);
    assert_eq!(status(&session, "2025-11-25", Some(("content-type", "text/plain"))).await, 415);
    assert_eq!(status(&session, "2025-11-25", Some(("origin", "https://evil.example"))).await, 403);
    let old = kit.open(&token, "2025-03-26").await;
    assert_eq!(status(&old, "", None).await, 200, "2025-03-26 has no such header");
    kit.sandbox.forget_sessions();
    assert_eq!(status(&old, "", None).await, 404);
    kit.sandbox.set(|options| options.sessions = false);
    assert_eq!(status("", "2025-11-25", None).await, 200);
    assert_eq!(status("", "2026-07-28", None).await, 400, "a version from another era, without a session");
}

#[tokio::test]
async fn answers_come_as_events_with_progress_before_them_where_asked() {
    let kit = Kit::new(Options { answers: Answers::Sse, ..headless() });
    let token = kit.sign_in("*").await.access;
    let session = kit.open(&token, "2025-11-25").await;
    let mut body = call(5, "get_app_analytics", json!({"appId": "app_1001"}));
    let plain = kit.rpc(&token, &session, &body).await;
    assert_eq!((plain.header("content-type"), events(&plain.text).len()), ("text/event-stream", 1));
    body["params"]["_meta"] = json!({"progressToken": "p-1"});
    let seen = events(&kit.rpc(&token, &session, &body).await.text);
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0]["params"]["progressToken"], "p-1");
    let steps: Vec<_> = seen[..2].iter().map(|event| event["params"]["progress"].as_u64().unwrap()).collect();
    assert_eq!((steps, &seen[2]["id"]), (vec![1, 2], &json!(5)));
}

#[tokio::test]
async fn the_areas_share_the_sign_in_and_divide_the_tools() {
    let kit = Kit::new(Options { sessions: false, ..headless() });
    let token = kit.sign_in("*").await.access;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    for (path, count) in [("/mcp/messages", 4), ("/mcp/core", 2), ("/mcp/apps", 3), ("/mcp/knowledge", 1)] {
        let seen = kit.send(kit.mcp_request(path, &token, &list)).await;
        assert_eq!(seen.json()["result"]["tools"].as_array().unwrap().len(), count, "{path}");
    }
    let elsewhere = call(1, "create_app", json!({"name": "x"}));
    let seen = kit.send(kit.mcp_request("/mcp/knowledge", &token, &elsewhere)).await;
    assert_eq!(seen.json()["error"]["code"], -32602);
}

#[tokio::test]
async fn a_batch_is_for_2025_03_26_alone() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("apps:read").await.access;
    let session = kit.open(&token, "2025-03-26").await;
    let post = async |body: &Value| {
        kit.send(kit.mcp_request(MCP, &token, body).header("mcp-session-id", &session)).await
    };
    let ping = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let batch = json!([ping(1), told, call(2, "list_apps", json!({}))]);
    let seen = post(&batch).await.json();
    assert_eq!((seen.as_array().unwrap().len(), &seen[0]["id"], &seen[1]["id"]), (2, &json!(1), &json!(2)));
    assert_eq!(post(&json!([told])).await.status, 202);
    assert_eq!(post(&json!([])).await.status, 400, "an empty batch is none");
    assert_eq!(post(&json!([initialize("2025-03-26")])).await.status, 400, "never around initialize");
    assert_eq!(post(&json!([ping(1), call(2, "create_app", json!({"name": "x"}))])).await.status, 403);
    kit.sandbox.set(|options| options.answers = Answers::Sse);
    assert_eq!(events(&post(&batch).await.text).len(), 2);
    let newer = kit.open(&token, "2025-06-18").await;
    let request = kit.mcp_request(MCP, &token, &batch).header("mcp-session-id", &newer);
    assert_eq!(kit.send(request.header("mcp-protocol-version", "2025-06-18")).await.status, 400);
    assert_eq!(kit.sandbox.counts().tool_calls["list_apps"], 2);
}
