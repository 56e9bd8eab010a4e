//! Dynamic registration (RFC 7591) and sign-in as a registered client.

use chipp_auth::sandbox::{Options, TokenStyle};
use serde_json::{Value, json};

use crate::kit::{CHALLENGE, Kit, REDIRECT, VERIFIER, headless};

const REGISTER: &str = "/api/mcp/oauth/register";

fn native() -> Value {
    json!({
        "client_name": "A native client",
        "application_type": "native",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    })
}

fn open() -> Options {
    Options { registration: true, token_style: TokenStyle::Any, ..headless() }
}

#[tokio::test]
async fn chipp_registers_nobody() {
    let kit = Kit::new(Options::default());
    assert_eq!(kit.post_json(REGISTER, &native()).await.status, 404);
}

#[tokio::test]
async fn a_registered_client_signs_in_at_exactly_its_redirect() {
    let kit = Kit::new(open());
    let seen = kit.post_json(REGISTER, &native()).await;
    assert_eq!((seen.status, seen.header("cache-control")), (201, "no-store"));
    let client = seen.json();
    assert!(client.get("client_secret").is_none());
    let id = client["client_id"].as_str().unwrap();
    let other = [("client_id", id), ("redirect_uri", "http://localhost:4712/callback")];
    assert_eq!(kit.authorize(&other).await.status, 400, "another port is another redirect");
    let code = &kit.authorize(&[("client_id", id), ("code_challenge", CHALLENGE)]).await.callback()["code"];
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let stranger = [form.as_slice(), &[("client_id", "chipp-mcp-client")]].concat();
    let seen = kit.post_form("/api/mcp/oauth/token", &stranger, None).await;
    assert_eq!(seen.json()["error"], "invalid_grant", "another client's code");
    let own = [form.as_slice(), &[("client_id", id)]].concat();
    let refresh = kit.post_form("/api/mcp/oauth/token", &own, None).await.json()["refresh_token"].clone();
    // Neither may another client use or revoke its refresh token.
    assert_eq!(kit.refresh(refresh.as_str().unwrap()).await.json()["error"], "invalid_grant");
    let revoke = json!({"token": refresh, "client_id": "chipp-mcp-client"});
    assert_eq!(kit.post_json("/api/mcp/oauth/revoke", &revoke).await.status, 400);
    let again =
        [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str().unwrap()), ("client_id", id)];
    assert_eq!(kit.post_form("/api/mcp/oauth/token", &again, None).await.status, 200);
    assert_eq!(kit.sandbox.counts().registrations, 1);
}

#[tokio::test]
async fn metadata_that_does_not_fit_is_refused_by_name() {
    let kit = Kit::new(open());
    for (name, value, error) in [
        ("application_type", Value::Null, "invalid_redirect_uri"),
        ("application_type", json!("web"), "invalid_redirect_uri"),
        ("redirect_uris", Value::Null, "invalid_redirect_uri"),
        ("redirect_uris", json!([]), "invalid_redirect_uri"),
        ("redirect_uris", json!(["http://example.com/cb"]), "invalid_redirect_uri"),
        ("redirect_uris", json!(["javascript:alert(1)"]), "invalid_redirect_uri"),
        ("redirect_uris", json!("http://localhost/callback"), "invalid_client_metadata"),
        ("token_endpoint_auth_method", json!("private_key_jwt"), "invalid_client_metadata"),
        ("grant_types", json!(["implicit"]), "invalid_client_metadata"),
        ("response_types", json!(["token"]), "invalid_client_metadata"),
    ] {
        let mut body = native();
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value;
        }
        let seen = kit.post_json(REGISTER, &body).await;
        assert_eq!((seen.status, seen.json()["error"].as_str()), (400, Some(error)), "{name}");
    }
    assert_eq!(kit.sandbox.counts().registrations, 0);
}

#[tokio::test]
async fn a_client_that_wants_a_secret_gets_one_and_needs_it() {
    let kit = Kit::new(open());
    let mut body = native();
    body["token_endpoint_auth_method"] = json!("client_secret_post");
    let client = kit.post_json(REGISTER, &body).await.json();
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let post = async |secret: &str| {
        let code = kit.authorize(&[("client_id", id)]).await.callback()["code"].clone();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("client_id", id),
            ("client_secret", secret),
        ];
        kit.post_form("/api/mcp/oauth/token", &form, None).await.status
    };
    assert_eq!((post("wrong").await, post("").await, post(secret).await), (401, 401, 200));
}
