//! JSON as text: enough to compare two messages, and to find an id, without any reader of JSON between.

/// The text without the white space between its tokens (RFC 8259 section 2).
pub fn strip(text: &str) -> String {
    let mut stripped = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' if !in_string => continue,
            '"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = in_string && c == '\\' && !escaped;
        stripped.push(c);
    }
    stripped
}

/// What stands between the commas of an array or an object, one level deep. The text is a stripped one.
pub fn parts(stripped: &str) -> Vec<&str> {
    let inner = &stripped[1..stripped.len() - 1];
    let (mut depth, mut in_string, mut escaped, mut start) = (0, false, false, 0);
    let mut found = Vec::new();
    for (at, c) in inner.char_indices() {
        match c {
            '"' if !escaped => in_string = !in_string,
            '[' | '{' if !in_string => depth += 1,
            ']' | '}' if !in_string => depth -= 1,
            ',' if !in_string && depth == 0 => {
                found.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        escaped = in_string && c == '\\' && !escaped;
    }
    found.push(&inner[start..]);
    found.retain(|part| !part.is_empty());
    found
}

/// The value of a member of a stripped object, as it stands there; of several the last.
pub fn member<'a>(stripped: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("\"{name}\":");
    parts(stripped).into_iter().rev().find_map(|part| part.strip_prefix(&start))
}

/// The id of a request; nothing for every other message.
pub fn request_id(stripped: &str) -> Option<&str> {
    member(stripped, "method")?;
    member(stripped, "id")
}

mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::json;

    #[test]
    fn what_stands_in_strings_stays() {
        assert_eq!(strip("{ \"a \\\" b\\\\\" :\r\n\t[ 1 , \" \" ] }"), "{\"a \\\" b\\\\\":[1,\" \"]}");
        assert_eq!(
            parts(r#"{"a":[1,{"b":2}],"c,":"\",","d":{}}"#),
            [r#""a":[1,{"b":2}]"#, r#""c,":"\",""#, r#""d":{}"#]
        );
        assert_eq!(parts("[]"), [""; 0]);
        assert_eq!(member(r#"{"id":1,"x":{"id":2},"id":3}"#, "id"), Some("3"));
    }

    proptest! {
        /// A text that was written with white space between its tokens is the same without.
        #[test]
        fn stripping_undoes_what_was_put_between(text in json()) {
            prop_assert_eq!(strip(&text.spaced), &text.plain[..]);
            prop_assert_eq!(strip(&text.plain), &text.plain[..]);
        }

        /// And nothing else was taken off: both are the same value, wherever a library can hold it.
        #[test]
        fn stripping_keeps_the_value(text in json()) {
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            prop_assert_eq!(read(&text.spaced), read(&strip(&text.spaced)));
        }
    }
}
