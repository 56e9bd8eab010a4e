//! Tokens that are bound to a key (DPoP, RFC 9449, X-03). Both servers check each proof: its key, its request,
//! its token, that it is new, and, if they want one, its nonce.

use std::time::Duration;

use serde_json::{Value, json};

use crate::host::Host;
use crate::server::{OidcProvider, SECRET, Server, called};

fn life_of_a_bound_sign_in(options: &[&str]) -> Option<Server> {
    let server = Server::start(OidcProvider, &[&["--lifetime", "1"], options].concat())?;
    server.login(&["--dpop"]);
    let first = thumbprint(&server, &server.issued().refresh);
    server.set_lifetime(Duration::from_secs(3600));
    std::thread::sleep(Duration::from_millis(1100));

    let many: Vec<_> = (0..4).map(|_| server.command(&["proxy", "--dpop"])).collect();
    let many: Vec<_> = many
        .into_iter()
        .map(|command| {
            std::thread::spawn(move || {
                let mut host = Host::start(command);
                let answer = host.initialize();
                assert!(answer.get("result").is_some(), "{answer}");
                for _ in 0..3 {
                    called(&host.call("list_notes"));
                }
            })
        })
        .collect();
    many.into_iter().for_each(|host| host.join().unwrap());

    let tokens = server.issued();
    for token in [&tokens.access, &tokens.refresh] {
        assert_eq!(thumbprint(&server, token), first, "the key lives as long as the sign-in");
    }
    let renewed = server.grants("refresh_token").into_iter().filter(|entry| entry["status"] == 200);
    assert_eq!(renewed.count(), 1);
    assert!(server.seen("token").iter().all(|entry| entry["dpop"] == true));
    assert!(!server.log().iter().any(|entry| entry["event"] == "grant.revoked"));
    server.run(&["logout", "--dpop"]).ok();
    assert!(!server.is_active(&tokens.access));
    Some(server)
}

/// The key that a token is bound to.
fn thumbprint(server: &Server, token: &str) -> String {
    assert_eq!(server.seen("token").pop().unwrap()["answer"]["token_type"], "DPoP");
    server.introspect(token)["cnf"]["jkt"].as_str().expect("a bound token").to_owned()
}

/// The complaints of the servers, in the words of their errors.
fn complaints(server: &Server) -> Vec<Value> {
    let token = server.seen("token").into_iter().map(|entry| entry["answer"]["error"].clone());
    let mcp = server.seen("mcp").into_iter().map(|entry| entry["error"].clone());
    token.chain(mcp).filter(|error| !error.is_null()).collect()
}

#[test]
fn a_bound_sign_in() {
    let Some(server) = life_of_a_bound_sign_in(&[]) else { return };
    assert_eq!(complaints(&server), [] as [Value; 0]);
}

// RFC 9449 sections 8 and 9: each server has nonces of its own, and each process asks once.
#[test]
fn a_bound_sign_in_where_the_servers_want_nonces() {
    let Some(server) = life_of_a_bound_sign_in(&["--dpop-nonce"]) else { return };
    let complaints = complaints(&server);
    assert!(complaints.iter().all(|error| *error == json!("use_dpop_nonce")), "{complaints:?}");
    assert!(complaints.len() <= 2 + 4, "{complaints:?}");
}

// Both extensions at once, and both servers want nonces.
#[test]
fn a_bound_token_of_the_client_itself() {
    let Some(server) = Server::start(OidcProvider, &["--dpop-nonce"]) else { return };
    let args = ["proxy", "--client-credentials", "--client-id", "machine", "--dpop"];
    let mut command = server.command(&args);
    command.env("CHIPP_AUTH_CLIENT_SECRET", SECRET).env_remove("BROWSER");
    let mut host = Host::start(command);
    let answer = host.initialize();
    assert!(answer.get("result").is_some(), "{answer}");
    called(&host.call("list_notes"));
    thumbprint(&server, &server.issued().access);
    let complaints = complaints(&server);
    assert_eq!(complaints, [json!("use_dpop_nonce"), json!("use_dpop_nonce")]);
}
