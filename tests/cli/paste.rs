//! Paste-back: the answer of a browser that cannot reach the listener, typed into the terminal.

use chipp_auth::sandbox::Options;
use rustix::process::Signal;
use url::Url;

use crate::desk::Desk;
use crate::house::{House, follow};

/// Where the server sends the browser, which is elsewhere and finds nothing there.
fn answer(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let policy = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(policy).build().unwrap();
        let response = client.get(url).send().await.unwrap();
        response.headers()["location"].to_str().unwrap().to_owned()
    })
}

fn code(answer: &str) -> String {
    let url = Url::parse(answer).unwrap();
    url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
}

fn desk(house: &House, args: &[&str]) -> Desk {
    Desk::start(house.command(&[&["login", "--no-browser"], args].concat()))
}

#[test]
fn a_pasted_address_signs_in_and_is_not_shown() {
    let house = House::new(Options::default());
    let mut desk = desk(&house, &[]);
    let answer = answer(&desk.url());
    assert!(!desk.echoes());
    desk.types(&format!("{answer}\r"));
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    let shown = desk.shown();
    assert!(shown.contains("Signed in to"), "{shown}");
    assert!(!shown.contains(&code(&answer)), "{shown}");
    assert!(desk.echoes(), "the terminal is as it was");
    assert!(house.run(&["token"]).ok().starts_with("chipp_at_"));
    assert_eq!(house.sandbox.counts().token_code, 1);
}

// A-27: another state is not ours, whatever comes with it. A wrong paste costs a line and nothing else.
#[test]
fn a_wrong_paste_is_named_and_uses_nothing_up() {
    let house = House::new(Options::default());
    let mut desk = desk(&house, &[]);
    let url = desk.url();
    let (first, ours) = (answer(&url), answer(&url));
    let state = Url::parse(&first).unwrap().query_pairs().find(|(n, _)| n == "state").unwrap().1.into_owned();
    for (wrong, said) in [
        (first.replace(&state, "AAAA"), "its `state` is not ours"),
        (url.clone(), "it is not the address at which the browser ends"),
        (code(&first), "this server names itself in its answer"),
        ("what?".to_owned(), "it is neither an address nor a code"),
        (String::new(), "it is empty"),
    ] {
        desk.types(&format!("{wrong}\n"));
        assert!(desk.until(said, 1).contains("That was not used"), "{said}");
    }
    assert_eq!(house.sandbox.counts().token_code, 0);
    // Mistyped and corrected: a blank, then backspace; and what comes before Ctrl-U does not count.
    desk.types("rubbish\u{15}");
    desk.types(&format!("{ours} x\u{7f}\u{8}\n"));
    assert_eq!(desk.end(), 0, "{}", desk.shown());
}

// A-28, A-29: as at the listener, it ends the sign-in, and the code goes nowhere.
#[test]
fn a_pasted_answer_of_another_server_ends_the_sign_in() {
    let house = House::new(Options::default());
    let mut desk = desk(&house, &[]);
    let answer = answer(&desk.url());
    desk.types(&format!("{}\n", answer.replace("iss=http", "iss=https")));
    assert_eq!(desk.end(), 7);
    assert!(desk.shown().contains("issuer-mismatch"), "{}", desk.shown());
    assert_eq!(house.sandbox.counts().token_code, 0);
    assert!(desk.echoes());
}

#[test]
fn a_code_alone_does_where_the_server_does_not_name_itself() {
    let house = House::new(Options { issuer_in_response: false, ..Options::default() });
    let mut desk = desk(&house, &[]);
    let code = code(&answer(&desk.url()));
    desk.types(&format!("{code}\n"));
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    // PKCE binds it to its request: that of another sign-in is worth nothing.
    let mut one = self::desk(&house, &["--account", "one"]);
    let mut other = self::desk(&house, &["--account", "other"]);
    let code = self::code(&answer(&one.url()));
    other.url();
    other.types(&format!("{code}\n"));
    assert_eq!(other.end(), 3, "{}", other.shown());
    one.interrupt();
    assert_eq!(one.end(), 130);
}

// The first answer wins, and the reader does not keep the process alive.
#[test]
fn the_browser_may_be_faster() {
    let house = House::new(Options::default());
    let mut desk = desk(&house, &[]);
    follow(&desk.url());
    desk.types("half a li");
    assert_eq!(desk.end(), 0);
    assert!(desk.echoes());
}

#[test]
fn however_it_ends_the_terminal_is_as_it_was() {
    let house = House::new(Options::default());
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut desk = desk(&house, &[]);
        desk.url();
        assert!(!desk.echoes());
        desk.signal(signal);
        assert_eq!(desk.end(), code, "{}", desk.shown());
        assert!(desk.echoes(), "after {signal:?}");
    }
    let mut desk = desk(&house, &["--timeout", "1s"]);
    desk.url();
    assert_eq!(desk.end(), 3);
    assert!(desk.echoes());
    // Ctrl-D ends the reading, and not the wait.
    let mut desk = self::desk(&house, &[]);
    let url = desk.url();
    desk.types("\u{4}");
    std::thread::sleep(std::time::Duration::from_millis(400));
    follow(&url);
    assert_eq!(desk.end(), 0, "{}", desk.shown());
}

// A-15: the last resort is the person who can register a client.
#[test]
fn on_a_terminal_a_missing_client_is_asked_for() {
    let house =
        House::new(Options { token_style: chipp_auth::sandbox::TokenStyle::Any, ..Options::default() });
    house.point_chipp_at("http://127.0.0.1:9");
    let url = house.sandbox.mcp_url().to_string();
    let mut desk = desk(&house, &[&url]);
    let shown = desk.until("Its client id:", 1);
    let redirect =
        shown.lines().find(|line| line.trim().starts_with("http://localhost:")).unwrap().trim().to_owned();
    assert!(redirect.ends_with("/callback"), "{shown}");
    assert!(desk.echoes(), "an id is no secret");
    desk.types("chipp-mcp-client\n");
    desk.until("Its client secret", 1);
    while desk.echoes() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    desk.types("\n");
    let opened = desk.url();
    let query: Vec<_> = Url::parse(&opened).unwrap().query_pairs().into_owned().collect();
    assert!(query.contains(&("client_id".into(), "chipp-mcp-client".into())), "{opened}");
    assert!(query.contains(&("redirect_uri".into(), redirect.clone())), "{opened}");
    follow(&opened);
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    // Nobody is asked again, and the address that was registered by hand stays the same.
    let mut again = crate::house::Login::start(&house, &[&url]);
    let opened = again.url();
    assert!(
        Url::parse(&opened).unwrap().query_pairs().any(|(_, value)| value == redirect.as_str()),
        "{opened}"
    );
    follow(&opened);
    assert_eq!(again.wait().code, 0);
}
