//! Clients of every kind: registered by hand or by themselves, with and without a secret. The servers
//! hold each client to the method that it is registered for.

use std::time::Duration;

use serde_json::json;

use crate::house::{Ended, wait};
use crate::server::{FastMcp, OidcProvider, SECRET, Server};

/// A user who gives these arguments to every command, and has this secret in the environment.
struct User<'a> {
    server: Server,
    args: Vec<&'a str>,
    secret: &'a str,
    /// How many requests the server refuses before it gets what it wants.
    refused: usize,
}

impl User<'_> {
    fn run(&self, command: &[&str]) -> Ended {
        let mut command = self.server.command(&[command, &self.args].concat());
        wait(command.env("CHIPP_AUTH_CLIENT_SECRET", self.secret).spawn().unwrap())
    }

    /// A sign-in, and the renewal of its tokens.
    fn signs_in_and_renews(&self, login: &[&str]) {
        self.run(login).ok();
        self.server.set_lifetime(Duration::from_secs(3600));
        std::thread::sleep(Duration::from_millis(1100));
        assert_eq!(self.run(&["token"]).ok(), self.server.issued().access);
        let renewals = self.server.grants("refresh_token");
        assert_eq!(renewals.iter().filter(|entry| entry["status"] == 200).count(), 1);
        assert!(self.server.is_active(&self.server.issued().access));
        // A secret has no business in the browser.
        let asked = self.server.seen("authorization");
        assert!(asked.iter().all(|entry| entry["params"].get("client_secret").is_none()), "{asked:?}");
    }

    /// How the requests authenticated the client: exchange, renewal, two revocations.
    fn methods(&self) -> Vec<String> {
        let requests = [self.server.seen("token"), self.server.seen("revocation")].concat();
        let (done, refused): (Vec<_>, Vec<_>) =
            requests.into_iter().partition(|entry| entry["status"] == 200);
        assert_eq!(refused.len(), self.refused, "{refused:?}");
        done.iter().map(|entry| entry["auth"].as_str().unwrap().to_owned()).collect()
    }
}

/// From the sign-in to its end, at oidc-provider.
fn life(options: &[&str], args: &[&'static str], method: &str) -> Option<User<'static>> {
    let server = Server::start(OidcProvider, &[&["--lifetime", "1"], options].concat())?;
    let by_hand = args.contains(&"--client-id");
    let secret = if by_hand && method != "none" { SECRET } else { "" };
    let user = User { server, args: args.to_vec(), secret, refused: 0 };
    user.signs_in_and_renews(&["login"]);
    user.run(&["logout"]).ok();
    assert!(!user.server.is_active(&user.server.issued().refresh));
    assert_eq!(user.methods(), [method; 4]);
    assert_eq!(user.server.seen("registration").is_empty(), by_hand);
    Some(user)
}

#[test]
fn a_client_without_a_secret() {
    life(&[], &["--client-id", "public"], "none");
}

// RFC 6749 section 2.3.1: form-encoded first, which this secret needs.
#[test]
fn a_client_with_its_secret_in_the_header() {
    life(&[], &["--client-id", "basic"], "basic");
}

#[test]
fn a_client_with_its_secret_in_the_body() {
    life(&[], &["--client-id", "post", "--token-style", "form_post"], "post");
}

// The secret comes with the registration, and is kept with the tokens.
#[test]
fn a_registration_where_the_header_is_the_only_method() {
    let Some(user) = life(&["--auth-method", "client_secret_basic"], &[], "basic") else { return };
    assert!(user.server.registered()["client_secret"].is_string());
}

#[test]
fn a_registration_where_the_body_is_the_only_method() {
    let Some(user) = life(&["--auth-method", "client_secret_post"], &[], "post") else { return };
    assert!(user.server.registered()["client_secret"].is_string());
}

// nothing is registered, and the client id is the address of the document that we print.
#[test]
fn a_client_that_is_the_address_of_its_document() {
    let Some(server) = Server::start(OidcProvider, &["--lifetime", "1", "--documents"]) else { return };
    let url = "https://chipp.example/oauth/client.json";
    let printed = wait(server.house.command(&["client-metadata", "--url", url]).spawn().unwrap());
    server.ask(&json!({"do": "host", "url": url, "document": printed.json()}));
    let user = User { server, args: vec!["--client-metadata-url", url], secret: "", refused: 0 };
    user.signs_in_and_renews(&["login"]);
    user.run(&["logout"]).ok();
    assert_eq!(user.methods(), ["none"; 4]);
    assert!(user.server.seen("registration").is_empty());
    assert!(user.server.seen("token").iter().all(|entry| entry["client"] == url));
}

/// A client that somebody entered into FastMCP, after its first renewal. FastMCP compares redirect URIs with
/// their port.
fn entered(method: &'static str, style: &[&'static str], seen: &str) -> Option<User<'static>> {
    let server = Server::start(FastMcp, &["--lifetime", "1"])?;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let redirect = format!("http://localhost:{port}/callback");
    server.ask(&json!({"do": "client", "method": method, "redirect_uri": redirect}));
    let args = [&["--client-id", method], style].concat();
    let refused = if method == "client_secret_basic" { 2 } else { 0 };
    let user = User { server, args, secret: if method == "none" { "" } else { SECRET }, refused };
    user.signs_in_and_renews(&["login", "--port", &port.to_string()]);
    assert_eq!(user.methods(), [seen; 2]);
    Some(user)
}

// Row 110. The official Python SDK revokes nothing for a client that sends no secret in the body, not even
// for one that has none. The logout must not claim that it did.
#[test]
fn a_client_without_a_secret_at_fastmcp() {
    let Some(user) = entered("none", &[], "none") else { return };
    user.run(&["logout"]).failed("server-error", 5);
    assert!(user.server.is_active(&user.server.issued().refresh));
    user.run(&["token"]).failed("login-required", 4);
}

#[test]
fn a_client_with_its_secret_in_the_body_at_fastmcp() {
    let Some(user) = entered("client_secret_post", &["--token-style", "form_post"], "post") else { return };
    user.run(&["logout"]).ok();
    assert!(!user.server.is_active(&user.server.issued().refresh));
}

// It wants the client id in the body even then, and says so; the secret stays in the header.
#[test]
fn a_client_with_its_secret_in_the_header_at_fastmcp() {
    entered("client_secret_basic", &[], "basic");
}
