//! The lines of a bridge's stdout. The buffer is kept from bridge to bridge, so that no answer pays for memory.

use std::cell::RefCell;
use std::io::{self, Read};

use memchr::memchr;

/// How much is read at a time at least.
const ROOM: usize = 64 << 10;

thread_local! {
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub(crate) struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    /// Where the lines that were not yet given begin, and where what was read ends.
    start: usize,
    end: usize,
    /// Up to where there is no line end.
    scanned: usize,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(from: R) -> Self {
        Lines { from, buffer: SPARE.take(), start: 0, end: 0, scanned: 0 }
    }

    /// The next line, its end included; nothing at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            if let Some(found) = memchr(b'\n', &self.buffer[self.scanned..self.end]) {
                let line = self.start..self.scanned + found + 1;
                (self.start, self.scanned) = (line.end, line.end);
                return Ok(Some(&self.buffer[line]));
            }
            self.scanned = self.end;
            self.make_room();
            match self.from.read(&mut self.buffer[self.end..])? {
                0 => return Ok(None),
                count => self.end += count,
            }
        }
    }

    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end, self.scanned) = (0, 0, 0);
        }
        if self.buffer.len() - self.end >= ROOM {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.end, self.scanned) = (self.end - self.start, self.scanned - self.start);
        self.start = 0;
        if self.buffer.len() - self.end < ROOM {
            self.buffer.resize((2 * self.buffer.len()).max(4 * ROOM), 0);
        }
    }
}

impl<R> Drop for Lines<R> {
    fn drop(&mut self) {
        SPARE.set(std::mem::take(&mut self.buffer));
    }
}
