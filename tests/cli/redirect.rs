//! The redirect URI as a profile states it, and what happens where the provider knows another one (the seed's
//! "Invalid redirect_uri").

use std::net::{TcpListener, TcpStream};

use chipp_auth::sandbox::{Client, ClientAuth, Consent, Fault, Kind, Options, Redirects, TokenStyle};
use url::Url;

use crate::host::Host;
use crate::house::{House, Login, browser, follow};

/// A port that was free a moment ago on both families.
fn free() -> u16 {
    loop {
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        if TcpListener::bind(("::1", port)).is_ok() {
            return port;
        }
    }
}

/// A server that knows the client `mine` with exactly this redirect URI, and the profile `work` for it.
fn house(registered: &str, more: &str) -> House {
    let client = Client {
        id: "mine".into(),
        name: "Mine".into(),
        redirects: Redirects::Exact(vec![registered.to_owned()]),
        auth: ClientAuth::None,
    };
    let house =
        House::new(Options { clients: vec![client], token_style: TokenStyle::Any, ..Options::default() });
    let entry = format!("[profiles.work]\nurl = \"{}\"\n{more}\n", house.sandbox.mcp_url());
    std::fs::write(house.home.path().join("profiles.toml"), entry).unwrap();
    house
}

/// The `redirect_uri` in the address that the person opens.
fn named(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned()
}

fn accepts(address: &str, port: u16) -> bool {
    TcpStream::connect((address, port)).is_ok()
}

// The token endpoint compares it with the one of the authorization request: both are the registered one.
#[test]
fn host_path_and_port_are_those_of_the_profile_byte_for_byte() {
    for (host, path, families) in [
        ("localhost", "/oauth/callback", (true, true)),
        ("127.0.0.1", "/callback", (true, false)),
        ("[::1]", "/a/b.c~d", (false, true)),
        ("localhost", "/done", (true, true)),
        ("127.0.0.1", "/", (true, false)),
    ] {
        let port = free();
        let uri = format!("http://{host}:{port}{path}");
        let keys = format!(
            "client_id = \"mine\"\nredirect_host = \"{host}\"\nredirect_path = \"{path}\"\nredirect_port = {port}"
        );
        let house = house(&uri, &keys);
        let mut login = Login::start(&house, &["work"]);
        let url = login.url();
        assert_eq!(named(&url), uri);
        assert_eq!((accepts("127.0.0.1", port), accepts("::1", port)), families, "{uri}");
        let elsewhere = follow(&format!("http://{host}:{port}/elsewhere?code=1&state=2")).1;
        assert!(elsewhere.contains("Nothing here"), "{elsewhere}");
        let (address, page) = follow(&url);
        assert!(address.ends_with("/done") && page.contains("signed in"), "{address}: {page}");
        let ended = login.wait();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(house.sandbox.counts().token_code, 1);
    }
}

#[test]
fn the_port_of_the_command_line_wins() {
    let (stated, typed) = (free(), free());
    let house = house(
        &format!("http://localhost:{typed}/callback"),
        &format!("client_id = \"mine\"\nredirect_port = {stated}"),
    );
    let ended = house.login(&["work", "--port", &typed.to_string()]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn a_stated_port_that_is_taken_is_named_with_the_key_that_states_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let house = house("", &format!("client_id = \"mine\"\nredirect_port = {port}"));
    let ended = house.run(&["login", "--no-browser", "work"]);
    ended.failed("port-busy", 8);
    assert!(ended.stderr.contains("`redirect_port`") && ended.stderr.contains("profile work"), "{ended:?}");
    assert_eq!(house.sandbox.counts().authorize, 0);
    let typed = house.run(&["login", "--no-browser", "work", "--port", &port.to_string()]);
    typed.failed("port-busy", 8);
    assert!(!typed.stderr.contains("redirect_port"), "{typed:?}");
}

#[test]
fn a_path_that_no_browser_brings_back_is_refused() {
    let house = house("", "client_id = \"mine\"\nredirect_path = \"/a/../b\"");
    let ended = house.run(&["login", "--no-browser", "work"]);
    ended.failed("config-bad", 2);
    assert!(ended.stderr.contains("redirect_path"), "{ended:?}");
}

// A registration of ours is made for the stated URI, kept, and replaced when the profile changes its mind.
#[test]
fn a_registration_follows_the_profile() {
    let port = free();
    let house = house(
        "",
        &format!("redirect_path = \"/callback\"\nredirect_host = \"127.0.0.1\"\nredirect_port = {port}"),
    );
    house.sandbox.set(|options| options.registration = true);
    for _ in 0..2 {
        let mut login = Login::start(&house, &["work"]);
        let url = login.url();
        assert_eq!(named(&url), format!("http://127.0.0.1:{port}/callback"));
        follow(&url);
        assert_eq!(login.wait().code, 0);
        assert_eq!(house.sandbox.counts().registrations, 1);
    }
    let entry =
        format!("[profiles.work]\nurl = \"{}\"\nredirect_host = \"[::1]\"\n", house.sandbox.mcp_url());
    std::fs::write(house.home.path().join("profiles.toml"), entry).unwrap();
    let mut login = Login::start(&house, &["work"]);
    let url = login.url();
    // The port of the old one would do, but it is another URI.
    assert!(named(&url).starts_with("http://[::1]:"), "{url}");
    follow(&url);
    assert_eq!(login.wait().code, 0);
    assert_eq!(house.sandbox.counts().registrations, 2);
}

// The sign-in that a proxy begins is one of the same profile.
#[test]
fn a_sign_in_in_the_background_has_the_stated_redirect_uri() {
    let port = free();
    let uri = format!("http://localhost:{port}/oauth/callback");
    let house = house(
        &uri,
        &format!("client_id = \"mine\"\nredirect_path = \"/oauth/callback\"\nredirect_port = {port}"),
    );
    let (program, count) = browser(&house);
    let mut command = house.command(&["proxy", "work"]);
    command.env("BROWSER", program);
    let mut host = Host::start(command);
    let answer = host.initialize();
    assert!(answer.get("result").is_some(), "{answer}");
    assert_eq!(std::fs::read_to_string(count).unwrap().lines().count(), 1);
}

#[test]
fn a_redirect_uri_that_is_not_registered_is_named_before_a_browser_opens() {
    let port = free();
    let (right, wrong) = ("http://localhost:1/callback", format!("http://localhost:{port}/callback"));
    let house = house(right, &format!("client_id = \"mine\"\nredirect_port = {port}"));
    let (program, count) = browser(&house);
    let mut command = house.command(&["login", "work"]);
    command.env("BROWSER", program);
    let ended = crate::house::wait(command.spawn().unwrap());
    ended.failed("redirect-uri-mismatch", 2);
    assert!(
        ended.stderr.contains(&format!("does not know the redirect URI {wrong} of this client")),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("register exactly this redirect URI"), "{ended:?}");
    assert!(!count.exists(), "no browser opens for an error page");
    // No cookie, no user, no real state: nothing of it can be answered.
    assert_eq!(house.sandbox.counts().authorize, 1);
}

#[test]
fn a_port_that_is_any_is_told_to_be_kept() {
    let house = house("http://localhost:1/callback", "client_id = \"mine\"");
    let ended = house.run(&["login", "--no-browser", "work"]);
    ended.failed("redirect-uri-mismatch", 2);
    assert!(ended.stderr.contains("keep its port with `redirect_port = "), "{ended:?}");
    let url = house.sandbox.mcp_url().to_string();
    let ended = house.run(&["login", "--no-browser", &url, "--client-id", "mine"]);
    ended.failed("redirect-uri-mismatch", 2);
    assert!(ended.stderr.contains("keep its port with `--port "), "{ended:?}");
}

// Whatever else a server says to somebody without a session is for the person.
#[test]
fn in_doubt_the_browser_opens() {
    for (status, page) in [
        (200, "redirect_uri_mismatch"),
        (400, "Sign in first. <a href=\"/login?redirect_uri=x\">Sign in</a>"),
        (403, "Please enable cookies"),
        (500, "redirect_uri_mismatch"),
    ] {
        let port = free();
        let uri = format!("http://localhost:{port}/callback");
        let house = house(&uri, &format!("client_id = \"mine\"\nredirect_port = {port}"));
        house.sandbox.fail_next(Fault::authorize(status, "text/html", page));
        let ended = house.login(&["work"]);
        assert_eq!(ended.code, 0, "{status} {page}: {ended:?}");
        let looked = house.sandbox.log().iter().filter(|entry| entry.kind == Kind::Authorize).count();
        assert_eq!(looked, 2, "the look, and the person");
    }
}

#[test]
fn a_sign_in_that_nobody_finished_tells_what_may_be_behind_it() {
    let port = free();
    let uri = format!("http://localhost:{port}/callback");
    let house = house(&uri, &format!("client_id = \"mine\"\nredirect_port = {port}"));
    let ended = house.run(&["login", "--no-browser", "--timeout", "1s", "work"]);
    ended.failed("login-timeout", 3);
    let said =
        format!("if the browser showed a page about `redirect_uri`, register exactly {uri} at the provider");
    assert!(ended.stderr.contains(&said), "{ended:?}");
    house.sandbox.set(|options| options.auto_consent = Some(Consent::Deny));
    let ended = house.login(&["work"]);
    ended.failed("login-denied", 3);
    for said in ["choose Authorize", "may not ask for these scopes", "review"] {
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
}
