//! The search for a style, against every combination of what a server takes, whether it burns codes and what it
//! says: how many requests there are, in which order, and what comes of them.

use chipp_auth::credential::TokenStyle::{self, FormBasic, FormPost, Json, JsonBasic};
use chipp_auth::error::Name;
use chipp_auth::oauth::search::{self, Found, Missed};
use chipp_auth::oauth::wire::Cause;

use crate::kit::{STYLES, at, client, code};
use crate::strict::{Habits, Says, Strict};

/// What came of a search.
#[derive(Debug, PartialEq)]
enum Outcome {
    Found(TokenStyle),
    /// This is the style, and the code is spent.
    Spent(TokenStyle),
    /// All styles were refused.
    Refused,
    /// Something else ended it.
    Ended(Name),
}

async fn run(server: &Strict, styles: &[TokenStyle]) -> Outcome {
    let client = client(TokenStyle::default(), true);
    match search::exchange(at(&server.url, &client), code(), styles).await {
        Ok(Found { style, .. }) => Outcome::Found(style),
        Err(Missed { spent: true, tried, refusal }) => {
            assert_eq!(refusal.cause, Cause::InvalidGrant);
            Outcome::Spent(*tried.last().unwrap())
        }
        Err(missed) if missed.tried.len() == styles.len() && server.styles().len() == styles.len() => {
            Outcome::Refused
        }
        Err(missed) => Outcome::Ended(missed.refusal.error.name()),
    }
}

/// Answers that let the search go on.
const GOING_ON: [Says; 9] = [
    Says::InvalidClient,
    Says::InvalidRequest,
    Says::UnsupportedGrantType,
    Says::Silent(400),
    Says::Silent(401),
    Says::Silent(415),
    Says::Page,
    Says::Json,
    Says::InsideSuccess,
];

#[tokio::test]
async fn the_search_ends_at_the_style_that_the_server_takes() {
    for (at, takes) in STYLES.into_iter().enumerate() {
        for says in GOING_ON {
            for (burns, mute) in [(false, false), (false, true), (true, false), (true, true)] {
                let habits = Habits { takes: Some(takes), burns, says, mute };
                let server = Strict::start(habits).await;
                let outcome = run(&server, &STYLES).await;
                // The first try always finds the code unspent. A server that burns codes and says nothing of a
                // spent one cannot be understood.
                let (expected, requests) = match (at, burns, mute) {
                    (0, ..) | (_, false, _) => (Outcome::Found(takes), at + 1),
                    (_, true, false) => (Outcome::Spent(takes), at + 1),
                    (_, true, true) => (Outcome::Refused, 4),
                };
                assert_eq!(outcome, expected, "{habits:?}");
                assert_eq!(server.styles(), STYLES[..requests], "{habits:?}");
                if let Outcome::Spent(style) = outcome {
                    // The second authorization brings another code, and tries nothing.
                    server.renew();
                    assert_eq!(run(&server, &[style]).await, Outcome::Found(takes));
                    assert_eq!(server.styles().len(), requests + 1);
                }
            }
        }
    }
}

#[tokio::test]
async fn no_more_than_four_are_tried() {
    for says in GOING_ON {
        let server = Strict::start(Habits { takes: None, burns: true, says, mute: true }).await;
        let client = client(TokenStyle::default(), true);
        let missed = search::exchange(at(&server.url, &client), code(), &STYLES).await.unwrap_err();
        assert_eq!(
            (missed.tried.as_slice(), server.styles().as_slice()),
            (&STYLES[..], &STYLES[..]),
            "{says:?}"
        );
        assert!(!missed.spent);
    }
}

/// What is a verdict, or leaves it open what became of the code, ends the search at once: with the first try,
/// and with a later one.
#[tokio::test]
async fn the_search_stops_where_another_try_could_do_harm() {
    let stopping = [
        (Says::InvalidGrant, Name::LoginRequired),
        (Says::Silent(500), Name::ServerError),
        (Says::Silent(503), Name::ServerError),
        (Says::Silent(429), Name::ServerBusy),
        (Says::Silent(408), Name::ServerError),
        (Says::Silent(407), Name::NetworkDown),
        (Says::Nothing, Name::Timeout),
        (Says::Break, Name::NetworkDown),
        (Says::Redirect, Name::RedirectRefused),
        (Says::Silent(200), Name::BadResponse),
    ];
    for (says, name) in stopping {
        let server = Strict::start(Habits { takes: Some(Json), burns: false, says, mute: false }).await;
        assert_eq!(run(&server, &STYLES).await, Outcome::Ended(name), "{says:?}");
        assert_eq!(server.styles(), [FormPost], "{says:?}");
    }
}

#[tokio::test]
async fn what_is_remembered_is_tried_first_and_alone_if_it_works() {
    for takes in STYLES {
        let habits = Habits { takes: Some(takes), burns: true, says: Says::Silent(400), mute: true };
        let server = Strict::start(habits).await;
        let client = client(TokenStyle::default(), true);
        let order = search::order(&client, None, Some(takes));
        assert_eq!(run(&server, &order).await, Outcome::Found(takes));
        assert_eq!(server.styles(), [takes]);
    }
}

#[tokio::test]
async fn a_public_client_tries_form_and_json_only() {
    let server =
        Strict::start(Habits { takes: Some(Json), burns: false, says: Says::Silent(415), mute: false });
    let server = server.await;
    let client = client(TokenStyle::default(), false);
    let order = search::order(&client, None, None);
    let found = search::exchange(at(&server.url, &client), code(), &order).await.unwrap();
    assert_eq!((found.style, server.styles()), (Json, vec![FormPost, Json]));
}

/// Of several refusals the one that names the client is told, else the one that has a reason.
#[tokio::test]
async fn the_most_telling_refusal_is_reported() {
    let page =
        |status, body: serde_json::Value| crate::server::Page { status, ..crate::server::Page::json(&body) };
    let named = |error: &str| page(400, serde_json::json!({"error": error}));
    let silent = || crate::server::Page::empty(400);
    for (pages, name, said) in [
        (vec![silent(), named("invalid_client"), silent()], Name::ClientRejected, "invalid_client"),
        (vec![silent(), named("invalid_request"), silent()], Name::ClientRejected, "invalid_request"),
        (vec![named("invalid_client"), named("invalid_request")], Name::ClientRejected, "invalid_client"),
        (vec![silent(), silent()], Name::ServerError, ""),
    ] {
        let server = crate::server::Server::start().await;
        server.page("/token", silent());
        pages.into_iter().for_each(|page| server.first(page));
        let (url, client) = (server.url("/token"), client(FormBasic, true));
        let missed = search::exchange(at(&url, &client), code(), &[FormPost, FormBasic, JsonBasic]).await;
        let refusal = missed.unwrap_err().refusal;
        assert_eq!((refusal.error.name(), refusal.said.as_str()), (name, said));
    }
}

/// A later try is not made when the code has grown old over the first ones.
#[tokio::test]
async fn no_try_is_made_after_a_minute() {
    let server = crate::server::Server::start().await;
    let slow = crate::server::Page {
        delay: Some(std::time::Duration::from_secs(18)),
        ..crate::server::Page::empty(400)
    };
    server.page("/token", slow);
    let (url, client) = (server.url("/token"), client(FormBasic, true));
    let missed = search::exchange(at(&url, &client), code(), &STYLES.repeat(2)).await.unwrap_err();
    assert_eq!(missed.tried.len(), 4, "at 0, 18, 36 and 54 seconds");
    assert_eq!(server.asked().len(), 4);
}

/// A server that names the redirect URI has understood the request, whatever code it says it with.
#[tokio::test]
async fn a_redirect_uri_that_is_not_known_is_no_reason_to_try_another_style() {
    let server = crate::server::Server::start().await;
    let body = serde_json::json!({
        "error": "invalid_request", "error_description": "redirect_uri does not match the registered one",
    });
    server.page("/token", crate::server::Page { status: 400, ..crate::server::Page::json(&body) });
    let (url, client) = (server.url("/token"), client(FormPost, true));
    let missed = search::exchange(at(&url, &client), code(), &STYLES).await.unwrap_err();
    assert_eq!(missed.refusal.error.name(), Name::RedirectUriMismatch);
    assert_eq!(server.asked().len(), 1);
}
