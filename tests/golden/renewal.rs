//! A sign-in that cannot be used or renewed.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use chipp_auth::sandbox::{Fault, Options};
use serde_json::json;

use crate::fake;
use crate::frame::Seen;
use crate::house::{House, wait};

/// A sign-in whose access token has ended.
fn expired() -> House {
    let house = House::new(Options { access_lifetime: Duration::from_secs(1), ..Options::default() });
    assert_eq!(house.login(&[]).code, 0);
    std::thread::sleep(Duration::from_millis(1100));
    house
}

/// `token` meets this fault, twice.
fn fault(make: impl Fn(&House) -> Fault) -> Seen {
    let house = expired();
    Seen::twice(&["token"], |args| {
        house.sandbox.fail_next(make(&house));
        house.run(args)
    })
    .at(&house)
}

/// Never signed in, here and at a server of the user's own; ended by the server.
pub fn signed_out() -> Seen {
    let house = expired();
    house.sandbox.revoke_all();
    let ended = Seen::of(&house, &["token"]);
    let new = House::new(Options::default());
    let never = Seen::of(&new, &["token"]).with(Seen::of(&new, &["headers", "https://mcp.example.com/mcp"]));
    never.with(ended)
}

/// A server that gives none: Chipp, as it never does, and a provider of which it is known why.
pub fn no_refresh_token() -> Seen {
    let house = expired();
    let salesforce = format!(
        "[profiles.crm]\npreset = \"salesforce\"\nurl = \"{base}mcp/messages\"\n\
         authorize_url = \"{base}api/mcp/oauth/authorize\"\ntoken_url = \"{base}api/mcp/oauth/token\"\n\
         redirect_port = {port}\nrevoke_url = \"{base}api/mcp/oauth/revoke\"\nuserinfo_url = \"{base}nobody\"\nclient_id = \"chipp-mcp-client\"\ntoken_style = \"json\"\nscope = \"*\"\nhosts = [\"127.0.0.1\"]\n",
        port = crate::sign_in::free(),
        base = house.sandbox.base()
    );
    let path = house.home.path().join("profiles.toml");
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &salesforce).unwrap();
    for args in [&[][..], &["crm", "--account", "work"]] {
        house.sandbox.fail_next(Fault::edit(|answer| {
            answer.remove("refresh_token");
        }));
        assert_eq!(house.login(args).code, 0);
    }
    std::thread::sleep(Duration::from_millis(1100));
    Seen::of(&house, &["token"]).with(Seen::of(&house, &["token", "crm", "--account", "work"]))
}

pub fn unknown_client() -> Seen {
    let said = r#"{"error":"invalid_client","error_description":"Client not found"}"#;
    fault(|_| Fault::token(401, "application/json", said))
}

pub fn portal() -> Seen {
    fault(|_| Fault::token_html())
}

/// `token` meets this fault as often as it asks; each run in a house of its own, since a server that is in
/// trouble is left alone by the next one.
fn trouble(make: impl Fn() -> Fault) -> Seen {
    Seen::twice(&["token"], |args| {
        let house = expired();
        for _ in 0..3 {
            house.sandbox.fail_next(make());
        }
        house.run(args)
    })
}

pub fn busy() -> Seen {
    let answer = || http::Response::builder().status(429).header("Retry-After", "60").body("{}".into());
    trouble(|| Fault::TokenAnswer(Box::new(answer().unwrap())))
}

pub fn down() -> Seen {
    trouble(|| Fault::token(503, "text/html", "<html>"))
}

pub fn nonsense() -> Seen {
    fault(|_| Fault::token(200, "application/json", "null"))
}

pub fn redirect() -> Seen {
    fault(|house| Fault::TokenRedirect(house.sandbox.base()))
}

pub fn other_token_type() -> Seen {
    let house = expired();
    Seen::twice(&["token"], |args| {
        house.sandbox.fail_next(Fault::edit(|answer| {
            answer.insert("token_type".into(), json!("DPoP"));
        }));
        let ended = house.run(args);
        std::thread::sleep(Duration::from_millis(1100));
        ended
    })
    .at(&house)
}

/// The same authorization server, but the MCP server is now at another address.
pub fn moved_server() -> Seen {
    let house = House::new(Options::default());
    assert_eq!(house.login(&[]).code, 0);
    let elsewhere = fake::nobody();
    let issuer = house.sandbox.base().to_string();
    let profile = format!(
        "[profiles.chipp]\nurl = \"{elsewhere}/mcp\"\nauthorization_server = \"{}\"\n",
        issuer.trim_end_matches('/')
    );
    std::fs::write(house.home.path().join("profiles.toml"), profile).unwrap();
    Seen::of(&house, &["token"]).hide("[ELSEWHERE]", elsewhere)
}

/// A stopped process holds the lock: it is waited for, and never taken away.
pub fn held_lock() -> Seen {
    let house = expired();
    // `SLUG.lock`; those of sign-ins are `SLUG.login.lock` and `SLUG.signin.lock`.
    let locks = std::fs::read_dir(house.home.path().join("locks")).unwrap();
    let is_renewal =
        |path: &PathBuf| path.file_stem().unwrap().to_str().is_some_and(|stem| !stem.contains('.'));
    let path = locks.map(|entry| entry.unwrap().path()).find(is_renewal).unwrap();
    let mut held = File::options().write(true).open(&path).unwrap();
    held.lock().unwrap();
    held.set_len(0).unwrap();
    write!(held, "{}", std::process::id()).unwrap();
    let (args, json) = (["token"], ["token", "--json"]);
    // Both at once: each waits for 45 s.
    let started = [&args[..], &json[..]].map(|args| (args, house.command(args).spawn().unwrap()));
    let mut seen = Seen::default();
    for (args, process) in started {
        seen = seen.and(args, wait(process));
    }
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    seen.hide("[LOCK]", name).hide("process [PID]", format!("process {}", std::process::id())).at(&house)
}
