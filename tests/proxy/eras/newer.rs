//! A host that speaks only the newer era at servers that do not (row 7).

use serde_json::{Value, json};

use super::super::host::{Host, error_of};
use super::super::server::{Answer, SESSION, Server};
use super::{Pad, dual, failure, legacy_only, modern};

/// It is told what the server speaks, in the words of its era, and the session that showed it is ended.
#[tokio::test]
async fn a_newer_host_is_told_what_an_older_server_speaks() {
    let server = Server::start(legacy_only).await;
    let pad = Pad::new();
    let mut host = Host::remembering(&server, pad.clone());
    for id in 1..=3 {
        host.call(id, "tools/list", modern(json!({}))).await;
        let answer = host.next().await;
        assert_eq!(answer["id"], id);
        assert_eq!(answer["error"]["code"], -32022, "{answer}");
        let data = json!({"supported": ["2025-11-25"], "requested": "2026-07-28", "source": "chipp-auth"});
        assert_eq!(answer["error"]["data"], data);
        let text = answer["error"]["message"].as_str().unwrap();
        assert!(
            text.starts_with("127.0.0.1 speaks MCP 2025-11-25, and not 2026-07-28. To mend it: "),
            "{text}"
        );
    }
    assert_eq!((server.count("initialize"), server.count("DELETE")), (1, 1), "asked once");
    assert_eq!(server.of("DELETE")[0].header("mcp-session-id"), Some(SESSION));
    assert_eq!(pad.speaks().as_deref(), Some(""));
    // Row 6 and row 9: neither a probe nor the other era is affected.
    host.call("p", "server/discover", modern(json!({}))).await;
    assert_eq!(host.next().await["error"]["code"], -32601);
    assert!(host.greet().await["result"].is_object());
    host.tool(9).await;
    assert_eq!(host.next().await["result"], json!({"ok": true}));
}

/// Where there is no MCP server at all, that is what is said; and what is an answer remains one.
#[tokio::test]
async fn other_refusals_stay_what_they_are() {
    let server = Server::start(|_| Some(Answer::status(404).data("<html>"))).await;
    let mut host = Host::start(&server);
    for id in 1..=2 {
        host.call(id, "tools/list", modern(json!({}))).await;
        assert_eq!(error_of(&host.next().await).0, "bad-response");
    }
    assert_eq!((server.count("initialize"), server.count("tools/list")), (1, 2), "asked once");
    for status in [400, 403, 429, 500] {
        let server = Server::start(move |seen| match seen.method().as_str() {
            "tools/list" if status == 400 => Some(failure(seen, 400, -32602, &Value::Null)),
            "tools/list" => Some(Answer::status(status)),
            _ => dual(seen),
        })
        .await;
        let pad = Pad::new();
        let mut host = Host::remembering(&server, pad.clone());
        host.call(1, "tools/list", modern(json!({}))).await;
        assert_ne!(host.next().await["error"]["code"], -32022, "{status}");
        assert_eq!((server.count("initialize"), pad.text()), (0, None));
    }
}
