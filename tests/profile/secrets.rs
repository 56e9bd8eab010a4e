//! The client secret: into its store and nowhere else, with its client, and into the sign-ins that use it.

use std::io::Write;
use std::process::{Command, Stdio};

use chipp_auth::credential::{Client, Credential, Grant, Key, TokenStyle, Tokens};
use chipp_auth::paths::Paths;
use chipp_auth::profile::file;
use chipp_auth::sandbox::Options;
use chipp_auth::store::{Kind, Settings, Store, index};
use secrecy::ExposeSecret;

use crate::house::{Ended, House, wait};
use crate::support::{require, secret_service};

const SECRET: &str = "s3:cr et/+%";
const URL: &str = "https://mcp.example.com/mcp";
const AT: &[&str] =
    &["--authorize-url", "https://as.example.com/a", "--token-url", "https://as.example.com/t"];

fn typed(mut command: Command, text: &str) -> Ended {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A program that does not want it closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    wait(child)
}

fn add(house: &House, name: &str, more: &[&str]) -> Ended {
    let args =
        [&["profile", "add", name, "--url", URL, "--client-id", "abc", "--client-secret-stdin"], AT, more]
            .concat();
    typed(house.command(&args), &format!("{SECRET}\n"))
}

fn store(house: &House) -> (Paths, Store) {
    let home = house.home.path().to_path_buf();
    let paths = Paths { config: home.clone(), data: home };
    let settings =
        Settings { kind: Kind::File, passphrase: Some("correct horse".into()), interactive: false };
    let store = Store::open(settings, &paths);
    (paths, store)
}

/// The secret of a client at a token endpoint.
fn kept(house: &House, client: &str, server: &str) -> Option<String> {
    let key = Key { server: server.into(), client: Some(client.into()), account: "(client secret)".into() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let secret = runtime.block_on(store(house).1.secret(&key)).unwrap();
    secret.map(|secret| secret.expose_secret().to_owned())
}

const SERVER: &str = "https://as.example.com/t";

#[test]
fn a_secret_goes_into_the_store_and_nowhere_else() {
    let house = House::new(Options::default());
    let ended = add(&house, "crm", &["--store", "file"]);
    ended.ok();
    assert_eq!(kept(&house, "abc", SERVER).as_deref(), Some(SECRET));
    let shown = house.run(&["profile", "show", "crm"]);
    assert!(shown.ok().contains("in the encrypted file"), "{shown:?}");
    for entry in
        std::fs::read_dir(house.home.path()).unwrap().flatten().filter(|entry| entry.path().is_file())
    {
        let text = std::fs::read(entry.path()).unwrap();
        let found = text.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!found, "{}", entry.path().display());
    }
    assert!(!format!("{ended:?}{shown:?}").contains(SECRET));
}

#[test]
fn a_profile_that_cannot_be_made_leaves_no_secret() {
    let house = House::new(Options::default());
    add(&house, "chipp", &[]).failed("usage", 2);
    add(&house, "crm", &["--auth", "bearer"]).failed("usage", 2);
    assert_eq!(kept(&house, "abc", SERVER), None);
    typed(house.command(&["profile", "add", "x", "--url", URL, "--client-secret-stdin"]), "abc")
        .failed("usage", 2);
    typed(
        house.command(&["profile", "add", "x", "--url", URL, "--client-id", "a", "--client-secret-stdin"]),
        " \n",
    )
    .failed("usage", 2);
    // The file cannot be written in the end.
    let path = file::path(house.home.path());
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(house.home.path().join("nowhere"), &path).unwrap();
    add(&house, "crm", &[]).failed("config-bad", 2);
    assert_eq!(kept(&house, "abc", SERVER), None);
}

#[test]
fn a_secret_stays_with_its_client() {
    let house = House::new(Options::default());
    add(&house, "crm", &[]).ok();
    // The same client at the same server: nothing to do.
    house.run(&["profile", "edit", "crm", "--scope", "api", "--url", "https://other.example.com/mcp"]).ok();
    assert_eq!(kept(&house, "abc", SERVER).as_deref(), Some(SECRET));
    // Another client, and another server: the secret is none of theirs, and nobody uses it any more.
    let moved = house.run(&["profile", "edit", "crm", "--client-id", "xyz"]);
    moved.ok();
    assert!(moved.stderr.contains("profile edit crm --client-secret-stdin"), "{moved:?}");
    assert_eq!((kept(&house, "xyz", SERVER), kept(&house, "abc", SERVER)), (None, None));
    let again = typed(house.command(&["profile", "edit", "crm", "--client-secret-stdin"]), "another");
    again.ok();
    house.run(&["profile", "edit", "crm", "--token-url", "https://evil.example.com/t"]).ok();
    assert_eq!(kept(&house, "xyz", "https://evil.example.com/t"), None);
}

#[test]
fn a_secret_that_another_profile_uses_stays() {
    let house = House::new(Options::default());
    add(&house, "one", &[]).ok();
    house
        .run(
            &[&["profile", "add", "two", "--url", "https://two.example.com", "--client-id", "abc"], AT]
                .concat(),
        )
        .ok();
    house.run(&["profile", "remove", "one", "--yes"]).ok();
    assert_eq!(kept(&house, "abc", SERVER).as_deref(), Some(SECRET));
    house.run(&["profile", "remove", "two", "--yes"]).ok();
    assert_eq!(kept(&house, "abc", SERVER), None);
}

#[test]
fn a_secret_can_be_taken_out_alone() {
    let house = House::new(Options::default());
    add(&house, "crm", &[]).ok();
    house.run(&["profile", "edit", "crm", "--unset", "client_secret"]).ok();
    assert_eq!(kept(&house, "abc", SERVER), None);
    assert!(file::load(house.home.path()).unwrap().contains_key("crm"));
}

/// A sign-in that waits for a new secret of its client, as after `invalid_client`.
fn signed_in() -> Credential {
    Credential {
        issuer: "https://as.example.com".into(),
        resource: None,
        origins: vec!["https://mcp.example.com".into()],
        token_endpoint: SERVER.parse().unwrap(),
        revocation_endpoint: None,
        client: Client {
            id: "abc".into(),
            secret: Some("old".into()),
            style: TokenStyle::FormBasic,
            ..Client::default()
        },
        grant: Grant::User,
        dpop_key: None,
        requested_scope: None,
        subject: None,
        identity: Some("john@example.com".into()),
        instance: None,
        tokens: Tokens {
            access: "access".into(),
            refresh: Some("refresh".into()),
            scope: None,
            expires_in: Some(3600),
            received_at_ms: 1,
            refresh_expires_at: None,
        },
        generation: 7,
        signed_in_at: 1,
        refused_at: None,
        client_refused_at: Some(5),
    }
}

#[test]
fn a_new_secret_reaches_the_sign_ins_of_its_client() {
    let house = House::new(Options::default());
    add(&house, "crm", &[]).ok();
    let (paths, store) = store(&house);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = |client: &str, account: &str| Key {
        server: format!("{URL} via {SERVER}"),
        client: Some(client.into()),
        account: account.into(),
    };
    let keys = [key("abc", "default"), key("abc", "work"), key("xyz", "default")];
    for key in &keys {
        let mut credential = signed_in();
        credential.client.id = key.client.clone().unwrap();
        runtime.block_on(store.save(key, &credential)).unwrap();
        let account = index::Account {
            server: key.server.clone(),
            client: key.client.clone(),
            account: key.account.clone(),
            target: Some("crm".into()),
            identity: None,
            provider: None,
            store: Kind::File,
            signed_in_at: 1,
        };
        index::record(&paths, &account).unwrap();
    }
    let ended =
        typed(house.command(&["profile", "edit", "crm", "--client-secret-stdin", "--json"]), "renewed\n");
    ended.ok();
    assert_eq!(ended.json()["sign_ins_with_new_secret"], 2, "{ended:?}");
    let load = |key: &Key| runtime.block_on(store.load(key)).unwrap().unwrap();
    for key in &keys[..2] {
        let credential = load(key);
        assert_eq!(credential.client.secret.as_ref().unwrap().expose_secret(), "renewed");
        assert!(credential.refreshable(), "what the old secret was refused for is forgotten");
        assert_eq!(credential.tokens.refresh.unwrap().expose_secret(), "refresh");
        assert_eq!(credential.generation, 7);
    }
    let other = load(&keys[2]);
    assert_eq!(other.client.secret.unwrap().expose_secret(), "old");
    assert_eq!(other.client_refused_at, Some(5));
}

#[test]
fn the_keychain_of_the_system_has_it() {
    if !require(secret_service::PROGRAMS) {
        return;
    }
    let service = secret_service::SecretService::start();
    let house = House::new(Options::default());
    let run = |args: &[&str], text: &str| {
        let mut command = house.command(args);
        command.env_remove("CHIPP_AUTH_STORE").env_remove("CHIPP_AUTH_PASSPHRASE");
        let env = service.env();
        command.envs(env.into_iter().filter(|(name, _)| *name != "HOME"));
        typed(command, text)
    };
    let args = [&["profile", "add", "crm", "--url", URL, "--client-id", "abc", "--client-secret-stdin"], AT]
        .concat();
    run(&args, SECRET).ok();
    let found = service.secret_tool_search();
    assert!(found.contains(SECRET) && found.contains("client=abc"), "{found}");
    assert!(run(&["profile", "show", "crm"], "").ok().contains("in the keychain"));
    assert!(file::load(house.home.path()).unwrap()["crm"].store.is_none());
    // A keychain that cannot be used: nothing is half done.
    service.lock();
    let locked = run(&["profile", "edit", "crm", "--client-secret-stdin", "--scope", "api"], "new");
    locked.failed("keychain-locked", 6);
    assert_eq!(file::load(house.home.path()).unwrap()["crm"].scope, None);
}

// The other profile would have the wrong secret from then on, and so would its sign-ins.
#[test]
fn a_new_profile_does_not_replace_the_secret_of_another_one() {
    let house = House::new(Options::default());
    add(&house, "crm", &["--store", "file"]).ok();
    add(&house, "same", &["--store", "file"]).ok();
    let args = ["profile", "add", "bad", "--url", URL, "--client-id", "abc", "--client-secret-stdin"];
    let ended = typed(house.command(&[&args, AT, &["--store", "file"]].concat()), "other\n");
    ended.failed("usage", 2);
    assert!(ended.stderr.contains("profile edit crm --client-secret-stdin"), "{ended:?}");
    assert_eq!(kept(&house, "abc", SERVER).as_deref(), Some(SECRET));
    assert!(!std::fs::read_to_string(house.home.path().join("profiles.toml")).unwrap().contains("bad"));
}
