use serde_json::json;

use super::*;

fn jwt(claims: &Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"alg":"none"}"#), part(&claims.to_string()), part("signature"))
}

/// What a token answer with these members tells.
fn told(members: Value) -> Told {
    let Value::Object(members) = members else { panic!("{members}") };
    Told::read(members)
}

fn with_claims(claims: &Value) -> Told {
    told(json!({"access_token": "a", "id_token": jwt(claims)}))
}

async fn named(told: &Told, places: &[&str]) -> Option<String> {
    let places: Vec<_> = places.iter().map(|place| (*place).to_owned()).collect();
    find(told, &places, None).await.name
}

#[tokio::test]
async fn the_best_name_is_found_without_being_told_where() {
    for (claims, expected) in [
        (json!({"sub": "1", "name": "John Smith", "email": "john@example.com"}), Some("john@example.com")),
        (json!({"sub": "1", "name": "John Smith", "preferred_username": "john"}), Some("john")),
        (json!({"sub": "1", "name": "John Smith", "email": ""}), Some("John Smith")),
        (json!({"sub": "24400320"}), Some("24400320")),
        (json!({"sub": "x".repeat(41)}), None),
        (json!({"email": ["john@example.com"]}), None),
        (json!({}), None),
    ] {
        assert_eq!(named(&with_claims(&claims), &[]).await.as_deref(), expected, "{claims}");
    }
    for (members, expected) in [
        (json!({"authed_user": {"id": "U1", "access_token": "xoxp"}, "team": {"name": "Ours"}}), "U1"),
        (json!({"team": {"name": "Ours"}}), "Ours"),
        (
            json!({"workspace_name": "Ours", "owner": {"user": {"person": {"email": "j@example.com"}}}}),
            "j@example.com",
        ),
        (json!({"workspace_name": "Ours"}), "Ours"),
        (json!({"id": "https://login.salesforce.com/id/00D/005"}), "005"),
    ] {
        assert_eq!(named(&told(members.clone()), &[]).await.as_deref(), Some(expected), "{members}");
    }
    // An `id` of anything else would make another account of each sign-in.
    for id in ["7f3a", "https://e.com/grants/7f3a", "http://e.com/id/a/b", "https://e.com/id/a/"] {
        assert_eq!(named(&told(json!({"id": id})), &[]).await, None, "{id}");
    }
}

#[tokio::test]
async fn a_profile_says_where_and_nothing_else_is_looked_at() {
    let found = told(json!({
        "id_token": jwt(&json!({"email": "john@example.com", "https://e.com/mail": "j@e.com", "ids": ["a", "b"]})),
        "hub_id": 62515, "stripe_user_id": "acct_1", "ok": true
    }));
    for (places, expected) in [
        (&["token.hub_id"][..], Some("62515")),
        (&["token.nothing", "token.stripe_user_id"], Some("acct_1")),
        (&["id_token.https://e.com/mail"], Some("j@e.com")),
        (&["id_token.ids.1"], Some("b")),
        (&["token.ok", "token", "email", "nothing.email", "", "userinfo.email"], None),
    ] {
        assert_eq!(named(&found, places).await.as_deref(), expected, "{places:?}");
    }
}

// I3: whatever a profile names.
#[tokio::test]
async fn no_token_is_ever_a_name() {
    let found = told(json!({
        "access_token": "secret-1", "refresh_token": "secret-2", "client_secret": "secret-3", "code": "secret-4",
        "id_token": jwt(&json!({"access_token": "secret-5"})),
        "authed_user": {"access_token": "secret-6", "id": "U1"},
    }));
    for place in [
        "token.access_token",
        "token.refresh_token",
        "token.id_token",
        "token.client_secret",
        "token.code",
        "token.authed_user.access_token",
        "token.authed_user",
        "id_token.access_token",
    ] {
        assert_eq!(named(&found, &[place]).await, None, "{place}");
    }
    assert_eq!(format!("{found:?}"), "Told");
}

#[tokio::test]
async fn a_name_is_fit_for_a_terminal_and_short() {
    let found = with_claims(&json!({"email": "j\u{202e}ohn\u{1b}[31m@\r\nexample.com"}));
    assert_eq!(named(&found, &[]).await.as_deref(), Some("john [31m@ example.com"));
    let found = with_claims(&json!({"email": "x".repeat(1000), "sub": "y".repeat(1000)}));
    let found = find(&found, &[], None).await;
    assert_eq!(found, Identity { name: Some("x".repeat(100)), subject: None });
}

#[tokio::test]
async fn what_is_no_id_token_says_nothing() {
    let good = jwt(&json!({"email": "john@example.com"}));
    let payload = good.split('.').nth(1).unwrap();
    let deep = URL_SAFE_NO_PAD.encode(format!("{}1{}", r#"{"email":"#.repeat(40), "}".repeat(40)));
    let large = jwt(&json!({"email": "john@example.com", "x": "x".repeat(LARGEST)}));
    for text in ["", ".", "..", "a.b.c", payload, "a.W10.c", &format!("a.{deep}.c"), &large] {
        let found = told(json!({"id_token": text}));
        assert_eq!(find(&found, &[], None).await, Identity::default(), "{text:.80}");
    }
    // As some servers write it, with padding.
    let padded = URL_SAFE_NO_PAD.encode(r#"{"email":"j@e.com"}"#) + "=";
    assert_eq!(named(&told(json!({"id_token": format!("a.{padded}.c")})), &[]).await.unwrap(), "j@e.com");
    assert_eq!(named(&told(json!({"id_token": 5})), &[]).await, None);
}

#[test]
fn only_an_https_address_is_an_instance() {
    for (url, expected) in [
        (json!("https://acme.my.salesforce.com"), Some("https://acme.my.salesforce.com")),
        (json!("https://acme.my.salesforce.com/?session=1#x"), Some("https://acme.my.salesforce.com")),
        (json!("http://acme.my.salesforce.com"), None),
        (json!("http://localhost"), None),
        (json!("https://user:secret@acme.my.salesforce.com"), None),
        (json!("javascript:alert(1)"), None),
        (json!("acme"), None),
        (json!(7), None),
        (Value::Null, None),
    ] {
        assert_eq!(told(json!({"instance_url": url})).instance().as_deref(), expected, "{url}");
    }
}
