//! The authorization endpoint and the consent page.

use std::time::Duration;

use chipp_auth::sandbox::{Client, ClientAuth, Consent, Kind, Options, Redirects};

use crate::kit::{Kit, REDIRECT, exchange, headless};

/// The one-time number in the form of a consent page.
fn number(page: &str) -> &str {
    page.split("name=\"request\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn the_consent_page_names_application_account_and_scopes_and_has_both_buttons() {
    let kit = Kit::new(Options::default());
    let page = kit.authorize(&[("scope", "apps:read billing:read")]).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for part in [
        "Chipp MCP Server",
        "ada@example.com",
        "View your apps",
        "View subscription and credits",
        "id=\"authorize\"",
        "id=\"deny\"",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(!page.text.contains("Create, update, delete apps"), "a scope that was not asked for");
    assert!(kit.authorize(&[]).await.text.contains("Full access"));
    assert!(!page.text.contains("<script"));
    // Chromium applies form-action to the redirect that follows the form.
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' http://localhost:4711;"), "{policy}");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let six = kit.authorize(&[("redirect_uri", "http://[::1]:4711/callback")]).await;
    assert!(six.header("content-security-policy").contains("form-action 'self' http:;"));
}

#[tokio::test]
async fn authorize_leads_back_with_code_state_and_issuer_and_works_once() {
    let kit = Kit::new(Options::default());
    let page = kit.authorize(&[("state", "a b&c=d")]).await;
    let form = [("request", number(&page.text)), ("choice", "authorize")];
    let seen = kit.post_form("/api/mcp/oauth/consent", &form, None).await;
    assert_eq!(seen.status, 303);
    assert!(seen.header("location").starts_with(&format!("{REDIRECT}?")));
    let callback = seen.callback();
    assert_eq!((callback["state"].as_str(), callback.len()), ("a b&c=d", 3));
    assert_eq!(format!("{}/", callback["iss"]), kit.sandbox.base().as_str());
    assert_eq!(kit.token(&exchange(&callback["code"])).await.status, 200);
    assert_eq!(kit.post_form("/api/mcp/oauth/consent", &form, None).await.status, 400, "the form again");
    assert_eq!(kit.sandbox.counts().consents, 1);
}

#[tokio::test]
async fn deny_leads_back_with_access_denied_and_no_code() {
    let kit = Kit::new(Options::default());
    let page = kit.authorize(&[]).await;
    let form = [("request", number(&page.text)), ("choice", "deny")];
    let callback = kit.post_form("/api/mcp/oauth/consent", &form, None).await.callback();
    assert_eq!((callback["error"].as_str(), callback["state"].as_str()), ("access_denied", "opaque-1"));
    assert!(callback.contains_key("iss") && !callback.contains_key("code"));
    assert_eq!((kit.sandbox.counts().consents, kit.sandbox.counts().denials), (0, 1));
}

#[tokio::test]
async fn a_form_without_its_number_or_without_a_choice_grants_nothing() {
    let kit = Kit::new(Options::default());
    let page = kit.authorize(&[]).await;
    for form in [
        vec![("choice", "authorize")],
        vec![("request", "guessed"), ("choice", "authorize")],
        vec![("request", number(&page.text))],
        vec![("request", number(&page.text)), ("choice", "other")],
    ] {
        assert_eq!(kit.post_form("/api/mcp/oauth/consent", &form, None).await.status, 400, "{form:?}");
    }
    assert_eq!(kit.sandbox.counts().consents, 0);
}

#[tokio::test]
async fn what_came_from_outside_is_escaped_on_the_page() {
    let evil = "<script>alert(1)</script>\"'&";
    let client = Client {
        id: "evil".to_owned(),
        name: evil.to_owned(),
        redirects: Redirects::Exact(vec!["https://evil.example/cb".to_owned()]),
        auth: ClientAuth::None,
    };
    let kit = Kit::new(Options { email: evil.to_owned(), clients: vec![client], ..Options::default() });
    let changes = [("client_id", "evil"), ("redirect_uri", "https://evil.example/cb"), ("state", evil)];
    let page = kit.authorize(&changes).await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("<script"));
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;";
    assert_eq!(page.text.matches(escaped).count(), 2, "name and e-mail");
    assert!(!page.text.contains("state"), "the state does not leave the server before the answer");
}

#[tokio::test]
async fn errors_about_client_or_redirect_show_a_page_and_never_redirect() {
    let kit = Kit::new(headless());
    for change in [
        ("client_id", ""),
        ("client_id", "somebody"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "https://localhost:4711/callback"),
        ("redirect_uri", "http://localhost.evil.example/callback"),
        ("redirect_uri", "http://localhost:4711/other"),
        ("redirect_uri", "http://localhost:4711/callback?x=1"),
        ("redirect_uri", "http://localhost:4711/callback#x"),
        ("redirect_uri", "http://user@localhost:4711/callback"),
        ("redirect_uri", "http://127.0.0.2:4711/callback"),
        ("redirect_uri", "javascript:alert(1)"),
        ("redirect_uri", "nonsense"),
    ] {
        let seen = kit.authorize(&[change]).await;
        assert_eq!((seen.status, seen.header("location")), (400, ""), "{change:?}");
    }
    for redirect in
        ["http://127.0.0.1:1/callback", "http://[::1]:65535/callback", "http://localhost/callback"]
    {
        assert_eq!(kit.authorize(&[("redirect_uri", redirect)]).await.status, 302, "{redirect}");
    }
}

#[tokio::test]
async fn every_other_error_goes_back_to_the_client_with_state_and_issuer() {
    let kit = Kit::new(headless());
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("scope", "apps:read everything"), "invalid_scope"),
        (("resource", "https://other.example/mcp"), "invalid_target"),
    ] {
        let seen = kit.authorize(&[change]).await;
        let callback = seen.callback();
        assert_eq!((seen.status, callback["error"].as_str()), (302, error), "{change:?}");
        assert_eq!(callback["state"], "opaque-1");
        assert!(callback.contains_key("iss") && !callback.contains_key("code"));
    }
    let callback = kit.authorize(&[("state", "")]).await.callback();
    assert_eq!(callback["error"], "invalid_request");
    assert!(!callback.contains_key("state"));
    assert_eq!(kit.sandbox.counts().consents, 0);
}

#[tokio::test]
async fn a_page_older_than_its_lifetime_grants_nothing() {
    let kit = Kit::new(Options { code_lifetime: Duration::from_millis(50), ..Options::default() });
    let page = kit.authorize(&[]).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let form = [("request", number(&page.text)), ("choice", "authorize")];
    assert_eq!(kit.post_form("/api/mcp/oauth/consent", &form, None).await.status, 400);
    assert_eq!(kit.sandbox.log().last().unwrap().note, Some("expired"));
}

#[tokio::test]
async fn the_decision_without_a_page_can_be_either() {
    let kit = Kit::new(Options { auto_consent: Some(Consent::Deny), ..Options::default() });
    assert_eq!(kit.authorize(&[]).await.callback()["error"], "access_denied");
    kit.sandbox.set(|options| options.auto_consent = Some(Consent::Authorize));
    assert!(kit.authorize(&[]).await.callback().contains_key("code"));
    assert!(kit.sandbox.log().iter().all(|entry| entry.kind == Kind::Authorize && entry.status == 302));
}
