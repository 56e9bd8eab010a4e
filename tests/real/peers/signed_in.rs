//! The official SDKs of both languages in all pairs, with a given token and with a sign-in (issue 2 point 4).

use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Fault, Options, TokenStyle};

use super::parties::Sdk::{self, Python, TypeScript};
use super::parties::{Era, LEGACY, Manner, Server};
use super::play::{Role, one_session, play, with_the_token};
use crate::house::{House, LONG};

fn with_a_header(client: Sdk, server: Sdk) {
    if !client.there() || !server.there() {
        return;
    }
    for answers in ["sse", "json"] {
        let upstream = Server::start(server, Manner { answers, ..Manner::default() });
        let house = House::new(Options::default());
        let role = Role { answers, ..Role::legacy(client) };
        assert_eq!(play(&role, &upstream, &house.command(&with_the_token(&upstream))), LEGACY);
        one_session(&upstream);
        assert_eq!(upstream.seen("auth", "ok"), upstream.log().len(), "nothing went without the token");
        assert!(house.sandbox.log().is_empty());
    }
}

/// A sign-in at the sandbox, to which the server points: discovery, registration, code, tokens. In the
/// middle of the scenario the server takes the token back; the client must not notice.
fn with_a_sign_in(client: Sdk, server: Sdk) {
    if !client.there() || !server.there() {
        return;
    }
    for answers in ["sse", "json"] {
        let house =
            House::new(Options { registration: true, token_style: TokenStyle::Form, ..Options::default() });
        let issuer = house.sandbox.base().as_str().trim_end_matches('/').to_owned();
        let manner = Manner { answers, era: Era::Legacy, issuer: Some(&issuer) };
        let upstream = Server::start(server, manner);
        let resource = upstream.url.clone();
        house.sandbox.set(|options| options.resources = vec![resource]);

        learn(&house, &upstream);
        let ended = house.login(&[&upstream.url]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let first = house.run(&["token", &upstream.url]).ok().to_owned();
        assert_eq!(std::fs::read_to_string(upstream.tokens()).unwrap(), first);

        let before = upstream.log().len();
        learn(&house, &upstream);
        std::thread::scope(|scope| {
            scope.spawn(|| revoke_in_mid_session(&upstream));
            let role = Role { answers, ..Role::legacy(client) };
            play(&role, &upstream, &house.command(&["proxy", &upstream.url]));
        });
        one_session(&upstream);
        let refused = upstream.log()[before..].iter().filter(|entry| entry["auth"] == "wrong").count();
        assert!(refused >= 1, "the token was refused in mid-session");
        assert_eq!(upstream.log()[before..].iter().filter(|entry| entry["auth"] == "missing").count(), 0);
        let counts = house.sandbox.counts();
        assert_eq!((counts.registrations, counts.families, counts.token_refresh), (1, 1, 1), "{counts:?}");
        assert_eq!((counts.reuse, counts.mcp_posts), (0, 0));
        let entries = house.sandbox.log();
        let resources: Vec<_> = entries.iter().filter_map(|entry| entry.resource.as_deref()).collect();
        assert_eq!(resources, [&*upstream.url; 3], "named to authorize, to redeem and to renew (A-26)");
        assert_ne!(house.run(&["token", &upstream.url]).ok(), first);
    }
}

/// The next token that the sandbox issues is the one, and the only one, that the server accepts.
fn learn(house: &House, server: &Server) {
    let tokens = server.tokens();
    house.sandbox.fail_next(Fault::edit(move |answer| {
        std::fs::write(tokens, answer["access_token"].as_str().unwrap()).unwrap();
    }));
}

/// Takes the token back once a tool was called.
fn revoke_in_mid_session(server: &Server) {
    let began = Instant::now();
    while server.seen("rpc", "tools/call") == 0 {
        if began.elapsed() > LONG {
            return; // The client says what went wrong.
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    std::fs::write(server.tokens(), "").unwrap();
}

macro_rules! pairs {
    ($($name:ident: $client:ident to $server:ident;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn with_a_header() {
                super::with_a_header($client, $server);
            }

            #[test]
            fn with_a_sign_in() {
                super::with_a_sign_in($client, $server);
            }
        }
    )*};
}

pairs! {
    typescript: TypeScript to TypeScript;
    python: Python to Python;
    typescript_to_python: TypeScript to Python;
    python_to_typescript: Python to TypeScript;
}
