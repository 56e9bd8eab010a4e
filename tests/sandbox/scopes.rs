//! Who may do what: tokens, scopes, the tools without a sign-in, the rate limit.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chipp_auth::sandbox::{Options, RateLimit};
use serde_json::json;

use crate::kit::{Kit, MCP, call, headless, initialize};

fn stateless() -> Options {
    Options { sessions: false, ..headless() }
}

#[tokio::test]
async fn each_tool_needs_its_scope_and_the_star_is_all_of_them() {
    let kit = Kit::new(stateless());
    let calls = [
        ("list_apps", json!({}), "apps:read"),
        ("create_app", json!({"name": "x"}), "apps:write"),
        ("get_app_analytics", json!({"appId": "app_1001"}), "analytics:read"),
    ];
    let star = kit.sign_in("*").await.access;
    let billing = kit.sign_in("billing:read").await.access;
    for (tool, arguments, scope) in calls {
        let body = call(1, tool, arguments);
        let own = kit.sign_in(scope).await.access;
        for (token, status) in [(&star, 200), (&own, 200), (&billing, 403)] {
            let seen = kit.send(kit.mcp_request(MCP, token, &body)).await;
            assert_eq!(seen.status, status, "{tool}");
            if status == 403 {
                let challenge = seen.header("www-authenticate");
                assert!(challenge.starts_with("Bearer "), "{challenge}");
                let expected = format!(r#"error="insufficient_scope", scope="{scope}""#);
                assert!(challenge.contains(&expected), "{challenge}");
                assert!(seen.text.contains("Scope not authorized"));
            }
        }
    }
    let free = call(1, "search_documentation", json!({"query": "oauth"}));
    assert_eq!(kit.send(kit.mcp_request(MCP, &billing, &free)).await.status, 200);
    let counts = kit.sandbox.counts();
    assert_eq!(
        (counts.insufficient_scope, counts.tool_calls["create_app"]),
        (3, 2),
        "a refused tool did not run"
    );
}

#[tokio::test]
async fn without_a_token_everything_is_401_unless_anonymous_calls_are_allowed() {
    let kit = Kit::new(stateless());
    let bodies = [
        (initialize("2025-11-25"), 200),
        (json!({"jsonrpc": "2.0", "method": "notifications/initialized"}), 202),
        (json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}), 200),
        (json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}), 200),
        (call(1, "search_documentation", json!({"query": "oauth"})), 200),
        (call(1, "list_apps", json!({})), 401),
        (call(1, "no_tool", json!({})), 401),
        (json!({"jsonrpc": "2.0", "id": 1, "method": "resources/list"}), 401),
    ];
    for (body, _) in &bodies {
        assert_eq!(kit.send(kit.mcp_request(MCP, "", body)).await.status, 401, "{body}");
    }
    kit.sandbox.set(|options| options.anonymous = true);
    for (body, status) in &bodies {
        assert_eq!(kit.send(kit.mcp_request(MCP, "", body)).await.status, *status, "{body}");
    }
    let wrong = kit.send(kit.mcp_request(MCP, "chipp_at_wrong", &bodies[0].0)).await;
    assert_eq!(wrong.status, 401, "a wrong token is not the same as none");
}

#[tokio::test]
async fn a_bad_token_is_named_invalid_and_the_log_says_why() {
    let kit = Kit::new(Options { access_lifetime: Duration::from_millis(400), ..stateless() });
    let body = initialize("2025-11-25");
    let check = async |token: &str, note: &str| {
        let seen = kit.send(kit.mcp_request(MCP, token, &body)).await;
        assert_eq!(seen.status, 401, "{note}");
        assert!(seen.header("www-authenticate").contains(r#"error="invalid_token""#), "{note}");
        assert_eq!(kit.sandbox.log().last().unwrap().note, Some(note));
    };
    check("chipp_at_unknown", "unknown").await;
    check("something else", "malformed").await;
    let expired = kit.sign_in("*").await;
    check(&expired.refresh, "malformed").await;
    assert_eq!(kit.send(kit.mcp_request(MCP, &expired.access, &body)).await.status, 200);
    tokio::time::sleep(Duration::from_millis(420)).await;
    check(&expired.access, "expired").await;

    kit.sandbox.set(|options| options.access_lifetime = Duration::from_secs(3600));
    let token = kit.sign_in("*").await.access;
    kit.sandbox.set(|options| options.reject_early = Some(Duration::ZERO));
    check(&token, "early").await;
    kit.sandbox.set(|options| options.reject_early = None);
    assert_eq!(kit.send(kit.mcp_request(MCP, &token, &body)).await.status, 200);
    kit.sandbox.revoke_all();
    check(&token, "revoked").await;
    let basic = kit.mcp_request(MCP, "", &body).header("authorization", "Basic eDp5");
    assert_eq!(kit.send(basic).await.status, 401);
}

#[tokio::test]
async fn the_rate_limit_counts_down_and_says_when_it_ends() {
    let limit = RateLimit { limit: 2, window: Duration::from_secs(2), tier: "TEAM".to_owned() };
    let kit = Kit::new(Options { rate_limit: Some(limit), ..stateless() });
    let token = kit.sign_in("*").await.access;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let send = async || kit.send(kit.mcp_request(MCP, &token, &ping)).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for left in ["1", "0"] {
        let seen = send().await;
        assert_eq!((seen.status, seen.header("x-ratelimit-remaining")), (200, left));
        assert_eq!((seen.header("x-ratelimit-tier"), seen.header("x-ratelimit-limit")), ("TEAM", "2"));
    }
    let refused = send().await;
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (429, "0"));
    let reset = refused.json()["error"]["reset"].as_u64().unwrap();
    assert_eq!(refused.header("x-ratelimit-reset"), reset.to_string());
    assert!((now + 1..=now + 30).contains(&reset), "{now} {reset}");
    assert!(!refused.header("retry-after").is_empty());
    while SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() < reset {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(send().await.status, 200, "the server keeps its word");
    assert_eq!(kit.sandbox.counts().rate_limited, 1);
}
