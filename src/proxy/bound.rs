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
        // The middle of a long event has no line ends; looking for one is much faster than counting.
        if self.place == Place::Line && !chunk.contains(&b'\n') && !chunk.contains(&b'\r') {
            self.after_cr = false;
            return self.keep(chunk.len());
        }
        for byte in chunk {
            let after_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match (byte, self.place) {
                (b'\n', _) if after_cr => {}
                (b'\n' | b'\r', Place::LineStart) => self.kept = 0,
                (b'\n' | b'\r', place) => {
                    self.place = Place::LineStart;
                    self.keep(usize::from(place == Place::Line))?;
                }
                (b':', Place::LineStart) => self.place = Place::Comment,
                (_, Place::Comment) => {}
                _ => {
                    self.place = Place::Line;
                    self.keep(1)?;
                }
            }
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
