//! A host that does not want an answer any more (T-59, S-07).

use serde_json::{Value, json};

use super::super::server::Answer;
use super::{ready, serve};

/// The stream is closed, nothing is posted, and nothing more comes for the id.
#[tokio::test]
async fn a_cancelled_request_is_cancelled_by_the_end_of_its_stream() {
    let server =
        serve(|seen| (seen.method() == "tools/call").then(|| Answer::events().event("").wait(60_000))).await;
    let mut host = ready(&server).await;
    host.tool("gone").await;
    server.wait_for("tools/call", 1).await;
    host.note("notifications/cancelled", json!({"requestId": "gone"})).await;
    server.wait_for_closed(1).await;
    host.silence().await;
    assert_eq!(server.count("notifications/cancelled"), 0);
    host.tool(2).await;
    host.note("notifications/cancelled", json!({"requestId": 2})).await;
    assert_eq!(host.finish().await.0, Vec::<Value>::new());
}

/// What the host was asked on the way is taken back, and a late answer to it goes nowhere.
#[tokio::test]
async fn a_cancelled_request_takes_its_questions_back() {
    let server = serve(|seen| {
        let ask = json!({"resultType": "input_required", "inputRequests": {"e": {"method": "elicitation/create", "params": {}}}});
        (seen.method() == "tools/call").then(|| Answer::result(seen, &ask.to_string()))
    })
    .await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    let asked = host.next().await;
    assert_eq!(asked["method"], "elicitation/create");
    host.note("notifications/cancelled", json!({"requestId": 1})).await;
    let taken_back = host.next().await;
    assert_eq!(taken_back["method"], "notifications/cancelled");
    assert_eq!(taken_back["params"]["requestId"], asked["id"]);
    host.raw(format!("{}\n", json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}})))
        .await;
    host.silence().await;
    assert_eq!(server.count("tools/call"), 1);
    assert_eq!(server.seen().iter().filter(|seen| seen.json()["result"].is_object()).count(), 0);
}

/// A request that still waits for the session to be opened is never sent.
#[tokio::test]
async fn what_is_cancelled_before_it_could_leave_does_not_leave() {
    let server = serve(|seen| {
        let found = super::discovered().to_string();
        (seen.method() == "server/discover").then(|| Answer::result(seen, &found).after(300))
    })
    .await;
    let mut host = super::super::host::Host::start(&server);
    host.call(0, "initialize", json!({"capabilities": {}})).await;
    host.tool(1).await;
    host.note("notifications/cancelled", json!({"requestId": 1})).await;
    host.call(2, "tools/list", json!({})).await;
    assert_eq!(host.next().await["id"], 0);
    assert_eq!(host.next().await["id"], 2);
    host.silence().await;
    assert_eq!(server.count("notifications/cancelled"), 0);
}
