//! Every field of the configuration form, and of the profile beyond it, arrives where it belongs and nowhere else.

use serde_json::{Value, json};

use crate::host::Host;
use crate::provider::{NAME, Provider, said, value};

const SECRET: &str = "ABC123-the-secret";

/// Without the browser's own.
fn of<'a>(log: &'a [Value], route: &str) -> Vec<&'a Value> {
    log.iter().filter(|entry| entry["route"] == route).collect()
}

#[test]
fn each_field_of_the_form_arrives_where_it_belongs() {
    let options = ["--style", "json_basic", "--client-id", "3MVG9.the-id", "--client-secret", SECRET];
    let Some(provider) = Provider::start(&options) else { return };
    provider.profile("auth = \"oauth\"\nscope = \"api refresh_token\"\ntoken_style = \"json_basic\"");
    provider.login(&[]).ok();
    assert_eq!(said(&provider.host(&[]).call("whoami")), "john@example.com");
    provider.run(&["logout"]).ok();

    let log = provider.log();
    let asked = provider.asked();
    // Authorize URL, client id, scopes.
    let requests = of(&log, "authorize");
    let same = |name: &str| {
        let of = |entry: &&Value| value(&Provider::query(entry), name);
        requests.iter().all(|entry| of(entry) == value(&asked, name))
    };
    assert!(["client_id", "scope", "redirect_uri"].into_iter().all(same), "{requests:?}");
    assert_eq!(value(&asked, "client_id").as_deref(), Some("3MVG9.the-id"));
    assert_eq!(value(&asked, "scope").as_deref(), Some("api refresh_token"));
    assert_eq!(value(&asked, "code_challenge_method").as_deref(), Some("S256"));
    // Token URL, style, client id, secret.
    let [exchange] = of(&log, "token")[..] else { panic!("one exchange") };
    assert_eq!(exchange["headers"]["content-type"], "application/json");
    assert!(exchange["headers"]["authorization"].as_str().unwrap().starts_with("Basic "));
    assert_eq!(
        value(&Provider::parameters(exchange), "redirect_uri"),
        value(&asked, "redirect_uri"),
        "the same, to the letter"
    );
    // MCP server URL: it gets the token, and neither id nor secret.
    let token = format!("Bearer {}", provider_token(&log));
    let mcp = of(&log, "mcp");
    assert!(mcp.iter().any(|entry| entry["rpc"] == "tools/call"));
    assert!(mcp.iter().all(|entry| entry["path"] == "/mcp" && entry["headers"]["authorization"] == token));
    // The secret: in Basic headers only, and so never as it is, and never where it does not belong.
    assert!(!json!(log).to_string().contains(SECRET));
    let basic: Vec<_> =
        log.iter().filter(|e| json!(e["headers"]["authorization"]).to_string().contains("Basic")).collect();
    assert!(basic.iter().all(|entry| entry["route"] == "token" || entry["route"] == "revoke"), "{basic:?}");
    // Nothing was looked for: the profile says all.
    assert_eq!(of(&log, "other"), Vec::<&Value>::new());
}

fn provider_token(log: &[Value]) -> String {
    let answer = of(log, "token")[0]["answer"].as_str().unwrap();
    serde_json::from_str::<Value>(answer).unwrap()["access_token"].as_str().unwrap().to_owned()
}

// The token goes to the profile's own server, and the address keeps what it had.
#[test]
fn further_parameters_are_added_to_what_they_are_for() {
    let Some(provider) = Provider::start(&[]) else { return };
    let url = provider.text("authorize_url").to_owned();
    provider.profile(&format!(
        "authorize_url = \"{url}?realm=a%20b\"\ntoken_style = \"form_post\"\nscope = \"api\"\n\
         [profiles.{NAME}.authorize_params]\nprompt = \"consent\"\naudience = \"https://api.example\"\n\
         [profiles.{NAME}.token_params]\nversion = \"2 & 3\""
    ));
    provider.login(&[]).ok();
    let asked = provider.asked();
    for (name, expected) in
        [("realm", "a b"), ("prompt", "consent"), ("audience", "https://api.example"), ("scope", "api")]
    {
        assert_eq!(value(&asked, name).as_deref(), Some(expected));
    }
    assert_eq!(value(&asked, "version"), None);
    let exchange = Provider::parameters(&provider.seen("token")[0]);
    assert_eq!(value(&exchange, "version").as_deref(), Some("2 & 3"));
    assert_eq!(value(&exchange, "prompt"), None);
}

// For providers that refuse it.
#[test]
fn without_pkce_there_is_neither_challenge_nor_verifier() {
    for (line, there) in [("", true), ("pkce = \"s256\"", true), ("pkce = \"omit\"", false)] {
        let Some(provider) = Provider::start(&[]) else { return };
        provider.profile(&format!("token_style = \"form_post\"\n{line}"));
        provider.login(&[]).ok();
        let exchange = Provider::parameters(&provider.seen("token")[0]);
        let asked = provider.asked();
        assert_eq!(value(&asked, "code_challenge").is_some(), there, "{line}");
        assert_eq!(value(&asked, "code_challenge_method").is_some(), there, "{line}");
        assert_eq!(value(&exchange, "code_verifier").is_some(), there, "{line}");
    }
}

// Endpoints that are stated say nothing of `resource`.
#[test]
fn the_resource_is_sent_where_the_profile_states_it() {
    let Some(provider) = Provider::start(&[]) else { return };
    for (line, expected) in [
        ("", None),
        ("resource = \"auto\"", None),
        ("resource = \"omit\"", None),
        ("resource = \"https://api.example/\"", Some("https://api.example/")),
    ] {
        provider.profile(&format!("token_style = \"form_post\"\n{line}"));
        provider.login(&[]).ok();
        assert_eq!(value(&provider.asked(), "resource").as_deref(), expected, "{line}");
        let exchange = Provider::parameters(&provider.seen("token").pop().unwrap());
        assert_eq!(value(&exchange, "resource").as_deref(), expected, "{line}");
    }
}

// The scope of a refresh.
#[test]
fn a_refresh_names_the_scope_that_the_profile_wants() {
    let Some(provider) = Provider::start(&["--lifetime", "1"]) else { return };
    for (line, expected) in [
        ("", None),
        ("refresh_scope = \"omit\"", None),
        ("refresh_scope = \"requested\"", Some("api web")),
        ("refresh_scope = \"granted\"", Some("api web")),
    ] {
        provider.profile(&format!("token_style = \"form_post\"\nscope = \"api web\"\n{line}"));
        provider.login(&[]).ok();
        std::thread::sleep(std::time::Duration::from_millis(1100));
        provider.run(&["token"]).ok();
        let refresh = Provider::parameters(&provider.grants("refresh_token").pop().unwrap());
        assert_eq!(value(&refresh, "scope").as_deref(), expected, "{line}");
    }
}

// Host, path and port, exactly as they are registered.
#[test]
fn the_redirect_uri_is_the_one_that_is_registered() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (lines, expected) in [
        (format!("redirect_port = {port}"), format!("http://localhost:{port}/callback")),
        (
            format!("redirect_host = \"127.0.0.1\"\nredirect_path = \"/oauth/back\"\nredirect_port = {port}"),
            format!("http://127.0.0.1:{port}/oauth/back"),
        ),
    ] {
        let Some(provider) = Provider::start(&["--redirect-uri", &expected]) else { return };
        provider.profile(&format!("token_style = \"form_post\"\n{lines}"));
        provider.login(&[]).ok();
        assert_eq!(value(&provider.asked(), "redirect_uri"), Some(expected));
    }
}

// "Use Bearer Token when …": one token for all, and no sign-in.
#[test]
fn a_shared_bearer_token_is_all_that_is_sent() {
    use std::io::Write;
    let Some(provider) = Provider::start(&["--style", "form_post"]) else { return };
    provider.profile("token_style = \"form_post\"");
    provider.login(&[]).ok();
    let token = provider.issued()["access_token"].as_str().unwrap().to_owned();
    let before = provider.log().len();
    let url = provider.text("url").to_owned();
    provider.profiles(&format!("[profiles.shared]\nurl = \"{url}\"\nauth = \"bearer\"\n"));
    let mut command = provider.plain(&["login", "shared", "--with-token"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
    crate::house::wait(child).ok();
    let mut host = Host::start(provider.plain(&["proxy", "shared"]));
    assert!(host.initialize().get("result").is_some());
    assert_eq!(said(&host.call("whoami")), "john@example.com");
    let log = provider.log().split_off(before);
    assert!(log.iter().all(|entry| entry["route"] == "mcp" || entry["route"] == "userinfo"), "{log:?}");
}

// Auth type none: no token, no sign-in, no question.
#[test]
fn without_authorization_nothing_is_added() {
    let Some(provider) = Provider::start(&[]) else { return };
    let url = provider.text("url").to_owned();
    provider.profiles(&format!("[profiles.open]\nurl = \"{url}\"\nauth = \"none\"\n"));
    let mut host = Host::start(provider.plain(&["proxy", "open"]));
    let answer = host.initialize();
    // This server wants a token, and says so; that is its affair.
    assert!(answer.get("error").is_some(), "{answer}");
    let log = provider.log();
    assert!(log.iter().all(|entry| entry["route"] == "mcp"), "{log:?}");
    assert!(log.iter().all(|entry| entry["headers"].get("authorization").is_none()), "{log:?}");
}

// Further headers, with a secret from the environment.
#[test]
fn headers_of_the_profile_go_to_the_mcp_server_alone() {
    let Some(provider) = Provider::start(&[]) else { return };
    provider.profile(&format!(
        "token_style = \"form_post\"\n[profiles.{NAME}.headers]\nX-Team = \"north\"\nX-Api-Key = \"${{CRM_KEY}}\""
    ));
    provider.login(&[]).ok();
    let mut command = provider.command(&["proxy"]);
    let mut host = Host::start({
        command.env("CRM_KEY", "k-123");
        command
    });
    host.initialize();
    assert_eq!(said(&host.call("whoami")), "john@example.com");
    let (mcp, others): (Vec<_>, Vec<_>) =
        provider.log().into_iter().partition(|entry| entry["route"] == "mcp" && entry["rpc"] == "tools/call");
    assert!(!mcp.is_empty());
    for entry in &mcp {
        assert_eq!(
            (&entry["headers"]["x-team"], &entry["headers"]["x-api-key"]),
            (&json!("north"), &json!("k-123"))
        );
    }
    let others: Vec<_> = others.iter().filter(|entry| entry["route"] != "mcp").collect();
    assert!(others.iter().all(|entry| entry["headers"].get("x-team").is_none()), "{others:?}");
}
