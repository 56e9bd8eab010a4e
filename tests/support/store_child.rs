//! A process with a store, driven by lines: `load a`, `save a 3`, `forget a`, `inspect a`, where `a` is an
//! account. Answers: `generation 3`, `absent`, `saved`, `true`, `Sound`, or `error NAME WHAT`.

use std::path::PathBuf;

use chipp_auth::credential::{Client, Credential, Grant, Key, TokenStyle, Tokens};
use chipp_auth::error::Result;
use chipp_auth::paths::Paths;
use chipp_auth::store::{Kind, Settings, Store};

use super::{Child, say};

/// A key that differs from others by its account only.
pub fn key(account: &str) -> Key {
    Key { server: "https://app.chipp.ai".into(), client: None, account: account.into() }
}

/// A record whose tokens name its generation.
pub fn credential(generation: u64) -> Credential {
    Credential {
        issuer: "https://app.chipp.ai".into(),
        resource: None,
        origins: vec!["https://mcp.chipp.ai".into()],
        token_endpoint: "https://app.chipp.ai/token".parse().expect("a URL"),
        revocation_endpoint: None,
        client: Client { id: "chipp-mcp-client".into(), style: TokenStyle::Json, ..Client::default() },
        grant: Grant::User,
        dpop_key: None,
        requested_scope: Some("*".into()),
        identity: None,
        subject: None,
        instance: None,
        tokens: Tokens {
            access: format!("chipp_at_{generation}").into(),
            refresh: Some(format!("chipp_rt_{generation}").into()),
            scope: None,
            expires_in: Some(3600),
            received_at_ms: 1_000_000_000,
            refresh_expires_at: None,
        },
        generation,
        signed_in_at: 1_000_000,
        refused_at: None,
        client_refused_at: None,
    }
}

/// Directories below `home`.
pub fn paths(home: &std::path::Path) -> Paths {
    Paths { config: home.join("config"), data: home.join("data") }
}

/// Starts the child `role` with a keychain, or with the file store if there is a passphrase.
pub fn start(role: &str, home: &std::path::Path, passphrase: Option<&str>, env: &[(&str, PathBuf)]) -> Child {
    let mut env = env.to_vec();
    env.push(("STORE_HOME", home.into()));
    env.extend(passphrase.map(|passphrase| ("STORE_PASSPHRASE", passphrase.into())));
    Child::start(role, &env)
}

/// The child's side: answers until its input ends.
pub fn serve() {
    let home = PathBuf::from(std::env::var_os("STORE_HOME").expect("given"));
    let passphrase = std::env::var("STORE_PASSPHRASE").ok();
    let settings = Settings {
        kind: if passphrase.is_some() { Kind::File } else { Kind::Keychain },
        passphrase: passphrase.map(Into::into),
        interactive: false,
    };
    let store = Store::open(settings, &paths(&home));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for line in std::io::stdin().lines().map_while(std::result::Result::ok) {
        let words: Vec<_> = line.split(' ').collect();
        match runtime.block_on(answer(&store, &words)) {
            Ok(answer) => say(answer),
            Err(error) => say(format!("error {} {}", error.name(), error.what())),
        }
    }
    runtime.shutdown_background();
}

async fn answer(store: &Store, words: &[&str]) -> Result<String> {
    Ok(match words {
        ["load", account] => match store.load(&key(account)).await? {
            Some(found) => format!("generation {}", found.generation),
            None => "absent".into(),
        },
        ["save", account, generation] => {
            let generation = generation.parse().expect("a number");
            store.save(&key(account), &credential(generation)).await?;
            "saved".into()
        }
        ["forget", account] => store.forget(&key(account)).await?.to_string(),
        ["inspect", account] => format!("{:?}", store.inspect(&key(account)).await?),
        _ => panic!("what is {words:?}"),
    })
}
