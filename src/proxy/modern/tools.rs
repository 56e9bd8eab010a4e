//! What the tools of a server want in headers (T-54 to T-56).
//!
//! Learned from each answer to `tools/list` that passes, and known until a newer one says otherwise. Nothing
//! of it is an answer to anybody: nothing of what the server says is kept for later (T-71).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderName, HeaderValue};

use super::annotation::{Argument, arguments, may_mark};
use super::json::{elements, entries, without};
use super::value;
use crate::error::{Error, Name, Result, clean};
use crate::proxy::envelope::{Envelope, member, string};

/// How much is remembered, in bytes: in the newer half, and once that is full, in the older one.
const HALF: usize = 1 << 20;
/// What each tool and each argument counts besides its texts.
const EACH: usize = 128;
/// The most that goes into the headers of one call, in bytes. No server takes as much.
const LARGEST: usize = 256 << 10;

/// How the names of headers begin that mirror arguments.
pub(in crate::proxy) const PREFIX: &str = "mcp-param-";

/// The headers that mirror arguments.
pub(in crate::proxy) type Mirrored = Vec<(HeaderName, HeaderValue)>;

/// The tools that want headers.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Tools(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    newer: HashMap<String, Arc<[Argument]>>,
    older: HashMap<String, Arc<[Argument]>>,
    /// Of the newer ones.
    size: usize,
}

impl Known {
    fn is_empty(&self) -> bool {
        self.newer.is_empty() && self.older.is_empty()
    }

    fn set(&mut self, tool: &str, arguments: Vec<Argument>) {
        self.newer.remove(tool);
        self.older.remove(tool);
        if arguments.is_empty() {
            return;
        }
        let texts = |argument: &Argument| argument.path.iter().map(String::len).sum::<usize>();
        let of = |argument: &Argument| EACH + argument.header.as_str().len() + texts(argument);
        self.size += EACH + tool.len() + arguments.iter().map(of).sum::<usize>();
        if self.size > HALF {
            self.older = std::mem::take(&mut self.newer);
            self.size = 0;
        }
        self.newer.insert(tool.to_owned(), arguments.into());
    }

    fn get(&self, tool: &str) -> Option<Arc<[Argument]>> {
        self.newer.get(tool).or_else(|| self.older.get(tool)).map(Arc::clone)
    }
}

impl Tools {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any tool does.
    pub(in crate::proxy) fn want_headers(&self) -> bool {
        !self.known().is_empty()
    }

    /// Takes note of the tools in an answer to `tools/list`, and leaves those out that a client must not
    /// use (T-55). `None`: the answer is fine as it is, as nearly all are.
    pub(in crate::proxy) fn learn(&self, answer: &str) -> Option<String> {
        let mut known = self.known();
        if known.is_empty() && !may_mark(answer) {
            return None;
        }
        let result = Envelope::peek(answer.as_bytes()).ok()?.result?;
        let judge = |tool| (tool, judge(&mut known, tool));
        let tools: Vec<_> = elements(member(result, "tools")?)?.into_iter().map(judge).collect();
        tools.iter().any(|(_, stays)| !stays).then(|| without(answer, &tools))
    }

    /// An answer to `tools/list`, as the host may have it.
    pub(in crate::proxy) fn admit(&self, answer: Vec<u8>) -> Vec<u8> {
        let left = std::str::from_utf8(&answer).ok().and_then(|answer| self.learn(answer));
        left.map_or(answer, String::into_bytes)
    }

    /// The headers of a call with these parameters (T-54).
    ///
    /// # Errors
    /// `too-large`.
    pub(in crate::proxy) fn mirror(&self, params: &str) -> Result<Mirrored> {
        let mut headers = Mirrored::new();
        let wanted = || self.known().get(&string(member(params, "name")?));
        if let Some((wanted, given)) = wanted().zip(member(params, "arguments")) {
            collect(given, &wanted.iter().collect::<Vec<_>>(), 0, &mut headers);
        }
        if headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() > LARGEST {
            let what = format!("the arguments that this tool wants in headers exceed {} KiB", LARGEST >> 10);
            return Err(Error::new(Name::TooLarge, what));
        }
        Ok(headers)
    }
}

/// Takes note of one tool. False: it must not be used.
fn judge(known: &mut Known, tool: &str) -> bool {
    let marked = may_mark(tool);
    if !marked && known.is_empty() {
        return true;
    }
    let Some(name) = member(tool, "name").map(string) else { return true };
    let schema = member(tool, "inputSchema").filter(|_| marked).unwrap_or("{}");
    match arguments(schema) {
        Ok(arguments) => known.set(&name, arguments),
        Err(why) => {
            tracing::warn!("left out the tool {}, which the server defines wrongly: {why}", clean(&name));
            known.set(&name, Vec::new());
            return false;
        }
    }
    true
}

/// The values of `wanted` in `object`, where all have the same first `depth` names in their paths. Each object
/// is read once.
fn collect(object: &str, wanted: &[&Argument], depth: usize, headers: &mut Mirrored) {
    let Some(entries) = entries(object) else { return };
    for group in wanted.chunk_by(|a, b| a.path[depth] == b.path[depth]) {
        let Some(given) = group.first().and_then(|first| entries.get(&first.path[depth])) else { continue };
        let (here, below): (Vec<&Argument>, _) =
            group.iter().partition(|argument| argument.path.len() == depth + 1);
        for argument in here {
            let value = value::text(given).and_then(|text| value::encode(&text));
            headers.extend(value.map(|mut value| {
                // It may be anything that a tool is given.
                value.set_sensitive(true);
                (argument.header.clone(), value)
            }));
        }
        if !below.is_empty() {
            collect(given, &below, depth + 1, headers);
        }
    }
}

#[cfg(test)]
mod tests;
