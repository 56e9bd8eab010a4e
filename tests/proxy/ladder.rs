//! A source of tokens that climbs: `token-0` at first, the next one after each refusal. It writes down what it
//! was asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chipp_auth::error::{Error, Name, Result};
use chipp_auth::proxy::{Access, Bearer, Challenge, Limits, Proof, Refused, StepUp};
use http::{HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::host::Host;
use super::server::Server;

#[derive(Default)]
pub struct Ladder {
    pub step: AtomicUsize,
    /// Nobody is signed in at first.
    pub signed_out: bool,
    /// What `insufficient` answers instead of the next token.
    pub ask: Option<&'static str>,
    /// How long `insufficient` waits for a person.
    pub slow: Duration,
    pub key: Option<Arc<Key>>,
    /// One entry for each call of `unauthorized`: the token that was used, and whether again.
    pub refused: Mutex<Vec<(String, bool)>>,
    /// The same for `insufficient`, with the scopes.
    pub lacked: Mutex<Vec<(String, Vec<String>)>>,
    pub accepted: AtomicUsize,
}

pub struct Climbing(pub Arc<Ladder>);

impl Ladder {
    pub fn host(self, server: &Server) -> (Host, Arc<Ladder>) {
        let ladder = Arc::new(self);
        (Host::over(server.url.clone(), Limits::default(), Climbing(Arc::clone(&ladder))), ladder)
    }

    /// A host with an open session.
    pub async fn ready(self, server: &Server) -> (Host, Arc<Ladder>) {
        let (mut host, ladder) = self.host(server);
        host.greet().await;
        (host, ladder)
    }

    fn access(&self) -> Access {
        let token = SecretString::from(format!("token-{}", self.step.load(Ordering::SeqCst)));
        Access { token, proof: self.key.clone().map(|key| key as Arc<dyn Proof>) }
    }

    fn next(&self) -> Access {
        self.step.fetch_add(1, Ordering::SeqCst);
        self.access()
    }

    pub fn refusals(&self) -> Vec<(String, bool)> {
        self.refused.lock().unwrap().clone()
    }

    pub fn lacks(&self) -> Vec<(String, Vec<String>)> {
        self.lacked.lock().unwrap().clone()
    }
}

fn text(used: Option<&SecretString>) -> String {
    used.map(|used| used.expose_secret().to_owned()).unwrap_or_default()
}

impl Bearer for Climbing {
    async fn bearer(&self) -> Result<Option<Access>> {
        let nobody = self.0.signed_out && self.0.step.load(Ordering::SeqCst) == 0;
        Ok((!nobody).then(|| self.0.access()))
    }

    async fn unauthorized(&self, refused: Refused) -> Result<Access> {
        self.0.refused.lock().unwrap().push((text(refused.used.as_ref()), refused.again));
        Ok(self.0.next())
    }

    async fn insufficient(&self, used: Option<SecretString>, challenge: Challenge) -> Result<StepUp> {
        let scopes = challenge.missing_scopes().expect("asked without need");
        self.0.lacked.lock().unwrap().push((text(used.as_ref()), scopes));
        tokio::time::sleep(self.0.slow).await;
        match self.0.ask {
            Some("") => Err(Error::new(Name::ScopeRequired, "of no use")),
            Some(scope) => Ok(StepUp::Ask(scope.to_owned())),
            None => Ok(StepUp::Use(self.0.next())),
        }
    }

    fn accepted(&self) {
        self.0.accepted.fetch_add(1, Ordering::SeqCst);
    }
}

/// A key whose proofs can be read: `number method url token nonce`, with `-` for what is missing.
#[derive(Debug, Default)]
pub struct Key {
    pub made: AtomicUsize,
    pub nonce: Mutex<Option<String>>,
    pub learned: Mutex<Vec<String>>,
}

impl Proof for Key {
    fn header(&self, method: &Method, url: &Url, token: &SecretString) -> Result<HeaderValue> {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        let nonce = self.nonce.lock().unwrap().clone().unwrap_or_else(|| "-".to_owned());
        let value = format!("{number} {method} {url} {} {nonce}", token.expose_secret());
        Ok(value.parse().unwrap())
    }

    fn learn(&self, url: &Url, nonce: &HeaderValue) {
        self.learned.lock().unwrap().push(url.to_string());
        *self.nonce.lock().unwrap() = Some(nonce.to_str().unwrap().to_owned());
    }
}
