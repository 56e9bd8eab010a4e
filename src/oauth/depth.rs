//! How deep a JSON text is nested (security.md D8, row 96). Counted before it is parsed: what a reader skips it
//! still has to walk through, and the parser's own limit is four times ours.

/// Whether arrays and objects are nested more than `limit` deep. Total and pure: of what is not JSON it
/// says something, and the parser refuses it anyway.
pub(super) fn exceeds(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    json.iter().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > limit
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn nested(depth: usize) -> String {
        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn brackets_count_and_those_in_strings_do_not() {
        assert!(!exceeds(nested(32).as_bytes(), 32));
        assert!(exceeds(nested(33).as_bytes(), 32));
        assert!(exceeds(br#"{"a":[{"b":1}]}"#, 2));
        assert!(!exceeds(br#"{"a":"[[[{{{","b":"\"[[[","c":"\\"}"#, 1));
        // Behind a string that ends in a backslash, brackets count again.
        assert!(exceeds(br#"["\\",[[1]]]"#, 2));
        // One after the other is not one in the other.
        assert!(!exceeds("[],".repeat(100).as_bytes(), 1));
    }

    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
            Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from), ".*".prop_map(Value::from)];
        leaf.prop_recursive(8, 64, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".*", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_parser(value in json(), limit in 0_usize..10) {
            prop_assert_eq!(exceeds(value.to_string().as_bytes(), limit), depth(&value) > limit);
        }

        #[test]
        fn is_total(bytes: Vec<u8>) {
            exceeds(&bytes, 3);
        }
    }
}
