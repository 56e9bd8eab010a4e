//! What a reader of JSON keeps beside its place.

use super::Fault;

/// How many bytes from the start are neither quotes nor backslashes nor control characters. Block by block
/// without a branch, which compilers turn into a few instructions for many bytes: text is most of a large
/// answer.
pub(super) fn plain(bytes: &[u8]) -> usize {
    let special = |byte: &u8| (*byte == b'"') | (*byte == b'\\') | (*byte < 0x20);
    let mut blocks = bytes.chunks_exact(32);
    let whole =
        blocks.by_ref().take_while(|block| !block.iter().fold(false, |any, byte| any | special(byte)));
    let start = whole.count() * 32;
    start + bytes[start..].iter().position(special).unwrap_or(bytes.len() - start)
}

/// A stack of bits.
#[derive(Debug, Default)]
pub(super) struct Bits {
    pub(super) words: Vec<u64>,
    pub(super) len: usize,
}

impl Bits {
    pub(super) fn push(&mut self, bit: bool) {
        if self.len / 64 == self.words.len() {
            self.words.push(0);
        }
        let word = &mut self.words[self.len / 64];
        *word = (*word & !(1 << (self.len % 64))) | (u64::from(bit) << (self.len % 64));
        self.len += 1;
    }

    pub(super) fn get(&self, at: usize) -> bool {
        self.words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(super) fn last(&self) -> bool {
        self.len.checked_sub(1).is_some_and(|at| self.get(at))
    }
}

/// A character whose bytes have not all come.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Utf8 {
    bytes: [u8; 4],
    len: usize,
}

impl Utf8 {
    pub(super) fn begun(&self) -> u64 {
        self.len as u64
    }

    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while self.len > 0 {
            let Some((first, rest)) = bytes.split_first() else { return Ok(()) };
            self.bytes[self.len] = *first;
            bytes = rest;
            match std::str::from_utf8(&self.bytes[..=self.len]) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_none() => self.len += 1,
                Err(_) => return Err(Fault),
            }
        }
        if let Err(error) = std::str::from_utf8(bytes) {
            if error.error_len().is_some() {
                return Err(Fault);
            }
            let begun = &bytes[error.valid_up_to()..];
            self.bytes[..begun.len()].copy_from_slice(begun);
            self.len = begun.len();
        }
        Ok(())
    }
}
