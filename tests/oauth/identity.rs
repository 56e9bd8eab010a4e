//! Who has signed in, asked of the userinfo endpoint.

use std::time::Duration;

use base64::Engine;
use chipp_auth::http::Reach;
use chipp_auth::oauth::answer::{self, Answer, Reply};
use chipp_auth::oauth::discovery::{Known, discover};
use chipp_auth::oauth::identity::{self, Identity, Told, Userinfo};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::server::{Page, Server};

/// What a token answer tells that has an ID token with these claims.
fn told(claims: &Value) -> Told {
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims.to_string());
    let body = json!({"access_token": "token-1", "id_token": format!("e30.{payload}.sig")}).to_string();
    match answer::read(Reply { status: 200, wait: None, body: body.as_bytes(), host: "e.com" }) {
        Answer::Issued(issued) => issued.told,
        Answer::Refused(refusal) => panic!("{}", refusal.error),
    }
}

/// Asks `/userinfo` of this server, with these places.
async fn find(server: &Server, told: &Told, places: &[&str]) -> Identity {
    let (url, access) = (server.url("/userinfo"), SecretString::from("token-1"));
    let userinfo = Userinfo { url: &url, access: &access, reach: &server.reach() };
    let places: Vec<_> = places.iter().map(|place| (*place).to_owned()).collect();
    identity::find(told, &places, Some(userinfo)).await
}

fn named(name: &str, subject: Option<&str>) -> Identity {
    Identity { name: Some(name.into()), subject: subject.map(str::to_owned) }
}

#[tokio::test]
async fn it_is_asked_once_with_the_token_and_only_if_its_turn_comes() {
    let server = Server::start().await;
    server.page("/userinfo", Page::json(&json!({"sub": "7", "login": "octocat", "id": 5})));
    assert_eq!(find(&server, &Told::default(), &[]).await, named("octocat", Some("7")));
    let [asked] = &server.asked()[..] else { panic!("asked {} times", server.asked().len()) };
    assert_eq!((asked.method.as_str(), asked.body.as_str()), ("GET", ""));
    assert_eq!(asked.headers["authorization"], "Bearer token-1");

    let known = told(&json!({"sub": "7", "email": "john@example.com"}));
    assert_eq!(find(&server, &known, &[]).await, named("john@example.com", Some("7")));
    assert_eq!(
        find(&server, &known, &["token.email", "id_token.email"]).await.name.unwrap(),
        "john@example.com"
    );
    assert_eq!(server.asked().len(), 1, "the ID token said it");
    let places = ["userinfo.nothing", "userinfo.name", "userinfo.id"];
    assert_eq!(find(&server, &Told::default(), &places).await.name.unwrap(), "5");
    assert_eq!(server.asked().len(), 2);
}

// T1, I7: the token goes to one address.
#[tokio::test]
async fn it_is_never_followed_elsewhere() {
    let (server, other) = (Server::start().await, Server::start().await);
    other.page("/userinfo", Page::json(&json!({"email": "john@example.com"})));
    for status in [301, 302, 307, 308] {
        server.page("/userinfo", Page::redirect(status, other.url("/userinfo").as_str()));
        assert_eq!(find(&server, &Told::default(), &[]).await, Identity::default());
    }
    assert!(other.asked().is_empty());
}

// D1.
#[tokio::test]
async fn it_is_not_asked_where_no_request_may_go() {
    let server = Server::start().await;
    server.page("/userinfo", Page::json(&json!({"email": "john@example.com"})));
    let (url, access, reach) = (server.url("/userinfo"), SecretString::from("t"), Reach::default());
    let userinfo = Userinfo { url: &url, access: &access, reach: &reach };
    assert_eq!(identity::find(&Told::default(), &[], Some(userinfo)).await, Identity::default());
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn no_trouble_with_it_is_trouble_with_the_sign_in() {
    let server = Server::start().await;
    let body = |body: &str| Page { body: body.to_owned(), ..Page::empty(200) };
    let large = format!(r#"{{"email":"{}"}}"#, "x".repeat(300 * 1024));
    let deep = format!("{}1{}", r#"{"email":"#.repeat(60), "}".repeat(60));
    for page in [
        Page::empty(401),
        Page::empty(404),
        Page::empty(500),
        Page { body: json!({"email": "john@example.com"}).to_string(), ..Page::empty(403) },
        body(""),
        body("<html>"),
        body(r#"["john@example.com"]"#),
        body(r#"{"email":"#),
        body(&large),
        body(&deep),
    ] {
        server.page("/userinfo", page);
        assert_eq!(find(&server, &Told::default(), &[]).await, Identity::default());
    }
    server.page("/userinfo", Page { delay: Some(Duration::from_secs(6)), ..body(r#"{"email":"j@e.com"}"#) });
    assert_eq!(find(&server, &Told::default(), &[]).await, Identity::default(), "too late");
}

// OpenID Connect Core section 5.3.2.
#[tokio::test]
async fn an_answer_about_somebody_else_is_not_used() {
    let server = Server::start().await;
    server.page("/userinfo", Page::json(&json!({"sub": "8", "email": "jane@example.com"})));
    assert_eq!(find(&server, &told(&json!({"sub": "7"})), &[]).await, named("7", Some("7")));
    server.page("/userinfo", Page::json(&json!({"sub": "7", "email": "john@example.com"})));
    assert_eq!(find(&server, &told(&json!({"sub": "7"})), &[]).await, named("john@example.com", Some("7")));
}

#[tokio::test]
async fn metadata_names_it_and_no_nonsense_in_its_place_is_in_the_way() {
    for (endpoint, expected) in [
        (json!("https://as.example/userinfo"), Some("https://as.example/userinfo")),
        (json!("http://as.example/userinfo"), None),
        (json!("userinfo"), None),
        (json!(5), None),
        (Value::Null, None),
    ] {
        let server = Server::start().await;
        let metadata = json!({
            "issuer": server.base,
            "authorization_endpoint": server.url("/authorize"),
            "token_endpoint": server.url("/token"),
            "userinfo_endpoint": endpoint,
            "code_challenge_methods_supported": ["S256"],
        });
        server.page("/.well-known/oauth-authorization-server", Page::json(&metadata));
        let url = server.url("/mcp");
        let known = Known { issuer: Some(server.base.clone()), ..Known::new(url.clone(), url.to_string()) };
        let found = discover(&known).await.unwrap();
        assert_eq!(found.userinfo.as_ref().map(url::Url::as_str), expected, "{endpoint}");
    }
}
