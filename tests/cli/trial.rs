//! `test`: each step works, and each fails for its own reason (the seed's step 4, and "Tools Don't Load After
//! OAuth").

use std::io::Write;
use std::process::Stdio;

use chipp_auth::sandbox::{Client, ClientAuth, Consent, Fault, Options, Redirects, TokenStyle};
use serde_json::{Value, json};

use crate::house::{Ended, House, Login, follow, wait};
use crate::plain::Plain;

/// A test in which the person signs in.
fn signing_in(house: &House, args: &[&str]) -> Ended {
    let mut login = Login::spawn(house.command(&[&["test", "--no-browser"], args].concat()));
    follow(&login.url());
    login.wait()
}

/// The steps as (id, ok or the error's name).
fn steps(ended: &Ended) -> Vec<(String, String)> {
    let report = ended.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let step = |step: &Value| {
        let skipped = step["skipped"] == true;
        let outcome = if step["ok"] == false { text(&step["error"]) } else { "ok".to_owned() };
        (text(&step["id"]), if skipped { "skipped".to_owned() } else { outcome })
    };
    report["steps"].as_array().unwrap().iter().map(step).collect()
}

fn pairs(steps: &[(&str, &str)]) -> Vec<(String, String)> {
    steps.iter().map(|(id, outcome)| ((*id).to_owned(), (*outcome).to_owned())).collect()
}

/// The last step failed with this name, which is also that of the whole.
fn failed(ended: &Ended, id: &str, name: &str, code: i32) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert_eq!(steps(ended).last().unwrap(), &(id.to_owned(), name.to_owned()), "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["ok"], &report["error"]["name"]), (&json!(false), &json!(name)));
    assert_eq!(report["tools"], json!([]));
    let last = report["steps"].as_array().unwrap().last().unwrap().clone();
    assert!(
        last["what"].is_string() && last["remedy"].as_str().is_some_and(|text| !text.is_empty()),
        "{last}"
    );
}

#[test]
fn everything_works_and_the_tools_are_noted() {
    let house = House::new(Options::default());
    let ended = signing_in(&house, &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stdout, "chipp works: 4 tools.\n");
    for line in [
        "✓ Configuration: ",
        "✓ Authorization server: ",
        "✓ Redirect URI: http://localhost:",
        "✓ Sign-in: the browser came back",
        "✓ Code exchange: the token endpoint takes json",
        "✓ Refresh: renewed; the server rotates refresh tokens",
        "✓ MCP server: chipp-sandbox ",
        "✓ Tools: 4 tools: list_apps, create_app, get_app_analytics, search_documentation",
    ] {
        assert!(ended.stderr.contains(line), "{line} in {ended:?}");
    }
    assert!(!format!("{ended:?}").contains("chipp_at_"));
    let counts = house.sandbox.counts();
    assert_eq!((counts.token_code, counts.token_refresh, counts.reuse), (1, 1, 0));
    assert!(house.run(&["token"]).ok().starts_with("chipp_at_"));

    // The second time nobody is asked.
    let ended = house.run(&["test", "--no-refresh", "--json"]);
    let all = [
        ("configuration", "ok"),
        ("authorization-server", "ok"),
        ("sign-in", "skipped"),
        ("refresh", "skipped"),
        ("server", "ok"),
        ("tools", "ok"),
    ];
    assert_eq!(steps(&ended), pairs(&all), "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["ok"], report["tools"].as_array().unwrap().len()), (&json!(true), 4));
    assert_eq!(report["tools"][0]["name"], "list_apps");
    assert_eq!(house.sandbox.counts().token_refresh, 1);

    assert_eq!(house.run(&["status", "--json"]).json()["tools"]["count"], 4);
    assert!(house.run(&["status"]).stdout.contains("4, as of "));
    let note = std::fs::read_dir(house.home.path().join("tools")).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&note).unwrap();
    assert!(text.contains("list_apps") && !text.contains("chipp_"), "{text}");
    let removed = house.run(&["reset", "--yes"]);
    assert!(removed.stderr.contains("the list of tools"), "{removed:?}");
    assert!(!note.exists());
}

#[test]
fn a_fresh_test_signs_in_anew() {
    let house = House::new(Options::default());
    house.login(&[]);
    let ended = signing_in(&house, &["--fresh", "--no-refresh", "--json"]);
    let all = [
        ("configuration", "ok"),
        ("authorization-server", "ok"),
        ("redirect-uri", "ok"),
        ("sign-in", "ok"),
        ("exchange", "ok"),
        ("refresh", "skipped"),
        ("server", "ok"),
        ("tools", "ok"),
    ];
    assert_eq!(steps(&ended), pairs(&all), "{ended:?}");
    assert_eq!(house.sandbox.counts().families, 2);
}

/// The profile `work` with a client of the user's own; `keys` are more of its keys.
fn own_client(house: &House, keys: &str) {
    let entry =
        format!("[profiles.work]\nurl = \"{}\"\nclient_id = \"mine\"\n{keys}\n", house.sandbox.mcp_url());
    std::fs::write(house.home.path().join("profiles.toml"), entry).unwrap();
}

fn clients(auth: ClientAuth) -> Options {
    let client =
        |id: &str, redirects| Client { id: id.into(), name: id.into(), redirects, auth: auth.clone() };
    let elsewhere = Redirects::Exact(vec!["http://localhost:1/elsewhere".into()]);
    Options {
        clients: vec![client("mine", Redirects::LoopbackCallback), client("other", elsewhere)],
        token_style: TokenStyle::Any,
        ..Options::default()
    }
}

#[test]
fn each_step_of_a_sign_in_fails_for_its_own_reason() {
    let house = House::new(clients(ClientAuth::None));
    failed(&house.run(&["test", "nobody", "--json"]), "configuration", "usage", 2);
    own_client(&house, "token_style = \"form_basic\"");
    failed(&house.run(&["test", "work", "--json"]), "configuration", "config-bad", 2);
    own_client(&house, "authorization_server = \"http://127.0.0.1:9\"");
    failed(&house.run(&["test", "work", "--json"]), "authorization-server", "network-down", 5);

    own_client(&house, "");
    let other = std::fs::read_to_string(house.home.path().join("profiles.toml")).unwrap();
    std::fs::write(house.home.path().join("profiles.toml"), other.replace("mine", "other")).unwrap();
    failed(&house.run(&["test", "work", "--json"]), "redirect-uri", "redirect-uri-mismatch", 2);

    own_client(&house, "");
    failed(
        &house.run(&["test", "work", "--json", "--no-browser", "--timeout", "1s"]),
        "sign-in",
        "login-timeout",
        3,
    );
    house.sandbox.set(|options| options.auto_consent = Some(Consent::Deny));
    failed(&signing_in(&house, &["work", "--json"]), "sign-in", "login-denied", 3);
    house.sandbox.set(|options| options.auto_consent = Some(Consent::Authorize));
    house.sandbox.fail_next(Fault::token(400, "application/json", r#"{"error":"invalid_grant"}"#));
    let ended = signing_in(&house, &["work", "--json"]);
    assert_eq!(steps(&ended).last().unwrap().0, "exchange", "{ended:?}");
    assert_ne!(ended.code, 0);
    // Nothing of all this is a sign-in.
    house.run(&["token", "work"]).failed("login-required", 4);
}

// "Invalid client": with a style that is stated it may be the style.
#[test]
fn another_style_is_advised_only_where_one_is_stated() {
    let house = House::new(clients(ClientAuth::Basic("right".into())));
    for (keys, advised) in [("token_style = \"form_post\"", true), ("token_style = \"auto\"", false)] {
        own_client(&house, keys);
        let mut command = house.command(&["test", "--no-browser", "work", "--json"]);
        command.env("CHIPP_AUTH_CLIENT_SECRET", "wrong");
        let mut login = Login::spawn(command);
        follow(&login.url());
        let ended = login.wait();
        assert_eq!(steps(&ended).last().unwrap().0, "exchange", "{ended:?}");
        let remedy = ended.json()["error"]["hint"].as_str().unwrap().to_owned();
        assert_eq!(remedy.contains("--token-style auto"), advised, "{keys}: {remedy}");
    }
}

// A failing test never harms a sign-in that is there: not even a refused refresh takes its access token.
#[test]
fn a_refresh_that_fails_leaves_the_access_token_alone() {
    let house = House::new(Options::default());
    house.login(&[]);
    let token = house.run(&["token"]).ok().to_owned();
    house.sandbox.fail_next(Fault::token(400, "application/json", r#"{"error":"invalid_grant"}"#));
    failed(&house.run(&["test", "--json"]), "refresh", "login-required", 4);
    assert_eq!(house.run(&["token"]).ok(), token);

    house.sandbox.set(|options| options.auto_consent = Some(Consent::Deny));
    failed(&signing_in(&house, &["--fresh", "--json"]), "sign-in", "login-denied", 3);
    assert_eq!(house.run(&["token"]).ok(), token);
}

/// A server that is known, at which the user is signed in.
fn signed_in() -> House {
    let house = House::new(Options::default());
    assert_eq!(house.login(&[]).code, 0);
    assert_eq!(house.run(&["test", "--no-refresh"]).code, 0);
    house
}

fn without_renewal(house: &House) -> Ended {
    house.run(&["test", "--no-refresh", "--json"])
}

#[test]
fn a_server_that_does_not_take_a_good_token_is_told_from_a_dead_sign_in() {
    let house = signed_in();
    for _ in 0..4 {
        house.sandbox.fail_next(Fault::McpUnauthorized);
    }
    let ended = house.run(&["test", "--json"]);
    failed(&ended, "server", "tools-unavailable", 5);
    let report = ended.json();
    let said = report["error"].to_string();
    assert!(said.contains("does not accept the token") && said.contains("audience"), "{said}");
    // Its renewal was tried in the step before, so it is not tried again, and the record is not marked.
    assert_eq!(house.sandbox.counts().token_refresh, 1);
    assert!(house.run(&["token"]).ok().starts_with("chipp_at_"));

    // An access token that ended before its time is renewed as in a client.
    let house = signed_in();
    house.sandbox.fail_next(Fault::McpUnauthorized);
    let ended = without_renewal(&house);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(house.sandbox.counts().token_refresh, 1);
    // A sign-in that was ended at the server says so, and not that the server is to blame.
    house.sandbox.revoke_all();
    failed(&without_renewal(&house), "server", "login-required", 4);
}

#[test]
fn what_keeps_the_tools_away_is_named() {
    let house = signed_in();
    for _ in 0..4 {
        house.sandbox.fail_next(Fault::mcp(503, "{}"));
    }
    failed(&without_renewal(&house), "server", "tools-unavailable", 5);

    let answer = |id: u32, result: Value| {
        Fault::mcp(200, json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string())
    };
    let hello = |capabilities: Value| {
        let info = json!({"name": "x", "version": "1"});
        answer(1, json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": info}))
    };
    let note = || {
        let mut accepted = http::Response::new(String::new());
        *accepted.status_mut() = http::StatusCode::ACCEPTED;
        Fault::McpAnswer(Box::new(accepted))
    };
    let house = signed_in();
    house.sandbox.fail_next(hello(json!({"prompts": {}})));
    let ended = without_renewal(&house);
    failed(&ended, "tools", "tools-unavailable", 5);
    assert!(ended.stdout.contains("says that it has no tools"), "{ended:?}");

    for (second, said) in [
        (
            json!({"jsonrpc": "2.0", "id": 2, "error": {"code": -32603, "message": "no database"}}),
            "no database",
        ),
        (json!({"jsonrpc": "2.0", "id": 2, "result": {"tools": "none"}}), "as MCP has it"),
        (json!({"jsonrpc": "2.0", "id": 2, "result": {"tools": [{"title": "x"}]}}), "as MCP has it"),
    ] {
        let house = signed_in();
        house.sandbox.fail_next(hello(json!({"tools": {}})));
        house.sandbox.fail_next(note());
        house.sandbox.fail_next(Fault::mcp(200, second.to_string()));
        let ended = without_renewal(&house);
        failed(&ended, "tools", "tools-unavailable", 5);
        assert!(ended.stdout.contains(said), "{said}: {ended:?}");
    }
    let house = signed_in();
    house.sandbox.fail_next(hello(json!({"tools": {}})));
    house.sandbox.fail_next(note());
    house.sandbox.fail_next(answer(2, json!({"tools": []})));
    let ended = without_renewal(&house);
    assert_eq!((ended.code, &ended.json()["ok"]), (0, &json!(true)), "{ended:?}");
    let last = ended.json()["steps"].as_array().unwrap().last().unwrap().clone();
    assert!(last["remedy"].as_str().unwrap().contains("tools/list"), "{last}");
}

/// Profiles with another `auth`: the tools come page by page.
#[test]
fn without_a_sign_in_the_rest_is_tested_all_the_same() {
    let house = House::new(Options::default());
    let server = Plain::start(|(head, body)| {
        if !head.contains("x-org: mine\r\n") {
            return Some(("400 Bad Request", String::new(), String::new()));
        }
        let result = match (body["method"].as_str()?, body["params"]["cursor"].as_str()) {
            ("initialize", _) => json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                "serverInfo": {"name": "paged\u{1b}[31m", "version": "2"}}),
            ("tools/list", None) => json!({"tools": [{"name": "a\u{7}"}, {"name": "b"}], "nextCursor": "p2"}),
            ("tools/list", Some("p2")) => {
                json!({"tools": [{"name": "c", "title": "See"}], "nextCursor": "p3"})
            }
            ("tools/list", Some("p3")) => {
                json!({"tools": (0..9).map(|n| json!({"name": format!("d{n}")})).collect::<Vec<_>>()})
            }
            _ => return None,
        };
        let answer = json!({"jsonrpc": "2.0", "id": body["id"], "result": result}).to_string();
        Some(("200 OK", "content-type: application/json\r\n".to_owned(), answer))
    });
    let profile = |auth: &str| {
        let url = format!("http://127.0.0.1:{}/mcp", server.port);
        let keys = format!("auth = \"{auth}\"\nheaders = {{ X-Org = \"mine\" }}");
        std::fs::write(
            house.home.path().join("profiles.toml"),
            format!("[profiles.work]\nurl = \"{url}\"\n{keys}\n"),
        )
        .unwrap();
    };
    profile("none");
    let ended = house.run(&["test", "work"]);
    assert_eq!(ended.ok(), "work works: 12 tools.");
    assert!(ended.stderr.contains("12 tools: a, b, c, d0, d1, d2, d3, d4, d5, d6, …"), "{ended:?}");
    assert!(ended.stderr.contains("paged") && !ended.stderr.contains('\u{1b}'), "{ended:?}");
    let all = [("configuration", "ok"), ("server", "ok"), ("tools", "ok")];
    assert_eq!(steps(&house.run(&["test", "work", "--json"])), pairs(&all));

    profile("bearer");
    failed(&house.run(&["test", "work", "--json"]), "sign-in", "login-required", 4);
    let mut child = house.command(&["login", "work"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"sh4red-token").unwrap();
    assert_eq!(wait(child).code, 0);
    assert_eq!(house.run(&["test", "work"]).ok(), "work works: 12 tools.");
}

#[test]
fn a_given_token_that_is_refused_stays_where_it_is() {
    let house = House::new(Options::default());
    let refusing = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = std::sync::Arc::clone(&refusing);
    let server = Plain::start(move |_| {
        let refuses = now.load(std::sync::atomic::Ordering::Relaxed);
        let said =
            "www-authenticate: Bearer error=\"invalid_token\", error_description=\"wrong audience\"\r\n";
        refuses.then(|| ("401 Unauthorized", said.to_owned(), String::new()))
    });
    let url = format!("http://127.0.0.1:{}/mcp", server.port);
    let entry = format!("[profiles.work]\nurl = \"{url}\"\nauth = \"bearer\"\n");
    std::fs::write(house.home.path().join("profiles.toml"), entry).unwrap();
    let mut child = house.command(&["login", "work"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"sh4red-token").unwrap();
    assert_eq!(wait(child).code, 0);
    refusing.store(true, std::sync::atomic::Ordering::Relaxed);
    let ended = house.run(&["test", "work", "--json"]);
    failed(&ended, "server", "login-denied", 3);
    assert!(ended.stdout.contains("wrong audience"), "{ended:?}");
    assert_eq!(house.run(&["token", "work"]).ok(), "sh4red-token");
}
