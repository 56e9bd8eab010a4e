//! The two ends of the pipe to the MCP host. Nothing else in the program writes to stdout while the
//! proxy runs (S-03).
//!
//! Handing each message to a thread and back is most of what a good bridge costs, so pipes and sockets
//! are polled by the runtime itself; files, terminals and other systems get a thread (DESIGN decision 10).

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Mutex, mpsc};

use super::latch::Latch;

#[cfg(unix)]
mod polled;
mod threads;

/// Where the host's messages come from.
pub struct Input(Source);

enum Source {
    Polled(Box<dyn AsyncRead + Send + Unpin>),
    Thread(mpsc::Receiver<io::Result<Bytes>>),
}

impl Input {
    /// This process's stdin, in the fastest way it allows.
    pub fn stdin() -> Self {
        #[cfg(unix)]
        if let Some(polled) = polled::stdin() {
            return Input(Source::Polled(polled));
        }
        Input(Source::Thread(threads::stdin()))
    }

    /// Anything that can be polled.
    pub fn new(source: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Input(Source::Polled(Box::new(source)))
    }

    /// Appends what there is to `buffer`; 0 at the end.
    pub(super) async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        match &mut self.0 {
            Source::Polled(source) => source.read_buf(buffer).await,
            Source::Thread(chunks) => match chunks.recv().await {
                None => Ok(0),
                Some(chunk) => chunk.map(|chunk| {
                    buffer.extend_from_slice(&chunk);
                    chunk.len()
                }),
            },
        }
    }
}

/// Where the answers go.
pub struct Output {
    sink: Mutex<Guarded>,
    closed: std::sync::Arc<Latch>,
}

struct Guarded {
    sink: Sink,
    /// Set while a line is being written. If its writer is stopped in the middle, the rest of the
    /// stream would be read as part of that line, so nothing more is written.
    torn: bool,
}

enum Sink {
    Polled(Box<dyn AsyncWrite + Send + Unpin>),
    Thread(threads::Writer),
}

impl Output {
    /// This process's stdout, in the fastest way it allows.
    pub fn stdout() -> Self {
        #[cfg(unix)]
        if let Some(polled) = polled::stdout() {
            return Output::of(Sink::Polled(polled));
        }
        Output::of(Sink::Thread(threads::stdout()))
    }

    /// Anything that can be polled.
    pub fn new(sink: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        Output::of(Sink::Polled(Box::new(sink)))
    }

    fn of(sink: Sink) -> Self {
        Output { sink: Mutex::new(Guarded { sink, torn: false }), closed: Latch::new() }
    }

    /// Writes one line, its end included, after all lines that were begun before.
    pub(super) async fn write(&self, line: Vec<u8>) {
        let mut guarded = self.sink.lock().await;
        if guarded.torn || self.closed.is_open() {
            return;
        }
        guarded.torn = true;
        let written = match &mut guarded.sink {
            Sink::Polled(sink) => sink.write_all(&line).await,
            Sink::Thread(writer) => writer.write(line).await,
        };
        guarded.torn = false;
        if written.is_err() {
            self.closed.open();
        }
    }

    /// Returns when no line is stuck half-way. Whoever is about to read from the server waits here
    /// first: while the host does not read, neither do we (row 129).
    pub(super) async fn ready(&self) {
        drop(self.sink.lock().await);
    }

    /// Returns when the host has closed its end.
    pub(super) async fn closed(&self) {
        self.closed.wait().await;
    }
}
