//! A value of the body as the value of a header (T-53, T-54).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// The first number beyond those that JavaScript tells apart, which MCP allows none of.
const UNSAFE: u64 = 1 << 53;

/// A text as a header's value: as it is where it can be, otherwise in base64 between marks (T-53, P3).
pub(super) fn encode(text: &str) -> Option<HeaderValue> {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text;
    let marked = text.starts_with("=?base64?") && text.ends_with("?=");
    let value = match plain && !marked {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("=?base64?{}?=", STANDARD.encode(text))),
    };
    HeaderValue::from_str(&value).ok()
}

/// A JSON value as text: a string as it is, a number in decimals, `true` or `false`. `None` for what goes in
/// no header: `null`, a number that a server may read as another one, and everything else.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok().map(Cow::Owned),
        b't' | b'f' => Some(Cow::Borrowed(json)),
        b'-' | b'0'..=b'9' => number(json).map(Cow::Owned),
        _ => None,
    }
}

fn number(json: &str) -> Option<String> {
    if let Ok(number) = json.parse::<i64>() {
        return (number.unsigned_abs() < UNSAFE).then(|| number.to_string());
    }
    // Servers compare numbers as numbers: 42.0 may be written 42. Zero has no sign.
    let number = json.parse::<f64>().ok().filter(|number| number.is_finite())? + 0.0;
    #[expect(clippy::cast_precision_loss, reason = "2^53 is exact")]
    let is_safe = number.fract() != 0.0 || number.abs() < UNSAFE as f64;
    is_safe.then(|| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    // T-53, P3: the table of the specification, and more.
    #[test]
    fn what_is_not_plain_goes_in_base64() {
        for (text, value) in [
            ("get_weather", "get_weather"),
            ("a b", "a b"),
            ("", ""),
            (" a", "=?base64?IGE=?="),
            ("a ", "=?base64?YSA=?="),
            (" ", "=?base64?IA==?="),
            ("a\tb", "=?base64?YQli?="),
            ("a\nb", "=?base64?YQpi?="),
            ("a\r\nX-Evil: 1", "=?base64?YQ0KWC1FdmlsOiAx?="),
            ("\0", "=?base64?AA==?="),
            ("\x7f", "=?base64?fw==?="),
            ("é", "=?base64?w6k=?="),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
            ("=?base64?", "=?base64?"),
            ("=?BASE64?YQ==?=", "=?BASE64?YQ==?="),
        ] {
            assert_eq!(encode(text).unwrap(), value, "{text:?}");
        }
    }

    // T-54.
    #[test]
    fn values_become_text_where_they_are_simple() {
        for (json, expected) in [
            (r#""us-west1""#, "us-west1"),
            (r#""a\u00e9\n""#, "aé\n"),
            ("42", "42"),
            ("-7", "-7"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("42.0", "42"),
            ("4.2e1", "42"),
            ("3.25", "3.25"),
            ("9007199254740991", "9007199254740991"),
            ("-9007199254740991", "-9007199254740991"),
            ("true", "true"),
            ("false", "false"),
        ] {
            assert_eq!(text(json).as_deref(), Some(expected), "{json}");
        }
        for json in ["null", "{}", "[1]", "9007199254740992", "9.1e15", "1e400", r#""\ud800""#, ""] {
            assert_eq!(text(json), None, "{json}");
        }
    }
}
