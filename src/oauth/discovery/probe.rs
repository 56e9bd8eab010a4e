//! The challenge of the MCP server (A-01, A-11): the one that was met already, or one that is asked for.

use reqwest::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use url::Url;

use super::fetch::{DOCUMENT, REVISION};
use crate::error::Result;
use crate::http::{self, Reach};
use crate::oauth::challenge::{self, Challenge};

/// The question. A list, since that changes nothing, and a list of tools, since it is what every server has
/// and what one that lets anybody `initialize` challenges first (A-11). Asked by POST, since many servers
/// guard only that; a GET would open a stream. A server that is no MCP endpoint here (404, 405), that wants
/// a session first (400) or no sign-in at all (200) gives no challenge, and is not asked in a second way:
/// its metadata then lies at the well-known addresses, or there is none (A-03).
const QUESTION: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;

/// How the server answers somebody without a token.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status; 401 if the challenge was met earlier.
    pub(super) status: u16,
    /// Whether it asks for a sign-in that a token can be. A server that asks for HTTP Basic does not.
    pub(super) challenged: bool,
    /// `resource_metadata` (RFC 9728 section 5.1).
    pub(super) metadata: Option<String>,
    /// `scope` (RFC 6750 section 3).
    pub(super) scope: Option<String>,
}

/// Reads the values of a challenge that was met, or asks for one.
///
/// # Errors
/// Failures of the network.
pub(super) async fn challenge(url: &Url, met: Option<&[String]>, reach: &Reach) -> Result<Answer> {
    if let Some(values) = met {
        return Ok(read(401, values));
    }
    let host = url.host_str().unwrap_or_default();
    let request = http::oauth(url, reach).await?.post(url.clone()).timeout(DOCUMENT);
    let request =
        request.header(ACCEPT, "application/json, text/event-stream").header(REVISION.0, REVISION.1);
    // The newest revision wants the method in a header as well; the others pass over it.
    let request = request.header("mcp-method", "tools/list").header(CONTENT_TYPE, "application/json");
    let response = request.body(QUESTION).send().await.map_err(|error| http::transport(&error, host))?;
    let values = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let values: Vec<_> = values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect();
    Ok(read(response.status().as_u16(), &values))
}

/// The scope that a challenge names.
pub(super) fn scope(values: &[String]) -> Option<String> {
    read(401, values).scope
}

/// What the challenge says that a token can answer.
fn read(status: u16, values: &[String]) -> Answer {
    let found = challenge::find(values);
    let said = |read: fn(&Challenge) -> Option<&str>| found.as_ref().and_then(read).map(str::to_owned);
    Answer {
        status,
        challenged: found.is_some() || (status == 401 && values.is_empty()),
        metadata: said(Challenge::resource_metadata),
        scope: said(Challenge::scope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_and_dpop_count_and_basic_does_not() {
        let read = |values: &[&str]| read(401, &values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>());
        let both =
            read(&[r#"Basic realm="x", DPoP algs="ES256""#, r#"Bearer scope="a b", resource_metadata="u""#]);
        assert!(both.challenged);
        assert_eq!((both.metadata.as_deref(), both.scope.as_deref()), (Some("u"), Some("a b")));
        assert_eq!(read(&[r#"DPoP resource_metadata="u""#]).metadata.as_deref(), Some("u"));
        assert_eq!(read(&[r#"Bearer scope="""#]).scope, None);
        let basic = read(&[r#"Basic realm="x", resource_metadata="u""#, "Negotiate"]);
        assert!(!basic.challenged && basic.metadata.is_none());
    }
}
