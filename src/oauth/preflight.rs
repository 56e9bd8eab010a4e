//! Asks, before a browser opens, whether the authorization server still knows a client.
//!
//! Servers prune dynamic registrations, or lose them at a restart. The user then stands before an error page
//! in his browser, and nothing comes back to the listener. So the page is fetched once without him, with
//! a state and a challenge that are thrown away: only a client that is not known gets an error at this point.
//! The same for a client of the user's own whose redirect URI is not registered ([`page`]).

mod page;

use std::time::Duration;

use bytes::BytesMut;
use reqwest::Response;
use reqwest::header::{ACCEPT, LOCATION, WWW_AUTHENTICATE};
use url::Url;

use super::authorize::Authorization;
use crate::http::{self, Reach};

/// The longest wait. Whoever does not answer by then is not said to know us not.
const LIMIT: Duration = Duration::from_secs(10);
/// As much of a page is read, in bytes. What is wrong stands at its beginning.
const PAGE: usize = 64 * 1024;

/// Whether the server does not know the client of this request any more. In doubt it does: a needless
/// registration costs more than an error page.
pub async fn is_dead(request: &Authorization, reach: &Reach) -> bool {
    let Some(response) = fetch(&request.url, reach).await else { return false };
    // The redirect is not followed, and the body not read: a page for people says nothing to us.
    let location = location(&response, &request.url);
    let asked =
        response.headers().get_all(WWW_AUTHENTICATE).iter().any(|value| asks_a_person(value.as_bytes()));
    !asked && refuses(response.status().as_u16(), location.as_ref())
}

/// Whether the server says on a page of its own that it does not know the redirect URI of this request. In
/// doubt it does not: the user then sees that page.
pub async fn refuses_redirect(request: &Authorization, reach: &Reach) -> bool {
    let look = async {
        let response = fetch(&request.url, reach).await?;
        let (status, location) = (response.status().as_u16(), location(&response, &request.url));
        Some(page::complains(status, location.as_ref(), &beginning(response).await))
    };
    tokio::time::timeout(LIMIT, look).await.ok().flatten().unwrap_or(false)
}

/// Fetches a page as a browser without a user would.
async fn fetch(url: &Url, reach: &Reach) -> Option<Response> {
    let client = http::oauth(url, reach).await.ok()?;
    let request = client.get(url.clone()).header(ACCEPT, "text/html,application/json;q=0.9,*/*;q=0.8");
    request.timeout(LIMIT).send().await.ok()
}

fn location(response: &Response, url: &Url) -> Option<Url> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    url.join(location).ok()
}

async fn beginning(mut response: Response) -> BytesMut {
    let mut body = BytesMut::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = PAGE.saturating_sub(body.len());
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() >= PAGE {
            break;
        }
    }
    body
}

/// Whether a 401 is about the user, whom his browser signs in to the company without a word: that page was
/// not even reached.
fn asks_a_person(challenge: &[u8]) -> bool {
    let scheme = challenge.split(|byte| *byte == b' ').next().unwrap_or_default();
    [&b"negotiate"[..], b"ntlm", b"kerberos", b"basic", b"digest"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Whether an answer says that the client is not known. `invalid_scope` is among them: a client may ask for
/// no more than it was registered for, and a step-up asks for more (RFC 7591 section 2).
fn refuses(status: u16, location: Option<&Url>) -> bool {
    match (status, location) {
        (400 | 401 | 422, _) => true,
        (300..400, Some(location)) => location.query_pairs().any(|(name, value)| {
            name == "error"
                && ["invalid_client", "unauthorized_client", "invalid_scope"].contains(&value.as_ref())
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_that_signs_its_people_in_by_itself_says_nothing_of_the_client() {
        for personal in ["Negotiate", "negotiate TlRMTVNTUAAB", "NTLM", "Basic realm=\"x\""] {
            assert!(asks_a_person(personal.as_bytes()), "{personal}");
        }
        for not in ["Bearer error=\"invalid_client\"", "", "DPoP", "Negotiated"] {
            assert!(!asks_a_person(not.as_bytes()), "{not}");
        }
    }

    // peers.md 8.
    #[test]
    fn only_what_says_so_is_dead() {
        for status in [200, 302, 403, 404, 405, 429, 500, 503] {
            assert!(!refuses(status, None), "{status}");
        }
        for status in [400, 401, 422] {
            assert!(refuses(status, None), "{status}");
        }
        let back = |query: &str| Url::parse(&format!("http://localhost:1/callback?{query}")).unwrap();
        for error in ["invalid_client", "unauthorized_client", "invalid_scope"] {
            assert!(refuses(302, Some(&back(&format!("error={error}&state=x")))), "{error}");
            assert!(!refuses(200, Some(&back(&format!("error={error}")))), "{error}");
        }
        for query in ["code=1", "error=login_required", "error_description=invalid_client", "", "error="] {
            assert!(!refuses(303, Some(&back(query))), "{query}");
        }
    }
}
