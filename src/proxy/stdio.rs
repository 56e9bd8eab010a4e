//! The two ends of the pipe to the MCP host. Nothing else in the program writes to stdout while the
//! proxy runs (S-03).
//!
//! Handing each message to a thread and back is most of what a good bridge costs, so pipes and sockets
//! are polled by the runtime itself; files, terminals and other systems get a thread (DESIGN decision 10).

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Mutex, MutexGuard, mpsc};

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

/// A line that has been begun. If it is dropped before its end, nothing more is written.
pub(super) struct Line<'a> {
    guarded: MutexGuard<'a, Guarded>,
    closed: &'a Latch,
    /// Nothing can be written any more.
    lost: bool,
}

impl Line<'_> {
    /// Writes a piece of it.
    pub(super) async fn write(&mut self, piece: &[u8]) {
        if self.lost {
            return;
        }
        let written = match &mut self.guarded.sink {
            Sink::Polled(sink) => sink.write_all(piece).await,
            Sink::Thread(writer) => writer.write(piece.to_vec()).await,
        };
        self.note(written);
    }

    /// The same, without a copy where a thread writes.
    async fn put(&mut self, piece: Vec<u8>) {
        if self.lost {
            return;
        }
        let written = match &mut self.guarded.sink {
            Sink::Polled(sink) => sink.write_all(&piece).await,
            Sink::Thread(writer) => writer.write(piece).await,
        };
        self.note(written);
    }

    fn note(&mut self, written: io::Result<()>) {
        if written.is_err() {
            self.lost = true;
            self.closed.open();
        }
    }

    /// Ends it: its last piece had the line end.
    pub(super) fn end(mut self) {
        self.guarded.torn = self.lost;
    }
}

/// How many bytes of lines wait for each other at most.
const TOGETHER: usize = 64 << 10;

/// As long as this is there, lines may wait for each other.
pub(super) struct Together<'a>(&'a AtomicUsize);

impl Drop for Together<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whoever holds this is about to write the lines that wait.
struct First<'a>(&'a AtomicBool);

impl Drop for First<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Where the answers go.
pub struct Output {
    sink: Mutex<Guarded>,
    together: AtomicUsize,
    soon: AtomicBool,
    closed: std::sync::Arc<Latch>,
    /// How many lines are being written, or wait for their turn.
    lines: AtomicUsize,
}

/// One line less when it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Guarded {
    sink: Sink,
    /// Set while a line is being written. If its writer is stopped in the middle, the rest of the
    /// stream would be read as part of that line, so nothing more is written.
    torn: bool,
    /// Lines that wait to be written together.
    waiting: Vec<u8>,
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
            let output = Output::of(Sink::Polled(polled));
            // A host that has gone is not noticed by reading, if somebody else holds our stdin open, and by
            // writing only when there is something to write, which may be hours later (S-10).
            #[cfg(target_os = "linux")]
            tokio::spawn(polled::reader_left(std::sync::Arc::clone(&output.closed)));
            return output;
        }
        Output::of(Sink::Thread(threads::stdout()))
    }

    /// Anything that can be polled.
    pub fn new(sink: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        Output::of(Sink::Polled(Box::new(sink)))
    }

    fn of(sink: Sink) -> Self {
        let guarded = Guarded { sink, torn: false, waiting: Vec::new() };
        Output {
            sink: Mutex::new(guarded),
            together: AtomicUsize::new(0),
            soon: AtomicBool::new(false),
            closed: Latch::new(),
            lines: AtomicUsize::new(0),
        }
    }

    /// Writes one line, its end included, after all lines that were begun before.
    pub(super) async fn write(&self, line: Vec<u8>) {
        self.lines.fetch_add(1, Ordering::Relaxed);
        let _counted = Counted(&self.lines);
        let mut guarded = self.sink.lock().await;
        let waiting = guarded.waiting.len();
        if waiting > 0 || self.together.load(Ordering::Relaxed) > 0 {
            guarded.waiting.extend_from_slice(&line);
            if waiting + line.len() < TOGETHER && self.together.load(Ordering::Relaxed) > 0 {
                return;
            }
            return self.begin(guarded).await.end();
        }
        let mut whole = self.begin(guarded).await;
        whole.put(line).await;
        whole.end();
    }

    /// The same, but lines that come until the runtime has looked around once go out in the same write: with
    /// many calls in flight, the system calls for their answers cost more than all the rest.
    pub(super) async fn write_soon(&self, line: Vec<u8>) {
        let mut guarded = self.sink.lock().await;
        guarded.waiting.extend_from_slice(&line);
        if guarded.waiting.len() >= TOGETHER {
            return self.begin(guarded).await.end();
        }
        drop(guarded);
        // Who is in the middle of more lines, or was first, writes this one too.
        if self.together.load(Ordering::Relaxed) > 0 || self.soon.swap(true, Ordering::Relaxed) {
            return;
        }
        let first = First(&self.soon);
        tokio::task::yield_now().await;
        drop(first);
        self.flush().await;
    }

    /// A line that is written piece by piece. Until it ends, all others wait.
    pub(super) async fn line(&self) -> Line<'_> {
        self.begin(self.sink.lock().await).await
    }

    /// Lines that are written from now on may wait for each other, until this is dropped and
    /// [`Output::flush`] called.
    pub(super) fn together(&self) -> Together<'_> {
        self.together.fetch_add(1, Ordering::Relaxed);
        Together(&self.together)
    }

    /// Writes the lines that have waited.
    pub(super) async fn flush(&self) {
        let guarded = self.sink.lock().await;
        if !guarded.waiting.is_empty() {
            self.begin(guarded).await.end();
        }
    }

    /// Begins a line, after all those that wait.
    async fn begin<'a>(&'a self, mut guarded: MutexGuard<'a, Guarded>) -> Line<'a> {
        let lost = guarded.torn || self.closed.is_open();
        guarded.torn = true;
        let waiting = std::mem::take(&mut guarded.waiting);
        let mut line = Line { guarded, closed: &self.closed, lost };
        if !waiting.is_empty() {
            line.put(waiting).await;
        }
        line
    }

    /// Returns when no line is stuck half-way. Whoever is about to read from the server waits here
    /// first: while the host does not read, neither do we (row 129).
    pub(super) async fn ready(&self) {
        drop(self.sink.lock().await);
    }

    /// Returns when all lines that were begun are written.
    pub(super) async fn flushed(&self) {
        self.ready().await;
        while self.lines.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
            self.ready().await;
        }
        self.flush().await;
    }

    /// Returns when the host has closed its end.
    pub(super) async fn closed(&self) {
        self.closed.wait().await;
    }
}
