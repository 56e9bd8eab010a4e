//! The rules for marks, one line each (T-54, T-55).

use serde_json::{Value, json};

use super::*;

/// A schema with one marked property of this shape.
fn with(property: Value) -> String {
    json!({"type": "object", "properties": {"a": property}}).to_string()
}

fn marked(name: &str) -> Value {
    json!({"type": "string", "x-mcp-header": name})
}

fn why(schema: &str) -> &'static str {
    arguments(schema).expect_err(schema)
}

#[test]
fn marks_are_found_through_properties() {
    let schema = json!({"type": "object", "properties": {
        "region": marked("Region"),
        "plain": {"type": "string"},
        "options": {"type": "object", "properties": {
            "limit": {"type": "integer", "x-mcp-header": "X-Limit!"},
            "deep": {"type": "object", "properties": {"dry": {"type": "boolean", "x-mcp-header": "Dry"}}},
        }},
        "maybe": {"type": ["string", "null"], "x-mcp-header": "Maybe"},
        // These are names of arguments, and data, and no marks.
        "x-mcp-header": {"type": "string"},
        "properties": {"type": "object", "default": {"x-mcp-header": ""}, "enum": [{"x-mcp-header": 1}]},
        "items": marked("Items"),
    }});
    let found = arguments(&schema.to_string()).unwrap();
    let found: Vec<_> = found.iter().map(|each| (each.path.join("."), each.header.as_str())).collect();
    assert_eq!(
        found,
        [
            ("items".to_owned(), "mcp-param-items"),
            ("maybe".to_owned(), "mcp-param-maybe"),
            ("options.deep.dry".to_owned(), "mcp-param-dry"),
            ("options.limit".to_owned(), "mcp-param-x-limit!"),
            ("region".to_owned(), "mcp-param-region"),
        ]
    );
}

#[test]
fn a_schema_without_marks_wants_nothing() {
    for schema in ["{}", "null", "true", "[]", r#"{"properties":[]}"#, r#"{"description":"\u00e9"}"#] {
        assert_eq!(arguments(schema), Ok(vec![]), "{schema}");
    }
    let deep = format!("{}{{}}{}", r#"{"properties":{"a":"#.repeat(200), "}}".repeat(200));
    assert_eq!(arguments(&deep), Ok(vec![]));
}

/// RFC 9110 section 5.6.2: every character that a token may have, and none other.
#[test]
fn a_name_is_a_token() {
    for byte in 0..=u8::MAX {
        let name = char::from(byte);
        let is_token = name.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(name);
        assert_eq!(arguments(&with(marked(&format!("a{name}b")))).is_ok(), is_token, "{name:?}");
    }
    assert_eq!(why(&with(marked(""))), "x-mcp-header is not a name");
    for mark in [json!(null), json!(1), json!({}), json!(["Region"])] {
        let property = json!({"type": "string", "x-mcp-header": mark});
        assert_eq!(why(&with(property)), "x-mcp-header is not a name");
    }
    assert!(arguments(r#"{"properties":{"a":{"type":"string","x-mcp-header":"\ud800"}}}"#).is_err());
}

#[test]
fn only_what_is_simple_can_be_marked() {
    for kind in [
        json!("number"),
        json!("object"),
        json!("array"),
        json!("null"),
        json!(["string", "number"]),
        json!(["null"]),
        json!([]),
        json!(null),
        json!("String"),
    ] {
        let property = json!({"type": kind, "x-mcp-header": "Region"});
        assert!(why(&with(property)).contains("neither string, integer nor boolean"), "{kind}");
    }
    assert!(arguments(&with(json!({"x-mcp-header": "Region"}))).is_err(), "no type at all");
    assert!(arguments(&with(json!({"type": ["integer", "boolean"], "x-mcp-header": "Region"}))).is_ok());
}

#[test]
fn two_names_must_not_be_the_same_in_small_letters() {
    for second in ["Region", "REGION", "rEgion"] {
        let schema = json!({"properties": {"a": marked("Region"),
            "b": {"type": "object", "properties": {"c": marked(second)}}}});
        assert!(why(&schema.to_string()).contains("same name"), "{second}");
    }
}

#[test]
fn a_mark_is_where_an_argument_is() {
    let inner = json!({"type": "object", "properties": {"b": marked("Region")}});
    for (keyword, named) in ELSEWHERE {
        for schema in [marked("Region"), inner.clone()] {
            let value = if named { json!({"any": schema}) } else { schema.clone() };
            let list = json!([{"type": "string"}, schema]);
            for value in [value, list] {
                assert!(why(&json!({keyword: value}).to_string()).contains("no argument"), "{keyword}");
                assert!(why(&with(json!({keyword: value}))).contains("no argument"), "{keyword} below");
            }
        }
    }
    assert!(why(&marked("Region").to_string()).contains("no argument"), "the schema itself");
    // However it is spelled.
    let escaped = with(marked("")).replace("x-mcp-header", r"x\u002dmcp-header");
    assert!(arguments(&escaped).is_err());
}

#[test]
fn there_is_an_end_to_it() {
    let deep = |depth: usize| {
        let mark = r#"{"type":"string","x-mcp-header":"A"}"#;
        format!("{}{mark}{}", r#"{"properties":{"a":"#.repeat(depth), "}}".repeat(depth))
    };
    assert!(arguments(&deep(DEEPEST - 1)).is_ok());
    assert_eq!(why(&deep(DEEPEST)), "its schema is too deep");
    assert_eq!(why(&deep(10_000)), "its schema is too deep");
    let many = |count: usize| {
        let all = (0..count).map(|n| (format!("p{n}"), marked(&format!("N{n}"))));
        json!({"properties": all.collect::<serde_json::Map<_, _>>()}).to_string()
    };
    assert_eq!(arguments(&many(MOST)).unwrap().len(), MOST);
    assert!(why(&many(MOST + 1)).contains("more arguments"));
}
