//! `@modelcontextprotocol/server-everything`, the reference server: over Streamable HTTP, and over HTTP+SSE of
//! 2024-11-05 (T-83).

use super::parties::Sdk::{self, Everything, EverythingSse, FastMcp, Python, TypeScript, TypeScriptV1};
use super::parties::{Era, LEGACY, Server};
use super::play::{Role, one_session, pair, play, with_the_token};
use crate::house::House;
use chipp_auth::sandbox::Options;

fn streamable(client: Sdk) {
    let Some((protocol, server)) = pair(&Role::legacy(client), Everything, Era::Legacy) else { return };
    assert_eq!(protocol, LEGACY);
    one_session(&server);
}

#[test]
fn typescript_v1() {
    streamable(TypeScriptV1);
}

#[test]
fn typescript() {
    streamable(TypeScript);
}

#[test]
fn python() {
    streamable(Python);
}

#[test]
fn fastmcp() {
    streamable(FastMcp);
}

/// With these options the proxy speaks to the older transport.
fn sse(client: Sdk, options: &[&str]) {
    if !client.there() || !EverythingSse.there() {
        return;
    }
    let server = Server::start(EverythingSse, super::parties::Manner::default());
    let house = House::new(Options::default());
    let proxy = house.command(&[&with_the_token(&server), options].concat());
    assert_eq!(play(&Role::legacy(client), &server, &proxy), LEGACY);
    assert_eq!(server.seen("auth", "ok"), server.log().len(), "nothing went without the token");
    assert_eq!((server.seen("method", "GET"), server.seen("method", "DELETE")), (1, 0), "one stream");
    assert_eq!(server.seen("rpc", "notifications/cancelled"), 1);
    // Whoever is told tries nothing else first.
    let elsewhere =
        server.log().iter().filter(|entry| entry["path"] == "/sse" && entry["method"] == "POST").count();
    assert_eq!(elsewhere, usize::from(options.is_empty()), "{:?}", server.log());
}

#[test]
fn sse_that_is_asked_for() {
    sse(TypeScriptV1, &["--transport", "sse"]);
}

#[test]
fn sse_that_is_found() {
    sse(Python, &[]);
}
