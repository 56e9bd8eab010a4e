//! Several accounts at one provider: whose they are, under which name they are kept, and that none of them ever
//! takes the place of another.

mod messages;
mod renewal;
mod userinfo;

use base64::Engine;
use chipp_auth::sandbox::{Fault, Options};
use serde_json::{Value, json};

use crate::house::{Ended, House, Login, follow};

/// A house with the profile `crm`: Salesforce, as the sandbox plays it.
fn salesforce(options: Options, more: &str) -> House {
    let house = House::new(options);
    write(&house, &[("crm", more)]);
    house
}

/// Writes profiles of Salesforce that lead to the sandbox, beside `chipp`.
fn write(house: &House, profiles: &[(&str, &str)]) {
    write_asking(house, &format!("{}nobody", house.sandbox.base()), profiles);
}

/// The same, with another userinfo endpoint than one that says nothing.
fn write_asking(house: &House, userinfo: &str, profiles: &[(&str, &str)]) {
    let base = house.sandbox.base();
    let issuer = base.as_str().trim_end_matches('/');
    let chipp =
        format!("[profiles.chipp]\nurl = \"{base}mcp/messages\"\nauthorization_server = \"{issuer}\"\n");
    // The preset's own would be in the way of the other tests.
    let port = free();
    // Each with an MCP server of its own: two for one server and client share their sign-in.
    let places = ["mcp/messages", "mcp/core", "mcp/apps"];
    let profiles = profiles.iter().zip(places).map(|((name, more), place)| {
        format!(
            "[profiles.{name}]\npreset = \"salesforce\"\nurl = \"{base}{place}\"\n\
             authorize_url = \"{base}api/mcp/oauth/authorize\"\ntoken_url = \"{base}api/mcp/oauth/token\"\n\
             revoke_url = \"{base}api/mcp/oauth/revoke\"\nuserinfo_url = \"{userinfo}\"\nclient_id = \"chipp-mcp-client\"\n\
             redirect_port = {port}\ntoken_style = \"json\"\nscope = \"*\"\nhosts = [\"127.0.0.1\"]\n{more}\n"
        )
    });
    let text: String = [chipp].into_iter().chain(profiles).collect();
    std::fs::write(house.home.path().join("profiles.toml"), text).unwrap();
}

/// A port that was free a moment ago.
fn free() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The next token answer has an ID token with these claims.
fn next_is(house: &House, claims: Value) {
    let part = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let id_token =
        format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#.into()), part(claims.to_string()), part("s".into()));
    house.sandbox.fail_next(Fault::edit(move |answer| {
        answer.insert("id_token".into(), json!(id_token));
        answer.insert("instance_url".into(), json!("https://acme.my.salesforce.com"));
    }));
}

/// Signs in with these arguments as somebody.
fn login_as(house: &House, email: &str, args: &[&str]) -> Ended {
    next_is(house, json!({"sub": format!("sub of {email}"), "email": email}));
    let ended = house.login(args);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended
}

fn token(house: &House, args: &[&str]) -> String {
    house.run(&[&["token"], args].concat()).ok().to_owned()
}

/// Account and identity of each account that `status` knows.
fn accounts(house: &House) -> Vec<(String, String)> {
    let status = house.run(&["status", "crm", "--json"]).json();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let rows = status["accounts"].as_array().unwrap();
    rows.iter().map(|row| (text(&row["account"]), text(&row["identity"]))).collect()
}

const JOHN: &str = "john@example.com";
const JANE: &str = "jane@example.com";

#[test]
fn a_sign_in_says_whose_it_is_and_status_remembers() {
    let house = salesforce(Options::default(), "");
    let ended = login_as(&house, JOHN, &["crm"]);
    assert!(ended.stderr.contains("✓ Connected to Salesforce as john@example.com.\n"), "{ended:?}");
    assert!(ended.stderr.contains("https://acme.my.salesforce.com"), "{ended:?}");
    let status = house.run(&["status", "crm"]);
    assert!(status.ok().starts_with("crm (Salesforce): signed in."), "{status:?}");
    assert!(status.stdout.contains("john@example.com"), "{status:?}");
    let status = house.run(&["status", "crm", "--json"]).json();
    for (member, expected) in [
        ("target", json!("crm")),
        ("account", json!("default")),
        ("identity", json!(JOHN)),
        ("provider", json!("Salesforce")),
        ("instance_url", json!("https://acme.my.salesforce.com")),
        ("token_style", json!("json")),
        ("signed_in", json!(true)),
    ] {
        assert_eq!(status[member], expected, "{member}");
    }
    assert_eq!(accounts(&house), [("default".to_owned(), JOHN.to_owned())]);
    let signed_in = login_as(&house, JOHN, &["crm", "--json"]).json();
    assert_eq!((&signed_in["identity"], &signed_in["provider"]), (&json!(JOHN), &json!("Salesforce")));
}

#[test]
fn another_account_never_takes_the_place_of_the_first() {
    let house = salesforce(Options::default(), "");
    login_as(&house, JOHN, &["crm"]);
    let johns = token(&house, &["crm"]);
    let ended = login_as(&house, JANE, &["crm"]);
    assert!(ended.stderr.contains("✓ Connected to Salesforce as jane@example.com.\n"), "{ended:?}");
    assert!(
        ended.stderr.contains(
            "jane@example.com is another account than john@example.com, which stays as it is; use the new one with \
             `--account jane@example.com`."
        ),
        "{ended:?}"
    );
    assert_eq!(token(&house, &["crm"]), johns);
    let janes = token(&house, &["crm", "--account", JANE]);
    assert_ne!(janes, johns);
    let both = [("default".to_owned(), JOHN.to_owned()), (JANE.to_owned(), JANE.to_owned())];
    assert_eq!(accounts(&house), both);

    // Whoever is there already keeps the place that he has.
    login_as(&house, JANE, &["crm"]);
    let newer = token(&house, &["crm", "--account", JANE]);
    assert_ne!(newer, janes);
    login_as(&house, JOHN, &["crm"]);
    assert_eq!(token(&house, &["crm", "--account", JANE]), newer);
    assert_ne!(token(&house, &["crm"]), johns);
    assert_eq!(accounts(&house), both);

    let status = house.run(&["status", "crm"]);
    assert!(status.ok().starts_with("crm (Salesforce): 2 accounts."), "{status:?}");
    let row = |name: &str| status.stdout.lines().filter(|line| line.contains(name)).count();
    assert_eq!((row(JOHN), row(JANE)), (1, 1), "{status:?}");
}

#[test]
fn an_account_with_a_name_of_ones_own_is_found_by_either_name() {
    let house = salesforce(Options::default(), "");
    login_as(&house, JOHN, &["crm"]);
    let johns = token(&house, &["crm"]);
    let ended = login_as(&house, JANE, &["crm", "--account", "work"]);
    assert!(
        ended.stderr.contains("Connected to Salesforce as jane@example.com (account work)."),
        "{ended:?}"
    );
    let janes = token(&house, &["crm", "--account", "work"]);
    assert_eq!(token(&house, &["crm", "--account", "Jane@Example.com"]), janes);
    assert_eq!(token(&house, &["crm", "--account", JOHN]), johns);
    let status = house.run(&["status", "crm", "--account", JANE, "--json"]).json();
    assert_eq!((&status["account"], &status["identity"]), (&json!("work"), &json!(JANE)));
    assert!(status.get("accounts").is_none());
    // A sign-in that forgot to say so finds the place too.
    login_as(&house, JANE, &["crm"]);
    let newer = token(&house, &["crm", "--account", "work"]);
    assert_ne!(newer, janes);
    assert_eq!(accounts(&house).len(), 2);

    let out = house.run(&["logout", "crm", "--account", JANE]);
    assert!(
        out.stderr.contains("Signed out of crm (Salesforce) as jane@example.com (account work);"),
        "{out:?}"
    );
    house.run(&["token", "crm", "--account", "work"]).failed("login-required", 4);
    assert_eq!(token(&house, &["crm"]), johns);
}

// A browser that remembers its own sign-in is how two accounts become one.
#[test]
fn a_second_account_that_turns_out_to_be_the_first_is_noticed() {
    let house = salesforce(Options::default(), "");
    login_as(&house, JOHN, &["crm"]);
    let ended = login_as(&house, JOHN, &["crm", "--account", "work"]);
    assert!(ended.stderr.contains("john@example.com is signed in as the account default too"), "{ended:?}");
    // Then the name is not clear any more, and stands for itself.
    house.run(&["token", "crm", "--account", JOHN]).failed("login-required", 4);
}

// The name of a place may say whose it is.
#[test]
fn a_place_named_by_an_address_is_for_nobody_else() {
    let house = salesforce(Options::default(), "");
    login_as(&house, JOHN, &["crm"]);
    let johns = token(&house, &["crm"]);
    let ended = login_as(&house, JOHN, &["crm", "--account", JANE]);
    assert!(ended.stderr.contains("john@example.com is another account than jane@example.com"), "{ended:?}");
    assert!(ended.stderr.contains("use the new one without `--account`"), "{ended:?}");
    house.run(&["token", "crm", "--account", JANE]).failed("login-required", 4);
    assert_ne!(token(&house, &["crm"]), johns);
    assert_eq!(accounts(&house), [("default".to_owned(), JOHN.to_owned())]);
}

#[test]
fn where_nobody_says_who_signs_in_the_place_is_taken_as_ever() {
    let house = salesforce(Options::default(), "");
    login_as(&house, JOHN, &["crm"]);
    let johns = token(&house, &["crm"]);
    let ended = house.login(&["crm"]);
    assert!(ended.stderr.contains("Signed in to crm (Salesforce)."), "{ended:?}");
    assert_ne!(token(&house, &["crm"]), johns);
    assert_eq!(accounts(&house), [("default".to_owned(), "-".to_owned())]);
}

// A name that a provider makes up is the name of nothing else.
#[test]
fn a_strange_name_gets_a_place_that_can_be_typed() {
    let house = salesforce(Options::default(), "");
    login_as(&house, JOHN, &["crm"]);
    let ended = login_as(&house, "--json default $(id)\u{1b}[31m", &["crm"]);
    assert!(ended.stderr.contains("--account json-default---id---31m`"), "{ended:?}");
    assert!(!ended.stderr.contains('\u{1b}'), "{ended:?}");
    token(&house, &["crm", "--account", "json-default---id---31m"]);
}

// Two at once: a page that a proxy had opened, and a person's own.
#[test]
fn of_two_sign_ins_at_once_neither_is_lost() {
    use std::io::Write;
    let house = salesforce(Options::default(), "");
    let port = format!("--port={}", free());
    let mut background = house.command(&["login", "--background", "--json", "--no-browser", &port, "crm"]);
    let mut child = background.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let order = json!({"passphrase": "correct horse"}).to_string();
    child.stdin.take().unwrap().write_all(order.as_bytes()).unwrap();
    let mut background = Login::of(child);
    let first = background.url();
    let mut person = Login::start(&house, &["crm"]);
    let second = person.url();
    next_is(&house, json!({"email": JANE}));
    follow(&first);
    assert_eq!(background.wait().code, 0);
    next_is(&house, json!({"email": JOHN}));
    follow(&second);
    let ended = person.wait();
    assert!(ended.stderr.contains("john@example.com is another account than jane@example.com"), "{ended:?}");
    assert_ne!(token(&house, &["crm", "--account", JOHN]), token(&house, &["crm", "--account", JANE]));
}

#[test]
fn all_accounts_of_a_profile_are_signed_out_and_no_others() {
    let house = salesforce(Options::default(), "");
    house.login(&[]);
    login_as(&house, JOHN, &["crm"]);
    login_as(&house, JANE, &["crm"]);
    let status = house.run(&["status"]);
    assert!(
        status
            .stderr
            .contains("Also signed in to crm (Salesforce) as john@example.com: chipp-auth status crm\n")
    );
    let command = "chipp-auth status crm --account jane@example.com";
    assert!(
        status.stderr.contains(&format!("Also signed in to crm (Salesforce) as jane@example.com: {command}"))
    );

    house.run(&["logout", "crm", "--all", "--account", "x"]).failed("usage", 2);
    let out = house.run(&["logout", "crm", "--all"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(house.sandbox.counts().families_revoked, 2);
    assert!(accounts(&house).is_empty());
    assert!(
        house.run(&["logout", "crm", "--all"]).stderr.contains("You are not signed in to crm (Salesforce).")
    );
    token(&house, &[]);
    assert_eq!(house.run(&["logout", "--all"]).code, 0);
    house.run(&["token"]).failed("login-required", 4);
}

// What is signed in must be forgotten also where its profile is gone.
#[test]
fn a_profile_that_is_gone_keeps_no_tokens_here() {
    let house = salesforce(Options::default(), "");
    login_as(&house, JOHN, &["crm"]);
    write(&house, &[("other", "")]);
    let out = house.run(&["logout", "--all"]);
    out.failed("config-bad", 2);
    assert!(out.stderr.contains("signed out of crm (Salesforce) as john@example.com here"), "{out:?}");
    assert!(house.run(&["logout", "--all"]).stderr.contains("You are not signed in anywhere."));
    write(&house, &[("crm", "")]);
    house.run(&["token", "crm"]).failed("login-required", 4);
}

// OpenID Connect Core section 3.1.2.1; nobody else knows the parameter.
#[test]
fn the_account_that_is_meant_is_named_to_the_provider() {
    let house = salesforce(Options::default(), "");
    for (scope, args, hinted) in [
        ("openid", &["--account", JANE][..], Some("jane%40example.com")),
        ("openid", &["--account", "work"], None),
        ("openid", &[], None),
        ("*", &["--account", JANE], None),
    ] {
        let mut login = Login::start(&house, &[&["crm", "--timeout", "1s", "--scope", scope], args].concat());
        let url = login.url();
        let found = url.split('&').find_map(|pair| pair.strip_prefix("login_hint="));
        assert_eq!(found, hinted, "{args:?} {scope}");
        login.wait().failed("login-timeout", 3);
    }
}
