//! Metadata documents and the challenge that leads to them (A-01 to A-08).

use chipp_auth::sandbox::Options;
use serde_json::json;

use crate::kit::{Kit, MCP, initialize};

#[tokio::test]
async fn the_challenge_leads_to_the_resource_and_that_to_the_authorization_server() {
    let kit = Kit::new(Options::default());
    for path in ["/mcp/messages", "/mcp/core", "/mcp/apps", "/mcp/knowledge"] {
        let refused = kit.send(kit.mcp_request(path, "", &initialize("2025-11-25"))).await;
        assert_eq!(refused.status, 401);
        let challenge = refused.header("www-authenticate").to_owned();
        assert!(!challenge.contains("error="), "no token, no error (RFC 6750 section 3.1): {challenge}");
        let url = challenge.strip_prefix("Bearer resource_metadata=\"").unwrap().strip_suffix('"').unwrap();
        assert_eq!(url, kit.sandbox.at(&format!("/.well-known/oauth-protected-resource{path}")).as_str());
        let resource = kit.send(kit.http.get(url)).await.json();
        assert_eq!(resource["resource"], kit.sandbox.at(path).as_str());
        let issuer = resource["authorization_servers"][0].as_str().unwrap();
        let server = kit.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(server["issuer"], issuer, "identical, character for character (A-08)");
    }
    let root = kit.get("/.well-known/oauth-protected-resource").await.json();
    assert_eq!(root["resource"], kit.sandbox.base().as_str().trim_end_matches('/'));
}

#[tokio::test]
async fn the_server_says_what_it_does() {
    let kit = Kit::new(Options::default());
    let document = kit.get("/.well-known/oauth-authorization-server").await.json();
    let at = |path: &str| json!(kit.sandbox.at(path).as_str());
    assert_eq!(document["authorization_endpoint"], at("/api/mcp/oauth/authorize"));
    assert_eq!(document["token_endpoint"], at("/api/mcp/oauth/token"));
    assert_eq!(document["revocation_endpoint"], at("/api/mcp/oauth/revoke"));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["token_endpoint_auth_methods_supported"], json!(["none"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["scopes_supported"].as_array().unwrap().len(), 10);
    assert!(document.get("registration_endpoint").is_none());
    kit.sandbox.set(|options| options.registration = true);
    let document = kit.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(document["registration_endpoint"], at("/api/mcp/oauth/register"));
}

#[tokio::test]
async fn without_discovery_there_are_no_documents_and_no_pointer_to_them() {
    let kit = Kit::new(Options { discovery: false, ..Options::default() });
    for path in
        ["oauth-authorization-server", "oauth-protected-resource", "oauth-protected-resource/mcp/messages"]
    {
        assert_eq!(kit.get(&format!("/.well-known/{path}")).await.status, 404);
    }
    let refused = kit.send(kit.mcp_request(MCP, "", &initialize("2025-11-25"))).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, r#"Bearer realm="Chipp""#));
}
