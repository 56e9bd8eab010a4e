//! `oidc-provider` with clients of each authentication method, through profiles that state the endpoints and through
//! profiles that leave them to discovery.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{Ended, wait};
use crate::server::{OidcProvider, SECRET, Server, called};

const NAME: &str = "notes";

struct User {
    server: Server,
    secret: &'static str,
}

impl User {
    fn run(&self, args: &[&str]) -> Ended {
        let mut command = self.server.house.command(&[&args[..1], &[NAME], &args[1..]].concat());
        command.env("BROWSER", crate::parts::peer("click.mjs"));
        wait(command.env("CHIPP_AUTH_CLIENT_SECRET", self.secret).spawn().unwrap())
    }

    /// Writes the profile: the MCP server, the client, these lines, and the endpoints or the issuer. What metadata
    /// says needs no style, unless the client is held to a method that is not the first choice.
    fn profile(&self, discovered: bool, style: &str, lines: &str) {
        let Server { url, issuer, .. } = &self.server;
        let place = if discovered {
            let style = if lines.contains("\"post\"") {
                format!("token_style = \"{style}\"\n")
            } else {
                String::new()
            };
            format!("authorization_server = \"{issuer}\"\n{style}")
        } else {
            let at = |name: &str, path: &str| format!("{name} = \"{issuer}{path}\"\n");
            [
                at("authorize_url", "/auth"),
                at("token_url", "/token"),
                at("revoke_url", "/token/revocation"),
                format!("resource = \"{url}\"\ntoken_style = \"{style}\"\n"),
            ]
            .concat()
        };
        let text = format!("[profiles.{NAME}]\nurl = \"{url}\"\nscope = \"notes:read\"\n{place}{lines}\n");
        std::fs::write(self.server.house.home.path().join("profiles.toml"), text).unwrap();
    }
}

/// From the sign-in to its end, with stated endpoints and with discovered ones.
fn life(secret: &'static str, (method, style): (&str, &str), lines: impl Fn(&Server) -> String) {
    for discovered in [false, true] {
        let Some(server) = Server::start(OidcProvider, &["--lifetime", "1"]) else { return };
        let lines = lines(&server);
        let user = User { server, secret };
        user.profile(discovered, style, &lines);
        user.run(&["login", "--timeout", "30s"]).ok();
        user.server.set_lifetime(Duration::from_secs(3600));
        std::thread::sleep(Duration::from_millis(1100));
        assert_eq!(user.run(&["token"]).ok(), user.server.issued().access);
        let mut host = crate::host::Host::start(user.server.house.command(&["proxy", NAME]));
        assert!(host.initialize().get("result").is_some());
        called(&host.call("list_notes"));
        drop(host);
        user.run(&["logout"]).ok();
        assert!(!user.server.is_active(&user.server.issued().refresh));

        let requests = [user.server.seen("token"), user.server.seen("revocation")].concat();
        let methods: Vec<_> = requests.iter().map(|entry| entry["auth"].as_str().unwrap()).collect();
        assert_eq!(methods, [method; 4], "exchange, renewal, two revocations");
        assert!(requests.iter().all(|entry| entry["status"] == 200), "{requests:?}");
        let looked = !user.server.seen("discovery").is_empty();
        assert_eq!(looked, discovered, "nothing is looked for that is stated");
        assert!(user.server.seen("registration").is_empty());
        let asked = user.server.seen("authorization");
        assert!(asked.iter().all(|entry: &Value| entry["params"].get("client_secret").is_none()));
    }
}

#[test]
fn none() {
    life("", ("none", "form_post"), |_| "client_id = \"public\"".into());
}

#[test]
fn client_secret_basic() {
    life(SECRET, ("basic", "form_basic"), |_| "client_id = \"basic\"".into());
}

#[test]
fn client_secret_post() {
    life(SECRET, ("post", "form_post"), |_| "client_id = \"post\"".into());
}

// RFC 7523 section 2.2: a key in a file, and no secret at all. Where the endpoints are stated, the origin of the
// token endpoint stands for the issuer, for whom the assertion is meant.
#[test]
fn private_key_jwt() {
    life("", ("jwt", "form_post"), |server| {
        let signer = server.ask(&json!({"do": "signer", "alg": "ES256", "native": true}));
        let file = server.house.home.path().join("client.pem");
        std::fs::write(&file, signer["pem"].as_str().unwrap()).unwrap();
        let id = signer["client_id"].as_str().unwrap();
        format!("client_id = \"{id}\"\nclient_key_file = {file:?}")
    });
}
