//! What users of other bridges rely on: headers of their own, with secrets from the environment or from a
//! file; servers without https; how long to wait; what the server says about the rate limit.

use serde_json::json;

use crate::host::Host;
use crate::house::{House, script};
use crate::plain::Plain;
use chipp_auth::sandbox::{Options, RateLimit};

#[test]
fn headers_come_from_the_command_line_the_environment_and_a_file() {
    let house = House::new(Options::default());
    let server = Plain::start(|_| None);
    let file = house.home.path().join("headers");
    std::fs::write(&file, "# mine\nX-From-File: a:b ${KEY}\n").unwrap();
    let url = format!("http://127.0.0.1:{}/mcp", server.port);
    let mut command = house.command(&["proxy", &url, "--header", "Authorization:Bearer ${TOKEN}"]);
    command.args(["--header", "X-Two: http://e.com:1/", "--header-file"]).arg(&file);
    command.env("TOKEN", "t0ken").env("KEY", "k3y");
    let mut host = Host::start(command);
    assert!(host.initialize().get("result").is_some());
    for head in server.posts() {
        for line in
            ["authorization: bearer t0ken\r\n", "x-two: http://e.com:1/\r\n", "x-from-file: a:b k3y\r\n"]
        {
            assert!(head.contains(line), "{line:?} in {head}");
        }
    }
    let ended = house.run(&["proxy", &url, "--header", "Authorization: Bearer ${TOKEN}"]);
    ended.failed("usage", 2);
    assert!(ended.stderr.contains("TOKEN"), "{ended:?}");
    let ended = house.run(&["proxy", &url, "--header-file", "none"]);
    ended.failed("config-bad", 2);
}

/// The port is for the sign-in that begins here; the secrets of the headers are not (I3).
#[test]
fn a_sign_in_that_begins_here_gets_the_port_and_no_secret() {
    let house = House::new(Options::default());
    let (program, seen) = (house.home.path().join("browser"), house.home.path().join("seen"));
    script(
        &program,
        &format!("(echo \"$1\"; env) > {}\nexec curl -sSL --max-time 30 -o /dev/null \"$1\"", seen.display()),
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command =
        house.command(&["proxy", "--port", &free.to_string(), "--header", "X-Key: ${SECRET_KEY}"]);
    command.env("SECRET_KEY", "k3y-of-mine").env("BROWSER", &program);
    let mut host = Host::start(command);
    let answer = host.initialize();
    assert!(answer.get("result").is_some(), "{answer}");
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains(&format!("localhost%3A{free}%2Fcallback")), "{seen}");
    assert!(!seen.contains("k3y-of-mine") && !seen.contains("SECRET_KEY"), "{seen}");
}

/// RFC 6750 section 5.3. `0.0.0.0` leads to this computer, and is not loopback by its form.
#[test]
fn an_unencrypted_server_elsewhere_is_reached_by_an_explicit_flag_and_gets_no_token_of_a_sign_in() {
    let house = House::new(Options::default());
    let server = Plain::start(|(head, body)| {
        let refused = body["method"] == "tools/list" || head.contains("t0ken-refused");
        refused.then(|| ("401 Unauthorized", "www-authenticate: Bearer\r\n".to_owned(), String::new()))
    });
    let url = format!("http://0.0.0.0:{}/mcp", server.port);
    let ended = house.run(&["proxy", &url]);
    ended.failed("unsafe-url", 7);
    assert!(ended.stderr.contains("--allow-http"), "{ended:?}");
    house.run(&["login", &url]).failed("unsafe-url", 7);
    assert!(server.posts().is_empty());

    let mut host = Host::of(&house, &[&url, "--allow-http"]);
    assert!(host.initialize().get("result").is_some());
    let error = host.ask("tools/list", json!({}))["error"].clone();
    assert_eq!(error["data"]["name"], "unsafe-url", "{error}");
    assert!(server.posts().iter().all(|head| !head.contains("authorization")), "a token left");
    host.end();

    let mut host = Host::of(&house, &[&url, "--allow-http", "--header", "Authorization: Bearer mine"]);
    assert!(host.initialize().get("result").is_some());
    assert!(server.posts().last().unwrap().contains("authorization: bearer mine"));
}

/// Row 132: the limit is configurable.
#[test]
fn a_server_that_does_not_answer_is_waited_for_as_long_as_the_user_says() {
    let house = House::new(Options::default());
    let server = Plain::start(|(_, body)| {
        if body["method"] == "tools/list" {
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
        None
    });
    let url = format!("http://127.0.0.1:{}/mcp", server.port);
    let mut host = Host::of(&house, &[&url, "--timeout", "1s"]);
    assert!(host.initialize().get("result").is_some());
    let error = host.ask("tools/list", json!({}))["error"].clone();
    assert_eq!((&error["data"]["name"], &error["code"]), (&json!("timeout"), &json!(-31007)), "{error}");
    assert_eq!(house.run(&["proxy", "--timeout", "0s"]).code, 2);
    assert_eq!(house.run(&["proxy", "--max-time", "2d"]).code, 2);
}

/// DESIGN section 1: the headers of Chipp, kept for `status`, and gone with `reset`.
#[test]
fn the_rate_limit_is_kept_for_status_and_removed_by_reset() {
    let house = House::new(Options { rate_limit: Some(RateLimit::pro()), ..Options::default() });
    house.login(&[]);
    assert!(house.run(&["status", "--json"]).json().get("rate_limit").is_none());
    let mut host = Host::of(&house, &[]);
    assert!(host.initialize().get("result").is_some());
    assert!(host.ask("tools/list", json!({})).get("result").is_some());
    assert_eq!(host.end().0, 0);
    let limit = house.run(&["status", "--json"]).json()["rate_limit"].clone();
    assert_eq!((&limit["tier"], &limit["limit"]), (&json!("PRO"), &json!(30)), "{limit}");
    assert!((20..30).contains(&limit["remaining"].as_u64().unwrap()), "{limit}");
    assert!(limit["as_of"].is_u64() && limit["reset"].is_u64(), "{limit}");
    let shown = house.run(&["status"]).stdout;
    assert!(shown.contains(" of 30 requests left (PRO), as of "), "{shown}");
    house.run(&["reset", "--yes"]).ok();
    let places = std::fs::read_dir(house.home.path().join("limits")).unwrap().count();
    assert_eq!(places, 0);
}
