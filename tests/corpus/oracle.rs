//! Reads a refresh token out of a body by another way than the product: character by character, and
//! deaf to syntax.

/// The strings that stand as `refresh_token` in the outermost object of a text, or in a form.
pub fn refresh_tokens(body: &[u8]) -> Vec<String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    match text.find('{') {
        Some(start) => in_object(&text[start..]),
        None => {
            let pairs = url::form_urlencoded::parse(body);
            pairs.filter(|(name, _)| name == "refresh_token").map(|(_, value)| value.into_owned()).collect()
        }
    }
}

fn in_object(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut name = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            let Some(end) = string_end(rest) else { return found };
            let literal = &rest[..=end];
            rest = &rest[end + 1..];
            let is_name = rest.trim_start().starts_with(':');
            match name.take() {
                Some("refresh_token") if depth == 1 && !is_name => {
                    found.extend(serde_json::from_str::<String>(literal));
                }
                _ if is_name => name = Some(literal.trim_matches('"')),
                _ => {}
            }
            continue;
        }
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            ',' => name = None,
            _ => {}
        }
        if depth == 0 {
            return found;
        }
        rest = &rest[c.len_utf8()..];
    }
    found
}

/// Where the string ends that begins here.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| match c {
        _ if escaped => {
            escaped = false;
            None
        }
        '\\' => {
            escaped = true;
            None
        }
        '"' => Some(at),
        _ => None,
    })
}

#[test]
fn the_oracle_sees_what_it_should() {
    let tokens = |text: &str| refresh_tokens(text.as_bytes());
    assert_eq!(
        tokens(r#"{"a":{"refresh_token":"no"},"refresh_token" : "y\"es","b":["refresh_token"]}"#),
        ["y\"es"]
    );
    assert_eq!(
        tokens(r#"x {"refresh_token":"a","refresh_token":"b","refresh_token":7,"refresh_token":"c"#),
        ["a", "b"]
    );
    assert_eq!(tokens("a=b&refresh_token=c%20d"), ["c d"]);
    assert!(tokens("").is_empty());
}
