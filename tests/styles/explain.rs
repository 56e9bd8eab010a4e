//! What a user is told of a refused code: another style is named where it may be the cause, and only there.

use chipp_auth::credential::{Client, TokenStyle};
use chipp_auth::error::{Error, Name};
use chipp_auth::oauth::rejected::{Tried, explain};
use chipp_auth::oauth::search;
use serde_json::json;

use crate::kit::{STYLES, at, client, code};
use crate::server::{Page, Server};

/// What is said when every try gets this answer.
async fn told(page: Page, client: &Client, styles: &[TokenStyle]) -> Error {
    let server = Server::start().await;
    server.page("/token", page);
    let url = server.url("/token");
    let missed = search::exchange(at(&url, client), code(), styles).await.unwrap_err();
    let tried = Tried { client, styles: &missed.tried, seeking: styles.len() > 1 };
    explain(missed.refusal, tried).error
}

fn bad(error: &str, description: &str) -> Page {
    Page { status: 400, ..Page::json(&json!({"error": error, "error_description": description})) }
}

const AUTO: &str = "--token-style auto";

#[tokio::test]
async fn a_silent_refusal_names_another_style_as_the_cause() {
    let page = Page { body: "<html><h1>Bad Request</h1>".into(), ..Page::empty(400) };
    let json = Page { status: 422, ..Page::json(&json!({"message": "nope"})) };
    for page in [Page::empty(400), Page::empty(415), page, json, bad("invalid_request", "")] {
        for style in STYLES {
            let error = told(page.clone(), &client(style, true), &[style]).await;
            assert_eq!(error.name(), Name::ExchangeRejected);
            assert!(error.hint().contains(AUTO), "{error}");
        }
        let public = told(page, &client(TokenStyle::Json, false), &[TokenStyle::Json]).await;
        assert!(public.name() == Name::ExchangeRejected && public.hint().contains(AUTO), "{public}");
    }
}

#[tokio::test]
async fn where_the_style_is_not_the_likely_cause_it_is_not_named() {
    let form = [TokenStyle::FormPost];
    let public = client(TokenStyle::FormPost, false);
    let silent = told(Page::empty(400), &public, &form).await;
    assert!(silent.name() == Name::ExchangeRejected && !silent.hint().contains("style"), "{}", silent.hint());
    let named = told(bad("invalid_request", "the account is unknown"), &public, &form).await;
    assert!(named.name() == Name::ClientRejected && !named.hint().contains("style"), "{}", named.hint());
    // Its own words point there.
    let unread = told(bad("invalid_request", "Content-Type must be application/json"), &public, &form).await;
    assert!(unread.name() == Name::ExchangeRejected && unread.hint().contains(AUTO), "{}", unread.hint());
    // What was decided about the code, or is no answer of the server, is told as it is.
    let confidential = client(TokenStyle::FormPost, true);
    for (page, name) in [
        (bad("invalid_scope", ""), Name::ClientRejected),
        (bad("access_denied", ""), Name::LoginDenied),
        (Page::empty(500), Name::ServerError),
        (Page::empty(429), Name::ServerBusy),
    ] {
        let error = told(page, &confidential, &form).await;
        assert!(error.name() == name && !error.hint().contains("style"), "{error}");
    }
}

#[tokio::test]
async fn a_refused_client_is_told_what_to_check() {
    let page = || Page { status: 401, ..bad("invalid_client", "") };
    let style = [TokenStyle::FormPost];
    let error = told(page(), &client(style[0], true), &style).await;
    assert_eq!(error.name(), Name::ClientRejected);
    for word in ["client id and secret", "production and sandbox", AUTO] {
        assert!(error.hint().contains(word), "{}", error.hint());
    }
    let error = told(page(), &client(style[0], true), &STYLES).await;
    assert_eq!(error.name(), Name::ClientRejected);
    assert!(error.what().contains("(form_post, form_basic, json_basic, json)"), "{error}");
    assert!(!error.hint().contains(AUTO), "{}", error.hint());
    // A registration of our own is no mistake of the user's.
    let ours =
        Client { registered_redirect: Some("http://localhost:1/callback".into()), ..client(style[0], true) };
    let error = told(page(), &ours, &style).await;
    assert!(error.own_hint().is_none(), "{}", error.hint());
}

#[tokio::test]
async fn a_search_that_found_nothing_lists_what_it_tried() {
    let error = told(Page::empty(400), &client(TokenStyle::FormPost, true), &STYLES).await;
    assert_eq!(error.name(), Name::ExchangeRejected);
    assert!(error.what().contains("(form_post, form_basic, json_basic, json)"), "{error}");
    assert!(error.hint().contains("--token-style form_basic") && !error.hint().contains(AUTO));
}
