//! The HTTP answers: a fixed set, made of constants.
//!
//! No byte of a request gets into an answer, so there is nothing to escape and nothing to forget to
//! escape (L4).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use super::page::{self, Page};

/// A request that is not answered with the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// 400: not the callback that is waited for.
    NotOurs,
    /// 403: another site sent it here.
    Foreign,
    /// 404: no such page.
    Nothing,
    /// 405: not GET.
    Method,
    /// 409: the answer has been taken already.
    Taken,
    /// 503: fetched in advance; fetch it again when it is wanted.
    Prefetch,
}

impl Notice {
    pub(super) fn response(self) -> Response<Full<Bytes>> {
        let (status, html) = match self {
            Notice::NotOurs => (StatusCode::BAD_REQUEST, page::NOT_OURS),
            Notice::Foreign => (StatusCode::FORBIDDEN, page::FOREIGN),
            Notice::Nothing => (StatusCode::NOT_FOUND, page::NOTHING),
            Notice::Method => (StatusCode::METHOD_NOT_ALLOWED, page::METHOD),
            Notice::Taken => (StatusCode::CONFLICT, page::TAKEN),
            Notice::Prefetch => (StatusCode::SERVICE_UNAVAILABLE, page::PREFETCH),
        };
        let mut response = answer(status, html);
        if self == Notice::Method {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
        }
        response
    }
}

/// The outcome.
pub(super) fn shown(page: Page) -> Response<Full<Bytes>> {
    answer(StatusCode::OK, page.html())
}

/// Away from the address with the code, before the browser writes it into its history (L8).
pub(super) fn to_done() -> Response<Full<Bytes>> {
    let mut response = answer(StatusCode::SEE_OTHER, "");
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/done"));
    response
}

fn answer(status: StatusCode, html: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(html.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, page::POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // The page that sent the browser here keeps no handle on this window, and no other page
        // may embed what it shows.
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CONNECTION, "close"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
