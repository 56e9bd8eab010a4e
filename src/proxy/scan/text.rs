//! Strings, with their escapes, and the three words of JSON.

use super::{Fault, Place, Scan};

/// Where in a string's escape a text can be (RFC 8259 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    /// After a backslash; `pair` if a high surrogate stands before it.
    Slash {
        pair: bool,
    },
    Hex {
        pair: bool,
        digits: u8,
        value: u16,
    },
    /// After a high surrogate, whose other half may follow.
    High,
}

impl Scan {
    pub(super) fn word(&mut self, rest: &'static [u8], byte: u8) -> Result<(), Fault> {
        match rest.split_first() {
            Some((next, rest)) if *next == byte => {
                self.place = if rest.is_empty() { Place::After } else { Place::Word(rest) };
                Ok(())
            }
            _ => Err(Fault),
        }
    }

    pub(super) fn text(&mut self, name: bool, escape: Escape, byte: u8) -> Result<(), Fault> {
        self.keep_name(name, &[byte]);
        let escape = match (escape, byte) {
            (Escape::None | Escape::High, b'"') => {
                if name && self.open.len == 1 {
                    self.name.pop();
                }
                self.place = if name { Place::Colon } else { Place::After };
                return Ok(());
            }
            (Escape::None | Escape::High, b'\\') => {
                if escape == Escape::None {
                    self.mark = self.read;
                }
                Escape::Slash { pair: escape == Escape::High }
            }
            (Escape::None | Escape::High, 0x20..) => Escape::None,
            (Escape::Slash { pair }, b'u') => Escape::Hex { pair, digits: 0, value: 0 },
            (Escape::Slash { .. }, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Escape::None,
            (Escape::Hex { pair, digits, value }, _) => {
                let digit = char::from(byte).to_digit(16).and_then(|digit| u16::try_from(digit).ok());
                let value = (value << 4) | digit.ok_or(Fault)?;
                match (digits, value) {
                    (0..3, _) => Escape::Hex { pair, digits: digits + 1, value },
                    (_, 0xd800..0xdc00) => {
                        // One after another: the one before has no other half, and need not be held.
                        if pair {
                            self.mark = self.read - 5;
                        }
                        Escape::High
                    }
                    _ => Escape::None,
                }
            }
            _ => return Err(Fault),
        };
        self.place = Place::Text { name, escape };
        Ok(())
    }

    /// Remembers the beginning of the outermost object's member names: enough to know `result`.
    pub(super) fn keep_name(&mut self, name: bool, bytes: &[u8]) {
        if name && self.open.len == 1 && self.name.len() < 8 {
            self.name.extend_from_slice(&bytes[..bytes.len().min(8)]);
        }
    }
}
