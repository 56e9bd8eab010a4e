//! Every style, byte for byte: the exchange of a code, a refresh, a revocation (A-40, T7, RFC 6749 section
//! 2.3.1, RFC 7009 section 2.1).

use chipp_auth::credential::{Client, TokenStyle};
use chipp_auth::oauth::machine;
use chipp_auth::oauth::revoke::revoke;
use serde_json::json;

use crate::kit::{SECRET, STYLES, at, client, code};
use crate::server::{Asked, Page, Server};

/// `client%3A1%2Fa%20b:s%3Ae%2Fc%2Br%25e%20t%22`, each half form-encoded, in base64.
const BASIC: &str = "Basic Y2xpZW50JTNBMSUyRmElMjBiOnMlM0FlJTJGYyUyQnIlMjVlJTIwdCUyMg==";
/// `client:1/a b:s:e/c+r%e t"`.
const RAW: &str = "Basic Y2xpZW50OjEvYSBiOnM6ZS9jK3IlZSB0Ig==";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The request as it arrived: what of the head belongs to the style, and the body.
fn shown(asked: &Asked) -> [String; 3] {
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.headers["accept"], "application/json");
    let header = |name| asked.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    [header("authorization"), header("content-type"), asked.body.clone()]
}

async fn server() -> Server {
    let server = Server::start().await;
    server.page("/token", Page::json(&json!({"access_token": "a", "token_type": "Bearer"})));
    server.page("/revoke", Page::empty(200));
    server
}

/// The three requests of a client.
async fn three(client: &Client) -> Vec<[String; 3]> {
    let server = server().await;
    let (token, revocation) = (server.url("/token"), server.url("/revoke"));
    let endpoint = at(&token, client);
    endpoint.exchange(code()).await.unwrap();
    endpoint.refresh(&"REFRESH+TOKEN".into()).await.unwrap();
    revoke(at(&revocation, client), &"REFRESH+TOKEN".into(), "refresh_token").await.unwrap();
    server.asked().iter().map(shown).collect()
}

#[tokio::test]
async fn form_post() {
    let credentials = "client_id=client%3A1%2Fa+b&client_secret=s%3Ae%2Fc%2Br%25e+t%22";
    let expected = [
        format!(
            "grant_type=authorization_code&code=AUTH+CODE&{credentials}\
             &redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fcallback&code_verifier=verifier-verifier-verifier-verifier-verifier"
        ),
        format!("grant_type=refresh_token&refresh_token=REFRESH%2BTOKEN&{credentials}"),
        format!("token=REFRESH%2BTOKEN&token_type_hint=refresh_token&{credentials}"),
    ];
    let expected = expected.map(|body| [String::new(), FORM.into(), body]);
    assert_eq!(three(&client(TokenStyle::FormPost, true)).await, expected);
}

#[tokio::test]
async fn form_basic() {
    let expected = [
        "grant_type=authorization_code&code=AUTH+CODE\
         &redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fcallback&code_verifier=verifier-verifier-verifier-verifier-verifier",
        "grant_type=refresh_token&refresh_token=REFRESH%2BTOKEN",
        "token=REFRESH%2BTOKEN&token_type_hint=refresh_token",
    ];
    let expected = expected.map(|body| [BASIC, FORM, body].map(String::from));
    assert_eq!(three(&client(TokenStyle::FormBasic, true)).await, expected);
}

#[tokio::test]
async fn json_basic() {
    let expected = [
        r#"{"grant_type":"authorization_code","code":"AUTH CODE","redirect_uri":"http://localhost:1/callback","code_verifier":"verifier-verifier-verifier-verifier-verifier"}"#,
        r#"{"grant_type":"refresh_token","refresh_token":"REFRESH+TOKEN"}"#,
        r#"{"token":"REFRESH+TOKEN","token_type_hint":"refresh_token"}"#,
    ];
    let expected = expected.map(|body| [BASIC, JSON, body].map(String::from));
    assert_eq!(three(&client(TokenStyle::JsonBasic, true)).await, expected);
}

/// As Chipp documents it; its page has no client with a secret.
#[tokio::test]
async fn json() {
    let expected = [
        r#"{"grant_type":"authorization_code","code":"AUTH CODE","redirect_uri":"http://localhost:1/callback","client_id":"client:1/a b","code_verifier":"verifier-verifier-verifier-verifier-verifier"}"#,
        r#"{"grant_type":"refresh_token","refresh_token":"REFRESH+TOKEN","client_id":"client:1/a b"}"#,
        r#"{"token":"REFRESH+TOKEN","token_type_hint":"refresh_token","client_id":"client:1/a b"}"#,
    ];
    let expected = expected.map(|body| ["", JSON, body].map(String::from));
    assert_eq!(three(&client(TokenStyle::Json, false)).await, expected);
    let secret = three(&client(TokenStyle::Json, true)).await;
    let body = r#"{"grant_type":"refresh_token","refresh_token":"REFRESH+TOKEN","client_id":"client:1/a b","client_secret":"s:e/c+r%e t\""}"#;
    assert_eq!(secret[1], ["", JSON, body].map(String::from));
}

#[tokio::test]
async fn basic_carries_id_and_secret_as_they_are_where_that_is_wanted() {
    for style in [TokenStyle::FormBasic, TokenStyle::JsonBasic] {
        let raw = Client { raw_basic: true, ..client(style, true) };
        for ([authorization, ..], encoded) in three(&raw).await.iter().zip(three(&client(style, true)).await)
        {
            assert_eq!((authorization.as_str(), encoded[0].as_str()), (RAW, BASIC));
        }
    }
    // Elsewhere it changes nothing.
    let raw = Client { raw_basic: true, ..client(TokenStyle::FormPost, true) };
    assert_eq!(three(&raw).await, three(&client(TokenStyle::FormPost, true)).await);
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> std::collections::BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// In each grant, in no revocation, and in the place of nothing.
#[tokio::test]
async fn a_profile_adds_parameters_and_replaces_none() {
    for style in STYLES {
        let token_params = owned([
            ("audience", "https://api.example"),
            ("resource", "https://other.example"),
            ("scope", "more"),
            ("grant_type", "password"),
            ("code", "other"),
            ("code_verifier", "other"),
            ("redirect_uri", "https://other.example"),
            ("refresh_token", "other"),
            ("client_id", "other"),
            ("client_secret", "other"),
            ("client_assertion", "other"),
            ("assertion", "other"),
        ]);
        let client = Client { token_params, ..client(style, true) };
        let server = server().await;
        let (token, revocation) = (server.url("/token"), server.url("/revoke"));
        let endpoint = at(&token, &client);
        let bound = chipp_auth::oauth::wire::Endpoint { resource: Some("https://e.com/mcp"), ..endpoint };
        bound.exchange(code()).await.unwrap();
        endpoint.refresh_for(&"r".into(), Some("less")).await.unwrap();
        machine::client_credentials(endpoint, None).await.unwrap();
        revoke(at(&revocation, &client), &"r".into(), "refresh_token").await.unwrap();
        let bodies: Vec<_> = server.asked().into_iter().map(|asked| pairs(&asked.body)).collect();
        let value = |body: usize, name: &str| {
            let mut values = bodies[body].iter().filter(|(found, _)| found == name).map(|(_, v)| v.as_str());
            let value = values.next();
            assert_eq!(values.next(), None, "{name} twice in {:?}", bodies[body]);
            value
        };
        for body in 0..3 {
            assert_eq!(value(body, "audience"), Some("https://api.example"));
            assert_eq!(value(body, "client_id"), Some(crate::kit::ID).filter(|_| !style.is_basic()));
            assert_eq!(value(body, "client_secret"), Some(SECRET).filter(|_| !style.is_basic()));
            assert_eq!((value(body, "client_assertion"), value(body, "assertion")), (None, None));
        }
        let resources = [value(0, "resource"), value(1, "resource")];
        assert_eq!(resources, [Some("https://e.com/mcp"), Some("https://other.example")]);
        assert_eq!([value(0, "scope"), value(1, "scope")], [Some("more"), Some("less")]);
        let grants = [0, 1, 2].map(|body| value(body, "grant_type").unwrap());
        assert_eq!(grants, ["authorization_code", "refresh_token", "client_credentials"]);
        assert_eq!([value(0, "code"), value(1, "code")], [Some("AUTH CODE"), None]);
        assert_eq!(value(3, "audience"), None);
    }
}

/// A form or a JSON object, as pairs.
fn pairs(body: &str) -> Vec<(String, String)> {
    match serde_json::from_str::<serde_json::Value>(body) {
        Ok(json) => {
            let members = json.as_object().unwrap().iter();
            members.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
        }
        Err(_) => url::form_urlencoded::parse(body.as_bytes()).into_owned().collect(),
    }
}

// RFC 7009 section 2.1, T7.
#[tokio::test]
async fn a_revocation_endpoint_that_wants_a_form_gets_one_and_the_secret_stays_in_its_place() {
    for (style, other) in
        [(TokenStyle::Json, TokenStyle::FormPost), (TokenStyle::JsonBasic, TokenStyle::FormBasic)]
    {
        let server = server().await;
        server.first(Page::empty(415));
        let url = server.url("/revoke");
        revoke(at(&url, &client(style, true)), &"REFRESH+TOKEN".into(), "refresh_token").await.unwrap();
        let asked: Vec<_> = server.asked().iter().map(shown).collect();
        let expected =
            [three(&client(style, true)).await[2].clone(), three(&client(other, true)).await[2].clone()];
        assert_eq!(asked, expected);
        // Nothing else is a reason, and a form is what it is.
        for (style, status) in [(style, 503), (style, 401), (other, 415)] {
            let server = server_with(status).await;
            let url = server.url("/revoke");
            revoke(at(&url, &client(style, true)), &"r".into(), "refresh_token").await.unwrap_err();
            assert_eq!(server.asked().len(), 1, "{style:?} {status}");
        }
    }
}

async fn server_with(status: u16) -> Server {
    let server = server().await;
    server.page("/revoke", Page::empty(status));
    server
}
