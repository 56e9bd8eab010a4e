//! Signing in without a browser here: on another device (RFC 8628), or without any person (RFC 6749 section
//! 4.4, RFC 7523).

use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::host::Host;
use crate::house::{LONG, wait};
use crate::parts::peer;
use crate::server::{OidcProvider, SECRET, Server, called};

/// What the device asked for, once it has.
fn device(server: &Server) -> Value {
    let begun = Instant::now();
    loop {
        if let Some(entry) = server.seen("device_authorization").pop() {
            return entry;
        }
        assert!(begun.elapsed() < LONG, "nothing was asked for");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn start(server: &Server, args: &[&str]) -> Child {
    let mut command = server.command(&[&["login", "--device", "--timeout", "30s"], args].concat());
    command.env_remove("BROWSER").spawn().unwrap()
}

/// The person at the other device.
fn visit(asked: &Value, click: &str) {
    let mut command = std::process::Command::new(peer("click.mjs"));
    command.arg(asked["answer"]["verification_uri_complete"].as_str().unwrap()).env("CLICK", click);
    assert!(command.output().unwrap().status.success());
}

fn on_another_device(args: &[&str]) {
    let Some(server) = Server::start(OidcProvider, &["--lifetime", "1"]) else { return };
    let login = start(&server, args);
    let asked = device(&server);
    assert_eq!((&asked["status"], &asked["params"]["resource"]), (&json!(200), &json!(server.url)));
    visit(&asked, "yes");
    let ended = wait(login);
    ended.ok();
    let code = asked["answer"]["user_code"].as_str().unwrap();
    assert!(ended.stderr.contains(code), "{ended:?}");
    let polls = server.grants("device_code");
    assert!(polls.iter().all(|poll| poll["params"]["resource"] == server.url), "{polls:?}");
    // RFC 8628 section 3.5: five seconds where the server does not say.
    for pair in [vec![asked], polls].concat().windows(2) {
        let pause = pair[1]["at"].as_u64().unwrap() - pair[0]["at"].as_u64().unwrap();
        assert!(pause >= 4900, "asked again after {pause} ms");
    }
    server.set_lifetime(Duration::from_secs(3600));
    std::thread::sleep(Duration::from_millis(1100));
    server.run(&[&["token"], args].concat()).ok();
    assert_eq!(server.grants("refresh_token").len(), 1);
    called(&server.host(args).call("list_notes"));
}

#[test]
fn on_another_device_with_a_client_registered_by_hand() {
    on_another_device(&["--client-id", "public"]);
}

#[test]
fn on_another_device_with_a_client_that_registers_itself() {
    on_another_device(&[]);
}

#[test]
fn a_refusal_on_the_other_device_is_named() {
    let Some(server) = Server::start(OidcProvider, &[]) else { return };
    let login = start(&server, &["--client-id", "public"]);
    visit(&device(&server), "cancel");
    wait(login).failed("login-denied", 3);
}

/// Tokens of the client for itself, their expiry and their end. Nobody signs in, so no `login` goes before.
fn as_the_client_itself(server: &Server, args: &[&str], method: &str) {
    let run = |command: &[&str]| {
        let mut command = server.command(&[command, args].concat());
        if method == "basic" {
            command.env("CHIPP_AUTH_CLIENT_SECRET", SECRET);
        }
        command.env_remove("BROWSER");
        command
    };
    let finish = |command: &[&str]| wait(run(command).spawn().unwrap());
    finish(&["token"]).ok();
    server.set_lifetime(Duration::from_secs(3600));
    std::thread::sleep(Duration::from_millis(1100));
    let many: Vec<_> = (0..4).map(|_| run(&["token"]).spawn().unwrap()).collect();
    let many: Vec<_> = many.into_iter().map(|child| wait(child).ok().to_owned()).collect();
    let token = server.issued().access;
    assert!(many.iter().all(|other| *other == token));

    let grants = server.grants("client_credentials");
    assert_eq!(grants.len(), 2, "one at first, one for the expiry: {grants:?}");
    for grant in &grants {
        assert_eq!((&grant["status"], &grant["auth"]), (&json!(200), &json!(method)));
        assert_eq!(grant["params"]["resource"], server.url);
        assert!(grant["answer"].get("refresh_token").is_none());
    }
    assert_eq!(server.introspect(&token)["aud"], server.url);
    let assertions: Vec<_> =
        grants.iter().filter_map(|grant| grant["params"].get("client_assertion")).collect();
    assert!(assertions.len() < 2 || assertions[0] != assertions[1], "an assertion is for one request");

    let mut host = Host::start(run(&["proxy"]));
    assert!(host.initialize().get("result").is_some());
    called(&host.call("list_notes"));
    finish(&["logout"]).ok();
    assert!(!server.is_active(&token));
    assert!(server.seen("authorization").is_empty() && server.seen("registration").is_empty());
}

#[test]
fn as_the_client_itself_with_a_secret() {
    let Some(server) = Server::start(OidcProvider, &["--lifetime", "1"]) else { return };
    as_the_client_itself(&server, &["--client-credentials", "--client-id", "machine"], "basic");
}

fn with_a_key(algorithm: &str) {
    let Some(server) = Server::start(OidcProvider, &["--lifetime", "1"]) else { return };
    let signer = server.ask(&json!({"do": "signer", "alg": algorithm}));
    let file = server.house.home.path().join("key.pem");
    std::fs::write(&file, signer["pem"].as_str().unwrap()).unwrap();
    let id = signer["client_id"].as_str().unwrap();
    let args = ["--client-credentials", "--client-id", id, "--client-key", file.to_str().unwrap()];
    as_the_client_itself(&server, &args, "jwt");
}

// RFC 7523 section 2.2, X-01.
#[test]
fn as_the_client_itself_with_an_elliptic_key() {
    with_a_key("ES256");
}

#[test]
fn as_the_client_itself_with_an_edwards_key() {
    with_a_key("EdDSA");
}

#[test]
fn as_the_client_itself_with_an_rsa_key() {
    with_a_key("RS256");
}
