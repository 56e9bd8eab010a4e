//! The challenge of the MCP server (A-01, A-11): the one that was met already, or one that is asked for.

use reqwest::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use url::Url;

use super::fetch::{DOCUMENT, REVISION};
use crate::error::Result;
use crate::http::{self, Reach};
use crate::oauth::challenge;

/// The question. A list, since that changes nothing, and a list of tools, since it is what every server has
/// and what one that lets anybody `initialize` challenges first (A-11). Asked by POST, since many servers
/// guard only that; a GET would open a stream. A server that is no MCP endpoint here (404, 405), that wants
/// a session first (400) or no sign-in at all (200) gives no challenge, and is not asked in a second way:
/// its metadata then lies at the well-known addresses, or there is none (A-03).
const QUESTION: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;

/// How the server answers somebody without a token.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The status; none if the challenge was met earlier.
    pub(super) status: Option<u16>,
    /// Whether it asks for a sign-in.
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
        return Ok(Answer { challenged: true, ..read(values) });
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
    let status = response.status().as_u16();
    let answer = read(&values);
    Ok(Answer { status: Some(status), challenged: answer.challenged || status == 401, ..answer })
}

/// The scope that a challenge names.
pub(super) fn scope(values: &[String]) -> Option<String> {
    read(values).scope
}

/// What the challenges say that a token can answer; each parameter from the first that has it, since a
/// server may offer a scheme twice, once with DPoP (RFC 9449 section 7.1).
fn read(values: &[String]) -> Answer {
    let challenges: Vec<_> = values
        .iter()
        .flat_map(|value| challenge::parse(value))
        .filter(|challenge| matches!(challenge.scheme.as_str(), "bearer" | "dpop"))
        .collect();
    let first = |name| challenges.iter().find_map(|challenge| challenge.get(name)).map(str::to_owned);
    Answer {
        status: None,
        challenged: !challenges.is_empty(),
        metadata: first("resource_metadata"),
        scope: first("scope").filter(|scope| !scope.trim().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_and_dpop_count_and_each_parameter_is_found() {
        let read = |values: &[&str]| read(&values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>());
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
