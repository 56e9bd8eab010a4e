//! 73 recorded metadata documents, each with its verdict, and 500 damaged ones: `discover` ends in a
//! server that proved itself, or in a name (A-02 to; D3, D4, D7, D8; I5, I6).

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use chipp_auth::error::{Error, Name};
use chipp_auth::http;
use chipp_auth::oauth::Provider;
use chipp_auth::oauth::discovery::{Known, discover};
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use url::Url;

use crate::data::blocks;
use crate::mutate::{self, Dice};
use crate::server::{Request, Server, http as answer};

const DAMAGED: u64 = 7;
const LIMIT: Duration = Duration::from_secs(45);
const ABREAST: usize = 16;

/// What discovery came to.
#[derive(Debug)]
pub enum Found {
    Provider(Box<Provider>),
    Refused(Error),
}

/// Discovers from nothing but the address of an MCP server.
pub async fn find(url: &Url) -> Found {
    let known = Known::new(url.clone(), url.to_string());
    match tokio::time::timeout(LIMIT, discover(&known)).await {
        Ok(Ok(provider)) => Found::Provider(Box::new(provider)),
        Ok(Err(error)) => Found::Refused(error),
        Err(_) => panic!("{url} hangs"),
    }
}

/// A document at the place where it belongs; the other one of the two is a good one.
#[derive(Clone)]
struct Case {
    name: String,
    is_server: bool,
    body: Vec<u8>,
    verdict: Option<String>,
}

fn cases() -> Vec<Case> {
    let recorded = blocks(include_str!("data/metadata.txt"));
    assert!(recorded.len() >= 70, "{}", recorded.len());
    let recorded: Vec<_> = recorded
        .into_iter()
        .map(|block| Case {
            is_server: block.field(0) == "server",
            verdict: Some(block.field(1).to_owned()),
            name: block.name,
            body: block.body.into_bytes(),
        })
        .collect();
    let damaged: Vec<_> = recorded
        .iter()
        .enumerate()
        .flat_map(|(index, case)| (0..DAMAGED).map(move |number| damaged(case, index as u64 * 100 + number)))
        .collect();
    assert!(damaged.len() >= 500, "{}", damaged.len());
    [recorded, damaged].concat()
}

const MEMBERS: [&str; 7] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "code_challenge_methods_supported",
    "resource",
    "authorization_servers",
    "registration_endpoint",
];

fn damaged(from: &Case, seed: u64) -> Case {
    let mut dice = Dice::new(seed);
    let by_member = if dice.below(4) > 0 { mutate::member(&from.body, &MEMBERS, &mut dice) } else { None };
    let (how, body) = by_member.unwrap_or_else(|| mutate::bytes(&from.body, &mut dice));
    Case { name: format!("{}, {how} (seed {seed})", from.name), body, verdict: None, ..from.clone() }
}

/// The addresses of one case in a document.
fn filled(body: &[u8], base: &str, index: usize) -> Vec<u8> {
    let issuer = format!("{base}/{index}");
    let holes =
        [("{issuer}", issuer.clone()), ("{mcp}", format!("{issuer}/mcp")), ("{base}", base.to_owned())];
    // Not by way of a string: damaged documents are not UTF-8.
    holes
        .into_iter()
        .fold(body.to_vec(), |body, (hole, address)| replace(&body, hole.as_bytes(), address.as_bytes()))
}

fn replace(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(what.len()).position(|window| window == what) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(with);
        rest = &rest[at + what.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn serve(cases: &[Case], base: &str, request: &Request) -> Vec<u8> {
    let path = request.path();
    let (kind, rest) = match path.strip_prefix("/.well-known/") {
        None => return answer(405, "", b""),
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
    };
    let Ok(index) = rest.split('/').next().unwrap_or_default().parse::<usize>() else {
        return answer(404, "", b"");
    };
    let (case, issuer) = (&cases[index], format!("{base}/{index}"));
    match kind {
        "oauth-protected-resource" if !case.is_server => answer(200, "", &filled(&case.body, base, index)),
        "oauth-protected-resource" => {
            let good = json!({"resource": format!("{issuer}/mcp"), "authorization_servers": [issuer]});
            answer(200, "", good.to_string().as_bytes())
        }
        "oauth-authorization-server" if case.is_server => answer(200, "", &filled(&case.body, base, index)),
        "oauth-authorization-server" => {
            let good = json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "code_challenge_methods_supported": ["S256"],
            });
            answer(200, "", good.to_string().as_bytes())
        }
        _ => answer(404, "", b""),
    }
}

#[tokio::test]
async fn each_document_ends_in_a_server_that_proved_itself_or_in_a_name() {
    let cases = Arc::new(cases());
    let documents = Arc::clone(&cases);
    let server = Server::start(move |request| {
        let base = format!("http://{}", request.header("host").unwrap());
        serve(&documents, &base, request)
    })
    .await;
    let all = stream::iter(0..cases.len()).map(|index| {
        let server = &server;
        async move { (index, find(&server.url(&format!("/{index}/mcp"))).await) }
    });
    let all: Vec<_> = all.buffer_unordered(ABREAST).collect().await;
    let mut wrong = String::new();
    for (index, found) in all {
        let case = &cases[index];
        let name = match &found {
            Found::Provider(provider) => {
                proven(provider, case, &filled(&case.body, &server.base, index), (&server.base, index));
                "ok".to_owned()
            }
            Found::Refused(error) => {
                assert!(ENDINGS.contains(&error.name()), "{}: {error}", case.name);
                assert!(!error.what().contains(char::is_control), "{}: {error}", case.name);
                error.name().to_string()
            }
        };
        if case.verdict.as_ref().is_some_and(|verdict| *verdict != name && verdict != "any") {
            let _ = writeln!(wrong, "{}: {:?}, found {found:?}", case.name, case.verdict);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

const ENDINGS: [Name; 9] = [
    Name::BadResponse,
    Name::IssuerMismatch,
    Name::WrongOrigin,
    Name::PkceUnsupported,
    Name::UnsafeUrl,
    Name::ServerError,
    Name::NetworkDown,
    Name::TlsFailed,
    Name::Timeout,
];

/// What is accepted has said who it is, promised PKCE, and sends nobody to an unsafe address.
fn proven(provider: &Provider, case: &Case, body: &[u8], (base, index): (&str, usize)) {
    let name = &case.name;
    let document: Value =
        serde_json::from_slice(body).unwrap_or_else(|_| panic!("{name}: accepted, but no JSON"));
    assert_eq!(provider.issuer, format!("{base}/{index}"), "{name}");
    if case.is_server {
        assert_eq!(document["issuer"], provider.issuer.as_str(), "{name}");
        let methods = document["code_challenge_methods_supported"].as_array();
        assert!(methods.is_some_and(|methods| methods.contains(&json!("S256"))), "{name}");
    } else {
        let resource = Url::parse(document["resource"].as_str().unwrap()).unwrap();
        assert_eq!(resource.origin(), Url::parse(base).unwrap().origin(), "{name}");
        assert!(document["authorization_servers"].as_array().is_some_and(|all| !all.is_empty()), "{name}");
    }
    let endpoints = &provider.endpoints;
    let all = [Some(&endpoints.authorization), Some(&endpoints.token)].into_iter();
    let more = [endpoints.revocation.as_ref(), endpoints.device.as_ref(), provider.registration.as_ref()];
    for url in all.chain(more).flatten() {
        assert!(http::check(url).is_ok(), "{name}: {url}");
    }
}
