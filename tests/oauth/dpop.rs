//! Proofs of a key (X-03, RFC 9449), judged as a server does: with nothing but what is in them.

use std::collections::HashSet;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chipp_auth::credential::{Client, now};
use chipp_auth::error::Name;
use chipp_auth::oauth::dpop::{Key, Request};
use chipp_auth::oauth::wire::{self, Cause, Code, Endpoint, Types};
use oauth2::PkceCodeVerifier;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::server::{Page, Server};
use crate::styles::{at, header};

fn key() -> Key {
    Key::from_pem(&Key::generate().unwrap()).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Header and claims of a proof whose signature is that of the key it names.
fn verified(proof: &str) -> (Value, Value) {
    let parts: Vec<&str> = proof.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{proof}") };
    let head: Value = serde_json::from_slice(&bytes(header)).unwrap();
    let jwk = &head["jwk"];
    assert_eq!((&jwk["kty"], &jwk["crv"]), (&json!("EC"), &json!("P-256")));
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        let coordinate = bytes(jwk[coordinate].as_str().unwrap());
        assert_eq!(coordinate.len(), 32);
        point.extend(coordinate);
    }
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(format!("{header}.{claims}").as_bytes(), &bytes(signature)).unwrap();
    (head.clone(), serde_json::from_slice(&bytes(claims)).unwrap())
}

fn proof(key: &Key, url: &str, token: Option<&SecretString>) -> (Value, Value) {
    let url = Url::parse(url).unwrap();
    verified(&key.proof(Request { method: "POST", url: &url, token }).unwrap())
}

// RFC 9449 section 4.2.
#[test]
fn a_proof_names_the_method_the_address_and_the_token() {
    let key = key();
    let (header, claims) = proof(&key, "https://E.com:443/mcp/a?q=1#f", Some(&"token".into()));
    assert_eq!((&header["typ"], &header["alg"]), (&json!("dpop+jwt"), &json!("ES256")));
    let members: HashSet<_> = header["jwk"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, HashSet::from(["kty", "crv", "x", "y"]), "nothing private, nothing else");
    assert_eq!((&claims["htm"], &claims["htu"]), (&json!("POST"), &json!("https://e.com/mcp/a")));
    // The digest of the word `token`, by another program.
    assert_eq!(claims["ath"], json!("PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A"));
    assert!(claims["iat"].as_u64().unwrap().abs_diff(now()) <= 5);
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() == 32));
    let names: HashSet<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, HashSet::from(["jti", "htm", "htu", "iat", "ath"]));
    let (_, bare) = proof(&key, "https://e.com/token", None);
    assert!(bare.get("ath").is_none(), "{bare}");
}

#[test]
fn no_two_proofs_are_the_same_one() {
    let key = key();
    let jti = |_| proof(&key, "https://e.com/", None).1["jti"].as_str().unwrap().to_owned();
    assert_eq!((0..100).map(jti).collect::<HashSet<_>>().len(), 100);
}

#[test]
fn each_sign_in_has_a_key_of_its_own_that_survives_its_text() {
    let pem = Key::generate().unwrap();
    assert!(pem.expose_secret().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let jwk = |key: &Key| proof(key, "https://e.com/", None).0["jwk"].clone();
    let key = Key::from_pem(&pem).unwrap();
    assert_eq!(jwk(&key), jwk(&Key::from_pem(&pem).unwrap()));
    assert_ne!(jwk(&key), jwk(&self::key()));
    assert_eq!(Key::from_pem(&"nonsense".into()).unwrap_err().name(), Name::StoreCorrupt);
    assert!(!format!("{key:?}").contains(|c: char| c.is_ascii_digit()), "{key:?}");
    // RFC 7638 section 3.
    let (x, y) = (jwk(&key)["x"].as_str().unwrap().to_owned(), jwk(&key)["y"].as_str().unwrap().to_owned());
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    assert_eq!(key.thumbprint().unwrap(), URL_SAFE_NO_PAD.encode(Sha256::digest(text)));
}

// RFC 9449 section 8.2: a nonce is for the server that gave it.
#[test]
fn the_last_nonce_of_each_origin_is_used_there_and_nowhere_else() {
    let key = key();
    let url = |text: &str| Url::parse(text).unwrap();
    assert!(key.learn(&url("https://a.example/token"), "one"));
    assert!(key.learn(&url("https://b.example/mcp"), "other"));
    assert!(key.learn(&url("https://a.example/revoke"), "two"));
    assert!(!key.learn(&url("https://a.example/"), "two"), "nothing new");
    let nonce = |at: &str| proof(&key, at, None).1["nonce"].clone();
    assert_eq!(nonce("https://a.example/x"), json!("two"));
    assert_eq!(nonce("https://b.example/"), json!("other"));
    for elsewhere in ["https://c.example/", "http://a.example/", "https://a.example:8443/"] {
        assert_eq!(nonce(elsewhere), Value::Null, "{elsewhere}");
    }
    for rubbish in ["", "a b", "a\"b", "a\\b", "ä", "a\u{7f}", &"x".repeat(1025)] {
        assert!(!key.learn(&url("https://a.example/"), rubbish), "{rubbish}");
    }
    assert_eq!(nonce("https://a.example/"), json!("two"));
    // A server with many names cannot fill the memory.
    for number in 0..100 {
        key.learn(&url(&format!("https://{number}.example/")), "n");
    }
    assert_eq!(nonce("https://99.example/"), json!("n"));
    assert_eq!(nonce("https://91.example/"), Value::Null);
}

fn client() -> Client {
    Client { id: "c".into(), ..Client::default() }
}

fn code() -> Code {
    let verifier = PkceCodeVerifier::new("verifier-verifier-verifier-verifier-verifier-".into());
    Code { code: "code".into(), verifier: Some(verifier), redirect_uri: "http://localhost:1/callback".into() }
}

fn wants_nonce(nonce: &str) -> Page {
    let page = Page::json(&json!({"error": "use_dpop_nonce"}));
    Page { status: 400, headers: vec![("DPoP-Nonce", nonce.into())], ..page }
}

/// The claims of the proofs that arrived, in order.
fn proofs(server: &Server) -> Vec<Value> {
    server.asked().iter().map(|asked| verified(&header(&asked.headers, "dpop")).1).collect()
}

async fn server() -> Server {
    let server = Server::start().await;
    let tokens = Page::json(&json!({"access_token": "a", "token_type": "DPoP"}));
    server.page("/token", Page { headers: vec![("DPoP-Nonce", "next".into())], ..tokens });
    server
}

// RFC 9449 sections 5 and 8: exchange and refresh, each attempt with a proof of its own.
#[tokio::test]
async fn the_token_endpoint_gets_proofs_and_its_nonce_is_learned() {
    let server = server().await;
    server.first(wants_nonce("first"));
    let (url, client, key) = (server.url("/token"), client(), key());
    let endpoint = Endpoint { dpop: Some(&key), ..at(&url, &client, None) };
    endpoint.exchange(code()).await.unwrap();
    endpoint.refresh(&"rt".into()).await.unwrap();
    let proofs = proofs(&server);
    let nonces: Vec<_> = proofs.iter().map(|claims| claims["nonce"].clone()).collect();
    assert_eq!(nonces, [Value::Null, json!("first"), json!("next")]);
    for claims in &proofs {
        assert_eq!((&claims["htm"], &claims["htu"]), (&json!("POST"), &json!(url.as_str())));
        assert!(claims.get("ath").is_none());
    }
    let ids: HashSet<_> = proofs.iter().map(|claims| claims["jti"].to_string()).collect();
    assert_eq!(ids.len(), 3);
    let bodies: Vec<_> = server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies[0], bodies[1], "the same request, with another proof");
}

// Once: a server that is never content must not be asked for ever.
#[tokio::test]
async fn a_nonce_is_followed_once_and_only_if_it_is_new() {
    let server = server().await;
    server.first(wants_nonce("first"));
    server.first(wants_nonce("second"));
    let (url, client, key) = (server.url("/token"), client(), key());
    let endpoint = Endpoint { dpop: Some(&key), ..at(&url, &client, None) };
    let refusal = endpoint.refresh(&"rt".into()).await.unwrap_err();
    assert_eq!((refusal.cause, server.asked().len()), (Cause::NonceRequired, 2));
    // The nonce that it has been sent already.
    server.first(wants_nonce("second"));
    assert_eq!(endpoint.refresh(&"rt".into()).await.unwrap_err().cause, Cause::NonceRequired);
    assert_eq!(server.asked().len(), 3);
    assert_eq!(proofs(&server)[2]["nonce"], json!("second"));
}

// A refusal that is about something else is no reason to spend the grant twice.
#[tokio::test]
async fn a_nonce_with_another_refusal_is_learned_and_nothing_is_sent_again() {
    let server = server().await;
    server.first(Page {
        status: 400,
        headers: vec![("DPoP-Nonce", "n".into())],
        ..Page::json(&json!({"error": "invalid_grant"}))
    });
    let (url, client, key) = (server.url("/token"), client(), key());
    let endpoint = Endpoint { dpop: Some(&key), ..at(&url, &client, None) };
    assert_eq!(endpoint.refresh(&"rt".into()).await.unwrap_err().cause, Cause::InvalidGrant);
    assert_eq!(server.asked().len(), 1);
    endpoint.refresh(&"rt".into()).await.unwrap();
    assert_eq!(proofs(&server)[1]["nonce"], json!("n"));
}

#[tokio::test]
async fn without_a_key_there_is_no_proof() {
    let server = server().await;
    let (url, client) = (server.url("/token"), client());
    at(&url, &client, None).refresh(&"rt".into()).await.unwrap();
    assert_eq!(header(&server.asked()[0].headers, "dpop"), "");
}

// T8, rows 103 and 104, RFC 9449 section 5.
#[test]
fn the_type_of_the_tokens_is_the_one_that_was_asked_for() {
    let also = ["bot".to_owned()];
    let check =
        |found: Option<&str>, bound, named| wire::check_type(found, Types { bound, named, also: &also });
    let accepts = |found: Option<&str>, bound, named| check(found, bound, named).is_ok();
    assert!(accepts(Some("Bearer"), false, true) && accepts(Some("bEARER"), false, true));
    assert!(accepts(Some("DPoP"), true, false) && accepts(Some("dpop"), true, true));
    assert!(accepts(None, false, false));
    // A profile's own word for a bearer token; never for a bound one.
    assert!(accepts(Some("Bot"), false, true) && !accepts(Some("bot"), true, false));
    for (found, bound, named) in [
        (Some("Bearer"), true, false),
        (None, true, false),
        (Some("DPoP"), false, false),
        (Some("mac"), false, false),
        (Some(""), false, false),
        (None, false, true),
    ] {
        let error = check(found, bound, named).unwrap_err();
        assert_eq!(error.name(), Name::WrongTokenType, "{found:?}");
    }
}
