//! Metadata documents: RFC 8414 for the authorization server, RFC 9728 for the MCP endpoints.

use serde_json::{Value, json};

use super::areas::Area;
use super::client::ClientAuth;
use super::options::Options;
use super::scope;

/// RFC 8414, with RFC 9207's promise of `iss`.
pub(super) fn authorization_server(base: &str, options: &Options) -> Value {
    let confidential =
        options.registration || options.clients.iter().any(|client| !matches!(client.auth, ClientAuth::None));
    let methods: &[&str] =
        if confidential { &["none", "client_secret_basic", "client_secret_post"] } else { &["none"] };
    let mut document = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/api/mcp/oauth/authorize"),
        "token_endpoint": format!("{base}/api/mcp/oauth/token"),
        "revocation_endpoint": format!("{base}/api/mcp/oauth/revoke"),
        "scopes_supported": scope::supported(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
    });
    if options.issuer_in_response {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    }
    if options.client_documents {
        document["client_id_metadata_document_supported"] = json!(true);
    }
    if options.device {
        document["device_authorization_endpoint"] = json!(format!("{base}/api/mcp/oauth/device"));
    }
    if options.registration {
        document["registration_endpoint"] = json!(format!("{base}/api/mcp/oauth/register"));
    }
    document
}

/// RFC 9728. The document at the root, without an area, names the bare origin.
pub(super) fn protected_resource(base: &str, area: Option<Area>, issuer: Option<&str>) -> Value {
    json!({
        "resource": format!("{base}{}", area.map_or("", Area::path)),
        "resource_name": "Chipp MCP Server (sandbox)",
        "authorization_servers": [issuer.unwrap_or(base)],
        "scopes_supported": scope::supported(),
        "bearer_methods_supported": ["header"],
    })
}

/// Whether tokens are issued for `resource` (RFC 8707): this server, by its origin or one of its MCP
/// endpoints, or one of the others.
pub(super) fn is_resource(base: &str, resource: &str, others: &[String]) -> bool {
    others.iter().any(|other| other == resource) || is_ours(base, resource)
}

fn is_ours(base: &str, resource: &str) -> bool {
    resource.strip_prefix(base).is_some_and(|path| {
        path.is_empty() || path == "/" || Area::ALL.into_iter().any(|area| area.path() == path)
    })
}
