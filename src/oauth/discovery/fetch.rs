//! Fetches metadata documents, within bounds of size, depth, time and number (security.md D8), and
//! follows only redirects that stay where they are (D2).

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{ACCEPT, LOCATION};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use url::Url;

use crate::error::{Error, Name, Result};
use crate::http::{self, Reach};
use crate::oauth::depth;

/// The most requests for metadata of one discovery: two for the resource and three for its authorization
/// server, and one redirect or one try of a second server.
const REQUESTS: usize = 6;
/// The most redirects of one document.
const REDIRECTS: usize = 3;
/// The longest time for one document, its redirects included; for the challenge as well.
pub(super) const DOCUMENT: Duration = Duration::from_secs(10);
/// The deepest nesting of a document.
const DEPTH: usize = 32;
/// The revision that we speak. Servers of 2025-03-26 may choose their metadata by it.
pub(super) const REVISION: (&str, &str) = ("mcp-protocol-version", "2025-11-25");

/// The requests of one discovery.
pub(super) struct Fetch {
    pub(super) reach: Reach,
    left: usize,
}

impl Fetch {
    pub(super) fn new(reach: Reach) -> Self {
        Fetch { reach, left: REQUESTS }
    }

    /// The first usable document at these addresses of one server; none if there is nothing at any of them.
    ///
    /// What is there but cannot be used is no reason not to look further, since every document proves
    /// itself: many servers answer at addresses that they know nothing of. It is what is reported if the
    /// others have nothing.
    ///
    /// # Errors
    /// What was wrong with the first unusable document, and failures of the network at once.
    pub(super) async fn first<T: DeserializeOwned>(
        &mut self,
        addresses: Vec<Url>,
        check: impl Fn(&Url, &T) -> Result<()>,
    ) -> Result<Option<T>> {
        let mut unusable = None;
        for url in addresses {
            let checked = match self.get(&url).await {
                Ok(Some(found)) => check(&url, &found).map(|()| found),
                Ok(None) => continue,
                Err(error) => Err(error),
            };
            match checked {
                Ok(found) => return Ok(Some(found)),
                // The next address is on the same host.
                Err(error) if is_unreachable(&error) => return Err(unusable.unwrap_or(error)),
                Err(error) => unusable = unusable.or(Some(error)),
            }
        }
        unusable.map_or(Ok(None), Err)
    }

    /// One document; none where there is none (4xx, or a page in its place).
    async fn get<T: DeserializeOwned>(&mut self, url: &Url) -> Result<Option<T>> {
        let late = || Error::new(Name::Timeout, format!("{} did not answer in time", host(url)));
        let Some(body) = timeout(DOCUMENT, self.follow(url)).await.map_err(|_| late())?? else {
            return Ok(None);
        };
        if body.trim_ascii_start().starts_with(b"<") {
            return Ok(None);
        }
        let refuse = |why| Error::new(Name::BadResponse, format!("{} {why}", http::show(url)));
        if depth::exceeds(&body, DEPTH) {
            return Err(refuse("is nested too deeply for metadata"));
        }
        serde_json::from_slice(&body).map(Some).map_err(|_| refuse("is not valid metadata"))
    }

    /// Follows redirects to the document.
    async fn follow(&mut self, first: &Url) -> Result<Option<Bytes>> {
        let mut url = first.clone();
        for _ in 0..=REDIRECTS {
            let response = self.send(&url).await?;
            let status = response.status();
            match status.as_u16() {
                // No compression was offered, so these are bytes as they are: nothing can grow on its way
                // into memory.
                200 => return http::read(response, http::METADATA_LIMIT).await.map(Some),
                301 | 302 | 303 | 307 | 308 => url = next(&url, &response)?,
                429 => {
                    return Err(Error::new(Name::ServerBusy, format!("{} asks us to wait", host(&url))));
                }
                500.. => {
                    let what = format!("{} answered {}", host(&url), status.as_u16());
                    return Err(Error::new(Name::ServerError, what));
                }
                _ => return Ok(None),
            }
        }
        Err(refused(first, "redirects too often"))
    }

    async fn send(&mut self, url: &Url) -> Result<Response> {
        let Some(left) = self.left.checked_sub(1) else {
            let what = format!("{REQUESTS} requests did not lead to the authorization server's metadata");
            return Err(Error::new(Name::BadResponse, what));
        };
        self.left = left;
        // A client of its own for each request, so that each is judged by its own host (D1, D2).
        let request = http::oauth(url, &self.reach).await?.get(url.clone());
        let request = request.header(ACCEPT, "application/json").header(REVISION.0, REVISION.1);
        request.send().await.map_err(|error| http::transport(&error, host(url)))
    }
}

/// Where a redirect leads: only to the same origin, so never to another host nor away from https (D2).
fn next(url: &Url, response: &Response) -> Result<Url> {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    match location.and_then(|location| url.join(location).ok()) {
        Some(next) if next.origin() == url.origin() => Ok(next),
        Some(_) => Err(refused(url, "redirects to another server")),
        None => Err(refused(url, "redirects to nowhere")),
    }
}

fn refused(url: &Url, what: &str) -> Error {
    Error::new(Name::RedirectRefused, format!("{} {what}", http::show(url)))
        .hinted("check the address of the server; metadata is read only where it belongs")
}

fn is_unreachable(error: &Error) -> bool {
    matches!(error.name(), Name::NetworkDown | Name::TlsFailed | Name::Timeout | Name::UnsafeUrl)
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}
