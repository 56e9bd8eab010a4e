//! Look-alikes in metadata: whatever a document names, what is pinned stays pinned (D3, D5, A-04, A-08).

use chipp_auth::error::Name;
use chipp_auth::oauth::Endpoints;
use chipp_auth::oauth::discovery::{Known, discover};
use serde_json::{Value, json};
use url::Url;

use crate::kit::{credential, known, session};
use crate::server::{Server, http};
use crate::witness::Witness;

/// Look-alikes of `http://127.0.0.1:{port}`; `{other}` is the port of the witness. The second is whether
/// they are the same origin after all.
const LOOK_ALIKES: [(&str, bool); 24] = [
    ("http://127.0.0.1:{port}", true),
    ("HTTP://127.0.0.1:{port}", true),
    ("http://127.1:{port}", true),
    ("http://0x7f.0.0.1:{port}", true),
    ("http://2130706433:{port}", true),
    ("http://0177.0.0.1:{port}", true),
    ("http://127.0.0.1:0{port}", true),
    ("http://127.0.0.1.:{port}", true),
    ("http://127.0.0.1:{port}\\@127.0.0.1:{other}", true),
    ("http://127.0.0.1:{other}", false),
    ("http://127.0.0.1:{port}1", false),
    ("http://127.0.0.1", false),
    ("http://127.0.0.2:{port}", false),
    ("http://localhost:{port}", false),
    ("http://localhost:{other}", false),
    ("http://[::1]:{other}", false),
    ("http://[::ffff:127.0.0.1]:{other}", false),
    ("https://127.0.0.1:{port}", false),
    ("https://127.0.0.1:{other}", false),
    ("http://127.0.0.1:{port}@127.0.0.1:{other}", false),
    ("http://127.0.0.1:{other}#@127.0.0.1:{port}", false),
    ("http://127.0.0.1:{other}?@127.0.0.1:{port}", false),
    ("http://127.0.0.1:{other}\\@127.0.0.1:{port}", false),
    ("//127.0.0.1:{port}", false),
];

fn filled(text: &str, server: &Server, witness: &Witness) -> String {
    let port = server.url("/").port().unwrap().to_string();
    text.replace("{port}", &port).replace("{other}", &witness.port.to_string())
}

/// A server whose documents are made by these, given its own base.
async fn server(resource: fn(&str, &str) -> Value, metadata: fn(&str, &str) -> Value) -> Server {
    Server::start(move |request| {
        let base = format!("http://{}", request.header("host").unwrap());
        // The look-alike is the first part of the path, so that one server serves all of them.
        let look_alike = request.path().rsplit('/').next().unwrap_or_default();
        let look_alike = url::form_urlencoded::parse(look_alike.as_bytes()).next();
        let look_alike = look_alike.map(|(text, _)| text.into_owned()).unwrap_or_default();
        let document = match request.path().split('/').nth(2) {
            Some("oauth-protected-resource") => resource(&base, &look_alike),
            Some("oauth-authorization-server") => metadata(&base, &look_alike),
            _ => return http(401, "", b""),
        };
        http(200, "", document.to_string().as_bytes())
    })
    .await
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn metadata(base: &str, look_alike: &str) -> Value {
    json!({
        "issuer": format!("{base}/{}", escaped(look_alike)),
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{look_alike}/token"),
        "code_challenge_methods_supported": ["S256"],
    })
}

// D5: a profile that states its endpoints pins their origin; true issuer, token endpoint elsewhere.
#[tokio::test]
async fn a_pinned_token_endpoint_stays_on_its_origin() {
    let witness = Witness::start().await;
    let server = server(|_, _| json!({}), metadata).await;
    let at = |path| server.url(path);
    let documented =
        Endpoints { authorization: at("/authorize"), token: at("/token"), revocation: None, device: None };
    for (look_alike, same) in LOOK_ALIKES {
        let look_alike = filled(look_alike, &server, &witness);
        let issuer = format!("{}/{}", server.base, escaped(&look_alike));
        let known = Known { issuer: Some(issuer), documented: Some(documented.clone()), ..known(&server) };
        let found = discover(&known).await;
        match found {
            Ok(provider) => {
                assert!(same, "{look_alike} was taken");
                assert_eq!(provider.endpoints.token.origin(), at("/").origin(), "{look_alike}");
            }
            Err(error) => {
                let names = [Name::WrongOrigin, Name::UnsafeUrl, Name::BadResponse];
                assert!(!same && names.contains(&error.name()), "{look_alike}: {error}");
            }
        }
        witness.assert_alone(&look_alike);
    }
}

// D3, A-04: metadata that is about another resource than the one that was asked.
#[tokio::test]
async fn metadata_about_a_look_alike_is_not_about_this_server() {
    let witness = Witness::start().await;
    let resource = |base: &str, look_alike: &str| json!({"resource": look_alike, "authorization_servers": [format!("{base}/x")]});
    let server = server(resource, |base, _| metadata(base, base)).await;
    for (look_alike, same) in LOOK_ALIKES {
        let look_alike = filled(look_alike, &server, &witness);
        let url = server.url(&format!("/{}", escaped(&look_alike)));
        let known = Known::new(url.clone(), url.to_string());
        let name = discover(&known).await.map_err(|error| error.name());
        // A resource at the root of the same origin covers this one, and then the issuer's name is wrong.
        match name {
            Err(Name::WrongOrigin) => {}
            other => assert!(same, "{look_alike}: {other:?}"),
        }
        witness.assert_alone(&look_alike);
    }
}

// A-08, A-22: the identity of an issuer is its text, and no URL type has a say in it.
#[tokio::test]
async fn an_issuer_is_its_text() {
    let witness = Witness::start().await;
    let server = Server::start(move |request| {
        // By whatever name it was asked, it says the one that it has.
        let port = request.header("host").unwrap().rsplit(':').next().unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let document = json!({
            "issuer": base,
            "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint": format!("{base}/token"),
            "code_challenge_methods_supported": ["S256"],
        });
        http(200, "", document.to_string().as_bytes())
    })
    .await;
    for (look_alike, _) in LOOK_ALIKES {
        let look_alike = filled(look_alike, &server, &witness);
        let issuer = look_alike
            .replace(&format!(":{}", witness.port), &format!(":{}", server.url("/").port().unwrap()));
        let known = Known { issuer: Some(issuer.clone()), ..known(&server) };
        let found = discover(&known).await.map(|provider| provider.issuer).map_err(|error| error.name());
        if issuer == server.base {
            assert_eq!(found, Ok(issuer));
        } else {
            assert!(found.is_err(), "{issuer}: {found:?}");
        }
    }
}

// D5: metadata that changed after the sign-in changes nothing for the tokens; they go where they came from.
#[tokio::test]
async fn a_refresh_goes_to_the_recorded_endpoint_and_to_no_other() {
    let witness = Witness::start().await;
    let port = witness.port;
    let server = Server::start(move |request| {
        if request.path() == "/token" {
            let body = format!(r#"{{"access_token":"a","token_endpoint":"http://127.0.0.1:{port}/token"}}"#);
            return http(
                200,
                &format!("Link: <http://127.0.0.1:{port}/token>; rel=\"token_endpoint\"\r\n"),
                body.as_bytes(),
            );
        }
        let base = format!("http://127.0.0.1:{port}");
        http(
            200,
            "",
            json!({"issuer": base, "token_endpoint": format!("{base}/token")}).to_string().as_bytes(),
        )
    })
    .await;
    let stored = credential(server.url("/token"), &[&server.base], 7200);
    let (session, _home) = session(&server.base, &stored).await;
    session.token().await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].body.contains("canary-refresh"), "the recorded endpoint was asked");
    witness.assert_alone("a refresh");
    let elsewhere = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap().origin().ascii_serialization();
    let (session, _home) = crate::kit::session(&elsewhere, &stored).await;
    assert_eq!(session.token().await.unwrap_err().name(), Name::WrongOrigin);
    witness.assert_alone("a token for another server");
}
