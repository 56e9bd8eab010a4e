//! MCP sessions and their event streams (2025-11-25, "Session Management").

use std::collections::HashMap;
use std::convert::Infallible;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::reply::{self, Body};
use super::secret;

/// Sessions kept; beyond it the oldest ends.
const KEPT: usize = 1000;
/// Streams of one session.
const STREAMS: usize = 16;
/// Events that wait for a slow reader; beyond it they are lost, as on a broken line.
const WAITING: usize = 64;

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: HashMap<String, Session>,
    last: u64,
}

#[derive(Debug)]
struct Session {
    number: u64,
    version: &'static str,
    streams: Vec<mpsc::Sender<Bytes>>,
}

impl Sessions {
    /// Opens a session and returns its id.
    pub(super) fn open(&mut self, version: &'static str) -> String {
        if self.all.len() >= KEPT {
            let oldest = self.all.iter().min_by_key(|(_, session)| session.number).map(|(id, _)| id.clone());
            self.all.remove(&oldest.unwrap_or_default());
        }
        self.last += 1;
        let (id, number) = (secret::fresh(""), self.last);
        self.all.insert(id.clone(), Session { number, version, streams: Vec::new() });
        id
    }

    /// The version that a session negotiated; nothing if there is no such session.
    pub(super) fn version(&self, id: &str) -> Option<&'static str> {
        self.all.get(id).map(|session| session.version)
    }

    /// Ends a session and its streams. Returns whether there was one.
    pub(super) fn close(&mut self, id: &str) -> bool {
        self.all.remove(id).is_some()
    }

    /// Ends all of them.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    /// Opens an event stream of a session.
    pub(super) fn stream(&mut self, id: &str) -> Option<Response<Body>> {
        let session = self.all.get_mut(id)?;
        session.streams.retain(|stream| !stream.is_closed());
        if session.streams.len() >= STREAMS {
            session.streams.remove(0);
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        // The head of an answer leaves with its first bytes; a comment (T-13) makes that now.
        let _ = sender.try_send(Bytes::from_static(b": open\n\n"));
        session.streams.push(sender);
        let frames = futures_util::stream::unfold(receiver, |mut receiver| async {
            let bytes = receiver.recv().await?;
            Some((Ok::<_, Infallible>(Frame::data(bytes)), receiver))
        });
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        reply::set(&mut response, http::header::CONTENT_TYPE, "text/event-stream");
        reply::set(&mut response, http::header::CACHE_CONTROL, "no-store");
        Some(response)
    }

    /// Sends a message to every session that listens, on one of its streams and never on two
    /// ("Multiple Connections").
    pub(super) fn tell(&self, message: &str) {
        let event = Bytes::from(event(message));
        for session in self.all.values() {
            // try_send fails for a stream that was closed or does not read; then the next one gets it.
            let _ = session.streams.iter().rev().find(|stream| stream.try_send(event.clone()).is_ok());
        }
    }
}

/// An event stream of these messages, after a comment (T-13). Each is a chunk of its own.
pub(super) fn events(messages: &[String]) -> Response<Body> {
    let chunks: Vec<String> = [": working\n\n".to_owned()]
        .into_iter()
        .chain(messages.iter().map(|message| event(message)))
        .collect();
    let frames = chunks.into_iter().map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::from(chunk))));
    let mut response = Response::new(StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync());
    reply::set(&mut response, http::header::CONTENT_TYPE, "text/event-stream");
    response
}

/// A message as server-sent event.
fn event(message: &str) -> String {
    format!("event: message\ndata: {message}\n\n")
}
