//! Looks at messages with as little work as there can be, and judges them: every answer's id and content, every
//! progress notification's token and place. What comes back in an unusual layout is parsed and looked at again.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::{memchr, memmem};

use super::messages::{STEPS, Tool, progress_token};

/// Where the members of a message are looked for, besides its large text.
const EDGE: usize = 512;

/// What follows `"key":` near the beginning.
fn after<'a>(message: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let head = &message[..message.len().min(EDGE)];
    let mut needle = [0; 32];
    let needle = quoted(&mut needle, key);
    Some(&message[memmem::find(head, needle)? + needle.len()..])
}

fn quoted<'a>(room: &'a mut [u8; 32], key: &str) -> &'a [u8] {
    let end = key.len() + 1;
    room[0] = b'"';
    room[1..end].copy_from_slice(key.as_bytes());
    room[end..end + 2].copy_from_slice(b"\":");
    &room[..end + 2]
}

/// The value of a member that is a string, as it is written, without its quotes.
pub(crate) fn string<'a>(message: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let text = after(message, key)?.strip_prefix(b"\"")?;
    Some(&text[..memchr(b'"', text)?])
}

/// The value of a member that is no object and no array.
pub(crate) fn raw<'a>(message: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let value = after(message, key)?;
    match string(message, key) {
        Some(text) => Some(&value[..text.len() + 2]),
        None => Some(&value[..value.iter().position(|byte| matches!(byte, b',' | b'}'))?]),
    }
}

/// The id, at one of the two ends.
pub(crate) fn id(message: &[u8]) -> Option<u64> {
    let value = after(message, "id").or_else(|| {
        let tail = &message[message.len().saturating_sub(EDGE)..];
        Some(&tail[memmem::rfind(tail, b"\"id\":")? + 5..])
    })?;
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&value[..digits]).ok()?.parse().ok()
}

/// What came back wrong, in all rounds of one column.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) lost: AtomicUsize,
    pub(crate) duplicated: AtomicUsize,
    pub(crate) reordered: AtomicUsize,
    pub(crate) wrong: AtomicUsize,
    /// The first wrong answer, or its beginning.
    pub(crate) example: OnceLock<String>,
}

impl Faults {
    pub(crate) fn counts(&self) -> [(&'static str, usize); 4] {
        [
            ("lost", &self.lost),
            ("duplicated", &self.duplicated),
            ("reordered", &self.reordered),
            ("wrong", &self.wrong),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }

    pub(crate) fn sum(&self) -> usize {
        self.counts().iter().map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts().map(|(_, count)| count.to_string());
        write!(f, "{}", counts.join(", "))
    }
}

/// Adds to one of the counts.
pub(crate) fn note(count: &AtomicUsize, more: usize) {
    count.fetch_add(more, Ordering::Relaxed);
}

/// One request that waits for its answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: u64,
    tool: Tool,
    progress: Progress,
    answered: bool,
    refusal: Option<String>,
}

#[derive(Debug, Default)]
struct Progress {
    seen: Vec<bool>,
    highest: usize,
    count: usize,
}

impl Waiting {
    pub(crate) fn new(id: u64, tool: Tool) -> Self {
        let mut progress = Progress::default();
        if tool == Tool::Count {
            progress.seen = vec![false; STEPS + 1];
        }
        Waiting { id, tool, progress, answered: false, refusal: None }
    }

    /// Whether nothing more is to come.
    pub(crate) fn is_done(&self) -> bool {
        self.refusal.is_some()
            || self.answered && (self.progress.seen.is_empty() || self.progress.count == STEPS)
    }

    /// The JSON-RPC error that was the answer, or its beginning.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// How many messages have not come.
    pub(crate) fn missing(&self) -> usize {
        usize::from(!self.answered)
            + if self.progress.seen.is_empty() { 0 } else { STEPS - self.progress.count }
    }

    /// Judges an answer with this id.
    pub(crate) fn take_answer(&mut self, message: &[u8], faults: &Faults) {
        if std::mem::replace(&mut self.answered, true) {
            return note(&faults.duplicated, 1);
        }
        let key = if self.tool == Tool::List { "name" } else { "text" };
        let is_right = |message: &[u8]| {
            let text = after(message, key).and_then(|value| value.strip_prefix(b"\""));
            text.is_some_and(|text| self.tool.is_right(self.id, text))
        };
        if is_right(message) || is_right(&plain(message)) {
            return;
        }
        let head = String::from_utf8_lossy(&message[..message.len().min(EDGE)]).into_owned();
        // An error is an answer: this way cannot do it. Anything else is not what the server has said.
        if is_error(message) {
            self.refusal = Some(head);
        } else {
            note(&faults.wrong, 1);
            faults.example.get_or_init(|| head);
        }
    }

    /// Judges a progress notification.
    pub(crate) fn take_progress(&mut self, message: &[u8], faults: &Faults) {
        let token = string(message, "progressToken");
        if token != Some(progress_token(self.id).as_bytes()) {
            note(&faults.wrong, 1);
        }
        let step =
            raw(message, "progress").and_then(|text| std::str::from_utf8(text).ok()?.parse::<f64>().ok());
        let step = step.unwrap_or_default() as usize;
        let progress = &mut self.progress;
        match progress.seen.get_mut(step) {
            None => note(&faults.wrong, 1),
            Some(seen) if *seen || step == 0 => note(&faults.duplicated, 1),
            Some(seen) => {
                *seen = true;
                progress.count += 1;
                if step < progress.highest || self.answered {
                    note(&faults.reordered, 1);
                }
                progress.highest = progress.highest.max(step);
            }
        }
    }
}

/// Whether this is a progress notification.
pub(crate) fn is_progress(message: &[u8]) -> bool {
    string(message, "method") == Some(b"notifications/progress")
}

/// Whether this is a JSON-RPC error.
pub(crate) fn is_error(message: &[u8]) -> bool {
    after(&plain(message), "error").is_some()
}

/// The message without its blanks, if it is JSON.
pub(crate) fn plain(message: &[u8]) -> Cow<'_, [u8]> {
    match serde_json::from_slice::<serde_json::Value>(message) {
        Ok(value) => Cow::Owned(value.to_string().into_bytes()),
        Err(_) => Cow::Borrowed(message),
    }
}
