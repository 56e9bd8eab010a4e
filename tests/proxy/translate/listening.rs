//! What the server says unasked: one subscription in place of a session's own stream (T-66 to T-68).

use serde_json::{Value, json};

use super::super::server::{Answer, Part, Seen, Server};
use super::{offering, open, ready, serve};

fn note(seen: &Seen, method: &str, mut params: Value) -> String {
    params["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": seen.id()});
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

/// The beginning of a subscription.
fn acknowledged(seen: &Seen) -> Answer {
    let params = json!({"notifications": seen.json()["params"]["notifications"]});
    Answer::events().event(note(seen, "notifications/subscriptions/acknowledged", params))
}

/// A server with these capabilities that does with a subscription as the script says.
async fn saying(capabilities: Value, script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Server {
    serve(move |seen| match seen.method().as_str() {
        "server/discover" => Some(Answer::result(seen, &offering(capabilities.clone()).to_string())),
        "subscriptions/listen" => Some(script(seen)),
        _ => None,
    })
    .await
}

fn filter(seen: &Seen) -> Value {
    seen.json()["params"]["notifications"].clone()
}

fn all() -> Value {
    json!({"tools": {"listChanged": true}, "prompts": {"listChanged": true},
           "resources": {"listChanged": true, "subscribe": true}})
}

/// What the server offers is subscribed to, in one request, and the host does not hear of the subscription.
#[tokio::test]
async fn changes_of_lists_are_heard_where_they_are_offered() {
    let server = saying(all(), |seen| {
        let changed = note(seen, "notifications/tools/list_changed", json!({}));
        acknowledged(seen).event(changed).wait(60_000)
    })
    .await;
    let mut host = ready(&server).await;
    assert_eq!(
        host.line().await,
        r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}}"#
    );
    let listen = &server.of("subscriptions/listen")[0];
    let everything =
        json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true});
    assert_eq!(filter(listen), everything);
    assert_eq!(listen.header("mcp-method"), Some("subscriptions/listen"));
    assert_eq!(listen.json()["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    host.silence().await;
    assert_eq!(server.count("subscriptions/listen"), 1);
}

/// Each request counts: where there is nothing to hear of, nobody listens.
#[tokio::test]
async fn nothing_is_subscribed_to_where_nothing_is_offered() {
    let server = saying(json!({"tools": {}, "resources": {"subscribe": true}}), acknowledged).await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    host.next().await;
    host.silence().await;
    assert_eq!(server.count("subscriptions/listen"), 0);
}

/// One subscription at a time, for all that the host wants; the answer means that it is in force.
#[tokio::test]
async fn resources_are_added_to_the_subscription_and_taken_out() {
    let server = saying(json!({"resources": {"subscribe": true}}), |seen| {
        let uris = filter(seen)["resourceSubscriptions"].as_array().unwrap().clone();
        let updated = |uri: &Value| note(seen, "notifications/resources/updated", json!({"uri": uri}));
        uris.iter().fold(acknowledged(seen), |answer, uri| answer.event(updated(uri))).wait(60_000)
    })
    .await;
    let mut host = ready(&server).await;
    let expect = async |host: &mut super::Host, id: &str, uris: &[&str]| {
        let mut seen = Vec::new();
        for _ in 0..=uris.len() {
            let message = host.next().await;
            seen.push(if message["id"].is_null() {
                message["params"].to_string()
            } else {
                message["id"].to_string()
            });
            assert!(message["error"].is_null(), "{message}");
        }
        seen.sort();
        let mut wanted: Vec<_> = uris.iter().map(|uri| json!({"uri": uri}).to_string()).collect();
        wanted.push(format!("\"{id}\""));
        wanted.sort();
        assert_eq!(seen, wanted);
    };
    host.call("one", "resources/subscribe", json!({"uri": "a:1"})).await;
    expect(&mut host, "one", &["a:1"]).await;
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":\"two\",\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"a\\u003a2\"}}\n").await;
    expect(&mut host, "two", &["a:1", "a:2"]).await;
    server.wait_for_closed(1).await;
    // What is subscribed to already needs no request.
    host.call("same", "resources/subscribe", json!({"uri": "a:2"})).await;
    expect(&mut host, "same", &[]).await;
    host.call("less", "resources/unsubscribe", json!({"uri": "a:1"})).await;
    expect(&mut host, "less", &["a:2"]).await;
    host.call("none", "resources/unsubscribe", json!({"uri": "a:2"})).await;
    expect(&mut host, "none", &[]).await;
    server.wait_for_closed(3).await;
    let wanted: Vec<_> = server.of("subscriptions/listen").iter().map(filter).collect();
    let uris = |uris: &[&str]| json!({"resourceSubscriptions": uris});
    assert_eq!(wanted, [uris(&["a:1"]), uris(&["a:1", "a:2"]), uris(&["a:2"])]);
    assert_eq!(server.count("resources/subscribe") + server.count("resources/unsubscribe"), 0);
}

/// A subscription that the server refuses is not confirmed.
#[tokio::test]
async fn a_refused_subscription_is_an_error() {
    let server = saying(json!({"resources": {"subscribe": true}}), |seen| {
        super::super::eras::failure(seen, 404, -32601, &Value::Null)
    })
    .await;
    let mut host = ready(&server).await;
    for (id, uri) in [("a", json!("u")), ("b", json!(1)), ("c", Value::Null)] {
        host.call(id, "resources/subscribe", json!({"uri": uri})).await;
        let answer = host.next().await;
        assert_eq!(answer["id"], id);
        assert_eq!(answer["error"]["code"], if id == "a" { -32603 } else { -32602 }, "{answer}");
    }
}

/// T-68: after a break the subscription is made again, and what may have been missed is looked at anew.
#[tokio::test]
async fn a_broken_subscription_is_made_again() {
    let times = std::sync::atomic::AtomicUsize::new(0);
    let server = saying(all(), move |seen| match times.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => acknowledged(seen).wait(200).part(Part::Break),
        // Its graceful end is one too.
        1 => acknowledged(seen).event(super::super::server::rpc(&seen.id(), "{\"resultType\":\"complete\"}")),
        _ => acknowledged(seen).wait(60_000),
    })
    .await;
    let mut host = ready(&server).await;
    for _ in 0..2 {
        for list in ["tools", "prompts", "resources"] {
            let expected = format!(r#"{{"jsonrpc":"2.0","method":"notifications/{list}/list_changed"}}"#);
            assert_eq!(host.line().await, expected);
        }
    }
    server.wait_for("subscriptions/listen", 3).await;
    host.silence().await;
}

/// No requests come on it (T-58), and nothing that is no message.
#[tokio::test]
async fn only_notifications_are_heard() {
    let server = saying(json!({"tools": {"listChanged": true}}), |seen| {
        let request = r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#;
        acknowledged(seen)
            .event(request)
            .event("[]")
            .event("rubbish")
            .event(note(seen, "notifications/x", json!({"n": 1})))
            .wait(60_000)
    })
    .await;
    let mut host = ready(&server).await;
    assert_eq!(host.next().await, json!({"jsonrpc": "2.0", "method": "notifications/x", "params": {"n": 1}}));
    host.silence().await;
}

/// It ends with the host.
#[tokio::test]
async fn the_subscription_ends_with_the_session() {
    let server = saying(all(), |seen| acknowledged(seen).wait(60_000)).await;
    let (host, _) = open(&server, "2025-11-25", json!({})).await;
    server.wait_for("subscriptions/listen", 1).await;
    host.finish().await;
    server.wait_for_closed(1).await;
}
