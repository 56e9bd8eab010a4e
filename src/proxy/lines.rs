//! The framing of stdin: bytes in, lines out (S-02, rows 124-126).
//!
//! Lines are cut from the buffer that was read into, without a copy. A line beyond the limit is dropped
//! while it arrives; only its head is kept, where its id may stand.

use bytes::{Buf, Bytes, BytesMut};

/// The longest line that is passed on, in bytes without its end.
pub const LIMIT: usize = 32 << 20;
/// What is kept of a longer one.
pub const HEAD: usize = 64 << 10;

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line that is not blank.
    Text(Bytes),
    /// The head of a line that was too long.
    TooLong(Bytes),
}

/// The lines of a byte stream.
#[derive(Debug)]
pub struct Lines {
    buffer: BytesMut,
    /// How much of the buffer is known to hold no line end.
    scanned: usize,
    /// The head of the line that is being dropped.
    dropping: Option<Bytes>,
    limit: usize,
    at_start: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Lines::with_limit(LIMIT)
    }
}

impl Lines {
    /// Lines of at most `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        Lines { buffer: BytesMut::new(), scanned: 0, dropping: None, limit, at_start: true }
    }

    /// Where to put what was read, with room for more.
    pub fn buffer(&mut self) -> &mut BytesMut {
        // A long line is read in steps as long as itself, so that it is moved a few times only.
        self.buffer.reserve(self.buffer.len().clamp(16 << 10, 1 << 20));
        &mut self.buffer
    }

    /// The next whole line, if there is one.
    #[expect(clippy::should_implement_trait, reason = "`None` means not yet")]
    pub fn next(&mut self) -> Option<Line> {
        loop {
            let Some(end) = memchr::memchr(b'\n', &self.buffer[self.scanned..]) else {
                self.keep_waiting();
                return None;
            };
            let mut line = self.buffer.split_to(self.scanned + end + 1).freeze();
            self.scanned = 0;
            line.truncate(line.len() - 1);
            if let Some(line) = self.finish(line) {
                return Some(line);
            }
        }
    }

    /// The last line, if the stream ended without a line end.
    pub fn rest(&mut self) -> Option<Line> {
        let line = self.buffer.split().freeze();
        self.scanned = 0;
        self.finish(line)
    }

    /// Remembers what needs no second look, and lets go of what is too long.
    fn keep_waiting(&mut self) {
        // One byte more than the limit may yet be the CR of a CRLF.
        if self.dropping.is_some() {
            self.buffer.clear();
        } else if self.buffer.len() > self.limit + 1 {
            self.dropping = Some(self.head(&self.buffer));
            self.buffer = BytesMut::new();
        }
        self.scanned = self.buffer.len();
    }

    fn head(&self, line: &[u8]) -> Bytes {
        Bytes::copy_from_slice(&line[..line.len().min(HEAD).min(self.limit)])
    }

    fn finish(&mut self, mut line: Bytes) -> Option<Line> {
        let at_start = std::mem::take(&mut self.at_start);
        if let Some(head) = self.dropping.take() {
            return Some(Line::TooLong(head));
        }
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        if line.len() > self.limit {
            return Some(Line::TooLong(self.head(&line)));
        }
        if at_start && line.starts_with(b"\xef\xbb\xbf") {
            line.advance(3);
        }
        if line.trim_ascii().is_empty() { None } else { Some(Line::Text(line)) }
    }
}
