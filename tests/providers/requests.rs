//! The requests of every token request style, byte for byte, each to a server that accepts this style and no other:
//! code exchange, refresh, revocation, and the address that the browser opens. The golden files are in `requests/`.
//!
//! After a change: `SNAPSHOTS=overwrite cargo nextest run --features sandbox --test providers requests`, then read
//! the difference beside RFC 6749 sections 2.3.1, 4.1.3 and 6 and RFC 7009 section 2.1.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::provider::{Provider, value};

/// Every character that form encoding changes, and Basic's own separator.
pub const SECRET: &str = "p:a+s s%w/o&r=d";

#[test]
fn form_post() {
    golden("form_post", &["--client-secret", SECRET]);
}

#[test]
fn form_basic() {
    golden("form_basic", &["--client-secret", SECRET]);
}

#[test]
fn json_basic() {
    golden("json_basic", &["--client-secret", SECRET]);
}

// The client secret of a server that reads JSON alone.
#[test]
fn json() {
    golden("json", &["--client-secret", SECRET]);
}

// A client without a secret has nothing to put into a header.
#[test]
fn public_form() {
    let Some(provider) = Provider::start(&["--style", "form_post", "--public"]) else { return };
    provider.profile("token_style = \"form_post\"");
    compare("public_form", life(&provider, &["crm"]), &provider);
}

// Chipp itself, at its documented paths: the built-in profile.
#[test]
fn chipp() {
    let options = ["--habit", "chipp", "--public", "--client-id", "chipp-mcp-client"];
    let Some(provider) = Provider::start(&options) else { return };
    let (url, origin) = (provider.text("url"), provider.text("origin"));
    provider.profiles(&format!("[profiles.chipp]\nurl = \"{url}\"\nauthorization_server = \"{origin}\"\n"));
    compare("chipp", life(&provider, &[]), &provider);
}

fn golden(style: &str, options: &[&str]) {
    let Some(provider) = Provider::start(&[&["--style", style], options].concat()) else { return };
    provider.profile(&format!("token_style = \"{style}\""));
    compare(style, life(&provider, &["crm"]), &provider);
}

/// A sign-in, a renewal and a logout, each of which succeeds at the server: the requests with secrets.
fn life(provider: &Provider, target: &[&str]) -> Vec<Value> {
    let run = |args: &[&str]| {
        let mut command = provider.plain(&[&args[..1], target, &args[1..]].concat());
        crate::house::wait(command.spawn().unwrap())
    };
    provider.ask(&json!({"do": "lifetime", "seconds": 1}));
    run(&["login", "--timeout", "30s"]).ok();
    provider.ask(&json!({"do": "lifetime", "seconds": 3600}));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let issued = run(&["token"]).ok().to_owned();
    assert_eq!(issued, provider.issued()["access_token"]);
    let tokens = provider.issued();
    run(&["logout"]).ok();
    assert!(!provider.is_active(&tokens["access_token"]) && !provider.is_active(&tokens["refresh_token"]));
    let requests = [provider.seen("token"), provider.seen("revoke")].concat();
    assert!(requests.iter().all(|entry| entry["status"] == 200), "{requests:#?}");
    requests
}

/// Compares requests with the golden file of this name.
fn compare(name: &str, requests: Vec<Value>, provider: &Provider) {
    let asked = value(&provider.asked(), "redirect_uri").unwrap();
    let port = url::Url::parse(&asked).unwrap().port().unwrap().to_string();
    // The last one is the browser's, after the user has signed in.
    let browser = provider.seen("authorize").pop().map(|entry| opened(&entry, provider));
    let shown: Vec<_> = browser.into_iter().chain(requests.iter().map(show)).collect();
    let shown = ["localhost:", "localhost%3A"].iter().fold(shown.join("\n"), |text, host| {
        text.replace(&format!("{host}{port}"), &format!("{host}[PORT]"))
    });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/providers/requests/{name}.txt"));
    let golden = snapbox::Data::read_from(&file, Some(snapbox::data::DataFormat::Text)).raw();
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .normalize_paths(false)
        .eq(shown, golden);
}

/// The authorization request; its headers are the browser's.
fn opened(entry: &Value, provider: &Provider) -> String {
    let path = entry["path"].as_str().unwrap().to_owned();
    let asked = provider.asked();
    let new = [("state", "[STATE]"), ("code_challenge", "[CHALLENGE]")];
    let hide = |text: String, (name, shown): (&str, &str)| text.replace(&value(&asked, name).unwrap(), shown);
    format!("GET {}\n", new.into_iter().fold(path, hide))
}

/// A request as it arrived, with names in the place of what is new each time.
fn show(entry: &Value) -> String {
    let headers = entry["headers"].as_object().unwrap();
    let mut text = format!("{} {}\n", entry["method"].as_str().unwrap(), entry["path"].as_str().unwrap());
    for name in ["content-type", "accept", "authorization"] {
        let header = headers.get(name).map_or("(none)", |value| value.as_str().unwrap());
        text.push_str(&format!("{name}: {header}\n"));
        if let Some(basic) = header.strip_prefix("Basic ") {
            let pair = String::from_utf8(STANDARD.decode(basic).unwrap()).unwrap();
            text.push_str(&format!("    which is {pair}\n"));
        }
    }
    let known = ["content-type", "accept", "authorization"];
    let others: Vec<_> = headers.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
    text.push_str(&format!("and {}\n\n", others.join(", ")));
    let parameters = Provider::parameters(entry);
    let mut body = entry["body"].as_str().unwrap().to_owned();
    for (name, shown) in [
        ("code", "[CODE]"),
        ("code_verifier", "[VERIFIER]"),
        ("refresh_token", "[REFRESH TOKEN]"),
        ("token", "[TOKEN]"),
    ] {
        if let Some(value) = value(&parameters, name) {
            body = body.replace(&value, shown);
        }
    }
    text + &body + "\n"
}
