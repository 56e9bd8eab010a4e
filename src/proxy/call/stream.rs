//! An answer that is too large to be kept: it is passed on while it arrives.
//!
//! Four things must be known before the first byte goes out, since it cannot be taken back. That the text is
//! the answer to this request: what stands before its `result` must not say otherwise, and what stands
//! behind it is held back until it is complete (SDKs in TypeScript write the id last, those in Python
//! first). That it is JSON: each byte is looked at before it is written. That it comes fast, because no
//! other line can be written meanwhile. And how the line can be ended if the rest never comes: its strings
//! and brackets are closed, and it gets an id that nobody uses, so that it is one valid message and nobody's
//! answer (S-03). A line of broken JSON would do for some hosts, but others end the connection. The request
//! is then answered with an error, so that it has exactly one answer in any case.
//!
//! The limit of 32 MiB for a message (P5) is one for what is kept in memory. What passes through takes a
//! piece of it at a time, however long it is: a hostile server can keep the pipe to the host busy with it,
//! no longer than [`Pace`] allows, but not fill our memory.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Call, Manner};
use crate::error::{Error, Name, Result};
use crate::http::mcp::Answer;
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::envelope::{Envelope, Kind, id_key};
use crate::proxy::message;
use crate::proxy::modern::Asks;
use crate::proxy::pending::Ticket;
use crate::proxy::scan::Scan;
use crate::proxy::stdio::Line;

/// From which size on an answer is passed on before its end, in bytes.
pub(super) const KEPT: usize = 4 << 20;
/// The longest that may stand behind a `result`, in bytes.
const TAIL: usize = 64 << 10;

/// How fast an answer has to come, because the host hears nothing else meanwhile: this much in each second,
/// after a grace.
struct Pace(Instant);

impl Pace {
    const GRACE: Duration = Duration::from_secs(30);
    const SECOND: u64 = 256 << 10;
    /// How fast it must have come until then, for passing it on to be a good idea at all.
    const QUICK: Duration = Duration::from_secs(4);

    fn limit(&self, read: u64) -> Instant {
        self.0 + Self::GRACE + Duration::from_secs(read / Self::SECOND)
    }
}

impl Call {
    /// The one request whose answer nobody here has to understand.
    fn passes(&self) -> Option<&Arc<Ticket>> {
        let opaque = matches!(self.manner, Manner::Session | Manner::Stateless(Asks::Call | Asks::Other));
        match &self.asked[..] {
            [ticket] if opaque && self.large && self.watch.is_none() => Some(ticket),
            _ => None,
        }
    }
}

/// A large answer on its way.
struct Passing {
    scan: Scan,
    /// What stands before the result.
    head: Vec<u8>,
    /// What was read and not yet written.
    held: Vec<u8>,
    written: u64,
}

impl<B: Bearer> Bridge<B> {
    /// Passes an answer on whose beginning is `body`, read since `begun`. False if it has to be kept.
    pub(super) async fn stream(
        &self,
        call: &Call,
        (body, begun): (&mut Vec<u8>, Instant),
        answer: &mut Answer,
    ) -> bool {
        let Some(ticket) = call.passes().filter(|_| begun.elapsed() < Pace::QUICK) else { return false };
        let Some(mut passing) = Passing::of(body, &ticket.id) else { return false };
        if !self.pending.take_this(ticket) {
            return false;
        }
        let passed = async {
            let mut line = self.output.line().await;
            if let Err(error) = self.pass(&mut passing, &ticket.id, &mut line, answer).await {
                let nobody = self.pending.nobody();
                line.write(&passing.close(&nobody)).await;
                let error = error.for_target(self.remote.upstream.target.as_deref());
                line.write(&message::error(Some(&ticket.id), &error.to_rpc())).await;
            }
            line.end();
        };
        // Whoever cancels it waits for the end of the line.
        ticket.write(passed).await;
        true
    }

    async fn pass(
        &self,
        passing: &mut Passing,
        id: &str,
        line: &mut Line<'_>,
        answer: &mut Answer,
    ) -> Result<()> {
        let pace = Pace(Instant::now());
        passing.write(&[], line).await;
        loop {
            let chunk = timeout_at(pace.limit(passing.written), answer.chunk()).await;
            let late =
                |_| Error::new(Name::Timeout, format!("{} sends its answer too slowly", self.remote.host()));
            let Some(chunk) = chunk.map_err(late)?.map_err(|_| self.lost())? else { break };
            let read = if passing.scan.result_end().is_some() { Ok(()) } else { passing.scan.read(&chunk) };
            passing.write(&chunk, line).await;
            if read.is_err() || passing.held.len() > TAIL {
                let what = format!("the answer of {} is no MCP message", self.remote.host());
                return Err(Error::new(Name::BadResponse, what));
            }
        }
        if passing.scan.result_end().is_none() {
            return Err(self.lost());
        }
        if !passing.answers(id) {
            let what = format!("{} ended its answer without the answer", self.remote.host());
            return Err(Error::new(Name::BadResponse, what));
        }
        line.write(&message::line(std::mem::take(&mut passing.held))).await;
        Ok(())
    }
}

impl Passing {
    /// Takes `body` if it is the beginning of the answer to `id`, as far as can be seen.
    fn of(body: &mut Vec<u8>, id: &str) -> Option<Self> {
        let mut scan = Scan::default();
        scan.read(body).ok()?;
        let start = usize::try_from(scan.result().filter(|_| scan.result_end().is_none())?).ok()?;
        let head = body.get(..start)?.to_vec();
        let passing = Passing { scan, head, held: Vec::new(), written: 0 };
        // The id may come later, but no other may stand here.
        let text = passing.without_result(b"}");
        let seen = Envelope::peek(&text).ok()?;
        let foreign = seen.id.is_some_and(|seen| id_key(seen) != id_key(id));
        if foreign || seen.method.is_some() || seen.error.is_some() {
            return None;
        }
        Some(Passing { held: std::mem::take(body), ..passing })
    }

    /// Writes what can be written of what was held back and of `chunk`.
    async fn write(&mut self, chunk: &[u8], line: &mut Line<'_>) {
        let until = self.scan.result_end().unwrap_or_else(|| self.scan.safe());
        let mut count = usize::try_from(until - self.written).unwrap_or_default();
        self.written = until;
        let breaks = self.scan.had_breaks();
        let held = std::mem::take(&mut self.held);
        for piece in [&held[..], chunk] {
            let (now, later) = piece.split_at(count.min(piece.len()));
            count -= now.len();
            self.held.extend_from_slice(later);
            match breaks {
                _ if now.is_empty() => {}
                // Between tokens only, or it would be no JSON (S-02).
                true => line.write(&message::blanked(now.to_vec())).await,
                false => line.write(now).await,
            }
        }
    }

    /// Whether the whole is the answer to `id`.
    fn answers(&self, id: &str) -> bool {
        let text = self.without_result(&self.held);
        Envelope::peek(&text).is_ok_and(|seen| match seen.kind() {
            Kind::Answer { id: seen } => id_key(seen) == id_key(id),
            _ => false,
        })
    }

    /// The text with `null` in place of its result.
    fn without_result(&self, tail: &[u8]) -> Vec<u8> {
        [&self.head[..], b"null", tail].concat()
    }

    /// What ends the line so that it is nobody's answer.
    fn close(&self, nobody: &str) -> Vec<u8> {
        let mut end = Vec::new();
        if self.scan.result_end().is_none() {
            self.scan.close(&mut end);
        }
        let version =
            if self.head.windows(9).any(|name| name == b"\"jsonrpc\"") { "" } else { ",\"jsonrpc\":\"2.0\"" };
        end.extend_from_slice(format!("{version},\"id\":\"{nobody}\"}}\n").as_bytes());
        end
    }
}
