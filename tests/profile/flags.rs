//! The flags of `profile add` and `profile edit`, and what is said of wrong ones.

use chipp_auth::profile::file;
use chipp_auth::sandbox::Options;

use crate::house::House;

fn house() -> House {
    House::new(Options::default())
}

fn text(house: &House) -> String {
    std::fs::read_to_string(file::path(house.home.path())).unwrap()
}

/// Every flag that can stand together, and the key that it writes.
const ALL: &[(&str, &str)] = &[
    ("--preset github", "preset = \"github\""),
    ("--url https://mcp.example.com/mcp", "url = \"https://mcp.example.com/mcp\""),
    ("--auth oauth", "auth = \"oauth\""),
    ("--authorization-server https://github.com", "authorization_server = \"https://github.com\""),
    ("--authorize-url https://github.com/a", "authorize_url = \"https://github.com/a\""),
    ("--token-url https://github.com/t", "token_url = \"https://github.com/t\""),
    ("--revoke-url https://github.com/r", "revoke_url = \"https://github.com/r\""),
    ("--userinfo-url https://api.github.com/u", "userinfo_url = \"https://api.github.com/u\""),
    ("--client-id abc", "client_id = \"abc\""),
    ("--scope repo user", "scope = \"repo user\""),
    ("--token-style form_basic", "token_style = \"form_basic\""),
    ("--basic-encoding raw", "basic_encoding = \"raw\""),
    ("--authorize-param prompt=consent", "authorize_params = { prompt = \"consent\", a = \"b=c\" }"),
    ("--authorize-param a=b=c", ""),
    ("--token-param v=", "token_params = { v = \"\" }"),
    ("--redirect-host [::1]", "redirect_host = \"[::1]\""),
    ("--redirect-path /back", "redirect_path = \"/back\""),
    ("--redirect-port 8765", "redirect_port = 8765"),
    ("--resource omit", "resource = \"omit\""),
    ("--refresh-scope requested", "refresh_scope = \"requested\""),
    ("--header X-Team: north", "headers = { X-Team = \"north\", X-Key = \"${KEY}\" }"),
    ("--header X-Key:${KEY}", ""),
    ("--host github.com", "hosts = [\"github.com\", \"*.github.com\"]"),
    ("--host *.github.com", ""),
    ("--token-type user", "token_types = [\"user\"]"),
    ("--account-from userinfo.login", "account_from = [\"userinfo.login\"]"),
    (
        "--client-metadata-url https://example.com/c.json",
        "client_metadata_url = \"https://example.com/c.json\"",
    ),
    ("--pkce-unverified", "pkce_unverified = true"),
    ("--pkce s256", "pkce = \"s256\""),
    ("--dpop", "dpop = true"),
    ("--store file", "store = \"file\""),
];

#[test]
fn every_flag_writes_its_key() {
    let house = house();
    let words = ALL.iter().flat_map(|(flag, _)| flag.splitn(2, ' '));
    let args: Vec<_> = ["profile", "add", "all", "--json"].into_iter().chain(words).collect();
    // A file that is not there: the profile could not work, so nothing is written.
    let ended = house.run(&[&args[..], &["--client-key-file", "/nowhere/key.pem"]].concat());
    assert_eq!(ended.json()["error"]["name"], "config-bad", "{ended:?}");
    assert!(!text(&house).contains("[profiles.all]"));
    let ended = house.run(&args);
    ended.ok();
    assert_eq!(ended.json()["redirect_uri"], "http://[::1]:8765/back");
    let written = text(&house);
    let lines: Vec<_> = ALL.iter().map(|(_, line)| *line).filter(|line| !line.is_empty()).collect();
    assert!(written.ends_with(&format!("\n[profiles.all]\n{}\n", lines.join("\n"))), "{written}");
}

#[test]
fn what_is_missing_is_named_by_its_flag() {
    let house = house();
    for (args, missing) in [
        (&["profile", "add", "work"][..], "--url URL"),
        (&["profile", "add", "work", "--preset", "github"], "--url URL and --client-id ID"),
        (
            &["profile", "add", "work", "--preset", "entra", "--url", "https://e.com"],
            "--set tenant=VALUE and --client-id ID",
        ),
        (
            &[
                "profile",
                "add",
                "work",
                "--url",
                "https://e.com",
                "--authorize-url",
                "https://e.com/a",
                "--token-url",
                "https://e.com/t",
            ],
            "--client-id ID",
        ),
    ] {
        let ended = house.run(args);
        ended.failed("usage", 2);
        assert!(ended.stderr.contains(&format!("needs {missing}.")), "{ended:?}");
    }
    house.run(&["profile", "edit", "nobody"]).failed("usage", 2);
    house.run(&["profile", "add", "a/b", "--url", "https://e.com"]).failed("usage", 2);
    assert!(!text(&house).contains("work"));
}

#[test]
fn a_wrong_value_is_named_by_its_flag_and_no_secret_is_repeated() {
    let house = house();
    let add = |more: &[&str]| {
        house.run(&[&["profile", "add", "work", "--url", "https://e.com/mcp"], more].concat())
    };
    for (flags, said) in [
        (&["--token-style", "form-post"][..], "write `form_post`"),
        (&["--auth", "basic"], "choose one of oauth, bearer, none"),
        (&["--redirect-port", "80"], "from 1024 to 65535"),
        (&["--redirect-port", "many"], "from 1024 to 65535"),
        (&["--redirect-path", "back"], "write /back"),
        (&["--token-url", "http://e.com/t"], "is not encrypted"),
        (&["--header", "Authorization: Bearer s3cret"], "chipp-auth login work --with-token"),
        (&["--header", "X-Key s3cret"], "'NAME: VALUE'"),
        (&["--token-param", "client_secret=s3cret"], "profile edit work --client-secret-stdin"),
        (&["--authorize-param", "state=x"], "the sign-in sets itself"),
        (&["--host", "*"], "too many hosts"),
        (&["--preset", "slak"], "preset = \"slack\""),
        (&["--account-from", "email"], "id_token.email"),
        (&["--auth", "bearer", "--client-id", "x"], "has no meaning with auth = \"bearer\""),
        (&["--token-url", "https://e.com/t", "--client-id", "x"], "no `authorize_url`"),
    ] {
        let ended = add(flags);
        ended.failed("usage", 2);
        assert!(ended.stderr.contains(said), "{flags:?}: {ended:?}");
        assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
    }
    assert!(!text(&house).contains("work"));
}
