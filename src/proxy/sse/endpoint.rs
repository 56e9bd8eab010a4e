//! Where messages are POSTed: the server's first event names it (T-83). A pure function.
//!
//! The token goes there, and the server chooses it; so it has to be of the same origin as the address that
//! the user gave. The specification does not demand that, and every server found does it.

use url::Url;

use crate::error::{Error, Name, Result};
use crate::http::show;

/// The longest reference that is read, in bytes.
const LONGEST: usize = 8 << 10;

/// Resolves the data of the `endpoint` event against the address of the stream (RFC 3986 section 5).
///
/// # Errors
/// `bad-response` for what is no address, `wrong-origin` for one of another origin, or with a user name or
/// password in it.
pub(super) fn resolve(stream: &Url, data: &str) -> Result<Url> {
    let host = stream.host_str().unwrap_or("the server");
    let reference = data.trim();
    let bad = || Error::new(Name::BadResponse, format!("{host} named an endpoint that is no address"));
    if reference.is_empty() || reference.len() > LONGEST || reference.chars().any(char::is_control) {
        return Err(bad());
    }
    let mut endpoint = stream.join(reference).map_err(|_| bad())?;
    // As texts: an origin that is opaque is like no other.
    let origin = |url: &Url| url.origin().ascii_serialization();
    let named = !endpoint.username().is_empty() || endpoint.password().is_some();
    if named || origin(&endpoint) != origin(stream) || !endpoint.origin().is_tuple() {
        let what = format!("{host} wants the messages sent to another place, {}", show(&endpoint));
        return Err(Error::new(Name::WrongOrigin, what).hinted(
            "check the address of the MCP server; what you send, and the token, go to no other one",
        ));
    }
    endpoint.set_fragment(None);
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = "https://mcp.example:8443/v1/sse?key=1";

    fn resolved(data: &str) -> Result<String> {
        resolve(&STREAM.parse().unwrap(), data).map(String::from)
    }

    // T-83.
    #[test]
    fn an_endpoint_is_relative_or_of_the_same_origin() {
        for (data, url) in [
            ("/messages?sessionId=1", "https://mcp.example:8443/messages?sessionId=1"),
            ("messages/?s=1", "https://mcp.example:8443/v1/messages/?s=1"),
            ("?s=1", "https://mcp.example:8443/v1/sse?s=1"),
            ("https://mcp.example:8443/m#f", "https://mcp.example:8443/m"),
            ("HTTPS://MCP.EXAMPLE:8443/m", "https://mcp.example:8443/m"),
            ("//mcp.example:8443/m", "https://mcp.example:8443/m"),
            (" /m \r", "https://mcp.example:8443/m"),
            ("/a/../../m", "https://mcp.example:8443/m"),
            ("/@evil.example/", "https://mcp.example:8443/@evil.example/"),
        ] {
            assert_eq!(resolved(data).unwrap(), url, "{data}");
        }
    }

    #[test]
    fn no_other_place_gets_a_message() {
        for data in [
            "https://evil.example/m",
            "http://mcp.example:8443/m",
            "https://mcp.example/m",
            "https://mcp.example.:8443/m",
            "https://mcp.example:8443.evil.example/m",
            "//evil.example/m",
            "\\\\evil.example\\m",
            "/\\evil.example/m",
            "https:evil.example/m@",
            "https://user@mcp.example:8443/m",
            "https://mcp.example:8443@evil.example/m",
            "data:text/plain,x",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            if let Ok(url) = resolved(data) {
                assert!(url.starts_with("https://mcp.example:8443/"), "{data}: {url}");
                assert_eq!(data, "https:evil.example/m@", "{url}");
            }
        }
        assert_eq!(resolved("//evil.example/m").unwrap_err().name(), Name::WrongOrigin);
        for data in ["", " ", "/a\nb", "https://[", &format!("/{}", "x".repeat(LONGEST))] {
            assert_eq!(resolved(data).unwrap_err().name(), Name::BadResponse, "{data:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_the_origin_stays(data in "(https?:)?[/\\\\@:?#.a-z0-9\\[\\]%-]{0,40}") {
            if let Ok(url) = resolved(&data) {
                prop_assert!(url.starts_with("https://mcp.example:8443/"), "{}", url);
            }
        }
    }
}
