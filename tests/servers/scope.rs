//! Which scope is asked for, and how a sign-in gets more of it.

use serde_json::{Value, json};

use crate::host::Host;
use crate::server::{FastMcp, Kind, OidcProvider, Server, both, called};

both! {
    a_tool_beyond_the_scope_is_named_where_nobody_can_be_asked
    a_tool_beyond_the_scope_asks_for_more_and_then_works
    a_sign_in_for_more_than_the_client_is_registered_for
}

/// The scopes of the last authorization request, sorted; without the one that is no permission, and that one
/// of the servers lists.
fn asked(server: &Server) -> Vec<String> {
    let last = server.seen("authorization").pop().expect("an authorization");
    let scopes = last["params"]["scope"].as_str().unwrap_or_default();
    let permissions = scopes.split_whitespace().filter(|scope| *scope != "offline_access");
    let mut scopes: Vec<_> = permissions.map(str::to_owned).collect();
    scopes.sort();
    scopes
}

/// How the server answered this tool's calls.
fn calls(server: &Server) -> Vec<Value> {
    let seen = server.seen("mcp").into_iter().filter(|entry| entry["rpc"] == "tools/call");
    seen.map(|entry| entry["status"].clone()).collect()
}

// what the challenge demands, and not all that there is.
#[test]
fn the_challenge_decides_on_the_scope() {
    let Some(server) = Server::start(OidcProvider, &[]) else { return };
    server.login(&[]);
    assert_eq!(asked(&server), ["notes:read"]);
}

// This server has no GET, so nothing but a POST is challenged.
#[test]
fn the_challenge_decides_on_the_scope_at_fastmcp() {
    let Some(server) = Server::start(FastMcp, &[]) else { return };
    server.login(&[]);
    assert_eq!(asked(&server), ["notes:read"]);
}

// other calls go on.
fn a_tool_beyond_the_scope_is_named_where_nobody_can_be_asked(kind: Kind) {
    let Some(server) = Server::start(kind, &[]) else { return };
    server.login(&["--scope", "notes:read"]);
    let mut host = server.host(&[]);
    let error = host.call("add_note")["error"].clone();
    assert_eq!(error["data"]["name"], "scope-required", "{error}");
    let text = error["message"].as_str().unwrap();
    assert!(text.contains("notes:write") && text.contains("chipp-auth login"), "{text}");
    called(&host.call("list_notes"));
    assert_eq!(server.grants("authorization_code").len(), 1);
}

// the union of what was requested and what is demanded, asked for once; the call runs once.
fn a_tool_beyond_the_scope_asks_for_more_and_then_works(kind: Kind) {
    let Some(server) = Server::start(kind, &[]) else { return };
    server.login(&["--scope", "notes:read"]);
    let mut host = Host::start(server.command(&["proxy"]));
    assert!(host.initialize().get("result").is_some());
    called(&host.call("list_notes"));
    called(&host.call("add_note"));
    assert_eq!(asked(&server), ["notes:read", "notes:write"]);
    assert_eq!(calls(&server), [200, 403, 200]);
    assert_eq!(server.grants("authorization_code").len(), 2);
    called(&host.call("add_note"));
    assert_eq!(server.grants("authorization_code").len(), 2);
    let scope = server.introspect(&server.issued().access)["scope"].as_str().unwrap().to_owned();
    assert!(scope.contains("notes:read") && scope.contains("notes:write"), "{scope}");
}

// a person who says no is not asked again by the next call.
#[test]
fn more_scope_that_the_user_refuses_is_not_asked_for_again() {
    let Some(server) = Server::start(OidcProvider, &[]) else { return };
    server.login(&["--scope", "notes:read"]);
    let mut command = server.command(&["proxy"]);
    command.env("CLICK", "cancel");
    let mut host = Host::start(command);
    assert!(host.initialize().get("result").is_some());
    for _ in 0..3 {
        let error = host.call("add_note")["error"].clone();
        assert_eq!(error["data"]["source"], "chipp-auth", "{error}");
        called(&host.call("list_notes"));
    }
    assert_eq!(server.seen("abort").len(), 1, "he was asked once");
}

// Both servers hold a client to the scope that it named when it registered, which may be less than it comes
// to need. They answer `invalid_scope`; only another registration helps.
fn a_sign_in_for_more_than_the_client_is_registered_for(kind: Kind) {
    let Some(server) = Server::start(kind, &[]) else { return };
    server.login(&["--scope", "notes:read"]);
    server.login(&["--scope", "notes:read notes:write"]);
    assert!(server.seen("registration").len() <= 2);
    called(&server.host(&[]).call("add_note"));
}

// this server knows the scopes of the resource as the resource's only (RFC 8707), and refuses to register
// a client that names them as its own.
#[test]
fn scopes_that_only_the_resource_knows() {
    let Some(server) = Server::start(OidcProvider, &["--own-scopes"]) else { return };
    server.login(&[]);
    let statuses: Vec<_> =
        server.seen("registration").into_iter().map(|entry| entry["status"].clone()).collect();
    assert!(statuses == [json!(400), json!(201)] || statuses == [json!(201)], "{statuses:?}");
    assert_eq!(asked(&server), ["notes:read"]);
    called(&server.host(&[]).call("list_notes"));
}

// and OpenID Connect Core section 11: this server drops the scope without `prompt=consent`, which
// is asked for at the second sign-in, because the first brought no refresh token.
#[test]
fn a_refresh_token_where_it_takes_offline_access() {
    let Some(server) = Server::start(OidcProvider, &["--offline"]) else { return };
    server.login(&[]);
    assert_eq!(server.run(&["status", "--json"]).json()["refreshable"], false);
    server.login(&[]);
    let asked = server.seen("authorization").pop().unwrap()["params"].clone();
    assert_eq!((&asked["scope"], &asked["prompt"]), (&json!("notes:read offline_access"), &json!("consent")));
    assert!(!server.issued().refresh.is_empty());
    assert_eq!(server.run(&["status", "--json"]).json()["refreshable"], true);
}
