//! An MCP server and its authorization server, as documents to begin a test with.

use chipp_auth::error::{Name, Result};
use chipp_auth::oauth::Provider;
use chipp_auth::oauth::discovery::{Known, discover};
use serde_json::{Value, json};

use crate::server::{Page, Server};

/// Where an MCP endpoint describes itself (RFC 9728), without its path.
pub const RESOURCE: &str = "/.well-known/oauth-protected-resource";
/// Where that of `/a/mcp` does.
pub const RESOURCE_A: &str = "/.well-known/oauth-protected-resource/a/mcp";
/// Where an issuer without a path describes itself (RFC 8414), and where OpenID Connect has it.
pub const METADATA: &str = "/.well-known/oauth-authorization-server";
pub const OPENID: &str = "/.well-known/openid-configuration";

/// An MCP server at `/a/mcp` whose authorization server has the issuer `BASE + path`.
pub async fn server(path: &str) -> Server {
    let server = Server::start().await;
    let issuer = format!("{}{path}", server.base);
    server.page("/a/mcp", Page::empty(405));
    server.page(RESOURCE_A, Page::json(&resource(&server, &issuer)));
    server.page(&format!("{METADATA}{path}"), Page::json(&metadata(&issuer)));
    server
}

pub fn resource(server: &Server, issuer: &str) -> Value {
    let resource = format!("{}/a/mcp", server.base);
    json!({"resource": resource, "authorization_servers": [issuer], "scopes_supported": ["r", "w"]})
}

pub fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

/// A 401 with this challenge.
pub fn unauthorized(challenge: &str) -> Page {
    Page { headers: vec![("www-authenticate", challenge.to_owned())], ..Page::empty(401) }
}

/// The endpoint at this path, and nothing else.
pub fn known(server: &Server, path: &str) -> Known {
    let url = server.url(path);
    Known::new(url.clone(), url.to_string())
}

pub async fn find(server: &Server) -> Result<Provider> {
    discover(&known(server, "/a/mcp")).await
}

pub async fn fails(server: &Server) -> Name {
    find(server).await.expect_err("refused").name()
}
