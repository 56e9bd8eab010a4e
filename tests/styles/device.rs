//! The search in the device flow: where the code is asked for, and at the first questions (RFC 8628).

use chipp_auth::credential::TokenStyle::{self, FormBasic, FormPost, Json, JsonBasic};
use chipp_auth::oauth::search;
use chipp_auth::oauth::wire::Cause;
use serde_json::json;

use crate::kit::{STYLES, at, client};
use crate::server::{Page, Server};

fn bad(error: &str) -> Page {
    Page { status: 400, ..Page::json(&json!({"error": error})) }
}

/// The body and the place of the secret tell the style.
fn style(asked: &crate::server::Asked) -> TokenStyle {
    match (asked.body.starts_with('{'), asked.headers.contains_key("authorization")) {
        (false, false) => FormPost,
        (false, true) => FormBasic,
        (true, false) => Json,
        (true, true) => JsonBasic,
    }
}

async fn started(refused: usize) -> (Server, TokenStyle, chipp_auth::oauth::device::Device) {
    let server = Server::start().await;
    (0..refused).for_each(|_| server.first(bad("invalid_client")));
    let device = json!({
        "device_code": "d", "user_code": "ABCD", "verification_uri": server.url("/page"), "interval": 1,
    });
    server.page("/device", Page::json(&device));
    let (url, client) = (server.url("/device"), client(TokenStyle::default(), true));
    let found = search::start(at(&url, &client), None, &STYLES).await.unwrap();
    (server, found.style, found.answer)
}

#[tokio::test]
async fn the_style_is_found_where_the_code_is_asked_for() {
    for (refused, expected) in STYLES.into_iter().enumerate() {
        let (server, style_found, _) = started(refused).await;
        assert_eq!(style_found, expected);
        assert_eq!(server.asked().iter().map(style).collect::<Vec<_>>(), STYLES[..=refused]);
    }
}

#[tokio::test]
async fn each_question_tries_one_style_until_one_is_understood() {
    let (server, _, device) = started(0).await;
    let issued = Page::json(&json!({"access_token": "a", "token_type": "Bearer"}));
    for page in
        [bad("invalid_client"), Page::empty(503), Page::empty(400), bad("authorization_pending"), issued]
    {
        server.first(page);
    }
    let (url, client) = (server.url("/token"), client(TokenStyle::default(), true));
    let found = device.wait_in(at(&url, &client), &STYLES).await.unwrap();
    assert_eq!(found.style, JsonBasic);
    let asked: Vec<_> = server.asked()[1..].iter().map(style).collect();
    assert_eq!(asked, [FormPost, FormBasic, FormBasic, JsonBasic, JsonBasic]);
}

#[tokio::test]
async fn a_style_that_was_understood_stays() {
    let (server, _, device) = started(0).await;
    server.first(bad("authorization_pending"));
    server.page("/token", bad("invalid_client"));
    let (url, client) = (server.url("/token"), client(TokenStyle::default(), true));
    let missed = device.wait_in(at(&url, &client), &STYLES).await.unwrap_err();
    assert_eq!((missed.refusal.cause, missed.tried), (Cause::InvalidClient, vec![FormPost]));
    assert_eq!(server.asked().len(), 3);
}
