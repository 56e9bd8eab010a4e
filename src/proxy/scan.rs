//! Reads a large JSON answer while it passes through: is it JSON, where does its `result` begin and end,
//! and how could it be closed at this point if the rest never came? Bytes in, state out.
//!
//! serde_json reads what is all there. An answer of many megabytes is passed on before, so that it is never
//! in memory as a whole. What is kept here is one bit for each open bracket.

mod number;
mod parts;
#[cfg(test)]
mod tests;
mod text;

use number::Number;
use parts::{Bits, Utf8, plain};
use text::Escape;

/// The deepest nesting that is followed. Closing a torn text takes a byte for each level.
const DEEPEST: usize = 1 << 20;

/// The text is not JSON, not an object, or nested too deeply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault;

/// How far a text has been read.
#[derive(Debug, Default)]
pub struct Scan {
    read: u64,
    place: Place,
    /// The open brackets, the innermost last: true for an object.
    open: Bits,
    /// Where the part began at which the text could not be cut.
    mark: u64,
    utf8: Utf8,
    /// The beginning of a member name of the outermost object.
    name: Vec<u8>,
    result: (Option<u64>, Option<u64>),
    breaks: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    /// After `{`: a name or the end.
    FirstName,
    /// After a comma in an object.
    Name,
    Colon,
    /// After `[`: a value or the end.
    FirstValue,
    Value,
    /// After a value.
    After,
    Text {
        name: bool,
        escape: Escape,
    },
    Number(Number),
    /// In `true`, `false` or `null`: what is still to come.
    Word(&'static [u8]),
    End,
}

impl Scan {
    /// Reads the next bytes.
    ///
    /// # Errors
    /// If the text is no JSON object. What was read before may have been passed on; nothing more may be
    /// read.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut utf8 = self.utf8;
        utf8.read(bytes)?;
        self.utf8 = utf8;
        // Where it is no JSON, what stands before is whole characters.
        self.follow(bytes).inspect_err(|Fault| self.utf8 = Utf8::default())
    }

    fn follow(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut at = 0;
        while at < bytes.len() {
            if let Place::Text { name, escape: Escape::None } = self.place {
                let plain = plain(&bytes[at..]);
                self.keep_name(name, &bytes[at..at + plain]);
                at += plain;
                self.read += plain as u64;
                if at == bytes.len() {
                    break;
                }
            }
            self.step(bytes[at])?;
            at += 1;
            self.read += 1;
        }
        Ok(())
    }

    /// Where the value of the outermost object's `result` begins, if it is an object: bytes from the start.
    pub fn result(&self) -> Option<u64> {
        self.result.0
    }

    /// Where it ended.
    pub fn result_end(&self) -> Option<u64> {
        self.result.1
    }

    /// Whether the text is complete.
    pub fn is_complete(&self) -> bool {
        self.place == Place::End
    }

    /// Whether there were line breaks since this was last asked.
    pub fn had_breaks(&mut self) -> bool {
        std::mem::take(&mut self.breaks)
    }

    /// Up to where the text can be passed on: from there [`Scan::close`] can close it. At most a few bytes
    /// behind what was read.
    pub fn safe(&self) -> u64 {
        let torn = match self.place {
            Place::Text { escape, .. } => escape != Escape::None,
            Place::Number(number) => !number.may_end(),
            Place::Word(_) => true,
            _ => false,
        };
        if torn { self.mark } else { self.read - self.utf8.begun() }
    }

    /// Appends what closes everything but the outermost object, after [`Scan::safe`] bytes.
    pub fn close(&self, text: &mut Vec<u8>) {
        let end: &[u8] = match self.place {
            Place::Text { name: false, .. } => b"\"",
            Place::Text { name: true, .. } => b"\":null",
            Place::Name => b"\"\":null",
            Place::Colon => b":null",
            Place::Value | Place::Word(_) | Place::Number(Number::Minus) => b"null",
            _ => b"",
        };
        text.extend_from_slice(end);
        for level in (1..self.open.len).rev() {
            text.push(if self.open.get(level) { b'}' } else { b']' });
        }
    }

    fn step(&mut self, byte: u8) -> Result<(), Fault> {
        match self.place {
            Place::Text { name, escape } => return self.text(name, escape, byte),
            Place::Word(rest) => return self.word(rest, byte),
            Place::Number(number) => match number.next(byte) {
                Some(next) => {
                    if number.may_end() && !next.may_end() {
                        self.mark = self.read;
                    }
                    self.place = Place::Number(next);
                    return Ok(());
                }
                None if number.may_end() => self.place = Place::After,
                None => return Err(Fault),
            },
            _ => {}
        }
        match byte {
            b' ' | b'\t' => Ok(()),
            b'\n' | b'\r' => {
                self.breaks = true;
                Ok(())
            }
            _ => self.token(byte),
        }
    }

    fn token(&mut self, byte: u8) -> Result<(), Fault> {
        match (self.place, byte) {
            (Place::Start, b'{') => self.enter(true),
            (Place::Value | Place::FirstValue, _) if byte != b']' => self.value(byte),
            (Place::FirstValue, b']') => self.leave(false),
            (Place::FirstName | Place::Name, b'"') => {
                self.name.clear();
                self.place = Place::Text { name: true, escape: Escape::None };
                Ok(())
            }
            (Place::FirstName, b'}') => self.leave(true),
            (Place::Colon, b':') => {
                self.place = Place::Value;
                Ok(())
            }
            (Place::After, b',') => {
                self.place = if self.open.last() { Place::Name } else { Place::Value };
                Ok(())
            }
            (Place::After, b'}') => self.leave(true),
            (Place::After, b']') => self.leave(false),
            _ => Err(Fault),
        }
    }

    fn value(&mut self, byte: u8) -> Result<(), Fault> {
        if self.open.len == 1 && byte == b'{' && self.name == b"result" && self.result.0.is_none() {
            self.result.0 = Some(self.read);
        }
        self.place = match byte {
            b'{' => return self.enter(true),
            b'[' => return self.enter(false),
            b'"' => Place::Text { name: false, escape: Escape::None },
            b't' => Place::Word(b"rue"),
            b'f' => Place::Word(b"alse"),
            b'n' => Place::Word(b"ull"),
            b'-' => Place::Number(Number::Minus),
            b'0' => Place::Number(Number::Zero),
            b'1'..=b'9' => Place::Number(Number::Digits),
            _ => return Err(Fault),
        };
        self.mark = self.read;
        Ok(())
    }

    fn enter(&mut self, object: bool) -> Result<(), Fault> {
        if self.open.len == DEEPEST {
            return Err(Fault);
        }
        self.open.push(object);
        self.place = if object { Place::FirstName } else { Place::FirstValue };
        Ok(())
    }

    fn leave(&mut self, object: bool) -> Result<(), Fault> {
        if self.open.len == 0 || self.open.last() != object {
            return Err(Fault);
        }
        self.open.len -= 1;
        if self.open.len == 1 && self.result.0.is_some() && self.result.1.is_none() {
            self.result.1 = Some(self.read + 1);
        }
        self.place = if self.open.len == 0 { Place::End } else { Place::After };
        Ok(())
    }
}
