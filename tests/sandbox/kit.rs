//! A client by hand: what a browser, an OAuth client and an MCP client do, one request at a time.

use std::collections::HashMap;
use std::time::Duration;

use chipp_auth::sandbox::{Consent, Options, Sandbox};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use url::Url;

/// The verifier of RFC 7636 appendix B and its challenge.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT: &str = "http://localhost:4711/callback";
pub(crate) const MCP: &str = "/mcp/messages";

pub(crate) struct Kit {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The query of the `Location`.
    pub(crate) fn callback(&self) -> HashMap<String, String> {
        Url::parse(self.header("location")).unwrap().query_pairs().into_owned().collect()
    }
}

pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

pub(crate) fn headless() -> Options {
    Options { auto_consent: Some(Consent::Authorize), ..Options::default() }
}

impl Kit {
    pub(crate) fn new(options: Options) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        Kit { sandbox: Sandbox::start(options).unwrap(), http }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Seen {
        self.try_send(request).await.unwrap()
    }

    pub(crate) async fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Seen> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Seen { status, headers, text: response.text().await? })
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.send(self.http.get(self.sandbox.at(path))).await
    }

    /// A good authorization request with some parameters replaced; an empty one is left out.
    pub(crate) async fn authorize(&self, changes: &[(&str, &str)]) -> Seen {
        let mut all = HashMap::from([
            ("client_id", "chipp-mcp-client"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "*"),
            ("state", "opaque-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        all.extend(changes.iter().copied());
        let mut url = self.sandbox.at("/api/mcp/oauth/authorize");
        url.query_pairs_mut().extend_pairs(all.into_iter().filter(|(_, value)| !value.is_empty()));
        self.send(self.http.get(url)).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Seen {
        self.send(self.json_request(path, body)).await
    }

    pub(crate) fn json_request(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.http.post(self.sandbox.at(path)).header("content-type", "application/json");
        request.body(body.to_string())
    }

    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)], basic: Option<&str>) -> Seen {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = self
            .http
            .post(self.sandbox.at(path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        if let Some(basic) = basic {
            request = request.header("authorization", basic);
        }
        self.send(request).await
    }

    pub(crate) async fn token(&self, body: &Value) -> Seen {
        self.post_json("/api/mcp/oauth/token", body).await
    }

    /// A code, by a sandbox that consents at once.
    pub(crate) async fn code(&self, scope: &str) -> String {
        self.authorize(&[("scope", scope)]).await.callback()["code"].clone()
    }

    pub(crate) async fn sign_in(&self, scope: &str) -> Pair {
        let code = self.code(scope).await;
        pair(&self.token(&exchange(&code)).await)
    }

    pub(crate) async fn refresh(&self, refresh: &str) -> Seen {
        self.token(&refreshing(refresh)).await
    }

    /// A POST to the MCP endpoint at `path`, with an optional token and extra headers.
    pub(crate) fn mcp_request(&self, path: &str, token: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.json_request(path, body).header("accept", "application/json, text/event-stream");
        if token.is_empty() { request } else { request.header("authorization", format!("Bearer {token}")) }
    }

    /// Opens a session of a version; returns its id.
    pub(crate) async fn open(&self, token: &str, version: &str) -> String {
        let seen = self.send(self.mcp_request(MCP, token, &initialize(version))).await;
        assert_eq!(seen.status, 200, "{}", seen.text);
        seen.header("mcp-session-id").to_owned()
    }

    /// A request within a session of 2025-11-25.
    pub(crate) async fn rpc(&self, token: &str, session: &str, body: &Value) -> Seen {
        let request = self.mcp_request(MCP, token, body);
        self.send(request.header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25"))
            .await
    }
}

pub(crate) fn exchange(code: &str) -> Value {
    json!({
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "client_id": "chipp-mcp-client",
        "code_verifier": VERIFIER,
    })
}

pub(crate) fn refreshing(refresh: &str) -> Value {
    json!({"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "chipp-mcp-client"})
}

pub(crate) fn pair(seen: &Seen) -> Pair {
    assert_eq!(seen.status, 200, "{}", seen.text);
    let text = |name: &str| seen.json()[name].as_str().unwrap().to_owned();
    Pair { access: text("access_token"), refresh: text("refresh_token") }
}

pub(crate) fn initialize(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "kit", "version": "0"},
    }})
}

pub(crate) fn call(id: u32, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}
