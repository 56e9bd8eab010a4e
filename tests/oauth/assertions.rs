//! `private_key_jwt` (A-40, RFC 7523): what the server gets, judged with the public key alone.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair,
};
use chipp_auth::credential::{Client, TokenStyle, now};
use chipp_auth::error::Name;
use chipp_auth::oauth::assertion;
use chipp_auth::oauth::machine::client_credentials;
use chipp_auth::oauth::wire::Endpoint;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::server::{Page, Server};
use crate::styles::{ISSUER, at, header, pairs};

/// A private key in PEM, and its public half.
struct Pair {
    private: SecretString,
    public: DecodingKey,
}

fn pem(der: &[u8]) -> SecretString {
    pem::encode(&pem::Pem::new("PRIVATE KEY", der)).into()
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm) -> Pair {
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref()).unwrap();
    Pair { private: pem(der.as_ref()), public: DecodingKey::from_ec_der(key.public_key().as_ref()) }
}

fn ed25519() -> Pair {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let key = Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap();
    Pair { private: pem(der.as_ref()), public: DecodingKey::from_ed_der(key.public_key().as_ref()) }
}

fn rsa() -> Pair {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der>::as_der(&key).unwrap();
    Pair { private: pem(der.as_ref()), public: DecodingKey::from_rsa_der(key.public_key().as_ref()) }
}

fn client(private: SecretString) -> Client {
    // The secret is there to be left alone.
    Client { id: "machine 1".into(), secret: Some("unused".into()), key: Some(private), ..Client::default() }
}

/// Asks for tokens as this client; the assertion that arrived.
async fn asserted(client: &Client) -> String {
    let server = Server::start().await;
    server.page("/token", Page::json(&json!({"access_token": "a", "token_type": "Bearer"})));
    let url = server.url("/token");
    let endpoint = Endpoint { reach: &server.reach(), ..at(&url, client, None) };
    client_credentials(endpoint, None).await.unwrap();
    let asked = server.asked().remove(0);
    assert_eq!(header(&asked.headers, "authorization"), "");
    assert!(!asked.body.contains("unused") && !asked.body.contains("client_secret"), "{}", asked.body);
    if asked.body.starts_with('{') {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        return body["client_assertion"].as_str().unwrap().to_owned();
    }
    let mut found = pairs(&asked.body);
    let at = found.iter().position(|(name, _)| name == "client_assertion").unwrap();
    let (_, assertion) = found.remove(at);
    let expected = [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_id", "machine 1"),
        ("grant_type", "client_credentials"),
    ];
    assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assertion
}

/// The claims, if the signature is of that key and algorithm.
fn verified(assertion: &str, algorithm: Algorithm, public: &DecodingKey) -> Value {
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[ISSUER]);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    decode::<Value>(assertion, public, &validation).unwrap().claims
}

#[tokio::test]
async fn each_kind_of_key_signs_with_its_own_algorithm() {
    let pairs = [
        (Algorithm::ES256, ec(&ECDSA_P256_SHA256_FIXED_SIGNING)),
        (Algorithm::ES384, ec(&ECDSA_P384_SHA384_FIXED_SIGNING)),
        (Algorithm::EdDSA, ed25519()),
        (Algorithm::RS256, rsa()),
    ];
    for (algorithm, pair) in pairs {
        let assertion = asserted(&client(pair.private)).await;
        assert_eq!(decode_header(&assertion).unwrap().alg, algorithm);
        let claims = verified(&assertion, algorithm, &pair.public);
        let (issued, ends) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("machine 1"), &json!("machine 1")));
        // The issuer alone, as a string: not the endpoint, and no list.
        assert_eq!(claims["aud"], json!(ISSUER));
        assert!(now().abs_diff(issued) <= 5 && ends == issued + 60, "{claims}");
        assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() == 32), "{claims}");
    }
}

#[tokio::test]
async fn no_assertion_is_used_twice() {
    let client = client(ed25519().private);
    assert_ne!(asserted(&client).await, asserted(&client).await);
}

#[tokio::test]
async fn a_server_that_takes_only_some_algorithms_gets_one_of_them() {
    let pair = rsa();
    let taken = ["ES256", "PS256"].map(str::to_owned);
    let algorithm = assertion::algorithm(&pair.private, &taken);
    assert_eq!(algorithm.as_deref(), Some("PS256"));
    let assertion = asserted(&Client { algorithm, ..client(pair.private.clone()) }).await;
    verified(&assertion, Algorithm::PS256, &pair.public);
    assert_eq!(assertion::algorithm(&pair.private, &["ES256".to_owned()]), None);
    assert_eq!(assertion::algorithm(&pair.private, &[]), None);
}

// T7: in every style the assertion is in the body, and the secret nowhere.
#[tokio::test]
async fn every_style_has_the_assertion_in_its_body() {
    let pair = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    for style in [TokenStyle::FormPost, TokenStyle::FormBasic, TokenStyle::Json, TokenStyle::JsonBasic] {
        let assertion = asserted(&Client { style, ..client(pair.private.clone()) }).await;
        verified(&assertion, Algorithm::ES256, &pair.public);
    }
}

#[tokio::test]
async fn a_key_that_cannot_sign_is_named_and_nothing_is_sent() {
    let server = Server::start().await;
    let url = server.url("/token");
    let sec1 = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
    let short = pem(&[0x30, 0x03, 0x02, 0x01, 0x00]);
    for key in [SecretString::from("nonsense"), "".into(), sec1.into(), short] {
        let client = client(key);
        let refusal = client_credentials(at(&url, &client, None), None).await.unwrap_err();
        assert_eq!(refusal.error.name(), Name::ConfigBad);
    }
    assert!(server.asked().is_empty());
}
