//! Renewing at servers that rotate refresh tokens. One of them takes every second use of a refresh token for
//! a theft and ends the sign-in, the other one refuses it.

use serde_json::{Value, json};

use crate::host::Host;
use crate::house::{LONG, wait};
use crate::server::{FastMcp, Kind, OidcProvider, Server, both, called};

both! {
    each_end_of_a_token_costs_one_refresh
    many_processes_that_meet_an_expired_token_renew_it_once
    a_sign_in_that_the_server_ended_is_named
}

/// Asserts that each refresh spent the token that came with the tokens before it, so none was used twice.
fn in_a_chain(server: &Server, refreshes: usize) {
    let answered: Vec<_> = server.seen("token").into_iter().filter(|entry| entry["status"] == 200).collect();
    let all = server.seen("token").len();
    assert_eq!((answered.len(), all), (1 + refreshes, 1 + refreshes), "{answered:?}");
    for pair in answered.windows(2) {
        assert_eq!(pair[1]["params"]["refresh_token"], pair[0]["answer"]["refresh_token"]);
        // the same in every request.
        assert_eq!(pair[1]["params"]["resource"], server.url);
    }
    assert!(!server.log().iter().any(|entry| entry["event"] == "grant.revoked"), "no theft was suspected");
}

// by the clock, and then before its time.
fn each_end_of_a_token_costs_one_refresh(kind: Kind) {
    let Some(server) = Server::expired(kind) else { return };
    let first = server.issued().access;
    let second = server.run(&["token"]).ok().to_owned();
    assert_eq!(server.run(&["headers"]).json()["Authorization"], format!("Bearer {second}"));
    in_a_chain(&server, 1);

    let mut host = server.host(&[]);
    server.end(&second);
    called(&host.call("list_notes"));
    in_a_chain(&server, 2);
    let third = server.run(&["token"]).ok().to_owned();
    assert!(first != second && second != third && server.is_active(&third));
    in_a_chain(&server, 2);
    assert_eq!(server.run(&["status", "--json"]).json()["renewals"], 3);
}

// Row 61: `token` and `proxy`, four of each, at the same moment. The server takes its time, so that all of them
// have come before the first one is served.
fn many_processes_that_meet_an_expired_token_renew_it_once(kind: Kind) {
    let Some(server) = Server::expired(kind) else { return };
    server.ask(&json!({"do": "delay", "ms": 2000}));
    let tokens: Vec<_> = (0..4).map(|_| server.command(&["token"]).spawn().unwrap()).collect();
    let hosts: Vec<_> = (0..4).map(|_| Host::start(server.command(&["proxy"]))).collect();
    let hosts = hosts.into_iter().map(|mut host| {
        std::thread::spawn(move || {
            let answer = host.initialize();
            assert!(answer.get("result").is_some(), "{answer}");
            called(&host.call("list_notes"));
        })
    });
    let hosts: Vec<_> = hosts.collect();
    let tokens: Vec<_> = tokens.into_iter().map(|child| wait(child).ok().to_owned()).collect();
    hosts.into_iter().for_each(|host| host.join().unwrap());
    in_a_chain(&server, 1);
    let new = server.issued().access;
    assert!(server.is_active(&new) && tokens.iter().all(|token| *token == new));
}

/// Somebody else presents a refresh token once more.
fn replay(server: &Server, token: &str) -> Value {
    let client = server.registered();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let form = [
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", token.to_owned()),
        ("client_id", text(&client["client_id"])),
        ("client_secret", text(&client["client_secret"])),
    ];
    let form = form.into_iter().filter(|(_, value)| !value.is_empty());
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let url = format!("{}/token", server.issuer.trim_end_matches('/'));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().timeout(LONG).build().unwrap();
        let request = client.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    })
}

// The control for all the tests above: this is what a token used twice looks like, and what it costs.
#[test]
fn a_token_used_twice_ends_the_sign_in_where_the_server_detects_it() {
    let Some(server) = Server::expired(OidcProvider) else { return };
    let first = server.issued().refresh;
    let mut host = server.host(&[]);
    called(&host.call("list_notes"));
    assert_eq!(replay(&server, &first)["error"], "invalid_grant");
    assert!(server.log().iter().any(|entry| entry["event"] == "grant.revoked"));
    assert!(!server.is_active(&server.issued().access) && !server.is_active(&server.issued().refresh));

    // The innocent one is told what to do, keeps what he has, and asks no more.
    let error = host.call("list_notes")["error"].clone();
    assert_eq!(error["data"]["name"], "login-required", "{error}");
    assert!(error["message"].as_str().unwrap().contains("chipp-auth login"), "{error}");
    let asked = server.grants("refresh_token").len();
    server.run(&["token"]).failed("login-required", 4);
    assert_eq!(server.grants("refresh_token").len(), asked);
    server.login(&[]);
    called(&host.call("list_notes"));
}

// FastMCP answers 401 to a refresh token that is spent, and does not end the sign-in.
#[test]
fn a_token_used_twice_elsewhere_does_not_disturb_where_the_server_only_refuses_it() {
    let Some(server) = Server::expired(FastMcp) else { return };
    let first = server.issued().refresh;
    let mut host = server.host(&[]);
    assert_eq!(replay(&server, &first)["error"], "invalid_grant");
    called(&host.call("list_notes"));
}

// Rows 75 and 77: `invalid_grant`, with 400 from the one and 401 from the other.
fn a_sign_in_that_the_server_ended_is_named(kind: Kind) {
    let Some(server) = Server::expired(kind) else { return };
    let spent = replay(&server, &server.issued().refresh);
    assert!(spent["refresh_token"].is_string(), "{spent}");
    server.run(&["token"]).failed("login-required", 4);
    let [_, refused] = &server.grants("refresh_token")[..] else { panic!("one refresh of ours") };
    let status = match kind {
        OidcProvider => 400,
        FastMcp => 401,
    };
    assert_eq!((&refused["status"], &refused["answer"]["error"]), (&json!(status), &json!("invalid_grant")));
    assert_eq!(server.run(&["status"]).code, 4);
    server.run(&["token"]).failed("login-required", 4);
    assert_eq!(server.grants("refresh_token").len(), 2, "asked once");
    server.login(&[]);
}
