//! One client, and what it presents.

use std::sync::LazyLock;

use chipp_auth::credential::{Client, TokenStyle};
use chipp_auth::http::Reach;
use chipp_auth::oauth::wire::{Code, Endpoint};
use oauth2::PkceCodeVerifier;
use url::Url;

pub const STYLES: [TokenStyle; 4] =
    [TokenStyle::FormPost, TokenStyle::FormBasic, TokenStyle::JsonBasic, TokenStyle::Json];
/// Characters that have to be encoded in each of the places where they can stand.
pub const ID: &str = "client:1/a b";
pub const SECRET: &str = "s:e/c+r%e t\"";
pub const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier";

pub fn client(style: TokenStyle, secret: bool) -> Client {
    Client { id: ID.into(), secret: secret.then(|| SECRET.into()), style, ..Client::default() }
}

pub fn at<'a>(url: &'a Url, client: &'a Client) -> Endpoint<'a> {
    static HERE: LazyLock<Reach> = LazyLock::new(|| Reach::named(["http://127.0.0.1"]));
    Endpoint { url, issuer: "https://as.example", client, resource: None, reach: &HERE, dpop: None }
}

pub fn code() -> Code {
    Code {
        code: "AUTH CODE".into(),
        verifier: Some(PkceCodeVerifier::new(VERIFIER.into())),
        redirect_uri: "http://localhost:1/callback".into(),
    }
}
