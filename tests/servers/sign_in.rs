//! Signing in with a client that registers itself, and out again.

use serde_json::{Value, json};

use crate::host::Host;
use crate::server::{FastMcp, Kind, OidcProvider, Server, both, called};

both! {
    a_sign_in_registers_a_client_and_serves_the_tools
    the_registration_serves_the_next_sign_in_too
    two_proxies_that_nobody_is_signed_in_for_sign_in_once
    a_logout_ends_the_tokens_at_the_server
    a_client_that_the_server_forgot_is_registered_anew_once
    a_client_that_the_server_forgot_unnoticed_is_registered_anew_once
}

//
fn a_sign_in_registers_a_client_and_serves_the_tools(kind: Kind) {
    let Some(server) = Server::start(kind, &[]) else { return };
    server.run(&["token"]).failed("login-required", 4);
    let token = server.login(&[]);
    assert_eq!(server.run(&["token"]).ok(), token);
    assert!(server.is_active(&token));

    let registered = server.registered();
    let [asked] = &server.seen("authorization")[..] else { panic!("one authorization") };
    let [redeemed] = &server.grants("authorization_code")[..] else { panic!("one exchange") };
    assert_eq!(
        (&registered["application_type"], &registered["grant_types"]),
        (&json!("native"), &json!(["authorization_code", "refresh_token"]))
    );
    for request in [asked, redeemed] {
        assert_eq!(request["params"]["client_id"], registered["client_id"]);
        assert_eq!(request["params"]["resource"], server.url);
        assert_eq!(request["params"]["redirect_uri"], registered["redirect_uris"][0]);
    }
    assert_eq!(asked["params"]["code_challenge_method"], "S256");

    let before = server.seen("mcp").len();
    let mut host = server.host(&[]);
    called(&host.call("list_notes"));
    assert_eq!(host.end().0, 0);
    let refused = |entry: &Value| entry["status"] == 401;
    assert!(!server.seen("mcp")[before..].iter().any(refused), "nothing went without the token");

    let status = server.run(&["status", "--json"]).json();
    assert_eq!((&status["signed_in"], &status["issuer"]), (&json!(true), &json!(server.issuer)));
}

// the registration is bound to its port, which is taken again.
fn the_registration_serves_the_next_sign_in_too(kind: Kind) {
    let Some(server) = Server::start(kind, &[]) else { return };
    let first = server.login(&[]);
    let second = server.login(&[]);
    assert_ne!(first, second);
    assert_eq!(server.seen("registration").len(), 1);
}

fn two_proxies_that_nobody_is_signed_in_for_sign_in_once(kind: Kind) {
    let Some(server) = Server::start(kind, &[]) else { return };
    let hosts: Vec<_> = (0..2)
        .map(|_| {
            let command = server.command(&["proxy"]);
            std::thread::spawn(move || {
                let mut host = Host::start(command);
                let answer = host.initialize();
                assert!(answer.get("result").is_some(), "{answer}");
                called(&host.call("list_notes"));
            })
        })
        .collect();
    hosts.into_iter().for_each(|host| host.join().unwrap());
    assert_eq!((server.seen("registration").len(), server.grants("authorization_code").len()), (1, 1));
}

// RFC 7009; U1.
fn a_logout_ends_the_tokens_at_the_server(kind: Kind) {
    let Some(server) = Server::start(kind, &[]) else { return };
    server.login(&[]);
    let tokens = server.issued();
    let out = server.run(&["logout"]);
    out.ok();
    assert!(out.stderr.contains("the server revoked the tokens"), "{out:?}");
    assert!(!server.is_active(&tokens.access) && !server.is_active(&tokens.refresh));
    let revoked = server.seen("revocation");
    let told: Vec<_> = revoked.iter().map(|entry| &entry["params"]["token"]).collect();
    assert_eq!(told, [&tokens.refresh, &tokens.access], "the one that brings new ones first");
    server.run(&["token"]).failed("login-required", 4);
}

/// A new client, and no more than one; afterwards everything is as after the first sign-in.
fn registered_anew(server: &Server, forgotten: &str) {
    server.login(&[]);
    assert_eq!(server.seen("registration").len(), 2);
    let new = server.registered()["client_id"].as_str().unwrap().to_owned();
    assert_ne!(new, forgotten);
    let redeemed = server.grants("authorization_code");
    assert_eq!(redeemed.last().unwrap()["params"]["client_id"], new);
    called(&server.host(&[]).call("list_notes"));
    server.run(&["logout"]).ok();
}

fn forget(server: &Server) -> String {
    let client = server.registered()["client_id"].as_str().unwrap().to_owned();
    server.ask(&json!({"do": "forget", "client": client}));
    client
}

// a renewal meets the refusal, and the next sign-in knows of it.
fn a_client_that_the_server_forgot_is_registered_anew_once(kind: Kind) {
    let Some(server) = Server::expired(kind) else { return };
    let forgotten = forget(&server);
    let refused = server.run(&["token"]);
    assert!([2, 4].contains(&refused.code), "{refused:?}");
    assert!(refused.stderr.contains("chipp-auth login"), "{refused:?}");
    registered_anew(&server, &forgotten);
}

// Nothing has met the refusal yet: the sign-in itself has to, since the server has only a page for it, which
// the browser would show while we wait for a callback that never comes.
fn a_client_that_the_server_forgot_unnoticed_is_registered_anew_once(kind: Kind) {
    let Some(server) = Server::start(kind, &[]) else { return };
    server.login(&[]);
    let forgotten = forget(&server);
    registered_anew(&server, &forgotten);
}

// RFC 7009 section 2.2.1: with the refresh token the sign-in ended; a JWT lives on until its time, whatever one
// asks, and that is no failure of the logout.
#[test]
fn a_logout_where_access_tokens_cannot_be_revoked() {
    let Some(server) = Server::start(OidcProvider, &["--jwt"]) else { return };
    server.login(&[]);
    called(&server.host(&[]).call("list_notes"));
    server.run(&["logout"]).ok();
    assert!(!server.is_active(&server.issued().refresh));
}

// Row 11, at a server with a page to say no on.
#[test]
fn a_refusal_on_the_consent_page_is_named() {
    let Some(server) = Server::start(OidcProvider, &[]) else { return };
    let mut command = server.command(&["login"]);
    crate::house::wait(command.env("CLICK", "cancel").spawn().unwrap()).failed("login-denied", 3);
    assert_eq!(server.grants("authorization_code").len(), 0);
}

// A-61, read from the server: the token is for this resource and for no other.
#[test]
fn the_token_is_issued_for_the_resource() {
    let Some(server) = Server::start(OidcProvider, &[]) else { return };
    let token = server.login(&[]);
    let found = server.introspect(&token);
    assert_eq!((&found["aud"], &found["iss"]), (&json!(server.url), &json!(server.issuer)));
    assert_eq!(found["scope"], "notes:read");
}

// another one is asked for by name, and refused by the server that does not know it.
#[test]
fn a_resource_of_the_users_own_goes_into_the_request() {
    let Some(server) = Server::start(OidcProvider, &[]) else { return };
    let elsewhere = "https://elsewhere.example/mcp";
    server.run(&["login", "--resource", elsewhere]).failed("login-denied", 3);
    let [asked] = &server.seen("authorization")[..] else { panic!("one authorization") };
    assert_eq!(
        (&asked["params"]["resource"], &asked["error"]),
        (&json!(elsewhere), &json!("invalid_target"))
    );
    server.run(&["login", "--resource", "omit"]).ok();
    assert!(server.seen("authorization").pop().unwrap()["params"].get("resource").is_none());
}

// two servers on one machine, and nothing of one is shown to the other.
#[test]
fn the_registrations_of_two_servers_are_kept_apart() {
    let Some(one) = Server::start(OidcProvider, &[]) else { return };
    let Some(other) = Server::start(FastMcp, &[]) else { return };
    one.login(&[]);
    crate::house::wait({
        // The same user, at the other server.
        let mut command = one.house.command(&["login", &other.url]);
        command.env("BROWSER", crate::parts::peer("click.mjs")).spawn().unwrap()
    })
    .ok();
    let secrets =
        [one.registered()["client_id"].clone(), json!(one.issued().access), json!(one.issued().refresh)];
    let seen = json!(other.log()).to_string();
    assert!(secrets.iter().all(|secret| !seen.contains(secret.as_str().unwrap())));
}
