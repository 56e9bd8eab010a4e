//! Which client a sign-in uses (A-15), and what happens to a registration in the course of its life.

use std::net::TcpListener;
use std::time::Duration;

use chipp_auth::sandbox::{Client, ClientAuth, Consent, Entry, Fault, Kind, Options, Redirects, TokenStyle};
use url::Url;

use crate::house::{Ended, House, Login, follow};

const DOCUMENT: &str = "https://chipp.example/oauth/chipp-auth.json";

/// A server that registers clients, and that is known to nobody by name.
fn registering(options: Options) -> (House, String) {
    let house = House::new(Options { registration: true, token_style: TokenStyle::Any, ..options });
    house.point_chipp_at("http://127.0.0.1:9");
    let url = house.sandbox.mcp_url().to_string();
    (house, url)
}

/// Our document, as a server would know it that has fetched it.
fn documented(options: Options) -> Options {
    let document = Client {
        id: DOCUMENT.into(),
        name: "chipp-auth".into(),
        redirects: Redirects::LoopbackAddress,
        auth: ClientAuth::None,
    };
    Options { clients: vec![Client::chipp(), document], ..options }
}

fn signed_in(ended: &Ended) {
    assert_eq!(ended.code, 0, "{ended:?}");
}

/// A parameter of the address that the person opens.
fn given(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    let found: Vec<_> =
        url.query_pairs().filter(|(key, _)| key == name).map(|(_, v)| v.into_owned()).collect();
    assert_eq!(found.len(), 1, "{name} in {url}");
    found[0].clone()
}

/// Signs in; the parameter of the address that was opened.
fn login_with(house: &House, args: &[&str], name: &str) -> String {
    let mut login = Login::start(house, args);
    let url = login.url();
    follow(&url);
    signed_in(&login.wait());
    given(&url, name)
}

fn entries(house: &House, kind: Kind) -> Vec<Entry> {
    house.sandbox.log().into_iter().filter(|entry| entry.kind == kind).collect()
}

// A-15, A-17, A-24: the document is used where the server reads such, with an address that may have any port.
#[test]
fn a_client_id_metadata_document_comes_before_registration() {
    let (house, url) = registering(documented(Options { client_documents: true, ..Options::default() }));
    let args = [url.as_str(), "--client-metadata-url", DOCUMENT];
    let redirect = login_with(&house, &args, "redirect_uri");
    assert!(redirect.starts_with("http://127.0.0.1:") && redirect.ends_with("/callback"), "{redirect}");
    assert_eq!(house.sandbox.counts().registrations, 0);
    assert_eq!(house.run(&["status", &url, "--json"]).json()["client_id"], DOCUMENT);
    // Where the server does not say so, it would not know what to do with the address.
    house.sandbox.set(|options| options.client_documents = false);
    assert_ne!(login_with(&house, &args, "client_id"), DOCUMENT);
    assert_eq!(house.sandbox.counts().registrations, 1);
}

// A-15, A-16.
#[test]
fn a_client_of_the_users_own_comes_before_everything() {
    let (house, url) = registering(documented(Options { client_documents: true, ..Options::default() }));
    let args = [
        url.as_str(),
        "--client-metadata-url",
        DOCUMENT,
        "--client-id",
        "chipp-mcp-client",
        "--token-style",
        "json",
    ];
    assert_eq!(login_with(&house, &args, "client_id"), "chipp-mcp-client");
    assert_eq!(house.sandbox.counts().registrations, 0);
}

// A-17.
#[test]
fn an_address_that_is_no_client_id_is_refused_before_anything_opens() {
    let (house, url) = registering(documented(Options { client_documents: true, ..Options::default() }));
    for bad in ["http://chipp.example/c.json", "https://chipp.example/", "https://chipp.example/c.json#x"] {
        house.run(&["login", "--no-browser", &url, "--client-metadata-url", bad]).failed("usage", 2);
    }
    assert_eq!(house.sandbox.counts().authorize, 0);
}

// peers.md 8: a client that the server has forgotten is replaced before the user stands before an error page.
#[test]
fn a_forgotten_registration_is_found_out_before_the_browser_opens() {
    let (house, url) = registering(Options::default());
    let mut client = login_with(&house, &[&url], "client_id");
    let moved = |location: &str| {
        let mut answer = http::Response::new(String::new());
        *answer.status_mut() = http::StatusCode::FOUND;
        answer.headers_mut().insert("location", location.parse().unwrap());
        Fault::AuthorizeAnswer(Box::new(answer))
    };
    for dead in [
        Fault::authorize(400, "application/json", r#"{"error":"invalid_client"}"#),
        Fault::authorize(400, "text/html", "<h1>Unknown client</h1>"),
        Fault::authorize(401, "application/json", "{}"),
        Fault::authorize(422, "text/html", "<h1>Unprocessable</h1>"),
        moved("http://localhost:1/callback?error=unauthorized_client"),
        moved("/oauth/error?error=invalid_client"),
    ] {
        let before = house.sandbox.counts();
        house.sandbox.fail_next(dead);
        let new = login_with(&house, &[&url], "client_id");
        let counts = house.sandbox.counts();
        assert_ne!(new, client);
        assert_eq!(counts.registrations, before.registrations + 1);
        assert_eq!(counts.authorize, before.authorize + 2, "the question and the sign-in");
        client = new;
    }
    let mut personal = http::Response::new(String::new());
    *personal.status_mut() = http::StatusCode::UNAUTHORIZED;
    personal.headers_mut().insert("www-authenticate", "Negotiate".parse().unwrap());
    for alive in [
        Fault::AuthorizeAnswer(Box::new(personal)),
        Fault::authorize(200, "text/html", "<h1>Sign in</h1>"),
        Fault::authorize(403, "text/html", "<h1>Bots are not allowed</h1>"),
        Fault::authorize(503, "text/html", "<h1>Sorry</h1>"),
        moved("/login?next=authorize"),
    ] {
        house.sandbox.fail_next(alive);
        assert_eq!(login_with(&house, &[&url], "client_id"), client);
    }
    // And a server that has really forgotten.
    house.sandbox.forget_clients();
    assert_ne!(login_with(&house, &[&url], "client_id"), client);
    // The question is asked with nothing that could be used: each request had a state of its own.
    assert!(house.sandbox.counts().reuse == 0 && house.run(&["token", &url]).code == 0);
}

// A-46: found out only when the code is to be exchanged. Once more, not twice.
#[test]
fn a_registration_that_the_token_endpoint_does_not_know_is_replaced_once() {
    let (house, url) = registering(Options::default());
    let old = login_with(&house, &[&url], "client_id");
    let unknown = || Fault::token(401, "application/json", r#"{"error":"invalid_client"}"#);
    house.sandbox.fail_next(unknown());
    let mut login = Login::start(&house, &[&url]);
    let first = login.url();
    assert_eq!(given(&first, "client_id"), old);
    follow(&first);
    let second = login.url();
    assert_ne!(given(&second, "client_id"), old);
    assert_ne!(given(&second, "state"), given(&first, "state"));
    follow(&second);
    signed_in(&login.wait());
    assert_eq!(house.sandbox.counts().registrations, 2);

    for _ in 0..2 {
        house.sandbox.fail_next(unknown());
    }
    let mut login = Login::start(&house, &[&url]);
    let first = login.url();
    follow(&first);
    let second = login.url();
    follow(&second);
    login.wait().failed("client-rejected", 2);
    // The older sign-in, and its registration, are still there.
    assert_eq!(house.run(&["status", &url, "--json"]).json()["client_id"], given(&first, "client_id"));
    assert!(house.run(&["token", &url]).ok().starts_with("chipp_at_"));
}

// A-46: found out at a renewal, when nobody was there to sign in.
#[test]
fn a_registration_that_was_refused_at_a_renewal_is_not_tried_again() {
    let (house, url) = registering(Options { access_lifetime: Duration::from_secs(1), ..Options::default() });
    let old = login_with(&house, &[&url], "client_id");
    std::thread::sleep(Duration::from_millis(1100));
    house.sandbox.fail_next(Fault::token(401, "application/json", r#"{"error":"invalid_client"}"#));
    house.run(&["token", &url]).failed("login-required", 4);
    let asked = house.sandbox.counts().authorize;
    assert_ne!(login_with(&house, &[&url], "client_id"), old);
    let counts = house.sandbox.counts();
    assert_eq!((counts.registrations, counts.authorize), (2, asked + 1));
}

// peers.md 8: nothing is given up before there is something better.
#[test]
fn the_old_registration_is_kept_until_the_new_tokens_are_stored() {
    let (house, url) = registering(Options::default());
    let old = login_with(&house, &[&url], "client_id");
    house.sandbox.forget_clients();
    house.sandbox.set(|options| options.auto_consent = Some(Consent::Deny));
    house.login(&[&url]).failed("login-denied", 3);
    assert_eq!(house.sandbox.counts().registrations, 2);
    assert_eq!(house.run(&["status", &url, "--json"]).json()["client_id"], old);
    assert!(house.run(&["token", &url]).ok().starts_with("chipp_at_"));
}

// A-20.
#[test]
fn a_server_that_refuses_the_name_of_this_computer_gets_its_address() {
    let (house, url) = registering(Options { localhost_redirects: false, ..Options::default() });
    let redirect = login_with(&house, &[&url], "redirect_uri");
    assert!(redirect.starts_with("http://127.0.0.1:"), "{redirect}");
    assert_eq!(entries(&house, Kind::Register).len(), 2, "the name, then the address");
    // The next sign-in has the same address, byte for byte.
    assert_eq!(login_with(&house, &[&url], "redirect_uri"), redirect);
    assert_eq!(house.sandbox.counts().registrations, 1);
}

// A-24, peers.md 14: a stable port; another one is another registration.
#[test]
fn a_registration_keeps_its_port_and_is_replaced_where_it_cannot() {
    let (house, url) = registering(Options::default());
    let redirect = login_with(&house, &[&url], "redirect_uri");
    assert_eq!(login_with(&house, &[&url], "redirect_uri"), redirect);
    assert_eq!(house.sandbox.counts().registrations, 1);
    let port = Url::parse(&redirect).unwrap().port().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let other = login_with(&house, &[&url], "redirect_uri");
    assert_ne!(other, redirect);
    assert_eq!(house.sandbox.counts().registrations, 2);
    drop(taken);
    let fixed = port.to_string();
    assert_eq!(login_with(&house, &[&url, "--port", &fixed], "redirect_uri"), redirect);
    assert_eq!(house.sandbox.counts().registrations, 3);
}

/// Two authorization servers; the MCP server at the first one.
fn moving() -> (House, House, String) {
    let (house, url) = registering(Options::default());
    let other = House::new(Options {
        registration: true,
        token_style: TokenStyle::Any,
        resources: vec![url.clone()],
        ..Options::default()
    });
    (house, other, url)
}

fn moves_to(house: &House, other: &House) {
    let issuer = other.sandbox.base().as_str().trim_end_matches('/').to_owned();
    house.sandbox.set(|options| options.authorization_server = Some(issuer));
}

// A-22, A-23: another authorization server gets a registration of its own, and sees nothing of the old one.
#[test]
fn a_server_that_moved_gets_a_new_registration() {
    let (house, other, url) = moving();
    let old = login_with(&house, &[&url], "client_id");
    moves_to(&house, &other);
    let asked = house.sandbox.counts();
    let new = login_with(&house, &[&url], "client_id");
    assert_ne!(new, old);
    assert_eq!((house.sandbox.counts().authorize, house.sandbox.counts().token_code), (asked.authorize, 1));
    // Each request there was one of the new client: not even a question about the old one.
    let there = other.sandbox.counts();
    assert_eq!((there.registrations, there.authorize, there.token_code), (1, 1, 1));
    let others = entries(&other, Kind::Authorize).into_iter().chain(entries(&other, Kind::Token));
    assert!(others.into_iter().all(|entry| entry.client.as_ref() == Some(&new)));
}

// A-22: a client of the user's own is not shown to a server for which it was not made.
#[test]
fn a_server_that_moved_does_not_get_the_users_own_client() {
    let (house, other, url) = moving();
    let args = [url.as_str(), "--client-id", "chipp-mcp-client"];
    login_with(&house, &args, "client_id");
    moves_to(&house, &other);
    let ended = house.run(&[&["login", "--no-browser"], &args[..]].concat());
    ended.failed("issuer-mismatch", 7);
    assert!(ended.stderr.contains(&format!("chipp-auth logout {url} --local")), "{ended:?}");
    assert_eq!((other.sandbox.counts().authorize, other.sandbox.counts().token_code), (0, 0));
    // The way out works.
    signed_in(&house.run(&[&["logout", "--local"], &args[..]].concat()));
    assert_eq!(login_with(&house, &args, "client_id"), "chipp-mcp-client");
}

// A-15: nobody can be asked here.
#[test]
fn without_a_terminal_a_missing_client_is_named() {
    let house = House::new(Options::default());
    house.point_chipp_at("http://127.0.0.1:9");
    let ended = house.run(&["login", "--no-browser", house.sandbox.mcp_url().as_str()]);
    ended.failed("client-rejected", 2);
    assert!(ended.stderr.contains("--client-id"), "{ended:?}");
    assert_eq!(house.sandbox.counts().authorize, 0);
}
