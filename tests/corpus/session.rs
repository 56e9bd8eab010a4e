//! The corpus of token answers by a real session: after each of them the stored refresh token is the old
//! one, or the one that the server rotated to, and never neither (I1; rows 77 to 108).

use std::sync::Arc;
use std::time::Duration;

use chipp_auth::credential::{Credential, Grant, Key, Tokens, now, now_ms};
use chipp_auth::oauth::answer::{Answer, Cause, Refusal};
use chipp_auth::session::{Account, Session};
use chipp_auth::store::Store;
use futures_util::stream::{self, StreamExt};
use secrecy::ExposeSecret;
use url::Url;

use crate::server::{Server, http};
use crate::tokens::{Case, cases};
use crate::wire::{ABREAST, STYLES, client};

const OLD: &str = "old-refresh-token";
/// A session waits and asks again where the server is in trouble, so this is longer than one request.
const LIMIT: Duration = Duration::from_secs(120);

fn key() -> Key {
    Key { server: "http://127.0.0.1".into(), client: None, account: "default".into() }
}

/// A record whose access token has ended a minute ago.
fn ended(endpoint: Url, index: usize) -> Credential {
    Credential {
        issuer: "http://127.0.0.1".into(),
        resource: None,
        origins: vec!["http://127.0.0.1".into()],
        token_endpoint: endpoint,
        revocation_endpoint: None,
        client: client(STYLES[index % STYLES.len()]),
        grant: Grant::User,
        dpop_key: None,
        requested_scope: None,
        identity: None,
        subject: None,
        instance: None,
        tokens: Tokens {
            access: "old-access-token".into(),
            refresh: Some(OLD.into()),
            scope: None,
            expires_in: Some(10),
            received_at_ms: now_ms() - 70_000,
            refresh_expires_at: None,
        },
        generation: 1,
        signed_in_at: now(),
        refused_at: None,
        client_refused_at: None,
    }
}

fn session(store: &Store, home: &tempfile::TempDir) -> Session {
    let account = Account {
        key: key(),
        lock: Some(home.path().join("lock")),
        origin: "http://127.0.0.1".into(),
        named: vec![key().server],
        hosts: None,
        token_types: Vec::new(),
        typed: None,
        name: "chipp".into(),
        provider: None,
        no_refresh: None,
        refresh_lifetime: None,
        names_token_type: false,
        machine: None,
    };
    Session::new(account, store.clone())
}

/// What must be stored afterwards, by the pure reader.
fn expected(case: &Case) -> String {
    let rotated = match case.judge() {
        Answer::Issued(issued) => issued.refresh,
        Answer::Refused(refusal) => refusal.salvaged,
    };
    let rotated = rotated.map(|token| token.expose_secret().to_owned());
    if let Some(certain) = case.rotated() {
        assert_eq!(rotated.as_ref(), Some(&certain), "{}", case.name);
    }
    rotated.unwrap_or_else(|| OLD.to_owned())
}

#[tokio::test]
async fn no_malformed_answer_costs_the_stored_refresh_token() {
    let cases = Arc::new(cases());
    let answers = Arc::clone(&cases);
    let server = Server::start(move |request| {
        let case = &answers[request.path()[1..].parse::<usize>().unwrap()];
        http(case.status, "", &case.body)
    })
    .await;
    let all = stream::iter(0..cases.len()).map(|index| {
        let (server, case) = (&server, &cases[index]);
        async move {
            let (store, home) = (Store::memory(), tempfile::tempdir().unwrap());
            store.save(&key(), &ended(server.url(&format!("/{index}")), index)).await.unwrap();
            let session = session(&store, &home);
            let outcome = tokio::time::timeout(LIMIT, session.token()).await;
            let outcome = outcome.unwrap_or_else(|_| panic!("{} hangs", case.name));
            let stored = store.load(&key()).await.unwrap().expect("nothing is deleted");
            let refresh = stored.tokens.refresh.as_ref().expect("nothing is emptied").expose_secret();
            assert_eq!(refresh, expected(case), "{}", case.name);
            judged(case, &stored, outcome.is_ok());
        }
    });
    assert!(all.buffer_unordered(4 * ABREAST).count().await > 500);
}

/// Only tokens make a success, and only `invalid_grant` marks the record.
fn judged(case: &Case, stored: &Credential, succeeded: bool) {
    let dead = match case.judge() {
        Answer::Issued(issued) => {
            let bearer =
                issued.token_type.as_deref().is_none_or(|found| found.eq_ignore_ascii_case("bearer"));
            assert_eq!(succeeded, bearer, "{}", case.name);
            assert_eq!(stored.tokens.access.expose_secret(), issued.access.expose_secret(), "{}", case.name);
            false
        }
        Answer::Refused(Refusal { cause, .. }) => {
            assert!(!succeeded, "{}", case.name);
            assert_eq!(stored.tokens.access.expose_secret(), "old-access-token", "{}", case.name);
            cause == Cause::InvalidGrant
        }
    };
    assert_eq!(stored.refused_at.is_some(), dead, "{}", case.name);
}
