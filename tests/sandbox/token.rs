//! The token and revocation endpoints.

use std::time::Duration;

use chipp_auth::sandbox::{Client, ClientAuth, Grace, Kind, Options, Redirects, TokenStyle};
use serde_json::{Value, json};

use crate::kit::{Kit, REDIRECT, VERIFIER, exchange, headless, pair, refreshing};

const TOKEN: &str = "/api/mcp/oauth/token";
const REVOKE: &str = "/api/mcp/oauth/revoke";

/// An object with one member replaced, or removed by null.
fn with(mut body: Value, name: &str, value: Value) -> Value {
    let members = body.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name)
    } else {
        members.insert(name.to_owned(), value)
    };
    body
}

#[tokio::test]
async fn a_code_gives_prefixed_tokens_with_lifetime_and_scope() {
    let kit = Kit::new(headless());
    let seen = kit.token(&exchange(&kit.code("apps:read analytics:read").await)).await;
    assert_eq!((seen.status, seen.header("cache-control")), (200, "no-store"));
    let body = seen.json();
    assert!(body["access_token"].as_str().unwrap().starts_with("chipp_at_"));
    assert!(body["refresh_token"].as_str().unwrap().starts_with("chipp_rt_"));
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(body["scope"], "analytics:read apps:read");

    kit.sandbox.set(|options| options.say_expires_in = false);
    let seen = kit.token(&exchange(&kit.code("*").await)).await;
    assert!(seen.json().get("expires_in").is_none());
}

#[tokio::test]
async fn a_code_exchange_that_differs_in_anything_is_refused() {
    let kit = Kit::new(headless());
    for (name, value, status, error) in [
        ("code_verifier", json!("a".repeat(43)), 400, "invalid_grant"),
        ("code_verifier", json!("short"), 400, "invalid_grant"),
        ("code_verifier", Value::Null, 400, "invalid_request"),
        ("redirect_uri", json!("http://127.0.0.1:4711/callback"), 400, "invalid_grant"),
        ("redirect_uri", Value::Null, 400, "invalid_grant"),
        ("code", json!("guessed"), 400, "invalid_grant"),
        ("code", Value::Null, 400, "invalid_request"),
        ("client_id", json!("somebody"), 401, "invalid_client"),
        ("client_id", Value::Null, 401, "invalid_client"),
        ("client_secret", json!("none was given"), 401, "invalid_client"),
        ("grant_type", json!("password"), 400, "unsupported_grant_type"),
        ("grant_type", Value::Null, 400, "invalid_request"),
        ("grant_type", json!(7), 400, "invalid_request"),
        ("resource", json!("https://other.example/"), 400, "invalid_target"),
    ] {
        let body = with(exchange(&kit.code("*").await), name, value);
        let seen = kit.token(&body).await;
        assert_eq!((seen.status, seen.json()["error"].as_str()), (status, Some(error)), "{name}");
        assert_eq!(seen.header("cache-control"), "no-store");
    }
    assert_eq!(kit.sandbox.counts().pairs_issued, 0);
}

#[tokio::test]
async fn a_wrong_verifier_spends_the_code() {
    let kit = Kit::new(headless());
    let good = exchange(&kit.code("*").await);
    kit.token(&with(good.clone(), "code_verifier", json!("b".repeat(43)))).await;
    assert_eq!(kit.token(&good).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn the_second_use_of_a_code_takes_back_what_the_first_one_gave() {
    let kit = Kit::new(headless());
    let body = exchange(&kit.code("*").await);
    let first = pair(&kit.token(&body).await);
    let second = kit.token(&body).await;
    assert_eq!((second.status, second.json()["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(kit.refresh(&first.refresh).await.status, 400);
    let counts = kit.sandbox.counts();
    assert_eq!((counts.reuse, counts.families, counts.families_revoked), (1, 1, 1));
}

#[tokio::test]
async fn a_code_expires() {
    let kit = Kit::new(Options { code_lifetime: Duration::from_millis(50), ..headless() });
    let code = kit.code("*").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(kit.token(&exchange(&code)).await.json()["error_description"], "the code has expired");
}

#[tokio::test]
async fn each_refresh_gives_a_new_pair_and_reuse_ends_the_sign_in() {
    let kit = Kit::new(headless());
    let first = kit.sign_in("*").await;
    let second = pair(&kit.refresh(&first.refresh).await);
    let third = pair(&kit.refresh(&second.refresh).await);
    assert!(first.access != second.access && second.refresh != third.refresh);

    let reuse = kit.refresh(&first.refresh).await;
    assert_eq!((reuse.status, reuse.json()["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(kit.refresh(&third.refresh).await.status, 400, "the newest token died too");
    let counts = kit.sandbox.counts();
    assert_eq!((counts.reuse, counts.families_revoked, counts.token_refresh), (1, 1, 4));
    assert_eq!(counts.refreshes_per_generation[&(1, 1)], 2);
    assert_eq!(counts.refreshes_per_generation[&(1, 3)], 1);
    let entry = kit.sandbox.log().into_iter().find(|entry| entry.kind == Kind::Reuse).unwrap();
    assert_eq!((entry.family, entry.generation, entry.issued), (Some(1), Some(1), None));
}

#[tokio::test]
async fn grace_until_used_gives_back_the_lost_pair_over_http() {
    let kit = Kit::new(Options { grace: Grace::UntilUsed, ..headless() });
    let first = kit.sign_in("*").await;
    let second = pair(&kit.refresh(&first.refresh).await);
    assert_eq!(pair(&kit.refresh(&first.refresh).await).refresh, second.refresh);
    kit.open(&second.access, "2025-11-25").await;
    assert_eq!(kit.refresh(&first.refresh).await.status, 400, "the new pair is in use");
    let counts = kit.sandbox.counts();
    assert_eq!((counts.graced, counts.reuse, counts.pairs_issued), (1, 1, 2));
}

#[tokio::test]
async fn chipp_reads_json_only_and_others_what_they_are_told() {
    let kit = Kit::new(headless());
    let refresh = kit.sign_in("*").await.refresh;
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", &*refresh), ("client_id", "chipp-mcp-client")];
    assert_eq!(kit.post_form(TOKEN, &form, None).await.json()["error"], "invalid_request");
    kit.sandbox.set(|options| options.token_style = TokenStyle::Form);
    assert_eq!(kit.token(&refreshing(&refresh)).await.json()["error"], "invalid_request");
    let twice = [form.as_slice(), &form[..1]].concat();
    assert_eq!(kit.post_form(TOKEN, &twice, None).await.json()["error"], "invalid_request");
    assert_eq!(kit.post_form(TOKEN, &form, None).await.status, 200);
}

fn confidential(auth: ClientAuth) -> Options {
    let redirects = Redirects::Exact(vec![REDIRECT.to_owned()]);
    let client = Client { id: "id".to_owned(), name: "Generic".to_owned(), redirects, auth };
    Options { clients: vec![client], token_style: TokenStyle::Any, ..headless() }
}

#[tokio::test]
async fn a_secret_is_taken_only_where_the_client_has_to_put_it() {
    // Base64 of "id:s%20%2B" (form-encoded "s +") and of "id:wrong".
    let (right, wrong) = ("Basic aWQ6cyUyMCUyQg==", "Basic aWQ6d3Jvbmc=");
    let body = |code: &str| {
        [("grant_type", "authorization_code"), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .chain([("code".to_owned(), code.to_owned())])
            .collect::<Vec<_>>()
    };
    let post = async |kit: &Kit, extra: &[(&str, &str)], basic: Option<&str>| {
        let seen = kit.authorize(&[("client_id", "id")]).await;
        let body = body(&seen.callback()["code"]);
        let form: Vec<_> =
            body.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain(extra.iter().copied()).collect();
        kit.post_form(TOKEN, &form, basic).await
    };

    let kit = Kit::new(confidential(ClientAuth::Basic("s +".into())));
    let refused = post(&kit, &[], Some(wrong)).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, r#"Basic realm="Chipp""#));
    assert_eq!(post(&kit, &[("client_id", "id"), ("client_secret", "s +")], None).await.status, 401);
    assert_eq!(post(&kit, &[], Some("Basic %%%")).await.status, 401);
    assert_eq!(post(&kit, &[], Some(right)).await.status, 200);

    let kit = Kit::new(confidential(ClientAuth::Post("s +".into())));
    assert_eq!(post(&kit, &[], Some(right)).await.status, 401);
    assert_eq!(post(&kit, &[("client_id", "id")], None).await.status, 401);
    assert_eq!(post(&kit, &[("client_id", "id"), ("client_secret", "s")], None).await.status, 401);
    assert_eq!(post(&kit, &[("client_id", "id"), ("client_secret", "s +")], None).await.status, 200);
}

#[tokio::test]
async fn revoking_a_refresh_token_ends_the_sign_in_and_an_unknown_token_is_no_error() {
    let kit = Kit::new(headless());
    let (pair, other) = (kit.sign_in("*").await, kit.sign_in("*").await);
    let revoke = |token: &str| json!({"token": token, "client_id": "chipp-mcp-client"});
    assert_eq!(kit.post_json(REVOKE, &revoke("chipp_rt_unknown")).await.status, 200);
    assert_eq!(kit.post_json(REVOKE, &json!({"token": pair.refresh})).await.status, 401);
    assert_eq!(kit.post_json(REVOKE, &json!({"client_id": "chipp-mcp-client"})).await.status, 400);
    assert_eq!(kit.sandbox.counts().families_revoked, 0);
    assert_eq!(kit.post_json(REVOKE, &revoke(&pair.refresh)).await.status, 200);
    assert_eq!(kit.refresh(&pair.refresh).await.status, 400);
    assert_eq!(kit.refresh(&other.refresh).await.status, 200);
    assert_eq!((kit.sandbox.counts().revoke, kit.sandbox.counts().families_revoked), (4, 1));
    assert_eq!(kit.sandbox.counts().reuse, 0);
}
