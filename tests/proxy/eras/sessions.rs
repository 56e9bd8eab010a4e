//! A host that opens a session, at servers of each era (rows 1 to 4), and what is remembered of them.

use serde_json::{Value, json};

use super::super::host::{Host, error_of};
use super::super::server::{Answer, Seen, Server, rpc};
use super::{Pad, VERSION, discovered, dual, failure, legacy_only, modern, modern_only};

/// Rows 1 and 2, T-20: the server decides, and its version goes with each request.
#[tokio::test]
async fn two_of_the_older_era_agree_by_themselves() {
    for (asked, told) in [("2024-11-05", "2025-11-25"), ("2025-11-25", "2025-03-26")] {
        let server = Server::start(move |seen| {
            let hello = json!({"protocolVersion": told, "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}});
            (seen.method() == "initialize").then(|| Answer::result(seen, &hello.to_string()))
        })
        .await;
        let mut host = Host::start(&server);
        host.call(0, "initialize", json!({"protocolVersion": asked, "capabilities": {}})).await;
        assert_eq!(host.next().await["result"]["protocolVersion"], told);
        host.tool(1).await;
        host.next().await;
        assert_eq!(server.of("initialize")[0].json()["params"]["protocolVersion"], asked);
        assert_eq!(server.of("tools/call")[0].header("mcp-protocol-version"), Some(told));
    }
}

/// Row 3: a server of both eras gives an older host what it asks for, and is not asked for anything else.
#[tokio::test]
async fn a_server_of_both_eras_opens_a_session() {
    let server = Server::start(dual).await;
    let pad = Pad::new();
    let mut host = Host::remembering(&server, pad.clone());
    assert_eq!(host.greet().await["result"], super::greeting());
    host.tool(1).await;
    assert_eq!(host.next().await["result"], json!({"ok": true}));
    host.finish().await;
    assert_eq!((server.count("initialize"), server.count("server/discover")), (1, 0));
    assert_eq!(pad.text(), None, "that it opens sessions says nothing about the newer era");
}

/// However a server says that it knows no sessions (T-63, T-64, T-80).
fn refusals() -> Vec<fn(&Seen) -> Answer> {
    vec![
        |seen| failure(seen, 400, -32022, &json!({"supported": [VERSION]})),
        |seen| failure(seen, 400, -32020, &Value::Null),
        |seen| failure(seen, 404, -32601, &Value::Null),
        |seen| failure(seen, 200, -32601, &Value::Null),
        |seen| failure(seen, 400, -32602, &Value::Null),
        |seen| failure(seen, 200, -32602, &json!({"supported": [VERSION]})),
        |seen| Answer::events().event(failure_text(seen)),
        |_| Answer {
            status: 400,
            ..Answer::json(r#"{"jsonrpc":"2.0","error":{"code":-32022,"message":"m"}}"#)
        },
    ]
}

fn failure_text(seen: &Seen) -> String {
    rpc(&seen.id(), "0").replace("\"result\":0", r#""error":{"code":-32022,"message":"m"}"#)
}

/// Row 4.
#[tokio::test]
async fn an_older_host_gets_a_session_at_a_server_that_has_none() {
    for refuse in refusals() {
        let server =
            Server::start(
                move |seen| {
                    if seen.method() == "initialize" { Some(refuse(seen)) } else { modern_only(seen) }
                },
            )
            .await;
        let pad = Pad::new();
        let mut host = Host::remembering(&server, pad.clone());
        let hello = host.greet().await;
        assert_eq!(hello["id"], 0);
        assert_eq!(hello["result"]["protocolVersion"], "2025-11-25", "{hello}");
        assert_eq!(hello["result"]["serverInfo"], json!({"name": "modern", "version": "3"}));
        assert_eq!(hello["result"]["instructions"], "be kind");
        host.tool(1).await;
        assert_eq!(host.next().await["result"]["era"], "modern");
        // Its own requests of the newer era are its own affair all the same (row 9).
        host.call(2, "tools/list", modern(json!({}))).await;
        assert_eq!(host.next().await["result"]["era"], "modern");
        host.finish().await;
        assert_eq!(pad.speaks().as_deref(), Some(VERSION));
        let verbs: Vec<_> = server.seen().iter().map(|seen| seen.verb.clone()).collect();
        assert!(verbs.iter().all(|verb| verb == "POST"), "no GET, no DELETE (T-61): {verbs:?}");
        assert!(server.seen().iter().all(|seen| seen.header("mcp-session-id").is_none()));
        assert_eq!((server.count("initialize"), server.count("notifications/initialized")), (1, 0));

        // The next process knows: one request for the session, and no refusal on the way.
        let mut host = Host::remembering(&server, pad);
        assert_eq!(host.greet().await["result"]["serverInfo"]["name"], "modern");
        assert_eq!((server.count("initialize"), server.count("server/discover")), (1, 2));
    }
}

/// T-81: what was remembered is given up when it does not hold.
#[tokio::test]
async fn a_server_that_learns_to_open_sessions_is_noticed() {
    let pad = Pad::new();
    let modern_server = Server::start(modern_only).await;
    let mut host = Host::remembering(&modern_server, pad.clone());
    host.greet().await;
    for refuse in [legacy_only, |_: &Seen| Some(Answer::status(404))] {
        let server =
            Server::start(move |seen| if seen.method() == "server/discover" { refuse(seen) } else { None })
                .await;
        let mut host = Host::remembering(&server, pad.clone());
        assert_eq!(host.greet().await["result"], super::greeting());
        host.tool(1).await;
        assert_eq!(host.next().await["result"], json!({"ok": true}));
        assert_eq!(pad.text(), None);
        assert_eq!(server.count("server/discover"), 1);
        *pad.0.lock().unwrap() = None;
        host.finish().await;
        let mut host = Host::remembering(&modern_server, pad.clone());
        host.greet().await;
        assert_eq!(pad.speaks().as_deref(), Some(VERSION));
    }
}

/// And the other way round: a note that says "sessions only" does not stand in the way.
#[tokio::test]
async fn a_server_that_gives_sessions_up_is_noticed() {
    let (older, newer) = (Server::start(legacy_only).await, Server::start(modern_only).await);
    let pad = Pad::new();
    let mut host = Host::remembering(&older, pad.clone());
    host.call(1, "server/discover", modern(json!({}))).await;
    host.next().await;
    assert_eq!(pad.speaks().as_deref(), Some(""));
    let mut host = Host::remembering(&newer, pad.clone());
    assert_eq!(host.greet().await["result"]["serverInfo"]["name"], "modern");
    assert_eq!(pad.speaks().as_deref(), Some(VERSION));
}

/// T-82: a wall or a failure on the way is the host's answer, and nothing is concluded from it.
#[tokio::test]
async fn what_is_no_evidence_is_the_answer() {
    for (status, name) in
        [(403, "bad-response"), (429, "server-busy"), (500, "server-error"), (503, "server-error")]
    {
        for stage in ["initialize", "server/discover"] {
            let server = Server::start(move |seen| {
                if seen.method() == stage { Some(Answer::status(status)) } else { modern_only(seen) }
            })
            .await;
            let pad = Pad::new();
            let mut host = Host::remembering(&server, pad.clone());
            host.call(1, "initialize", json!({})).await;
            assert_eq!(error_of(&host.next().await).0, name, "{stage} {status}");
            assert_eq!(pad.text(), None);
        }
    }
}

/// "Method not found" may mean anything: without a server of the newer era behind it, it is the answer.
#[tokio::test]
async fn a_refusal_that_does_not_hold_what_it_promises_is_the_answer() {
    let server = Server::start(|seen| match seen.method().as_str() {
        "initialize" => Some(failure(seen, 404, -32601, &Value::Null)),
        "server/discover" => Some(Answer::status(404)),
        _ => None,
    })
    .await;
    let pad = Pad::new();
    let mut host = Host::remembering(&server, pad.clone());
    host.call(1, "initialize", json!({})).await;
    assert_eq!(
        host.next().await["error"],
        json!({"code": -32601, "message": "said the server", "data": null})
    );
    assert_eq!(pad.text(), None);
    assert!(server.of("GET").is_empty(), "not the sign for HTTP+SSE (T-63)");
}

/// The revision that we know, then one that the server names (T-64).
#[tokio::test]
async fn a_server_of_a_later_revision_is_spoken_to_in_one_that_it_names() {
    const LATER: &str = "2027-02-02";
    for at_once in [true, false] {
        let server = Server::start(move |seen| {
            let version = seen.json()["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].clone();
            Some(match seen.method().as_str() {
                "initialize" if !at_once => failure(seen, 400, -32020, &Value::Null),
                _ if version != LATER => {
                    failure(seen, 400, -32022, &json!({"supported": ["2027-01-01", LATER]}))
                }
                _ if seen.header("mcp-protocol-version") != Some(LATER) => Answer::status(500),
                "server/discover" => {
                    let mut found = discovered();
                    found["supportedVersions"] = json!([LATER]);
                    Answer::result(seen, &found.to_string())
                }
                _ => Answer::result(seen, "{\"late\":true}"),
            })
        })
        .await;
        let pad = Pad::new();
        let mut host = Host::remembering(&server, pad.clone());
        assert!(host.greet().await["result"].is_object());
        host.tool(1).await;
        assert_eq!(host.next().await["result"]["late"], true);
        assert_eq!(pad.speaks().as_deref(), Some(LATER));
        assert_eq!(server.count("server/discover"), if at_once { 1 } else { 2 });
    }
}

/// T-35: what is read after `initialize` waits for its answer; here as anywhere else.
#[tokio::test]
async fn what_follows_waits_until_it_is_clear_how_to_speak() {
    let server = Server::start(|seen| match seen.method().as_str() {
        "server/discover" => modern_only(seen).map(|answer| answer.after(300)),
        _ => modern_only(seen),
    })
    .await;
    let mut host = Host::start(&server);
    host.call(0, "initialize", json!({"capabilities": {}})).await;
    host.note("notifications/initialized", json!({})).await;
    host.tool(1).await;
    host.call(2, "ping", json!({})).await;
    assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "id": 2, "result": {}}));
    assert_eq!(host.next().await["id"], 0);
    let call = host.next().await;
    assert_eq!((&call["id"], &call["result"]["era"]), (&json!(1), &json!("modern")));
}

/// At the start nothing is read before it is needed, and a request of the newer era needs nothing.
#[tokio::test]
async fn the_memory_is_read_once_and_late() {
    let server = Server::start(dual).await;
    let pad = Pad::new();
    let mut host = Host::remembering(&server, pad.clone());
    host.call(1, "tools/list", modern(json!({}))).await;
    host.next().await;
    assert_eq!(*pad.1.lock().unwrap(), 0);
    host.greet().await;
    host.call(2, "server/discover", modern(json!({}))).await;
    host.next().await;
    assert_eq!(*pad.1.lock().unwrap(), 1);
}
