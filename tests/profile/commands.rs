//! What the commands say and do, where nobody is at a terminal.

use chipp_auth::profile::file;
use chipp_auth::sandbox::Options;
use serde_json::json;

use crate::house::House;

fn house() -> House {
    House::new(Options::default())
}

fn text(house: &House) -> String {
    std::fs::read_to_string(file::path(house.home.path())).unwrap()
}

const SALESFORCE: &[&str] = &[
    "profile",
    "add",
    "crm",
    "--preset",
    "salesforce",
    "--url",
    "https://mcp.example.com/mcp",
    "--client-id",
    "3MVG9.abc",
];

#[test]
fn what_comes_next_is_said() {
    let house = house();
    let ended = house.run(SALESFORCE);
    ended.ok();
    for said in [
        "  http://localhost:14721/callback\n",
        "https://",
        "chipp-auth test crm",
        "claude mcp add crm -- chipp-auth proxy crm",
    ] {
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
    }
    let ended =
        house.run(&["profile", "add", "wiki", "--url", "https://wiki.example.com/mcp", "--auth", "bearer"]);
    assert!(
        ended.stderr.contains("chipp-auth login wiki --with-token") && !ended.stderr.contains("redirect"),
        "{ended:?}"
    );
}

#[test]
fn a_profile_is_shown_with_where_each_value_comes_from() {
    let house = house();
    house.run(SALESFORCE).ok();
    house
        .run(&[
            "profile",
            "edit",
            "crm",
            "--scope",
            "api",
            "--header",
            "X-Key: abc123",
            "--header",
            "X-Team: ${TEAM}",
        ])
        .ok();
    let shown = house.run(&["profile", "show", "crm", "--json"]).json();
    assert_eq!(shown["provider"], "Salesforce");
    assert_eq!(shown["values"]["scope"], json!({"value": "api", "from": "profile"}));
    assert_eq!(shown["values"]["token_style"], json!({"value": "form_basic", "from": "preset salesforce"}));
    let text = house.run(&["profile", "show", "crm"]);
    let line = |name: &str| {
        text.ok().lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default().to_owned()
    };
    assert!(line("token_style").contains("form_basic  (preset salesforce)"), "{text:?}");
    assert!(line("client secret").ends_with("none"), "{text:?}");
    assert!(line("headers.X-Team").ends_with("${TEAM}") && !text.stdout.contains("abc123"), "{text:?}");
    let chipp = house.run(&["profile", "show", "chipp", "--json"]).json();
    assert_eq!(chipp["values"]["client_id"], json!({"value": "chipp-mcp-client", "from": "built in"}));
    let unknown = house.run(&["profile", "show", "crn"]);
    unknown.failed("usage", 2);
    assert!(unknown.stderr.contains("choose `crm`"), "{unknown:?}");
}

#[test]
fn profiles_and_presets_are_listed() {
    let house = house();
    house.run(SALESFORCE).ok();
    house.login(&[]).ok();
    let listed = house.run(&["profile", "list", "--json"]).json();
    let names: Vec<_> = listed["profiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|profile| profile["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["chipp", "crm"]);
    assert_eq!(listed["profiles"][0]["accounts"][0]["account"], "default");
    assert_eq!(listed["profiles"][1]["accounts"], json!([]));
    let table = house.run(&["profile", "list"]);
    assert!(
        table.ok().lines().nth(2).unwrap().starts_with("crm      Salesforce  mcp.example.com  oauth"),
        "{table:?}"
    );
    let presets = house.run(&["profile", "presets", "--json"]).json();
    assert!(presets["presets"].as_array().unwrap().len() >= 12, "{presets}");
    assert!(house.run(&["profile", "presets"]).ok().contains("salesforce"));
}

#[test]
fn keys_are_taken_out_and_names_of_flags_do_for_them() {
    let house = house();
    house.run(SALESFORCE).ok();
    house
        .run(&[
            "profile",
            "edit",
            "crm",
            "--scope",
            "api",
            "--redirect-port",
            "8765",
            "--header",
            "X-A: 1",
            "--header",
            "X-B: 2",
        ])
        .ok();
    house
        .run(&[
            "profile",
            "edit",
            "crm",
            "--unset",
            "scope",
            "--unset",
            "redirect-port",
            "--unset",
            "headers.X-A",
        ])
        .ok();
    let crm = file::load(house.home.path()).unwrap().remove("crm").unwrap();
    assert_eq!((crm.scope, crm.redirect_port), (None, None));
    assert_eq!(crm.headers.keys().collect::<Vec<_>>(), ["X-B"]);
    let wrong = house.run(&["profile", "edit", "crm", "--unset", "scopes"]);
    wrong.failed("usage", 2);
    assert!(wrong.stderr.contains("--unset scope"), "{wrong:?}");
    house.run(&["profile", "edit", "crm"]).failed("usage", 2);
}

#[test]
fn a_profile_is_removed_with_its_sign_in_and_only_after_a_yes() {
    let house = house();
    let base = house.sandbox.base().to_string();
    let url = format!("{base}mcp/messages");
    house
        .run(&[
            "profile",
            "add",
            "mine",
            "--url",
            &url,
            "--client-id",
            "chipp-mcp-client",
            "--token-style",
            "json",
        ])
        .ok();
    house.login(&["mine"]).ok();
    let asked = house.run(&["profile", "remove", "mine"]);
    asked.failed("usage", 2);
    assert!(asked.stderr.contains("the sign-in"), "{asked:?}");
    assert!(text(&house).contains("[profiles.mine]"));
    let removed = house.run(&["profile", "remove", "mine", "--yes", "--json"]);
    assert_eq!(removed.code, 0, "{removed:?}");
    assert!(!text(&house).contains("mine"));
    assert!(text(&house).contains("[profiles.chipp]"));
    house.run(&["status", &url]).code.ne(&0).then_some(()).expect("signed out");
    house.run(&["profile", "remove", "mine", "--yes"]).failed("usage", 2);
}

/// The built-in profile can be led elsewhere, and back.
#[test]
fn chipp_takes_only_what_it_understands() {
    let house = house();
    house.run(&["profile", "edit", "chipp", "--scope", "apps:read"]).ok();
    assert_eq!(
        house.run(&["profile", "show", "chipp", "--json"]).json()["values"]["scope"]["value"],
        "apps:read"
    );
    let refused = house.run(&["profile", "edit", "chipp", "--token-style", "form_post"]);
    refused.failed("usage", 2);
    assert!(refused.stderr.contains("built in"), "{refused:?}");
    house.run(&["profile", "remove", "chipp", "--yes"]).ok();
    assert!(!text(&house).contains("[profiles.chipp]"));
    house.run(&["profile", "add", "chipp"]).failed("usage", 2);
    house.run(&["profile", "add", "chipp", "--scope", "apps:read"]).ok();
}
