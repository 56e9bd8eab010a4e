//! A limit for the size of one server-sent event (P5, row 132).
//!
//! The SSE parser keeps everything until an event is complete and knows no limit, so a stream without
//! line ends, or one with endless empty `data:` lines, would fill the memory. This counts what it keeps:
//! every byte of every line since the last blank line, its line end included, but no comments, which
//! the parser forgets at once.

/// The largest event, in bytes.
pub const LIMIT: usize = 32 << 20;

/// Counts the bytes of the unfinished event.
#[derive(Debug)]
pub struct Bound {
    limit: usize,
    kept: usize,
    place: Place,
    after_cr: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    Line,
    Comment,
}

/// An event is larger than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded;

impl Default for Bound {
    fn default() -> Self {
        Bound::new(LIMIT)
    }
}

impl Bound {
    /// Events of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Bound { limit, kept: 0, place: Place::LineStart, after_cr: false }
    }

    /// Takes the next bytes of the stream into account.
    ///
    /// # Errors
    /// If an event exceeds the limit.
    pub fn observe(&mut self, chunk: &[u8]) -> Result<(), Exceeded> {
        let mut rest = chunk;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                rest = &rest[1..];
                continue;
            }
            if self.place == Place::LineStart {
                self.place = match first {
                    b'\n' | b'\r' => Place::LineStart,
                    b':' => Place::Comment,
                    _ => Place::Line,
                };
            }
            let end = memchr::memchr2(b'\n', b'\r', rest);
            match self.place {
                Place::LineStart => self.kept = 0,
                Place::Line => self.keep(end.map_or(rest.len(), |end| end + 1))?,
                Place::Comment => {}
            }
            let Some(end) = end else { break };
            self.after_cr = rest[end] == b'\r';
            self.place = Place::LineStart;
            rest = &rest[end + 1..];
        }
        Ok(())
    }

    /// How much there is of the unfinished event, in bytes.
    pub fn kept(&self) -> usize {
        self.kept
    }

    fn keep(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.kept = self.kept.saturating_add(bytes);
        if self.kept > self.limit { Err(Exceeded) } else { Ok(()) }
    }
}
