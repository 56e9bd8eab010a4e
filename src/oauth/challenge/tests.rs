//! A-01 and D10: the parser against examples, against what was written down, and against a slow reader
//! of the grammar.

mod reference;

use proptest::prelude::*;

use super::*;

fn all(value: &str) -> Vec<(String, Vec<(String, String)>)> {
    parse(value).into_iter().map(|c| (c.scheme, c.params)).collect()
}

fn one(value: &str) -> Challenge {
    find(&[value]).unwrap()
}

#[test]
fn reads_what_servers_send() {
    let value =
        r#"Bearer realm="mcp", error="invalid_token", resource_metadata="https://e.com/.well-known/x?a=b,c""#;
    let challenge = one(value);
    assert_eq!(challenge.error(), Some("invalid_token"));
    assert_eq!(challenge.realm(), Some("mcp"));
    assert_eq!(challenge.resource_metadata(), Some("https://e.com/.well-known/x?a=b,c"));
    assert_eq!(one("bearer").params, vec![]);
    assert_eq!(one("BEARER Scope=a").scope(), Some("a"));
    assert_eq!(one("Bearer scope=\" \"").scope(), None);
    assert_eq!(find(&["Bearer scope=\"\"", "Bearer scope=b"]).unwrap().scope(), Some("b"));
}

// The conformance suite's DPoP scenario challenges with that scheme alone (RFC 9449 section 7.1).
#[test]
fn a_dpop_challenge_is_answered_as_well() {
    let value = r#"DPoP algs="ES256 PS256", resource_metadata="https://e.com/m", error="use_dpop_nonce""#;
    let challenge = one(value);
    assert_eq!((challenge.scheme.as_str(), challenge.get("algs")), ("dpop", Some("ES256 PS256")));
    assert_eq!(challenge.resource_metadata(), Some("https://e.com/m"));
    assert_eq!(find(&["DPoPX error=a", "Basic realm=b", "PoP nonce=c"]), None);
}

#[test]
fn several_schemes_in_one_or_many_headers() {
    let value =
        r#"Negotiate YWJj==, Basic realm="a \"quoted\" , Bearer error=x", Bearer scope = "a b" ,error=y"#;
    assert_eq!(all(value).len(), 3);
    let challenge = one(value);
    assert_eq!((challenge.scope(), challenge.error()), (Some("a b"), Some("y")));
    assert_eq!(find(&["Basic realm=x", "Bearer scope=z"]).unwrap().scope(), Some("z"));
}

#[test]
fn an_empty_challenge_of_a_gateway_does_not_hide_the_servers_own() {
    let values =
        ["Bearer realm=\"gateway\"", "DPoP algs=\"ES256\", Bearer error=insufficient_scope, scope=w"];
    assert_eq!(find(&values).unwrap().scope(), Some("w"));
    assert_eq!(find(&values[..1]).unwrap().realm(), Some("gateway"));
    assert_eq!(find(&["Bearer error=a", "Bearer error=b"]).unwrap().error(), Some("a"));
    assert_eq!(one("Bearer scope=a, scope=b").scope(), Some("a"));
}

#[test]
fn malformed_text_hides_nothing_behind_it_and_invents_nothing() {
    assert_eq!(one("\"\u{1}, Bearer scope=a").scope(), Some("a"));
    assert_eq!(one(r#"Bearer scope="unfinished"#).scope(), None);
    assert_eq!(one("Bearer scope=, error=x").error(), Some("x"));
    for nothing in
        ["=, ,=,", "Basic Bearer", "bearer=x", "Basic a=b, bearer=\"unfinished", "Bearer: error=x?"]
    {
        let found = find(&[nothing]);
        assert!(found.as_ref().is_none_or(|challenge| challenge.params.is_empty()), "{nothing}: {found:?}");
    }
    assert_eq!(find(&["bearer=x", "Basic realm=y, dpop=\"z"]), None);
}

// Not what the grammar says, and still unmistakable.
#[test]
fn values_without_their_quotes_are_read_whole() {
    let challenge = one("Bearer resource_metadata=https://e.com/.well-known/x?a=1, scope=mcp:read error=e");
    assert_eq!(challenge.resource_metadata(), Some("https://e.com/.well-known/x?a=1"));
    assert_eq!((challenge.scope(), challenge.error()), (Some("mcp:read"), Some("e")));
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,8}"
}

/// One challenge, and one way to write it.
fn written() -> impl Strategy<Value = (String, Challenge)> {
    let blank = || prop::sample::select(vec!["", " ", "\t", "  "]);
    let value = prop_oneof![
        token().prop_map(|text| (text.clone(), text)),
        "[ -~\u{a0}-\u{ff}]{0,20}".prop_map(|text| (quote(&text), text)),
        // Every character may be a quoted pair.
        "[ -~]{0,12}".prop_map(|text| (
            format!("\"{}\"", text.chars().map(|c| format!("\\{c}")).collect::<String>()),
            text
        )),
    ];
    let param = (token(), blank(), blank(), value);
    let params = prop::collection::vec((param, blank(), blank()), 0..4);
    let token68 = prop::option::weighted(0.2, "[a-zA-Z0-9._~+/-]{1,8}={0,2}");
    (token(), params, token68).prop_map(|(scheme, params, token68)| {
        let mut text = scheme.clone();
        let mut read = Vec::new();
        if params.is_empty() {
            text.extend(token68.map(|token68| format!(" {token68}")));
        }
        for (index, ((name, before, after, (written, value)), left, right)) in params.into_iter().enumerate()
        {
            text += &if index == 0 { " ".to_owned() } else { format!("{left},{right}") };
            text += &format!("{name}{before}={after}{written}");
            read.push((name.to_ascii_lowercase(), value));
        }
        (text, Challenge { scheme: scheme.to_ascii_lowercase(), params: read })
    })
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

proptest! {
    #[test]
    fn is_total(value in ".{0,200}") {
        parse(&value);
    }

    /// Whatever can be written is read back as it was meant, in any case, spacing and quoting.
    #[test]
    fn reads_back_what_was_written(parts in prop::collection::vec(written(), 1..4), comma in "[ \t]?,[, \t]{0,3}") {
        let (texts, meant): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        prop_assert_eq!(parse(&texts.join(&comma)), meant);
    }

    #[test]
    fn reads_back_every_quoted_value(text in "[ -~]{0,40}") {
        let challenge = one(&format!("Bearer a=b, x={}, z=1", quote(&text)));
        prop_assert_eq!(challenge.get("x"), Some(text.as_str()));
        prop_assert_eq!(challenge.get("z"), Some("1"));
    }

    /// Where the grammar accepts a text at all, both readers understand the same.
    #[test]
    fn agrees_with_a_slow_reader_of_the_grammar(
        value in "([abB]{1,2}|[aB]=[ab]|[ab][ \t]?=[ \t]?\"[a,= ]{0,3}\"|[ab]/?={1,2}|,|, | |\t|\"|=|\\\\){0,8}",
    ) {
        if let Some(meant) = reference::parse(&value) {
            prop_assert_eq!(parse(&value), meant, "{}", value);
        }
    }

    /// Garbage in front of a comma hides no later challenge.
    #[test]
    fn a_challenge_of_its_own_header_is_always_found(garbage in prop::collection::vec(".{0,30}", 0..4)) {
        let mut values = garbage;
        values.push("Bearer error=\"there\"".to_owned());
        prop_assert!(find(&values).is_some_and(|found| found.error().is_some()));
    }
}

#[test]
fn the_slow_reader_is_not_blind() {
    let meant = |text: &str| reference::parse(text).map(|all| all.len());
    assert_eq!(meant("a b=c, d=\"e,f\", g h68=="), Some(2));
    assert_eq!(meant("a b=\"c"), None);
    assert_eq!(meant("b=c"), None);
    assert_eq!(meant("a b c"), None);
}
