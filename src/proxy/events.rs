//! A server's event stream (SSE) as messages, with the place to go on from after a break.
//!
//! The parser is `sse-stream`'s, which is right where others fail (T-13, T-14); the size limit and
//! the memory of the last event id are ours.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::HeaderValue;
use sse_stream::SseByteStream;

use super::bound::{Bound, Exceeded};
use super::budget::{Budget, Share};
use crate::http::mcp::Answer;

/// How long a server may make us wait before the next try. Longer wishes are cut.
const RETRY_MOST: Duration = Duration::from_secs(3600);

/// Where a stream can be taken up again (T-30 to T-32). Belongs to one stream and its continuations.
#[derive(Debug, Clone, Default)]
pub(super) struct Cursor {
    /// The `Last-Event-ID` to send, if the server gave an event id.
    pub(super) last_id: Option<HeaderValue>,
    /// The server's `retry:`.
    pub(super) retry: Option<Duration>,
}

/// Why a stream gives no more messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The server ended it, or the connection broke.
    Ended,
    /// An event exceeded the limit.
    TooLarge,
}

/// An open event stream.
pub(super) struct Events {
    stream: SseByteStream<Pin<Box<Bytewise>>>,
    active: Arc<AtomicBool>,
}

impl Events {
    /// A stream whose large messages count against `budget` (P5).
    pub(super) fn new(answer: Answer, budget: &Budget) -> Self {
        let active = Arc::new(AtomicBool::new(false));
        let (bound, share) = (Bound::default(), budget.share());
        let bytewise = Bytewise { answer, bound, share, active: Arc::clone(&active) };
        Events { stream: SseByteStream::new(Box::pin(bytewise)), active }
    }

    /// The next message. Events without data, like the priming event of 2025-11-25, and events of
    /// other names only move the cursor (T-15, T-17). May be dropped and called again.
    pub(super) async fn next(&mut self, cursor: &mut Cursor) -> Result<Vec<u8>, Stop> {
        loop {
            let event = match self.stream.next().await {
                Some(Ok(event)) => event,
                Some(Err(sse_stream::Error::Body(error)))
                    if error.downcast_ref() == Some(&Broken::TooLarge) =>
                {
                    return Err(Stop::TooLarge);
                }
                Some(Err(_)) | None => return Err(Stop::Ended),
            };
            cursor.retry =
                event.retry.map(Duration::from_millis).map(|wait| wait.min(RETRY_MOST)).or(cursor.retry);
            if let Some(id) = event.id.filter(|id| id.len() <= 1024) {
                // An empty id means: from here on there is no id.
                cursor.last_id = HeaderValue::from_str(&id).ok().filter(|id| !id.is_empty());
            }
            let is_message = event.event.is_none_or(|name| name.is_empty() || name == "message");
            match event.data {
                Some(data) if is_message && !data.trim().is_empty() => return Ok(data.into_bytes()),
                _ => {}
            }
        }
    }

    /// The data of the first event of the name `endpoint` (T-83). What comes before it is of no use.
    pub(super) async fn endpoint(&mut self) -> Result<String, Stop> {
        loop {
            match self.stream.next().await {
                Some(Ok(event)) if event.event.as_deref() == Some("endpoint") => {
                    return Ok(event.data.unwrap_or_default());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Stop::Ended),
            }
        }
    }

    /// Whether anything came, comments included, since this was last asked (T-10).
    pub(super) fn was_active(&self) -> bool {
        self.active.swap(false, Ordering::Relaxed)
    }
}

/// The bytes of the stream, counted.
struct Bytewise {
    answer: Answer,
    bound: Bound,
    share: Share,
    active: Arc<AtomicBool>,
}

impl Stream for Bytewise {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The message before has been written: it is over when more is wanted.
        let kept = self.bound.kept();
        if self.share.poll_keep(kept, cx).is_pending() {
            // That nothing comes is our own doing, and no silence of the server.
            self.active.store(true, Ordering::Relaxed);
            return Poll::Pending;
        }
        self.answer.poll_chunk(cx).map(|chunk| {
            let chunk = match chunk {
                Ok(chunk) => chunk?,
                Err(_) => return Some(Err(Broken::Connection)),
            };
            self.active.store(true, Ordering::Relaxed);
            Some(self.bound.observe(&chunk).map(|()| chunk).map_err(|Exceeded| Broken::TooLarge))
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Connection,
    TooLarge,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::Connection => "the connection broke",
            Broken::TooLarge => "an event is too large",
        })
    }
}

impl std::error::Error for Broken {}
