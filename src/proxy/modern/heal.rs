//! A call that the server refused because of its headers, mended (T-56).
//!
//! `-32020` says that the headers are not those which the tool wants: its server has changed it, or the host
//! knows it from before this process began. The server provably has not acted, so the call may be sent once
//! more; before that, and only if nothing newer is known, the list of tools is asked for. That costs the
//! user a request, so it is not done again soon for a tool for which it changed nothing.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::json::entries;
use super::tools::Mirrored;
use super::{Asks, Modern};
use crate::error::Result;
use crate::proxy::Bearer;
use crate::proxy::envelope::{Envelope, member, string};
use crate::proxy::legacy::session::Session;
use crate::proxy::message;
use crate::proxy::remote::refusal::Refusal;
use crate::proxy::remote::{Outgoing, Remote};

/// JSON-RPC: the headers are not what the body says.
const HEADER_MISMATCH: &str = "-32020";
/// The id of the request for the list. It has an exchange of its own, so nothing can be mixed up.
const ID: &str = "chipp-auth-tools";
/// The members of `_meta` that a request must have or should have (T-57). The others are the host's alone.
const META: [&str; 3] = [
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/clientCapabilities",
];
/// For the list, with all its pages, of which these are the most.
const LIMIT: Duration = Duration::from_secs(30);
const PAGES: usize = 50;
/// For how long, and for how many tools, it is remembered that the list changed nothing.
const IN_VAIN: (Duration, usize) = (Duration::from_secs(60), 64);

/// The tools for which it was in vain, and since when. While it is locked, somebody asks for the list.
pub(in crate::proxy) type InVain = Mutex<VecDeque<(String, Instant)>>;

impl<B: Bearer> Remote<B> {
    /// Mends the headers of a refused call. True: they are others now, and it may be sent again.
    pub(in crate::proxy) async fn heal(&self, call: &mut Outgoing, refusal: &Refusal) -> bool {
        let Some(modern) = call.modern.as_mut().filter(|modern| modern.asks == Asks::Call) else {
            return false;
        };
        if refusal.code() != Some(HEADER_MISMATCH) {
            return false;
        }
        let params = Envelope::peek(&call.bytes).ok().and_then(|envelope| envelope.params);
        let Some(params) = params else { return false };
        let Some(mirrored) = self.mended(params, &modern.mirrored).await else { return false };
        modern.mirrored = mirrored;
        true
    }

    /// Other headers than those that were wrong, if there are any.
    async fn mended(&self, params: &str, wrong: &Mirrored) -> Option<Mirrored> {
        let tool = string(member(params, "name")?);
        let mut in_vain = self.in_vain.lock().await;
        // Somebody may have learned more in the meantime.
        let known = || self.tools.mirror(params).ok().filter(|mirrored| mirrored != wrong);
        if let Some(mirrored) = known() {
            return Some(mirrored);
        }
        in_vain.retain(|(_, since)| since.elapsed() < IN_VAIN.0);
        if in_vain.iter().any(|(name, _)| *name == tool) {
            return None;
        }
        tracing::info!("the server wants other headers for a tool; asking for its tools");
        let asked = timeout(LIMIT, self.relearn(params, || known().is_some())).await;
        if !matches!(asked, Ok(Ok(()))) {
            tracing::warn!("could not ask for the tools");
        }
        let mended = known();
        if mended.is_none() {
            in_vain.truncate(IN_VAIN.1 - 1);
            in_vain.push_front((tool.into_owned(), Instant::now()));
        }
        mended
    }

    /// Asks for the list of tools, page by page, until `enough` is learned.
    async fn relearn(&self, params: &str, enough: impl Fn() -> bool) -> Result<()> {
        let given = member(params, "_meta").and_then(entries).unwrap_or_default();
        let meta = META.iter().filter_map(|name| Some(format!("\"{name}\":{}", given.get(*name)?)));
        let meta = meta.collect::<Vec<_>>().join(",");
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let params = format!("{{\"_meta\":{{{meta}}}{cursor}}}");
            let mut request = Outgoing::own(message::request(ID, "tools/list", &params));
            request.modern = Modern::of("tools/list", Some(&params));
            let (_, answer) = self.ask(&request, &Session::default()).await?;
            let Ok(answer) = String::from_utf8(answer) else { break };
            self.tools.learn(&answer);
            let result = Envelope::peek(answer.as_bytes()).ok().and_then(|envelope| envelope.result);
            let next = result.and_then(|result| member(result, "nextCursor"));
            match next.filter(|next| next.starts_with('"') && !enough()) {
                Some(next) => cursor = format!(",\"cursor\":{next}"),
                None => break,
            }
        }
        Ok(())
    }
}
