//! Bodies of answers: pieces that are in memory already, sent without a copy.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};

/// The body of an answer.
#[derive(Default)]
pub(super) struct Reply {
    pieces: VecDeque<Bytes>,
    /// Whether the client learns the length before the body.
    is_sized: bool,
    /// Whether the body stays open after the last piece.
    is_endless: bool,
}

impl Reply {
    pub(super) fn sized(pieces: impl Into<VecDeque<Bytes>>) -> Self {
        Reply { pieces: pieces.into(), is_sized: true, is_endless: false }
    }

    pub(super) fn chunked(pieces: impl Into<VecDeque<Bytes>>) -> Self {
        Reply { pieces: pieces.into(), is_sized: false, is_endless: false }
    }

    /// Nothing, for as long as the client listens.
    pub(super) fn silent() -> Self {
        Reply { pieces: VecDeque::new(), is_sized: false, is_endless: true }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if self.is_endless => Poll::Pending,
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.is_endless
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_sized {
            SizeHint::with_exact(self.pieces.iter().map(|piece| piece.len() as u64).sum())
        } else {
            SizeHint::default()
        }
    }
}

pub(super) fn status(code: u16) -> Response<Reply> {
    Response::builder().status(code).body(Reply::sized([])).unwrap()
}

pub(super) fn json(pieces: impl Into<VecDeque<Bytes>>) -> Response<Reply> {
    let response = Response::builder().header("content-type", "application/json");
    response.header("mcp-session-id", "bench").body(Reply::sized(pieces)).unwrap()
}

pub(super) fn events(body: Reply) -> Response<Reply> {
    let response = Response::builder().header("content-type", "text/event-stream");
    response.header("mcp-session-id", "bench").header("cache-control", "no-cache").body(body).unwrap()
}
