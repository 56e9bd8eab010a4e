//! Signs in where no person is needed: discovers, asks, keeps. The same again is how more
//! tokens are had; a refresh token plays no part.

use super::asking::{self, Request};
use super::renewal::{Need, renewed};
use super::{Inner, Session};
use crate::credential::{Client, Credential, Grant, TokenStyle, now};
use crate::error::{Error, Name, Result, clean};
use crate::oauth::discovery::{Known, discover};
use crate::oauth::wire::{self, Cause, Endpoint, Refusal};
use crate::oauth::{assertion, dpop, machine};

/// Seconds during which a grant that the server refused is not presented again.
const REST: u64 = 60;

/// How to sign in without a person.
#[derive(Debug, Clone)]
pub struct Machine {
    /// What is known of the server.
    pub known: Known,
    /// The client; its style counts for nothing here.
    pub client: Client,
    /// How the client talks to the token endpoint, where that is stated; otherwise as the metadata says.
    pub style: Option<TokenStyle>,
    /// The grant: one that [is repeatable](Grant::is_repeatable).
    pub grant: Grant,
    /// The scope to ask for; otherwise what the server names.
    pub scope: Option<String>,
    /// Whether to bind the tokens to a key (RFC 9449).
    pub dpop: bool,
    /// The origins that may receive the tokens (I7).
    pub origins: Vec<String>,
}

impl Session {
    /// Whether this session gets its tokens without a person. Then no sign-in in a browser helps, whatever
    /// the server says.
    pub fn needs_no_person(&self) -> bool {
        self.0.account.machine.is_some() || self.0.cached().is_some_and(|c| c.grant.is_repeatable())
    }

    /// What a server means that refuses a token it has just been given another one for: the tokens are not
    /// the trouble.
    pub fn refused_again(&self) -> Error {
        let inner = &self.0;
        let what = format!("{} does not accept new tokens of this sign-in either", inner.account.name);
        inner.mark(if self.needs_no_person() {
            Error::new(Name::LoginDenied, what)
                .hinted("ask the operator of the server what this client is allowed; check `--scope` and `--resource`")
        } else {
            Error::new(Name::LoginRequired, what)
        })
    }

    /// Signs in without a person, now, in the place of any older sign-in.
    ///
    /// # Errors
    /// `usage` if the account is one of a person. `login-denied` if the server refuses the grant,
    /// `client-rejected` if it refuses the client or the request; `config-bad` for files that cannot be
    /// used; those of discovery, of the network and of the store.
    pub async fn sign_in_alone(&self) -> Result<Credential> {
        let inner = &self.0;
        let Some(machine) = &inner.account.machine else {
            return Err(inner.mark(Error::new(Name::Usage, "this sign-in needs a person")));
        };
        let _flight = inner.flight.lock().await;
        let _lock = inner.lock().await?;
        // Damage in the old record is no reason to refuse a new one.
        let old = inner.store.load(&inner.account.key).await.ok().flatten();
        // Whoever says so may change the issuer as well: only the count goes on.
        let generation = old.map_or(0, |old| old.generation);
        let signed_in = match obtain(inner, machine, None).await {
            Ok(credential) => keep(inner, credential, generation).await,
            Err(error) => Err(error),
        };
        signed_in.map_err(|error| inner.mark(error))
    }
}

/// Signs in where no record is yet.
pub(super) async fn first(inner: &Inner, machine: &Machine) -> Result<Credential> {
    match inner.refused() {
        Some(error) => Err(error),
        None => keep(inner, obtain(inner, machine, None).await?, 0).await,
    }
}

/// More tokens for a record.
pub(super) async fn again(inner: &Inner, need: &Need, stored: Credential) -> Result<Credential> {
    if let Some(error) = inner.refused() {
        return Err(error);
    }
    let machine = inner.account.machine.as_ref();
    if let (Need::Other(_), Some(machine)) = (need, machine) {
        // The server may have changed hands: who issues its tokens is asked anew.
        let issuer = Some(stored.issuer.as_str());
        return keep(inner, obtain(inner, machine, issuer).await?, stored.generation).await;
    }
    // What was stated at the start of this process is newer than the record.
    let stated = machine.filter(|machine| machine.client.id == stored.client.id);
    let client = match stated {
        Some(Machine { client, .. }) => Client {
            style: stored.client.style,
            algorithm: stored.client.algorithm.clone(),
            ..client.clone()
        },
        None => stored.client.clone(),
    };
    let stored = Credential { client, ..stored };
    let key = inner.key(&stored)?;
    let reach = inner.reach(&stored);
    let request = Request::of(&stored, key.as_ref(), &reach);
    match asking::ask(inner, &request, need.tolerates(&stored)).await {
        Ok(issued) => renewed(inner, stored, issued).await,
        Err(refusal) => Err(refused(inner, &request, refusal)),
    }
}

/// Finds the authorization server and asks it. `issuer`: which one the client belongs to, if that is known.
/// The caller holds the locks.
async fn obtain(inner: &Inner, machine: &Machine, issuer: Option<&str>) -> Result<Credential> {
    let known = Known { preferred: issuer.map(str::to_owned), ..machine.known.clone() };
    let provider = discover(&known).await?;
    if let Some(old) = issuer.filter(|old| *old != provider.issuer) {
        // The client is registered with the old one: its id and secret are not for others.
        let what = format!(
            "{} wants tokens of another issuer, {}, not of {}",
            inner.account.name,
            clean(&provider.issuer),
            clean(old)
        );
        return Err(Error::new(Name::IssuerMismatch, what)
            .hinted("ask the operator of the server; then run `chipp-auth login{target}` for the new one"));
    }
    let style = || machine::style(provider.auth_methods.as_deref(), machine.client.secret.is_some());
    let algorithm = machine.client.key.as_ref();
    let algorithm = algorithm.and_then(|key| assertion::algorithm(key, &provider.signing_algorithms));
    let style = machine.style.unwrap_or_else(style);
    let client = Client { style, algorithm, ..machine.client.clone() };
    let pem = machine.dpop.then(dpop::Key::generate).transpose()?;
    let key = pem.as_ref().map(dpop::Key::from_pem).transpose()?;
    let resource = provider.resource;
    let scope = machine.scope.clone().or(provider.scope);
    let request = Request {
        endpoint: Endpoint {
            url: &provider.endpoints.token,
            issuer: &provider.issuer,
            client: &client,
            resource: resource.as_deref(),
            reach: &provider.reach,
            dpop: key.as_ref(),
        },
        grant: &machine.grant,
        refresh: None,
        scope: scope.as_deref(),
    };
    let issued =
        asking::ask(inner, &request, false).await.map_err(|refusal| refused(inner, &request, refusal))?;
    wire::check_type(issued.token_type.as_deref(), inner.types(machine.dpop))?;
    let mut tokens = wire::tokens(issued, None);
    // Nothing would ever use it, so it is better not kept (RFC 6749 section 4.4.3).
    tokens.refresh = None;
    Ok(Credential {
        issuer: provider.issuer,
        resource,
        origins: machine.origins.clone(),
        token_endpoint: provider.endpoints.token,
        revocation_endpoint: provider.endpoints.revocation,
        client,
        grant: machine.grant.clone(),
        dpop_key: pem,
        requested_scope: scope,
        identity: None,
        subject: None,
        instance: None,
        tokens,
        generation: 1,
        signed_in_at: now(),
        refused_at: None,
        client_refused_at: None,
    })
}

/// Keeps a new record in the place of one of the given generation.
async fn keep(inner: &Inner, credential: Credential, generation: u64) -> Result<Credential> {
    let credential = Credential { generation: generation.saturating_add(1), ..credential };
    inner.refusal(None);
    inner.store.save(&inner.account.key, &credential).await?;
    inner.keep(Some(credential.clone()));
    Ok(credential)
}

/// Names a refusal, and remembers it where asking again would only be the same again: what a server says of
/// a grant is final, and no other grant is tried.
fn refused(inner: &Inner, request: &Request<'_>, refusal: Refusal) -> Error {
    let name = &inner.account.name;
    let error = match (refusal.cause, request.grant) {
        (Cause::InvalidGrant, Grant::JwtBearer { assertion }) => {
            let what = format!("{name} does not accept the JWT in {}: {}", assertion.display(), refusal.said);
            let issuer = clean(request.endpoint.issuer);
            Error::new(Name::LoginDenied, what)
                .hinted(format!("have a fresh JWT for the audience {issuer} written into that file"))
        }
        // Not `login-required`: no person can mend it here.
        _ if matches!(refusal.error.name(), Name::LoginRequired) => {
            let what = format!("{name} does not give tokens to this client: {}", refusal.said);
            Error::new(Name::LoginDenied, what).hinted("ask the operator of the server to allow this grant")
        }
        _ => refusal.error,
    };
    if matches!(refusal.cause, Cause::InvalidGrant | Cause::InvalidClient | Cause::Denied | Cause::Failed)
        && !error.name().row().retryable
    {
        inner.refusal(Some((now() + REST, error.clone())));
    }
    error
}
