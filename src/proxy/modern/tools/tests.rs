//! What is learned, what is left out, and what becomes of the arguments.

use serde_json::{Value, json};

use super::*;

const ID: &str = r#"{"jsonrpc":"2.0","id":1e400,"result":"#;

/// An answer with these tools, each as its text.
fn answer(tools: &[&str]) -> String {
    format!("{ID}{{\"a\":1.50,\"tools\":[{}],\"nextCursor\":\"\\ud800\"}}}}", tools.join(" ,\n"))
}

fn tool(name: &str, property: &Value) -> String {
    json!({"inputSchema": {"properties": {"a": property}}, "name": name}).to_string()
}

fn region() -> Value {
    json!({"type": "string", "x-mcp-header": "Region"})
}

fn mirrored(tools: &Tools, name: &str, arguments: &Value) -> Vec<String> {
    let params = json!({"name": name, "arguments": arguments}).to_string();
    let shown = |(name, value): &(HeaderName, HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    tools.mirror(&params).unwrap().iter().map(shown).collect()
}

// T-55: whatever is left in is as it was, in every place.
#[test]
fn invalid_tools_are_cut_out_and_nothing_else() {
    let good = [r#"{ "name":"é\u00e9", "n":1.0e5,"n":2 }"#, &tool("marked", &region()), "7", r#"{"x":[]}"#];
    let bad = tool("bad", &json!({"type": "number", "x-mcp-header": "A"}));
    assert_eq!(Tools::default().learn(&answer(&good)), None);
    for at in 0..=good.len() {
        for count in 1..3 {
            let mut all = good.to_vec();
            all.splice(at..at, vec![bad.as_str(); count]);
            let left = Tools::default().learn(&answer(&all)).unwrap();
            // The space around the cut may be that of either side.
            let pressed = |text: &str| text.replace(" ,\n", ",");
            assert_eq!(pressed(&left), pressed(&answer(&good)));
        }
    }
    assert_eq!(Tools::default().learn(&answer(&[&bad])).unwrap(), answer(&[]));
}

// T-54.
#[test]
fn the_newest_schema_counts() {
    let tools = Tools::default();
    let given = json!({"a": "x"});
    assert!(mirrored(&tools, "t", &given).is_empty());
    tools.learn(&answer(&[&tool("t", &region()), &tool("other", &json!({"type": "string"}))]));
    assert_eq!(mirrored(&tools, "t", &given), ["mcp-param-region: x"]);
    assert!(mirrored(&tools, "other", &given).is_empty());
    // Another page, or a list without it, changes nothing.
    tools.learn(&answer(&[&tool("other", &region())]));
    assert_eq!(mirrored(&tools, "t", &given), ["mcp-param-region: x"]);
    tools.learn(&answer(&[&tool("t", &json!({"type": "string", "x-mcp-header": "Place"}))]));
    assert_eq!(mirrored(&tools, "t", &given), ["mcp-param-place: x"]);
    tools.learn(&answer(&[&tool("t", &json!({"type": "string"}))]));
    assert!(mirrored(&tools, "t", &given).is_empty());
}

// T-54: at any depth, by the exact path; what is not there, or null, or nothing simple, has no header.
#[test]
fn values_are_found_by_their_paths() {
    let tools = Tools::default();
    let schema = json!({"properties": {
        "a": {"type": "string", "x-mcp-header": "A"},
        "o": {"properties": {
            "b": {"type": "integer", "x-mcp-header": "B"},
            "p": {"properties": {"c": {"type": "boolean", "x-mcp-header": "C"}}},
        }},
    }});
    let tool = json!({"name": "t", "inputSchema": schema}).to_string();
    assert_eq!(tools.learn(&answer(&[&tool])), None);
    for (arguments, expected) in [
        (
            json!({"a": " x", "o": {"b": 4, "p": {"c": false}}}),
            vec!["a: =?base64?IHg=?=", "b: 4", "c: false"],
        ),
        (json!({"a": "", "o": {"b": 4.0, "p": null}}), vec!["a: ", "b: 4"]),
        (json!({"a": null, "o": {"p": {"c": true, "a": 1}}, "b": 1}), vec!["c: true"]),
        (json!({"a": {}, "o": {"b": [1], "p": "c"}}), vec![]),
        (json!({"o": 1}), vec![]),
        (json!([]), vec![]),
        (json!(null), vec![]),
    ] {
        let expected: Vec<_> = expected.iter().map(|header| format!("mcp-param-{header}")).collect();
        assert_eq!(mirrored(&tools, "t", &arguments), expected, "{arguments}");
    }
    assert!(tools.mirror("{}").unwrap().is_empty() && tools.mirror("[]").unwrap().is_empty());
    assert!(tools.mirror(r#"{"name":"t"}"#).unwrap().is_empty());
}

#[test]
fn what_is_remembered_is_bounded() {
    let tools = Tools::default();
    let name = |n: usize| format!("{n}{}", "x".repeat(10_000));
    for n in 0..1000 {
        tools.learn(&answer(&[&tool(&name(n), &region())]));
    }
    let known = tools.0.lock().unwrap();
    let count = known.newer.len() + known.older.len();
    assert!(count < 2 * HALF / 10_000 && count > 10, "{count} of 10,000 bytes each");
    assert!(known.get(&name(999)).is_some() && known.get(&name(0)).is_none());
}

// T-73.
#[test]
fn headers_that_no_server_takes_are_refused() {
    let tools = Tools::default();
    tools.learn(&answer(&[&tool("t", &region())]));
    let params = json!({"name": "t", "arguments": {"a": "x".repeat(LARGEST)}}).to_string();
    assert_eq!(tools.mirror(&params).unwrap_err().name(), Name::TooLarge);
}

#[test]
fn what_is_no_list_of_tools_stays_as_it_is() {
    for text in [
        r#"{"error":{"message":"x-mcp-header"}}"#,
        r#"{"result":{"tools":{"x-mcp-header":1}}}"#,
        r#"{"result":["x-mcp-header"]}"#,
        r#"["x-mcp-header"]"#,
        "x-mcp-header",
    ] {
        assert_eq!(Tools::default().learn(text), None, "{text}");
    }
}
