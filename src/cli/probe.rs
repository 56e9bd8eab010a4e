//! One cheap request to the MCP server, to see what it says to a token.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Method};
use secrecy::ExposeSecret;
use url::Url;

use super::proxy::header;
use crate::error::{Error, Name, Result};
use crate::http::mcp::{Client, Failure};
use crate::oauth::challenge;
use crate::profile::Target;
use crate::proxy::Access;

/// The longest wait for the answer's head. Its body may be a stream without an end, and is not read.
const LIMIT: Duration = Duration::from_secs(20);

/// A request that changes nothing, in the words of every revision.
const PING: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// What the server says to a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does not object. Whether it knows `ping` without a session does not matter.
    Accepted,
    /// It takes the token, and wants more scope for this: the one named, if any (A-54).
    LacksScope(Option<String>),
    /// 401.
    Refused,
}

/// Asks.
///
/// # Errors
/// `usage` and `config-bad` for headers of the profile; `network-down` and its kind; `server-busy`, `server-error` and `redirect-refused` for answers that say
/// nothing about the token.
pub(super) async fn ask(target: &Target, access: Option<&Access>) -> Result<Verdict> {
    let url = &target.url;
    let host = url.host_str().unwrap_or_default();
    let mut headers: HeaderMap = header::of(target)?.list.into_iter().collect();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers.insert("mcp-protocol-version", HeaderValue::from_static("2025-11-25"));
    if let Some(access) = access {
        authorize(&mut headers, url, access)?;
    }
    let client = Client::new(url, false)?;
    let sent =
        tokio::time::timeout(LIMIT, client.send(Method::POST, headers, Bytes::from_static(PING))).await;
    let late = |_| Error::new(Name::Timeout, format!("{host} did not answer in time"));
    let response = sent.map_err(late)?.map_err(|failure| match failure {
        Failure::NotSent(error) => error,
        Failure::Lost => Error::new(Name::NetworkDown, format!("lost the connection to {host}")),
    })?;
    let said = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let said: Vec<&str> = said.filter_map(|value| value.to_str().ok()).collect();
    judge(response.status().as_u16(), &said, host)
}

fn authorize(headers: &mut HeaderMap, url: &Url, access: &Access) -> Result<()> {
    let scheme = if access.proof.is_some() { "DPoP" } else { "Bearer" };
    let value = HeaderValue::from_str(&format!("{scheme} {}", access.token.expose_secret()));
    let mut value = value.map_err(|_| Error::new(Name::Internal, "the token does not fit into a header"))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    if let Some(proof) = &access.proof {
        headers.insert("dpop", proof.header(&Method::POST, url, &access.token)?);
    }
    Ok(())
}

fn judge(status: u16, said: &[&str], host: &str) -> Result<Verdict> {
    match status {
        401 => Ok(Verdict::Refused),
        403 => {
            let challenge = challenge::find(said);
            let lacks = challenge.filter(|challenge| challenge.error() == Some("insufficient_scope"));
            Ok(match lacks {
                Some(challenge) => Verdict::LacksScope(challenge.scope().map(crate::error::clean)),
                None => Verdict::Accepted,
            })
        }
        300..=399 => Err(Error::new(Name::RedirectRefused, format!("{host} redirects MCP requests"))
            .hinted("give the address to which it leads as the target; a token is never sent on")),
        429 => Err(Error::new(Name::ServerBusy, format!("{host} asks us to wait"))),
        500.. => Err(Error::new(Name::ServerError, format!("{host} answered {status}"))),
        _ => Ok(Verdict::Accepted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_401_is_a_refusal_and_trouble_is_no_verdict() {
        let scope = &[r#"Bearer error="insufficient_scope", scope="apps:read""#][..];
        for (status, said, expected) in [
            (200, &[][..], Verdict::Accepted),
            (202, &[], Verdict::Accepted),
            (400, &[], Verdict::Accepted),
            (404, &[], Verdict::Accepted),
            (401, &[], Verdict::Refused),
            (401, scope, Verdict::Refused),
            (403, scope, Verdict::LacksScope(Some("apps:read".into()))),
            (403, &["Bearer error=insufficient_scope"], Verdict::LacksScope(None)),
            (403, &[], Verdict::Accepted),
        ] {
            assert_eq!(judge(status, said, "e.com").unwrap(), expected, "{status} {said:?}");
        }
        for (status, name) in [
            (302, Name::RedirectRefused),
            (429, Name::ServerBusy),
            (500, Name::ServerError),
            (503, Name::ServerError),
        ] {
            assert_eq!(judge(status, scope, "e.com").unwrap_err().name(), name, "{status}");
        }
    }
}
