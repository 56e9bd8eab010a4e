//! What the requests of a sign-in carry: scope, resource, proof; and the document that stands for a client.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use chipp_auth::sandbox::{Fault, Kind, Options, TokenStyle};
use serde_json::json;
use url::Url;

use crate::house::{Ended, House, Login, browser, follow, wait};

fn house(options: Options) -> (House, String) {
    let house = House::new(Options { registration: true, token_style: TokenStyle::Any, ..options });
    house.point_chipp_at("http://127.0.0.1:9");
    let url = house.sandbox.mcp_url().to_string();
    (house, url)
}

/// The parameter of the address that is opened, and how the sign-in ends.
fn login(house: &House, args: &[&str], name: &str) -> (Option<String>, Ended) {
    let mut login = Login::start(house, args);
    let url = login.url();
    follow(&url);
    let found =
        Url::parse(&url).unwrap().query_pairs().find(|(key, _)| key == name).map(|(_, v)| v.into_owned());
    (found, login.wait())
}

/// A sign-in as the proxy orders it.
fn background(house: &House, url: &str, order: &serde_json::Value) -> Ended {
    let (program, _) = browser(house);
    let mut command = house.command(&["login", "--background", "--json", url]);
    let mut child = command.env("BROWSER", program).stdin(Stdio::piped()).spawn().unwrap();
    write!(child.stdin.take().unwrap(), "{order}").unwrap();
    wait(child)
}

fn scope(house: &House, url: &str) -> serde_json::Value {
    house.run(&["status", url, "--json"]).json()["scope"].clone()
}

// A-50: what the user says, then the challenge, then the resource's metadata.
#[test]
fn the_scope_comes_from_the_first_that_names_one() {
    let (house, url) = house(Options::default());
    let (asked, ended) = login(&house, &[&url], "scope");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(asked.is_some_and(|scope| scope.contains("apps:read apps:write")), "all that the metadata lists");
    let (asked, _) = login(&house, &[&url, "--scope", "apps:write apps:read"], "scope");
    assert_eq!(asked.as_deref(), Some("apps:write apps:read"), "word by word");

    let metadata = house.sandbox.at("/.well-known/oauth-protected-resource/mcp/messages");
    let challenge = format!(r#"Bearer scope="billing:read", resource_metadata="{metadata}""#);
    let order = json!({"passphrase": "correct horse", "client_secret": null, "challenge": [challenge]});
    house.run(&["logout", &url]).ok();
    assert_eq!(background(&house, &url, &order).code, 0);
    assert_eq!(scope(&house, &url), "billing:read");
}

// A-52: a step-up is ordered with the union, and nothing is added to it or taken away; one that is there
// already opens nothing.
#[test]
fn an_ordered_scope_is_asked_for_as_it_is() {
    let (house, url) = house(Options::default());
    assert_eq!(login(&house, &[&url, "--scope", "apps:read"], "scope").1.code, 0);
    let order = |scope: &str| json!({"passphrase": "correct horse", "client_secret": null, "challenge": [], "scope": scope});
    assert_eq!(background(&house, &url, &order("apps:read apps:write")).code, 0);
    assert_eq!(scope(&house, &url), "apps:read apps:write");
    let asked = house.sandbox.counts().authorize;
    for there in ["apps:read apps:write", "apps:write apps:read", "apps:write"] {
        assert_eq!(background(&house, &url, &order(there)).code, 0);
        assert_eq!(house.sandbox.counts().authorize, asked, "{there} is there already");
    }
    // Somebody has asked for something else meanwhile: what he got is not taken away.
    assert_eq!(background(&house, &url, &order("apps:read billing:read")).code, 0);
    assert_eq!(house.sandbox.counts().authorize, asked);
}

// A-26: the same in all three requests.
#[test]
fn the_resource_is_the_same_in_every_request() {
    let (house, url) = house(Options { access_lifetime: Duration::from_secs(1), ..Options::default() });
    let origin = house.sandbox.base().as_str().trim_end_matches('/').to_owned();
    for (choice, expected) in [
        (&[][..], Some(url.as_str())),
        (&["--resource", "auto"], Some(&url)),
        (&["--resource", "omit"], None),
        (&["--resource", &origin], Some(&origin)),
    ] {
        let before = house.sandbox.log().len();
        let (asked, ended) = login(&house, &[&[url.as_str()], choice].concat(), "resource");
        assert_eq!((ended.code, asked.as_deref()), (0, expected), "{ended:?}");
        std::thread::sleep(Duration::from_millis(1100));
        house.run(&["token", &url]).ok();
        let log = house.sandbox.log().split_off(before);
        let seen: Vec<_> = log.iter().filter(|e| matches!(e.kind, Kind::Authorize | Kind::Token)).collect();
        let grants: Vec<_> = seen.iter().filter_map(|entry| entry.grant).collect();
        assert_eq!(grants, ["authorization_code", "refresh_token"], "{choice:?}");
        assert!(seen.iter().all(|entry| entry.resource.as_deref() == expected), "{choice:?}: {seen:?}");
    }
}

// A-43: nobody promised a refresh token.
#[test]
fn a_sign_in_without_a_refresh_token_works_while_it_lasts_and_says_so() {
    let (house, url) = house(Options::default());
    house.sandbox.fail_next(Fault::edit(|answer| drop(answer.remove("refresh_token"))));
    let (_, ended) = login(&house, &[&url], "scope");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("issued no refresh token"), "{ended:?}");
    assert!(house.run(&["token", &url]).ok().starts_with("chipp_at_"));
    assert_eq!(house.run(&["status", &url, "--json"]).json()["refreshable"], false);
}

// Row 98: an answer that is of no use but for the refresh token in it, which is given back.
#[test]
fn a_refresh_token_that_nobody_will_use_is_revoked() {
    let (house, url) = house(Options::default());
    house.sandbox.fail_next(Fault::edit(|answer| drop(answer.remove("access_token"))));
    let (_, ended) = login(&house, &[&url], "scope");
    ended.failed("bad-response", 5);
    assert_eq!(house.sandbox.counts().families_revoked, 1);
}

// X-03: the code is bound to the key, and a token that is not is given back.
#[test]
fn a_sign_in_with_proof_takes_no_bearer_token() {
    let (house, url) = house(Options::default());
    assert_eq!(login(&house, &[&url], "scope").1.code, 0);
    let revoked = house.sandbox.counts().revoke;
    let (jkt, ended) = login(&house, &[&url, "--dpop"], "dpop_jkt");
    ended.failed("wrong-token-type", 7);
    assert_eq!(jkt.map(|jkt| jkt.len()), Some(43), "SHA-256 in base64url");
    assert_eq!(house.sandbox.counts().revoke, revoked + 1);
    assert!(house.run(&["token", &url]).ok().starts_with("chipp_at_"), "the older sign-in is still there");

    house.sandbox.fail_next(Fault::edit(|answer| drop(answer.insert("token_type".into(), json!("DPoP")))));
    let (_, ended) = login(&house, &[&url, "--dpop"], "dpop_jkt");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(login(&house, &[&url], "dpop_jkt").0, None, "off unless asked for");
}

// X-01: no browser, no listener.
#[test]
fn a_machine_signs_in_without_a_person() {
    let (house, url) = house(Options::default());
    let token = r#"{"access_token":"chipp_at_machine","token_type":"Bearer","expires_in":3600}"#;
    house.sandbox.fail_next(Fault::token(200, "application/json", token));
    let mut command = house.command(&["login", &url, "--client-id", "ci", "--client-credentials", "--json"]);
    let ended = wait(command.env("CHIPP_AUTH_CLIENT_SECRET", "s3cret").spawn().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["signed_in"], true);
    assert!(!format!("{ended:?}").contains("s3cret"));
    assert_eq!((house.sandbox.counts().authorize, house.sandbox.counts().registrations), (0, 0));
}

// A-17: what Chipp should host, made by the same rules by which it will be used.
#[test]
fn the_document_to_host_is_printed() {
    let (house, _) = house(Options::default());
    let url = "https://chipp.example/oauth/chipp-auth.json";
    let ended = house.run(&["client-metadata", "--url", url, "--name", "Chipp for your editor"]);
    let document: serde_json::Value = serde_json::from_str(ended.ok()).unwrap();
    assert_eq!(
        document,
        json!({
            "client_id": url,
            "client_name": "Chipp for your editor",
            "application_type": "native",
            "redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        })
    );
    for bad in ["http://chipp.example/c", "https://chipp.example", "https://chipp.example/a/../c", "c"] {
        house.run(&["client-metadata", "--url", bad]).failed("usage", 2);
    }
    house.run(&["client-metadata", "--url", url, "--name", "\u{1b}[31m"]).failed("usage", 2);
}
