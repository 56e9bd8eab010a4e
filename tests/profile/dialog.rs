//! The questions, asked of a person at a terminal.

use chipp_auth::profile::file;
use chipp_auth::profile::{Auth, Entry};
use chipp_auth::sandbox::Options;

use crate::desk::Desk;
use crate::house::House;

fn house() -> House {
    House::new(Options::default())
}

fn profile(house: &House, name: &str) -> Option<Entry> {
    file::load(house.home.path()).unwrap().remove(name)
}

/// Answers each question when it stands there.
fn answers(desk: &mut Desk, dialog: &[(&str, &str)]) {
    for (question, answer) in dialog {
        desk.until(question, 1);
        desk.types(&format!("{answer}\n"));
    }
}

#[test]
fn a_person_is_led_through_the_configuration() {
    let house = house();
    let mut desk = Desk::start(house.command(&["profile", "add", "crm"]));
    answers(
        &mut desk,
        &[
            ("MCP server URL:", "https://mcp.example.com/mcp"),
            ("Auth type (oauth, bearer, none) [oauth]:", ""),
            ("Provider preset:", "salesforce"),
            ("host of Salesforce [login.salesforce.com]:", "https://acme.my.salesforce.com"),
            ("not a plain name", "evil.example.com"),
            ("is not among its `hosts`", "acme.my.salesforce.com"),
            ("Client id:", "3MVG9.abc"),
            ("Client secret (not shown; empty if it has none):", "s3cret-of-mine"),
            ("Authorize URL [https://acme.my.salesforce.com/services/oauth2/authorize]:", ""),
            ("Token URL [https://acme.my.salesforce.com/services/oauth2/token]:", ""),
            ("Scopes [", "api refresh_token"),
            ("json_basic) [form_basic]:", ""),
        ],
    );
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    let shown = desk.shown();
    assert!(!shown.contains("s3cret-of-mine"), "{shown}");
    for said in [
        "http://localhost:14721/callback",
        "chipp-auth test crm",
        "chipp-auth proxy crm",
        "Known providers: atlassian, ",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(desk.echoes());
    let crm = profile(&house, "crm").unwrap();
    assert_eq!(crm.preset.as_deref(), Some("salesforce"));
    assert_eq!(crm.variables["host"], "acme.my.salesforce.com");
    assert_eq!(crm.scope.as_deref(), Some("api refresh_token"));
    // What is the preset's stays the preset's.
    assert_eq!((crm.authorize_url, crm.token_style, crm.auth), (None, None, None));
    assert!(house.run(&["profile", "show", "crm"]).ok().contains("in the encrypted file"));
}

#[test]
fn a_wrong_answer_is_asked_for_again() {
    let house = house();
    let mut desk = Desk::start(house.command(&["profile", "add", "work"]));
    for (times, (question, answer, said)) in [
        ("MCP server URL:", "", "This is needed"),
        ("MCP server URL:", "mcp.example.com", "This is no address: write https://mcp.example.com"),
        ("MCP server URL:", "http://mcp.example.com", "This is not encrypted"),
    ]
    .into_iter()
    .enumerate()
    {
        desk.until(question, times + 1);
        desk.types(&format!("{answer}\n"));
        desk.until(said, 1);
    }
    desk.until("MCP server URL:", 4);
    desk.types("https://mcp.example.com/mcp\n");
    desk.until("Auth type", 1);
    desk.types("baerer\n");
    desk.until("write `bearer`", 1);
    desk.until("Auth type", 2);
    desk.types("bearer\n");
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert!(desk.shown().contains("chipp-auth login work --with-token"));
    let work = profile(&house, "work").unwrap();
    assert_eq!((work.auth, work.client_id), (Some(Auth::Bearer), None));
}

#[test]
fn only_what_no_flag_has_said_is_asked() {
    let house = house();
    let mut desk = Desk::start(house.command(&["profile", "add", "work", "--auth", "none"]));
    answers(&mut desk, &[("MCP server URL:", "https://mcp.example.com/mcp")]);
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert!(!desk.shown().contains("Auth type"));
    // Everything is said: nothing is asked.
    let mut desk = Desk::start(house.command(&["profile", "add", "two", "--url", "https://two.example.com"]));
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert!(profile(&house, "two").is_some());
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let house = house();
    let before = std::fs::read_to_string(file::path(house.home.path())).unwrap();
    for (answers_given, question) in
        [(&[][..], "MCP server URL:"), (&["https://e.com", "", "", "abc"][..], "Client secret")]
    {
        let mut desk = Desk::start(house.command(&["profile", "add", "work"]));
        let questions = ["MCP server URL:", "Auth type", "Provider preset:", "Client id"];
        for (question, answer) in questions.iter().zip(answers_given) {
            desk.until(question, 1);
            desk.types(&format!("{answer}\n"));
        }
        desk.until(question, 1);
        desk.interrupt();
        assert_eq!(desk.end(), 130, "{}", desk.shown());
        assert!(desk.shown().contains("nothing was changed"), "{}", desk.shown());
        assert!(desk.echoes(), "the terminal is as it was");
    }
    assert_eq!(std::fs::read_to_string(file::path(house.home.path())).unwrap(), before);
    let sealed = std::fs::read_dir(house.home.path().join("sealed")).map(Iterator::count);
    assert_eq!(sealed.unwrap_or(0), 0);
}

#[test]
fn an_edit_shows_what_is_there_and_keeps_it() {
    let house = house();
    house
        .run(&[
            "profile",
            "add",
            "work",
            "--url",
            "https://mcp.example.com/mcp",
            "--client-id",
            "abc",
            "--scope",
            "read",
            "--authorize-url",
            "https://as.example.com/a",
            "--token-url",
            "https://as.example.com/t",
        ])
        .ok();
    let mut desk = Desk::start(house.command(&["profile", "edit", "work"]));
    answers(
        &mut desk,
        &[
            ("MCP server URL [https://mcp.example.com/mcp]:", ""),
            ("Auth type (oauth, bearer, none) [oauth]:", ""),
            ("Provider preset:", ""),
            ("Client id [abc]:", ""),
            ("Client secret (not shown; empty: as it is):", ""),
            ("Authorize URL [https://as.example.com/a]:", ""),
            ("Token URL [https://as.example.com/t]:", ""),
            ("Scopes [read]:", "-"),
            ("json_basic) [auto]:", "form_basic"),
        ],
    );
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    let work = profile(&house, "work").unwrap();
    assert_eq!(work.scope, None);
    assert_eq!(work.client_id.as_deref(), Some("abc"));
    assert_eq!(work.text("token_style").as_deref(), Some("form_basic"));
    // Another way to authorize: what has no meaning any more goes.
    let mut desk = Desk::start(house.command(&["profile", "edit", "work"]));
    answers(&mut desk, &[("MCP server URL [", ""), ("Auth type", "none")]);
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert_eq!(profile(&house, "work").unwrap().client_id, None);
    let mut desk = Desk::start(house.command(&["profile", "edit", "work"]));
    answers(&mut desk, &[("MCP server URL [", ""), ("Auth type (oauth, bearer, none) [none]:", "")]);
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert!(desk.shown().contains("Nothing was changed."), "{}", desk.shown());
}

#[test]
fn a_secret_on_a_terminal_is_not_shown() {
    let house = house();
    house.run(&["profile", "add", "work", "--url", "https://mcp.example.com/mcp", "--client-id", "abc"]).ok();
    let mut desk = Desk::start(house.command(&["profile", "edit", "work", "--client-secret-stdin"]));
    answers(&mut desk, &[("Client secret (not shown):", "s3cret-of-mine")]);
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert!(!desk.shown().contains("s3cret-of-mine"), "{}", desk.shown());
    assert!(house.run(&["profile", "show", "work"]).ok().contains("in the encrypted file"));
}

#[test]
fn a_profile_is_removed_after_a_yes() {
    let house = house();
    house.run(&["profile", "add", "work", "--url", "https://mcp.example.com/mcp"]).ok();
    let mut desk = Desk::start(house.command(&["profile", "remove", "work"]));
    answers(&mut desk, &[("Remove all of it? [y/N]", "n")]);
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert!(profile(&house, "work").is_some());
    let mut desk = Desk::start(house.command(&["profile", "remove", "work"]));
    answers(&mut desk, &[("Remove all of it? [y/N]", "y")]);
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert!(profile(&house, "work").is_none());
}

/// The questions of the built-in profile are fewer, and an end of the input is no answer.
#[test]
fn chipp_is_asked_for_what_it_understands() {
    let house = house();
    let mut desk = Desk::start(house.command(&["profile", "edit", "chipp"]));
    let base = house.sandbox.base().to_string();
    answers(
        &mut desk,
        &[
            ("MCP server URL [", ""),
            (&format!("Authorization server [{}]", base.trim_end_matches('/')), ""),
            ("Client id:", ""),
            ("Scopes:", "apps:read"),
        ],
    );
    assert_eq!(desk.end(), 0, "{}", desk.shown());
    assert_eq!(profile(&house, "chipp").unwrap().scope.as_deref(), Some("apps:read"));
    let mut desk = Desk::start(house.command(&["profile", "add", "work"]));
    desk.until("MCP server URL:", 1);
    desk.types("\u{4}");
    assert_eq!(desk.end(), 130, "{}", desk.shown());
}
