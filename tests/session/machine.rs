//! Sign-ins that need no person: found, asked for, kept and repeated by the session.

mod file;
mod others;

use std::path::PathBuf;
use std::sync::Arc;

use chipp_auth::credential::{Client, Grant};
use chipp_auth::error::Name;
use chipp_auth::oauth::discovery::Known;
use chipp_auth::proxy::{Bearer, Refused};
use chipp_auth::session::{Account, Machine, Session};
use chipp_auth::store::Store;
use serde_json::json;

use crate::endpoint::{Answer, Endpoint, error, issue, lose, status};
use crate::{account, key, record, text};

/// An MCP server with its authorization server, and an identity provider.
struct World {
    server: Endpoint,
    idp: Endpoint,
    store: Store,
    home: tempfile::TempDir,
}

/// Puts up what an authorization server publishes.
fn publish(server: &Endpoint, issuer: &str) {
    // No authorization endpoint and no word of PKCE: nobody is sent anywhere.
    let metadata = json!({"issuer": issuer, "token_endpoint": server.url.as_str()});
    server.page("/.well-known/oauth-authorization-server", Answer::of(200, metadata));
}

impl World {
    async fn new(answers: Vec<Answer>, idp: Vec<Answer>) -> World {
        let (server, idp) = (Endpoint::start(answers).await, Endpoint::start(idp).await);
        publish(&server, &server.base());
        publish(&idp, &idp.base());
        let world = World { server, idp, store: Store::memory(), home: tempfile::tempdir().unwrap() };
        world.protect(&world.server.base());
        world
    }

    /// Says whose tokens the MCP server takes.
    fn protect(&self, issuer: &str) {
        let resource = json!({
            "resource": format!("{}/mcp", self.server.base()), "authorization_servers": [issuer], "scopes_supported": ["a", "b"],
        });
        self.server.page("/.well-known/oauth-protected-resource/mcp", Answer::of(200, resource));
        self.server.page("/mcp", status(401));
    }

    fn machine(&self, grant: Grant) -> Machine {
        let url: url::Url = format!("{}/mcp", self.server.base()).parse().unwrap();
        Machine {
            known: Known { machine: true, ..Known::new(url.clone(), url.to_string()) },
            client: Client { id: "machine".into(), secret: Some("pass".into()), ..Client::default() },
            style: None,
            grant,
            scope: None,
            dpop: false,
            origins: vec!["http://127.0.0.1".into()],
        }
    }

    /// Another process, as far as can be.
    fn session(&self, machine: Machine) -> Session {
        let account = Account { machine: Some(machine), names_token_type: false, ..account(&self.home) };
        Session::new(account, self.store.clone())
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = self.home.path().join("jwt");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn workload(&self, text: &str) -> Machine {
        self.machine(Grant::JwtBearer { assertion: self.file(text) })
    }

    fn enterprise(&self) -> Machine {
        let grant = Grant::Enterprise {
            idp: self.idp.base(),
            idp_client: "at-idp".into(),
            id_token: self.file("id.token.x\n"),
        };
        let mut machine = self.machine(grant);
        machine.client.idp_secret = Some("idp-pass".into());
        machine
    }
}

fn pairs(endpoint: &Endpoint, request: usize) -> Vec<(String, String)> {
    endpoint.asked()[request].parameters.clone().into_iter().collect()
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

// found, asked for with resource and scope, and kept.
#[tokio::test]
async fn a_client_signs_itself_in_when_a_token_is_wanted() {
    let world = World::new(vec![issue(2)], vec![]).await;
    let session = world.session(world.machine(Grant::ClientCredentials));
    for _ in 0..3 {
        assert_eq!(text(session.token().await.unwrap()), "access-2");
    }
    let resource = format!("{}/mcp", world.server.base());
    let all = [("grant_type", "client_credentials"), ("resource", &resource), ("scope", "a b")];
    assert_eq!(pairs(&world.server, 0), expected(&all));
    assert_eq!(world.server.asked()[0].headers["authorization"], "Basic bWFjaGluZTpwYXNz");
    let stored = world.store.load(&key()).await.unwrap().unwrap();
    assert_eq!(
        (stored.grant.clone(), stored.issuer.clone()),
        (Grant::ClientCredentials, world.server.base())
    );
    assert!(stored.tokens.refresh.is_none(), "it would never be used");
    assert!(stored.refreshable());
}

// The next token is asked for where the record says, and nobody is asked for the way again.
#[tokio::test]
async fn a_grant_is_repeated_when_the_token_ends() {
    let world = World::new(vec![issue(2), issue(3), issue(4)], vec![]).await;
    let session = world.session(world.machine(Grant::ClientCredentials));
    session.token().await.unwrap();
    let read = world.server.read();
    let mut stored = world.store.load(&key()).await.unwrap().unwrap();
    stored.tokens.received_at_ms -= 60_000;
    world.store.save(&key(), &stored).await.unwrap();
    let other = world.session(world.machine(Grant::ClientCredentials));
    assert_eq!(text(other.token().await.unwrap()), "access-3");
    assert_eq!(world.server.all("grant_type"), ["client_credentials"; 2]);
    assert_eq!(world.server.all("scope"), ["a b"; 2]);
    assert_eq!(world.server.read(), read);
    assert_eq!(world.store.load(&key()).await.unwrap().unwrap().generation, 2);
    // A process that was told nothing but the target goes by the record.
    let mut stored = world.store.load(&key()).await.unwrap().unwrap();
    stored.tokens.received_at_ms -= 60_000;
    world.store.save(&key(), &stored).await.unwrap();
    let told_nothing =
        Session::new(Account { names_token_type: false, ..account(&world.home) }, world.store.clone());
    assert_eq!(text(told_nothing.token().await.unwrap()), "access-4");
    assert!(told_nothing.needs_no_person());
}

// A changed secret is in the command line first.
#[tokio::test]
async fn what_the_process_was_told_is_newer_than_the_record() {
    let world = World::new(vec![issue(2), issue(3)], vec![]).await;
    world.session(world.machine(Grant::ClientCredentials)).token().await.unwrap();
    let mut stored = world.store.load(&key()).await.unwrap().unwrap();
    stored.tokens.received_at_ms -= 60_000;
    world.store.save(&key(), &stored).await.unwrap();
    let mut machine = world.machine(Grant::ClientCredentials);
    machine.client.secret = Some("newer".into());
    world.session(machine).token().await.unwrap();
    assert_eq!(world.server.asked()[1].headers["authorization"], "Basic bWFjaGluZTpuZXdlcg==");
}

// A-46 for machines: another token without a refresh token; A-22: whose tokens they are is asked anew.
#[tokio::test]
async fn a_refused_token_is_replaced_by_another() {
    let world = World::new(vec![issue(2), issue(3)], vec![]).await;
    let session = world.session(world.machine(Grant::ClientCredentials));
    let used = session.token().await.unwrap();
    let read = world.server.read();
    let refused = Refused { used: Some(used), ..Refused::default() };
    assert_eq!(text(session.unauthorized(refused).await.unwrap()), "access-3");
    assert!(world.server.read() > read);
}

// the client's secret is not for another authorization server.
#[tokio::test]
async fn a_server_that_has_changed_hands_gets_no_secret() {
    let world = World::new(vec![issue(2)], vec![]).await;
    let session = world.session(world.machine(Grant::ClientCredentials));
    let used = session.token().await.unwrap();
    world.protect(&world.idp.base());
    let failure = session.another(used).await.unwrap_err();
    assert_eq!(failure.name(), Name::IssuerMismatch);
    assert_eq!((world.server.requests(), world.idp.requests()), (1, 0));
}

// what the server says is final for this JWT: no second attempt, no other grant, no browser.
#[tokio::test]
async fn a_refused_grant_is_neither_repeated_nor_replaced() {
    for (code, name) in [
        ("invalid_grant", Name::LoginDenied),
        ("invalid_scope", Name::ClientRejected),
        ("unauthorized_client", Name::ClientRejected),
        ("interaction_required", Name::LoginDenied),
    ] {
        let world = World::new(vec![error(400, code)], vec![]).await;
        let session = world.session(world.workload("h.p.s"));
        for _ in 0..3 {
            assert_eq!(session.bearer().await.unwrap_err().name(), name, "{code}");
        }
        let failure = session.token().await.unwrap_err();
        assert!(failure.what().contains(code), "{failure}");
        assert_eq!(world.server.requests(), 1, "{code}");
        assert!(world.store.load(&key()).await.unwrap().is_none());
        assert!(session.needs_no_person());
        assert_eq!(session.refused_again().name(), Name::LoginDenied);
    }
}

// Somebody who says so is obeyed at once.
#[tokio::test]
async fn a_sign_in_that_is_asked_for_is_tried_whatever_was_refused_before() {
    let world = World::new(vec![error(400, "invalid_grant"), issue(2), issue(3)], vec![]).await;
    let session = world.session(world.workload("h.p.s"));
    session.token().await.unwrap_err();
    assert_eq!(text(session.sign_in_alone().await.unwrap().tokens.access), "access-2");
    let used = session.token().await.unwrap();
    // And what was refused before is forgotten.
    assert_eq!(text(session.another(used).await.unwrap()), "access-3");
}

// X-02, whole: the ID token to the identity provider alone, the assertion to the authorization server alone.
#[tokio::test]
async fn an_enterprise_grant_goes_over_the_identity_provider() {
    let id_jag = json!({
        "access_token": "id.jag.x", "token_type": "N_A", "issued_token_type": "urn:ietf:params:oauth:token-type:id-jag",
    });
    let world = World::new(vec![issue(2)], vec![Answer::of(200, id_jag)]).await;
    let session = world.session(world.enterprise());
    assert_eq!(text(session.token().await.unwrap()), "access-2");
    let resource = format!("{}/mcp", world.server.base());
    let issuer = world.server.base();
    let exchange = [
        ("audience", issuer.as_str()),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"),
        ("resource", &resource),
        ("scope", "a b"),
        ("subject_token", "id.token.x"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    ];
    assert_eq!(pairs(&world.idp, 0), expected(&exchange));
    assert_eq!(world.idp.asked()[0].headers["authorization"], "Basic YXQtaWRwOmlkcC1wYXNz");
    let grant = [
        ("assertion", "id.jag.x"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("resource", &resource),
        ("scope", "a b"),
    ];
    assert_eq!(pairs(&world.server, 0), expected(&grant));
    assert_eq!(world.server.asked()[0].headers["authorization"], "Basic bWFjaGluZTpwYXNz");
}

#[tokio::test]
async fn an_identity_provider_that_says_no_ends_it_there() {
    let wrong = json!({"access_token": "x", "token_type": "N_A", "issued_token_type": "urn:x"});
    for (answer, name, says) in [
        (error(400, "invalid_grant"), Name::LoginDenied, "ID token"),
        (error(401, "invalid_client"), Name::ClientRejected, "identity provider"),
        (Answer::of(200, wrong), Name::WrongTokenType, "ID-JAG"),
    ] {
        let world = World::new(vec![], vec![answer]).await;
        let session = world.session(world.enterprise());
        for _ in 0..2 {
            let failure = session.token().await.unwrap_err();
            assert_eq!(failure.name(), name);
            assert!(failure.what().contains(says), "{failure}");
        }
        assert_eq!((world.idp.requests(), world.server.requests()), (1, 0));
    }
}

// Nothing is spent by asking, but a server in trouble is not asked without an end.
#[tokio::test]
async fn a_lost_connection_is_tried_again() {
    let world = World::new(vec![lose(), issue(2)], vec![]).await;
    let session = world.session(world.machine(Grant::ClientCredentials));
    assert_eq!(text(session.token().await.unwrap()), "access-2");
}

// Finding 3 for machines: many processes that share a store are one client.
#[tokio::test]
async fn twenty_processes_sign_in_once() {
    let world = Arc::new(World::new(vec![issue(2)], vec![]).await);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let session = world.session(world.machine(Grant::ClientCredentials));
            tokio::spawn(async move { session.token().await })
        })
        .collect();
    for call in calls {
        assert_eq!(text(call.await.unwrap().unwrap()), "access-2");
    }
    assert_eq!(world.server.requests(), 1);
}
