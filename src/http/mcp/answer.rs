//! An answer: its head at once, its body piece by piece.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use hyper::body::{Body, Incoming};

use super::pool::Lease;
use crate::error::{Error, Name, Result};

/// An answer whose body is still to be read.
pub struct Answer {
    head: http::response::Parts,
    body: Incoming,
    /// Given back at the body's end, or with the answer. Stands after the body, so that the body is
    /// dropped first: a connection with an unread rest must not look free.
    lease: Option<Lease>,
}

/// The connection broke before the end of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

impl Answer {
    pub(super) fn new(response: http::Response<Incoming>, lease: Option<Lease>) -> Self {
        let (head, body) = response.into_parts();
        let mut answer = Answer { head, body, lease };
        answer.settle();
        answer
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The length of the rest of the body in bytes, where it is known.
    pub fn content_length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next piece of the body; `None` at its end. May be dropped and called again.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Broken> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// As [`Answer::chunk`].
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        loop {
            let Some(frame) = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
                self.settle();
                return Poll::Ready(Ok(None));
            };
            // What is no data are trailers, which nobody asked for.
            if let Ok(data) = frame.map_err(|_| Broken)?.into_data() {
                self.settle();
                return Poll::Ready(Ok(Some(data)));
            }
        }
    }

    /// The whole body, of at most `limit` bytes.
    ///
    /// # Errors
    /// `bad-response` if it is larger, `network-down` if the connection breaks.
    pub async fn whole(mut self, limit: usize, host: &str) -> Result<Bytes> {
        let lost = |_| Error::new(Name::NetworkDown, format!("lost the connection to {host}"));
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > limit {
                let what = format!("the answer of {host} is larger than {} KiB", limit / 1024);
                return Err(Error::new(Name::BadResponse, what));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// Gives the connection back as soon as it is free for the next request.
    fn settle(&mut self) {
        if self.body.is_end_stream() {
            self.lease = None;
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Headers may hold the session id.
        f.debug_tuple("Answer").field(&self.head.status).finish()
    }
}
