//! What can be wrong between here and the servers.

use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime};

use chipp_auth::sandbox::{Fault, Options};

use crate::house::{House, LONG};
use crate::report::{Report, command};
use crate::support::require;
use crate::support::tls::TlsServer;

fn signed_in() -> House {
    let house = House::new(Options::default());
    assert_eq!(house.login(&[]).code, 0);
    house
}

/// Points the house at another place, and back.
fn at(house: &House, base: &str) -> Report {
    house.point_chipp_at(base);
    Report::of(house, &[])
}

#[test]
fn a_server_that_is_down_hides_nothing_else() {
    let house = House::new(Options::default());
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = at(&house, &format!("http://{nobody}"));
    report.failed("server", "network-down", 5, &["authorization-server", "clock", "sign-in"]);
    assert_eq!(report.one("authorization-server")["error"], "network-down");
    assert_eq!(report.status("clock"), "skipped");
}

#[test]
fn a_server_that_never_answers_is_waited_for_within_bounds() {
    let house = House::new(Options::default());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let began = Instant::now();
    let report = at(&house, &format!("http://{}", silent.local_addr().unwrap()));
    report.failed("server", "timeout", 5, &["authorization-server", "clock", "sign-in"]);
    assert!(began.elapsed() < LONG);
}

#[test]
fn an_answer_that_is_none_is_named() {
    let house = signed_in();
    house.sandbox.fail_next(Fault::mcp(503, "{}"));
    Report::of(&house, &[]).failed("server", "server-error", 5, &[]);
    let portal =
        http::Response::builder().header("content-type", "text/html").body("<html>".to_owned()).unwrap();
    house.sandbox.fail_next(Fault::McpAnswer(Box::new(portal)));
    Report::of(&house, &[]).failed("server", "captive-portal", 5, &[]);
    house.sandbox.fail_next(Fault::mcp(404, "{}"));
    let report = Report::of(&house, &[]);
    assert_eq!((report.status("server"), report.ended.code), ("warn", 0), "{}", report.json);
}

/// An answer at another time.
fn answer_at(house: &House, time: SystemTime) {
    let answer = http::Response::builder().status(401).header("date", httpdate::fmt_http_date(time));
    house.sandbox.fail_next(Fault::McpAnswer(Box::new(answer.body(String::new()).unwrap())));
}

#[test]
fn a_clock_that_is_off_is_found_in_what_the_server_says_anyhow() {
    let house = signed_in();
    let now = SystemTime::now();
    answer_at(&house, now + Duration::from_secs(180));
    let report = Report::of(&house, &[]);
    assert_eq!((report.status("clock"), report.ended.code), ("warn", 0), "{}", report.json);
    assert!(report.what("clock").contains("behind the server's"), "{}", report.json);
    assert!(report.remedy("clock").starts_with("set this computer's clock"), "{}", report.json);

    answer_at(&house, now - Duration::from_secs(3 * 3600));
    let report = Report::of(&house, &[]);
    report.failed("clock", "tls-failed", 5, &[]);
    assert!(report.what("clock").contains("ahead of the server's"), "{}", report.json);
}

#[test]
fn a_server_without_metadata_is_found_where_it_is_documented() {
    let house = House::new(Options { discovery: false, ..Options::default() });
    let report = Report::of(&house, &[]);
    assert_eq!(report.status("authorization-server"), "ok", "{}", report.json);
    assert!(report.what("authorization-server").contains("documented endpoints"), "{}", report.json);
}

#[test]
fn stated_endpoints_are_reached_without_a_request() {
    let house = House::new(Options::default());
    let base = house.sandbox.base().as_str().trim_end_matches('/').to_owned();
    let profile = |endpoint: &str| {
        let text = format!(
            "[profiles.own]\nurl = \"{base}/mcp/messages\"\nclient_id = \"x\"\nauthorize_url = \"{endpoint}/authorize\"\ntoken_url = \"{endpoint}/token\"\n"
        );
        std::fs::write(house.home.path().join("profiles.toml"), text).unwrap();
    };
    profile(&base);
    let report = Report::of(&house, &["own"]);
    assert!(report.what("authorization-server").contains("that the profile states"), "{}", report.json);
    let counts = house.sandbox.counts();
    assert_eq!((counts.mcp_posts, counts.discovery, counts.token_code), (1, 0, 0));

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    profile(&format!("http://{nobody}"));
    let report = Report::of(&house, &["own"]);
    report.failed("authorization-server", "network-down", 5, &["sign-in"]);
}

#[test]
fn certificates_are_judged() {
    let house = House::new(Options::default());
    let https = |port: u16| format!("https://localhost:{port}/mcp");
    let but = ["server", "authorization-server", "clock", "sign-in"];

    // Nothing is trusted here.
    let empty = house.home.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let mut run = command(&house, &[]);
    run.env("SSL_CERT_DIR", &empty);
    let report = Report::from(run);
    report.failed("certificates", "tls-failed", 5, &["sign-in"]);
    assert_eq!(report.remedy("certificates"), "correct SSL_CERT_DIR, or unset it");
    let mut run = command(&house, &[]);
    run.env("SSL_CERT_FILE", empty.join("gone.pem"));
    Report::from(run).failed("certificates", "tls-failed", 5, &["sign-in"]);

    // What answers there does not speak TLS.
    let plain = https(house.sandbox.base().port().unwrap());
    Report::of(&house, &[&plain]).failed("certificates", "tls-failed", 5, &but);

    if require(&["openssl"]) {
        let server = TlsServer::start(house.home.path());
        let report = Report::of(&house, &[&https(server.port)]);
        report.failed("certificates", "tls-failed", 5, &but);
        assert!(report.what("server").contains("see `certificates`"), "{}", report.json);
    }
}

#[test]
fn a_header_of_the_profile_goes_along_and_one_that_cannot_be_had_is_told_of() {
    let house = House::new(Options::default());
    let url = house.sandbox.mcp_url();
    let text = format!("[profiles.own]\nurl = \"{url}\"\nheaders = {{ X-Key = \"${{OWN_KEY}}\" }}\n");
    std::fs::write(house.home.path().join("profiles.toml"), text).unwrap();
    let report = Report::of(&house, &["own"]);
    assert_eq!((report.status("headers"), report.status("server")), ("warn", "ok"), "{}", report.json);
    assert!(report.what("headers").contains("OWN_KEY"), "{}", report.json);
    let mut there = command(&house, &["own"]);
    there.env("OWN_KEY", "s3cret");
    let report = Report::from(there);
    assert!(report.all().iter().all(|check| check["id"] != "headers"), "{}", report.json);
    assert!(!report.ended.stdout.contains("s3cret"));
}
