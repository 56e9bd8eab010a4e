//! The authorization request: PKCE S256 (RFC 7636, A-25), 256 bits of `state`, and `resource` where the
//! server knows it (RFC 8707, A-26). Without PKCE only where the profile says that the server refuses it.

use std::collections::{BTreeMap, HashSet};

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl};
use secrecy::SecretString;
use url::Url;

use super::Provider;
use crate::credential::Client;
use crate::error::{Error, Name, Result};

/// One authorization request, and what must be kept until its answer comes.
#[derive(Debug)]
pub struct Authorization {
    /// The address to open in the browser.
    pub url: Url,
    /// The `state` that its answer must carry.
    pub state: SecretString,
    /// The PKCE verifier for the token request; none for a server that refuses it.
    pub verifier: Option<PkceCodeVerifier>,
}

/// Who asks for what.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// `client_id`.
    pub client_id: &'a str,
    /// `redirect_uri`, byte for byte as registered.
    pub redirect_uri: &'a str,
    /// `scope`; the server's default without one.
    pub scope: Option<&'a str>,
    /// The thumbprint of the key that the tokens will be bound to, so that the code is too (RFC 9449
    /// section 10).
    pub jkt: Option<&'a str>,
    /// Whether the user is to be asked for his consent once more (`prompt=consent`).
    pub consent: bool,
    /// What the profile adds. It replaces nothing that is said here, but for the `prompt` of `consent`.
    pub params: Option<&'a BTreeMap<String, String>>,
    /// The account that is meant, for a server that can choose it (OpenID Connect Core section 3.1.2.1).
    pub login_hint: Option<&'a str>,
}

/// Parameters that neither a profile nor the query of the endpoint states: what the answer is bound to, and
/// request objects (RFC 9101), whose content would count in the place of everything that stands here.
const OURS: [&str; 8] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "request",
    "request_uri",
    "response_type",
    "state",
];

/// Whether something binds the code to us: PKCE, or at least the client's secret. With neither, whoever sees the
/// code has the tokens (RFC 9700 section 2.1.1).
///
/// # Errors
/// `pkce-unsupported`.
pub fn guarded(provider: &Provider, client: &Client) -> Result<()> {
    if provider.pkce || client.secret.is_some() || client.key.is_some() {
        return Ok(());
    }
    let what = "the profile leaves PKCE out, and its client has no secret that could stand in for it";
    Err(Error::new(Name::PkceUnsupported, what)
        .hinted("give the profile its client secret, or leave `pkce` out of it"))
}

/// Builds an authorization request.
///
/// # Errors
/// `internal` if the redirect URI is not a URL.
pub fn request(provider: &Provider, wanted: Wanted<'_>) -> Result<Authorization> {
    let Wanted { client_id, redirect_uri, scope, jkt, consent, params, login_hint } = wanted;
    let redirect = RedirectUrl::new(redirect_uri.to_owned())
        .map_err(|_| Error::new(Name::Internal, "the redirect URI is not a URL"))?;
    let client = BasicClient::new(ClientId::new(client_id.to_owned()))
        .set_auth_uri(AuthUrl::from_url(bare(&provider.endpoints.authorization)))
        .set_redirect_uri(redirect);
    let (challenge, verifier) = provider.pkce.then(PkceCodeChallenge::new_random_sha256).unzip();
    let mut request = client.authorize_url(|| CsrfToken::new_random_len(32));
    if let Some(challenge) = challenge {
        request = request.set_pkce_challenge(challenge);
    }
    // As one extra parameter, not word by word: `*` and unknown separators stay as they were given.
    if let Some(scope) = scope {
        request = request.add_extra_param("scope", scope.to_owned());
    }
    if let Some(resource) = &provider.resource {
        request = request.add_extra_param("resource", resource.clone());
    }
    if let Some(jkt) = jkt {
        request = request.add_extra_param("dpop_jkt", jkt.to_owned());
    }
    if consent && !params.is_some_and(|params| params.contains_key("prompt")) {
        request = request.add_extra_param("prompt", "consent");
    }
    if let Some(hint) = login_hint {
        request = request.add_extra_param("login_hint", hint.to_owned());
    }
    let (mut url, state) = request.url();
    add(&mut url, &provider.endpoints.authorization, params);
    Ok(Authorization { url, state: state.into_secret().into(), verifier })
}

/// Without its query, which is added at the end.
fn bare(endpoint: &Url) -> Url {
    let mut bare = endpoint.clone();
    bare.set_query(None);
    bare
}

/// Adds what a profile and the endpoint's own query say beyond the protocol's parameters: each name once, since
/// servers differ in which of two they take (RFC 6749 section 3.1).
fn add(url: &mut Url, endpoint: &Url, params: Option<&BTreeMap<String, String>>) {
    let mut said: HashSet<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let stated = params.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
    for (name, value) in stated.chain(endpoint.query_pairs().into_owned()) {
        if !OURS.contains(&name.as_str()) && said.insert(name.clone()) {
            url.query_pairs_mut().append_pair(&name, &value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use secrecy::ExposeSecret;

    use super::super::Endpoints;
    use super::super::tests::provider;
    use super::*;

    #[test]
    fn without_pkce_only_where_the_server_refuses_it_and_a_secret_stands_in() {
        let refusing = Provider { pkce: false, ..provider() };
        let wanted =
            Wanted { client_id: "id", redirect_uri: "http://localhost:1/callback", ..Wanted::default() };
        let made = request(&refusing, wanted).unwrap();
        assert!(made.verifier.is_none() && !made.url.as_str().contains("code_challenge"), "{}", made.url);
        let (public, secret) = (Client::default(), Client { secret: Some("s".into()), ..Client::default() });
        assert_eq!(guarded(&refusing, &public).unwrap_err().name(), Name::PkceUnsupported);
        assert!(guarded(&refusing, &secret).is_ok() && guarded(&provider(), &public).is_ok());
    }

    #[test]
    fn the_request_has_every_parameter_once() {
        let url = Url::parse("https://e.com/authorize?tenant=1").unwrap();
        let endpoints = Endpoints { authorization: url, ..provider().endpoints };
        let provider = Provider { endpoints, resource: Some("https://e.com/mcp".into()), ..provider() };
        let redirect_uri = "http://localhost:1/callback";
        let wanted = Wanted {
            client_id: "id",
            redirect_uri,
            scope: Some("*"),
            jkt: Some("print"),
            login_hint: Some("john@example.com"),
            ..Wanted::default()
        };
        let made = request(&provider, wanted).unwrap();
        let pairs: Vec<_> = made.url.query_pairs().into_owned().collect();
        let map: HashMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(pairs.len(), map.len());
        for (name, value) in [
            ("tenant", "1"),
            ("response_type", "code"),
            ("client_id", "id"),
            ("redirect_uri", "http://localhost:1/callback"),
            ("scope", "*"),
            ("resource", "https://e.com/mcp"),
            ("dpop_jkt", "print"),
            ("login_hint", "john@example.com"),
            ("code_challenge_method", "S256"),
            ("state", made.state.expose_secret()),
        ] {
            assert_eq!(map[name], value, "{name}");
        }
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(made.verifier.as_ref().unwrap());
        assert_eq!(map["code_challenge"], challenge.as_str());
        // 256 bits in base64url.
        assert!(made.state.expose_secret().len() >= 43);
    }
    #[test]
    fn what_a_profile_adds_replaces_nothing_but_our_prompt() {
        let url = "https://e.com/authorize?tenant=1&access_type=online&state=x&client_id=other&a=b%20c";
        let url = Url::parse(url).unwrap();
        let endpoints = Endpoints { authorization: url, ..provider().endpoints };
        let provider = Provider { endpoints, ..provider() };
        let params = [
            ("access_type", "offline"),
            ("prompt", "select_account consent"),
            ("scope", "less"),
            ("resource", "https://other.example"),
            ("state", "mine"),
            ("request_uri", "https://other.example/request"),
            ("response_type", "token"),
            ("code_challenge_method", "plain"),
            ("x y", "&=\u{e9}"),
        ];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let redirect_uri = "http://localhost:1/callback";
        let wanted = Wanted { client_id: "id", redirect_uri, scope: Some("all"), ..Wanted::default() };
        let pairs = |wanted| {
            let pairs: Vec<_> = request(&provider, wanted).unwrap().url.query_pairs().into_owned().collect();
            let map: HashMap<_, _> = pairs.iter().cloned().collect();
            assert_eq!(pairs.len(), map.len(), "{pairs:?}");
            map
        };
        let map = pairs(Wanted { consent: true, params: Some(&params), ..wanted });
        for (name, value) in [
            ("tenant", "1"),
            ("a", "b c"),
            ("access_type", "offline"),
            ("prompt", "select_account consent"),
            ("scope", "all"),
            ("resource", "https://other.example"),
            ("client_id", "id"),
            ("response_type", "code"),
            ("code_challenge_method", "S256"),
            ("x y", "&=\u{e9}"),
        ] {
            assert_eq!(map[name], value, "{name}");
        }
        assert!(map["state"].len() >= 43 && !map.contains_key("request_uri"));
        assert_eq!(pairs(Wanted { consent: true, ..wanted })["prompt"], "consent");
        assert!(!pairs(wanted).contains_key("prompt"));
    }
}
