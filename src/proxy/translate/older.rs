//! What results of the newer era may hold and those of the older ones must not: clients of those revisions
//! refuse the whole list of tools for one such schema, and a tool's whole result for one such value
//! (SEP-2106).

use serde_json::value::RawValue;

use super::splice::{quoted, with};
use crate::proxy::envelope::member;

/// A list of tools without the schemas of results that are no objects; the tools stay. `None` if there are
/// none.
pub(in crate::proxy) fn tools(result: &str) -> Option<String> {
    let is_odd = |tool: &str| {
        let schema = member(tool, "outputSchema").filter(|schema| *schema != "null");
        schema.is_some_and(|schema| member(schema, "type") != Some("\"object\""))
    };
    // Most lists are told by this alone.
    let list = member(result, "tools").filter(|list| list.contains("outputSchema"))?;
    let list: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    if !list.iter().any(|tool| is_odd(tool.get())) {
        return None;
    }
    let plain = list.iter().map(|tool| {
        let changed = is_odd(tool.get()).then(|| with(tool.get(), &[("outputSchema", None)])).flatten();
        changed.unwrap_or_else(|| tool.get().to_owned())
    });
    with(result, &[("tools", Some(&format!("[{}]", plain.collect::<Vec<_>>().join(","))))])
}

/// The result of a tool whose structured part is no object: that part becomes text, unless there is some
/// content already. `None` if it needs no change.
pub(in crate::proxy) fn called(result: &str) -> Option<String> {
    let structured = member(result, "structuredContent").filter(|value| !value.starts_with('{'))?;
    let empty = member(result, "content").is_none_or(|content| matches!(content, "[]" | "null"));
    let text = format!("[{{\"type\":\"text\",\"text\":{}}}]", quoted(structured));
    let content = if empty { Some(text.as_str()) } else { member(result, "content") };
    with(result, &[("structuredContent", None), ("content", content)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_stays_and_a_schema_that_is_no_objects_goes() {
        let list = r#"{"tools":[{"name":"a","outputSchema":{"type":"object","x":1.0}},
            {"name":"b","outputSchema":{"type":"array"},"n":1e400},{"name":"c","outputSchema":{"anyOf":[]}},
            {"name":"d","outputSchema":null},{"name":"e"}],"nextCursor":"2"}"#;
        assert_eq!(
            tools(list).unwrap(),
            r#"{"nextCursor":"2","tools":[{"name":"a","outputSchema":{"type":"object","x":1.0}},{"name":"b","n":1e400},{"name":"c"},{"name":"d","outputSchema":null},{"name":"e"}]}"#
        );
        for same in [r#"{"tools":[{"outputSchema":{"type":"object"}}]}"#, r#"{"tools":[]}"#, "{}", "1"] {
            assert_eq!(tools(same), None, "{same}");
        }
    }

    #[test]
    fn a_result_that_is_no_object_is_told_as_text() {
        let text = r#"{"x":1,"content":[{"type":"text","text":"[1.0,\"a\"]"}]}"#;
        assert_eq!(called(r#"{"structuredContent":[1.0,"a"],"x":1}"#).unwrap(), text);
        assert_eq!(called(r#"{"content":[],"structuredContent":[1.0,"a"],"x":1}"#).unwrap(), text);
        assert_eq!(
            called(r#"{"content":[{"a":1.0}],"structuredContent":7}"#).unwrap(),
            r#"{"content":[{"a":1.0}]}"#
        );
        for same in [r#"{"content":[],"structuredContent":{}}"#, "{}", "1"] {
            assert_eq!(called(same), None, "{same}");
        }
    }
}
