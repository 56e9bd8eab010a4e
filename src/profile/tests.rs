use std::fs;

use super::*;

fn resolve(typed: Option<&str>, toml: &str) -> Result<Target> {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("profiles.toml"), toml).unwrap();
    Target::resolve(typed, home.path(), Choices::default())
}

#[test]
fn chipp_is_the_default_with_its_documented_facts() {
    let target = resolve(None, "").unwrap();
    assert_eq!(target.url.as_str(), "https://mcp.chipp.ai/mcp/messages");
    assert_eq!(target.client_id.as_deref(), Some("chipp-mcp-client"));
    assert_eq!(target.scope.as_deref(), Some("*"));
    let documented = target.documented.clone().unwrap();
    assert_eq!(documented.token.as_str(), "https://app.chipp.ai/api/mcp/oauth/token");
    assert_eq!(target.key(), resolve(Some("chipp"), "").unwrap().key());
}

#[test]
fn the_area_endpoints_of_chipp_share_its_sign_in_and_look_alikes_do_not() {
    let chipp = resolve(None, "").unwrap().key();
    for shared in
        ["https://mcp.chipp.ai/mcp/core", "https://mcp.chipp.ai:443/mcp/apps", "https://build.chipp.ai/mcp"]
    {
        assert_eq!(resolve(Some(shared), "").unwrap().key(), chipp, "{shared}");
    }
    for other in [
        "https://mcp.chipp.ai.example.com/mcp/core",
        "https://mcp.chipp.ai:8443/mcp",
        "https://xmcp.chipp.ai/mcp",
        "https://chipp.ai/mcp",
    ] {
        assert_ne!(resolve(Some(other), "").unwrap().key(), chipp, "{other}");
    }
}

#[test]
fn chipp_pointed_elsewhere_is_another_sign_in() {
    let toml = "[profiles.chipp]\nurl = \"http://127.0.0.1:9/mcp/messages\"\nauthorization_server = \"http://127.0.0.1:9\"";
    let moved = resolve(None, toml).unwrap();
    assert_ne!(moved.key(), resolve(None, "").unwrap().key());
    assert_eq!(
        moved.documented.unwrap().revocation.unwrap().as_str(),
        "http://127.0.0.1:9/api/mcp/oauth/revoke"
    );
}

#[test]
fn an_account_and_a_client_id_make_another_sign_in() {
    let home = tempfile::tempdir().unwrap();
    let with = |account: Option<&str>, client: Option<&str>| {
        let choices = Choices {
            account: account.map(Into::into),
            client_id: client.map(Into::into),
            ..Choices::default()
        };
        Target::resolve(Some("https://e.com/mcp"), home.path(), choices).unwrap().key()
    };
    let keys = [with(None, None), with(Some("work"), None), with(None, Some("id"))];
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
}

#[test]
fn what_cannot_be_a_target_is_named() {
    assert_eq!(resolve(Some("nobody"), "").unwrap_err().name(), Name::Usage);
    assert_eq!(resolve(Some("https://"), "").unwrap_err().name(), Name::Usage);
    assert_eq!(resolve(Some("http://example.com/mcp"), "").unwrap_err().name(), Name::UnsafeUrl);
    assert_eq!(resolve(Some("ftp://example.com/mcp"), "").unwrap_err().name(), Name::UnsafeUrl);
    let toml = "[profiles.chipp]\nurl = \"http://example.com/mcp\"";
    assert_eq!(resolve(None, toml).unwrap_err().name(), Name::ConfigBad);
}

#[test]
fn the_resource_is_the_canonical_url() {
    assert_eq!(resolve(Some("HTTPS://E.com"), "").unwrap().canonical(), "https://e.com");
    assert_eq!(resolve(Some("https://e.com/mcp#x"), "").unwrap().canonical(), "https://e.com/mcp");
    assert_eq!(resolve(Some("https://e.com/mcp/"), "").unwrap().canonical(), "https://e.com/mcp/");
}
