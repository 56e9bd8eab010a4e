//! Faults: each strikes one request, on its side of the commit.

use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Fault, Options};
use serde_json::json;

use crate::kit::{Kit, MCP, headless, initialize, pair, refreshing};

const TOKEN: &str = "/api/mcp/oauth/token";

#[tokio::test]
async fn faults_before_the_commit_leave_the_token_usable() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.refresh;
    kit.sandbox.fail_next(Fault::token(503, "text/plain", "later"));
    let seen = kit.refresh(&token).await;
    assert_eq!((seen.status, seen.text.as_str()), (503, "later"));

    let patience =
        http::Response::builder().status(429).header("retry-after", "5").body(String::new()).unwrap();
    kit.sandbox.fail_next(Fault::TokenAnswer(Box::new(patience)));
    let seen = kit.refresh(&token).await;
    assert_eq!((seen.status, seen.header("retry-after")), (429, "5"));

    kit.sandbox.fail_next(Fault::token_html());
    let seen = kit.refresh(&token).await;
    assert_eq!((seen.status, seen.header("content-type")), (200, "text/html"));

    kit.sandbox.fail_next(Fault::TokenRedirect("http://127.0.0.1:9/elsewhere".parse().unwrap()));
    let seen = kit.refresh(&token).await;
    assert_eq!((seen.status, seen.header("location")), (307, "http://127.0.0.1:9/elsewhere"));

    kit.sandbox.fail_next(Fault::TokenDropBeforeCommit);
    assert!(kit.try_send(kit.json_request(TOKEN, &refreshing(&token))).await.is_err());
    assert_eq!(kit.sandbox.log().last().unwrap().status, 0);
    assert_eq!(kit.sandbox.counts().pairs_issued, 1);
    assert_eq!(kit.refresh(&token).await.status, 200, "one fault, one request");
}

#[tokio::test]
async fn a_drop_after_the_commit_has_rotated_the_token() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.refresh;
    kit.sandbox.fail_next(Fault::TokenDropAfterCommit);
    assert!(kit.try_send(kit.json_request(TOKEN, &refreshing(&token))).await.is_err());
    let lost = kit.sandbox.log().last().unwrap().clone();
    assert_eq!((lost.status, lost.generation, lost.issued, lost.note), (0, Some(1), Some(2), Some("fault")));
    assert_eq!(kit.refresh(&token).await.json()["error"], "invalid_grant");
    assert_eq!(kit.sandbox.counts().reuse, 1);
}

#[tokio::test]
async fn a_caller_that_leaves_during_the_delay_has_lost_the_rotation_and_is_in_the_log() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.refresh;
    kit.sandbox.set(|options| options.token_delay = Duration::from_secs(60));
    let request = kit.json_request(TOKEN, &refreshing(&token)).timeout(Duration::from_millis(300));
    assert!(kit.try_send(request).await.unwrap_err().is_timeout());
    assert_eq!(kit.sandbox.counts().pairs_issued, 2, "the commit came before the delay");
    let until = Instant::now() + Duration::from_secs(20);
    while kit.sandbox.log().last().unwrap().issued != Some(2) {
        assert!(Instant::now() < until, "the server did not notice");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(kit.sandbox.log().last().unwrap().status, 0);
}

#[tokio::test]
async fn a_delay_holds_the_answer_back() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.refresh;
    kit.sandbox.fail_next(Fault::TokenDelay(Duration::from_millis(200)));
    let start = Instant::now();
    pair(&kit.refresh(&token).await);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn the_success_answer_takes_any_shape() {
    let kit = Kit::new(headless());
    let mut token = kit.sign_in("*").await.refresh;
    for shape in [json!("3600"), json!(3600.7), json!(null), json!(-1), json!(1e300), json!([1])] {
        let expected = shape.clone();
        kit.sandbox.fail_next(Fault::edit(move |members| {
            members.insert("expires_in".to_owned(), shape);
            members.remove("token_type");
        }));
        let seen = kit.refresh(&token).await;
        assert_eq!((&seen.json()["expires_in"], seen.json().get("token_type")), (&expected, None));
        token = pair(&seen).refresh;
    }
    kit.sandbox.fail_next(Fault::rewrite(|text| text.into_bytes()[..20].to_vec()));
    let seen = kit.refresh(&token).await;
    assert_eq!((seen.status, seen.text.len()), (200, 20));
    // An error answer is not touched.
    kit.sandbox.fail_next(Fault::edit(serde_json::Map::clear));
    assert_eq!(kit.refresh("chipp_rt_unknown").await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn mcp_faults_wait_in_a_line_of_their_own() {
    let kit = Kit::new(headless());
    let token = kit.sign_in("*").await.access;
    kit.sandbox.fail_next(Fault::mcp(502, r#"{"error":"bad gateway"}"#));
    kit.sandbox.fail_next(Fault::McpUnauthorized);
    kit.sandbox.fail_next(Fault::McpDrop);
    kit.sign_in("*").await;
    let request = || kit.mcp_request(MCP, &token, &initialize("2025-11-25"));
    assert_eq!(kit.send(request()).await.status, 502);
    let refused = kit.send(request()).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").contains(r#"error="invalid_token""#));
    assert!(kit.try_send(request()).await.is_err());
    assert_eq!(kit.send(request()).await.status, 200);
    assert_eq!(kit.sandbox.counts().unauthorized, 1);
}

#[tokio::test]
async fn limits_hold() {
    let kit = Kit::new(Options::default());
    let big = kit.http.post(kit.sandbox.at(TOKEN)).header("content-type", "application/json");
    let seen = kit.try_send(big.body(vec![b' '; 1024 * 1024 + 1])).await;
    // The server may close before it has read all of it; it must not answer as if it had.
    assert!(seen.is_err() || seen.unwrap().status == 413);
    let entry = kit.sandbox.log().last().unwrap().clone();
    assert_eq!((entry.status, entry.path), (413, TOKEN));
    assert_eq!(kit.get("/nothing?code=secret").await.status, 404);
    assert_eq!(kit.get(TOKEN).await.header("allow"), "POST");
}
