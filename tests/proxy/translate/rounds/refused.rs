//! What the host will not do, and what nobody can be asked for.

use super::*;

/// The map of answers has no errors: a question counts as dismissed, the rest ends the request.
#[tokio::test]
async fn a_refusal_of_the_host_is_told_as_it_can_be() {
    let server = curious().await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    let [who, where_to, what] = questions(&mut host).await;
    refuse(&mut host, &who, "no such form").await;
    answer(&mut host, &where_to, json!({"roots": []})).await;
    answer(&mut host, &what, json!({})).await;
    assert_eq!(host.next().await["id"], 1);
    assert_eq!(
        server.of("tools/call")[1].json()["params"]["inputResponses"]["who"],
        json!({"action": "cancel"})
    );

    host.tool(2).await;
    let [_, where_to, what] = questions(&mut host).await;
    refuse(&mut host, &what, "User rejected\u{1b}[31m").await;
    refuse(&mut host, &where_to, "no").await;
    let mut withdrawn = Vec::new();
    let error = loop {
        let message = host.next().await;
        if message["method"] != "notifications/cancelled" {
            break message;
        }
        withdrawn.push(message["params"]["requestId"].clone());
    };
    // The first question is still open when the others have been refused.
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":\"nobody\",\"result\":{}}\n").await;
    assert_eq!((&error["id"], error_of(&error).0.as_str()), (&json!(2), "bad-response"), "{error}");
    assert_eq!(server.count("tools/call"), 3, "not sent again");
    host.silence().await;
    drop(withdrawn);
}

/// The words of the host's refusal are in the error.
#[tokio::test]
async fn the_error_says_what_the_host_refused() {
    let server = serve(|seen| {
        let sample = json!({"s": {"method": "sampling/createMessage", "params": {}}});
        (seen.method() == "tools/call").then(|| asking(seen, &sample))
    })
    .await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    let asked = host.next().await;
    refuse(&mut host, &asked, "User rejected\u{1b}[31m").await;
    let error = host.next().await;
    let text = error["error"]["message"].as_str().unwrap();
    assert!(
        text.contains("asks for sampling/createMessage, and the MCP client refused: User rejected"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
}

/// What the host has not offered it is not asked for; what no host can be asked for is asked of none.
#[tokio::test]
async fn what_cannot_be_asked_ends_the_request() {
    for (requests, words) in [
        (json!({"a": {"method": "sampling/createMessage"}}), "which this MCP client does not offer"),
        (json!({"a": {"method": "tools/call"}}), "no client can be asked for"),
        (json!([]), "no list of requests"),
    ] {
        let server =
            serve(move |seen| (seen.method() == "tools/call").then(|| asking(seen, &requests))).await;
        let mut host = open(&server, "2025-11-25", json!({"elicitation": {}})).await.0;
        host.tool(1).await;
        let error = host.next().await;
        assert!(error["error"]["message"].as_str().unwrap().contains(words), "{error}");
        assert_eq!(server.count("tools/call"), 1);
    }
}
