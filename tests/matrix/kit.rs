//! The requests that this program makes, each with a canary where its secret is.

use std::sync::LazyLock;
use std::time::Duration;

use chipp_auth::credential::{Client, Credential, Grant, Key, TokenStyle, Tokens, now, now_ms};
use chipp_auth::error::{Error, Name, Result};
use chipp_auth::http::Reach;
use chipp_auth::oauth::discovery::{Known, discover};
use chipp_auth::oauth::registration::{Wanted, register};
use chipp_auth::oauth::revoke::revoke;
use chipp_auth::oauth::wire::{Code, Endpoint};
use chipp_auth::oauth::{Endpoints, Provider};
use chipp_auth::proxy::{Input, Limits, Output, Pipe, Upstream, join};
use chipp_auth::session::{Account, Session};
use chipp_auth::store::Store;
use oauth2::PkceCodeVerifier;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use url::Url;

use crate::server::Server;

/// No request takes longer.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Every secret of these tests contains this.
pub const CANARY: &str = "canary";

static HERE: LazyLock<Reach> = LazyLock::new(|| Reach::named(["http://127.0.0.1"]));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    AuthorizationMetadata,
    ResourceMetadata,
    Registration,
    Exchange,
    Refresh,
    Revocation,
    McpPost,
    McpGet,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::AuthorizationMetadata,
        Kind::ResourceMetadata,
        Kind::Registration,
        Kind::Exchange,
        Kind::Refresh,
        Kind::Revocation,
        Kind::McpPost,
        Kind::McpGet,
    ];

    /// Metadata has no secret in its request, and is public; it may be redirected on its own origin (D2).
    pub fn is_metadata(self) -> bool {
        matches!(self, Kind::AuthorizationMetadata | Kind::ResourceMetadata)
    }
}

/// What an MCP server at `/mcp` knows of its authorization server.
pub fn known(server: &Server) -> Known {
    let url = server.url("/mcp");
    Known::new(url.clone(), url.to_string())
}

fn client(style: TokenStyle) -> Client {
    Client { id: "id".into(), secret: Some("canary-secret".into()), style, ..Client::default() }
}

fn endpoint<'a>(url: &'a Url, client: &'a Client) -> Endpoint<'a> {
    Endpoint { url, issuer: "http://127.0.0.1", client, resource: None, reach: &HERE, dpop: None }
}

/// A provider at the server, by its documented endpoints.
async fn provider(server: &Server) -> Provider {
    let at = |path| server.url(path);
    let endpoints =
        Endpoints { authorization: at("/authorize"), token: at("/token"), revocation: None, device: None };
    let issuer = Some(format!("{}/documented", server.base));
    let known = Known { issuer, documented: Some(endpoints), ..known(server) };
    Provider { registration: Some(at("/register")), ..discover(&known).await.unwrap() }
}

pub fn key() -> Key {
    Key { server: "http://127.0.0.1".into(), client: None, account: "default".into() }
}

/// A stored sign-in for the given origins; its access token is `age` seconds old and lives an hour.
pub fn credential(token_endpoint: Url, origins: &[&str], age: u64) -> Credential {
    Credential {
        issuer: "http://127.0.0.1".into(),
        resource: None,
        origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        token_endpoint,
        revocation_endpoint: None,
        client: client(TokenStyle::FormPost),
        grant: Grant::User,
        dpop_key: None,
        requested_scope: None,
        identity: None,
        subject: None,
        instance: None,
        tokens: Tokens {
            access: "canary-access".into(),
            refresh: Some("canary-refresh".into()),
            scope: None,
            expires_in: Some(3600),
            received_at_ms: now_ms() - age * 1000,
            refresh_expires_at: None,
        },
        generation: 1,
        signed_in_at: now(),
        refused_at: None,
        client_refused_at: None,
    }
}

/// A session for an MCP server of this origin, over a store with that sign-in.
pub async fn session(origin: &str, stored: &Credential) -> (Session, tempfile::TempDir) {
    let (store, home) = (Store::memory(), tempfile::tempdir().unwrap());
    store.save(&key(), stored).await.unwrap();
    let account = Account {
        key: key(),
        lock: Some(home.path().join("lock")),
        origin: origin.to_owned(),
        named: vec![key().server],
        hosts: None,
        token_types: Vec::new(),
        typed: None,
        name: "chipp".into(),
        provider: None,
        no_refresh: None,
        refresh_lifetime: None,
        names_token_type: false,
        machine: None,
    };
    (Session::new(account, store), home)
}

/// Makes one request of a kind to the server, whose answers decide what becomes of it.
pub async fn make(kind: Kind, server: &Server, style: TokenStyle) -> Result<(), Name> {
    tokio::time::timeout(LIMIT, ask(kind, server, style)).await.expect("no request hangs")
}

async fn ask(kind: Kind, server: &Server, style: TokenStyle) -> Result<(), Name> {
    let client = client(style);
    let done = match kind {
        Kind::AuthorizationMetadata | Kind::ResourceMetadata => discover(&known(server)).await.map(|_| ()),
        Kind::Registration => {
            let provider = provider(server).await;
            let redirect_uri = "http://localhost:1/callback";
            let wanted = Wanted { redirect_uri, scope: None, device: false };
            register(&provider, wanted).await.map(|_| ()).map_err(Error::from)
        }
        Kind::Exchange => {
            let (url, verifier) = (server.url("/token"), PkceCodeVerifier::new("canary-".repeat(8)));
            let redirect_uri = "http://localhost:1/callback".into();
            let code = Code { code: "canary-code".into(), verifier: Some(verifier), redirect_uri };
            endpoint(&url, &client).exchange(code).await.map(|_| ()).map_err(|refusal| refusal.error)
        }
        Kind::Refresh => {
            let url = server.url("/token");
            let asked = endpoint(&url, &client).refresh(&"canary-refresh".into()).await;
            asked.map(|_| ()).map_err(|refusal| refusal.error)
        }
        Kind::Revocation => {
            let url = server.url("/revoke");
            revoke(endpoint(&url, &client), &"canary-refresh".into(), "refresh_token").await
        }
        Kind::McpPost | Kind::McpGet => return proxy(kind, server).await,
    };
    done.map_err(|error| error.name())
}

/// A host opens a session through the proxy, with a real session's token. The answer to `initialize` tells
/// what became of the POST; the GET stream is opened behind it.
async fn proxy(kind: Kind, server: &Server) -> Result<(), Name> {
    let stored = credential(server.url("/token"), &[&server.base], 0);
    let (session, _home) = session(&server.base, &stored).await;
    let (host, input) = tokio::io::duplex(1 << 16);
    let (output, from) = tokio::io::duplex(1 << 16);
    let (_ends, ends) = tokio::sync::mpsc::channel(1);
    let pipe =
        Pipe { input: Input::new(input), output: Output::new(output), ends, limits: Limits::default() };
    let upstream = Upstream::new(server.url("/mcp"));
    let proxy = tokio::spawn(join(pipe, upstream, session));
    let mut host = host;
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"host","version":"1"}}}"#;
    host.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
    let mut lines = BufReader::new(from).lines();
    let answer: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    if kind == Kind::McpGet {
        assert!(answer["result"].is_object(), "{answer}");
        host.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n").await.unwrap();
        while !server.asked().iter().any(|request| request.head.starts_with("GET /mcp ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // A client that follows does so at once.
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    drop(host);
    proxy.await.unwrap();
    let name = answer["error"]["data"]["name"].as_str().map(str::to_owned);
    name.map_or(Ok(()), |name| Err(*Name::ALL.iter().find(|known| known.row().text == name).unwrap()))
}
