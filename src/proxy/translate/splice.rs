//! Members of a JSON object put in, replaced and taken out, in its text.
//!
//! What is not touched stays the text that it was, to the last digit of a number (T-09): only the blanks and
//! commas between members are written anew. Of a member that comes twice none is left over, because readers
//! differ in which of the two they believe.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::proxy::envelope::string;

/// The members of an object in their order, name and value as they stand in the text. `None` if the text is
/// no object.
pub(super) fn members(object: &str) -> Option<Vec<(&str, &str)>> {
    struct All;
    impl<'de> Visitor<'de> for All {
        type Value = Vec<(&'de str, &'de str)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut found = Vec::new();
            while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                found.push((name.get(), value.get()));
            }
            Ok(found)
        }
    }
    let mut json = serde_json::Deserializer::from_str(object);
    let found = json.deserialize_map(All).ok()?;
    json.end().ok().map(|()| found)
}

/// The object with these members instead of those of the same names; `None` takes one out. New ones come last.
/// The values are JSON texts. `None` if the text is no object.
pub(in crate::proxy) fn with(object: &str, changes: &[(&str, Option<&str>)]) -> Option<String> {
    let added = changes.iter().map(|(name, value)| name.len() + value.map_or(0, str::len) + 4);
    let mut text = String::with_capacity(object.len() + added.sum::<usize>());
    text.push('{');
    for (name, value) in members(object)? {
        if changes.iter().all(|(changed, _)| string(name) != *changed) {
            push(&mut text, name, value);
        }
    }
    for (name, value) in changes {
        if let Some(value) = value {
            push(&mut text, &quoted(name), value);
        }
    }
    text.push('}');
    Some(text)
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn push(text: &mut String, name: &str, value: &str) {
    if text.len() > 1 {
        text.push(',');
    }
    text.push_str(name);
    text.push(':');
    text.push_str(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    // T-09.
    #[test]
    fn what_is_not_touched_stays_as_it_was() {
        let text =
            r#" { "a" : 1e400, "\u0062":[ 1 , 2 ] ,"x\ud800":"\ud800", "n":12345678901234567890123 } "#;
        let changed = with(text, &[("new", Some("{ }"))]).unwrap();
        assert_eq!(
            changed,
            r#"{"a":1e400,"\u0062":[ 1 , 2 ],"x\ud800":"\ud800","n":12345678901234567890123,"new":{ }}"#
        );
    }

    #[test]
    fn a_member_is_replaced_wherever_and_however_it_was_written() {
        let text = r#"{"a":1,"b":2,"\u0061":3}"#;
        assert_eq!(with(text, &[("a", Some("4"))]).unwrap(), r#"{"b":2,"a":4}"#);
        assert_eq!(with(text, &[("a", None)]).unwrap(), r#"{"b":2}"#);
        assert_eq!(with("{}", &[("a", None), ("b", Some("1"))]).unwrap(), r#"{"b":1}"#);
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for text in ["[]", "1", "\"a\"", "null", "", "{", "{} {}"] {
            assert_eq!(with(text, &[("a", Some("1"))]), None, "{text}");
        }
    }
}
