//! What becomes of a request of the host.

use std::sync::Arc;

use bytes::Bytes;

use super::Dispatch;
use crate::error::{Error, Name};
use crate::proxy::Bearer;
use crate::proxy::call::{Call, Manner};
use crate::proxy::envelope::Envelope;
use crate::proxy::legacy::session::Hello;
use crate::proxy::message::{self, METHOD_NOT_FOUND};
use crate::proxy::modern::{Asks, Modern};

/// The most requests that wait for their answers.
pub(super) const MOST: usize = 1024;

impl<B: Bearer> Dispatch<'_, B> {
    pub(super) async fn request(
        &mut self,
        text: Bytes,
        id: &str,
        method: &str,
        mut modern: Option<Box<Modern>>,
    ) {
        let params = |text| Envelope::peek(text).ok().and_then(|envelope| envelope.params);
        let wanted =
            |modern: &&mut Box<Modern>| modern.asks == Asks::Call && self.bridge.remote.tools.want_headers();
        if let Some(modern) = modern.as_mut().filter(wanted) {
            match self.bridge.remote.tools.mirror(params(&text).unwrap_or_default()) {
                Ok(mirrored) => modern.mirrored = mirrored,
                Err(error) => {
                    return self.bridge.output.write(message::error(Some(id), &error.to_rpc())).await;
                }
            }
        }
        match method {
            // The older revisions, which such a request is of, have no such method; nor has the older transport.
            "server/discover" if modern.is_none() || self.bridge.remote.sse.is_on() => {
                return self.refuse(Some(id), METHOD_NOT_FOUND, "there is no method server/discover").await;
            }
            // While the host waits for `initialize`, perhaps for a person, it must not think us dead (T-36).
            "ping" if !self.gate.is_open() => return self.bridge.output.write(message::pong(id)).await,
            _ if self.bridge.pending.len() >= MOST => {
                let busy =
                    Error::new(Name::ServerBusy, format!("{MOST} requests wait for their answers already"));
                return self.bridge.output.write(message::error(Some(id), &busy.to_rpc())).await;
            }
            "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => {
                self.bridge.remote.sessions.keep(method, params(&text));
            }
            _ => {}
        }
        let is_hello = method == "initialize";
        let ticket = self.bridge.pending.add(id, is_hello, modern.is_some());
        let manner = modern.as_ref().map_or(Manner::Session, |modern| Manner::Stateless(modern.asks));
        let stateless = manner.is_stateless();
        let mut call = Call::new(vec![Arc::clone(&ticket)], manner);
        call.large = matches!(method, "tools/call" | "resources/read" | "prompts/get");
        let gate = Arc::clone(&self.gate);
        if is_hello {
            let params = params(&text).unwrap_or("{}").to_owned();
            call.hello = Some(Hello::new(params));
            call.opener = Some(self.close_gate());
        }
        let mut outgoing = self.outgoing(text).await;
        outgoing.hello = is_hello;
        outgoing.modern = modern;
        outgoing.sent = Arc::clone(&ticket.sent);
        outgoing.ticket = Some(Arc::clone(&ticket));
        let bridge = Arc::clone(self.bridge);
        if method == "server/discover" {
            self.tasks.spawn(async move { bridge.probe(&ticket, outgoing).await });
            return;
        }
        self.tasks.spawn(async move {
            // What knows of no session needs none to be open.
            if !stateless {
                gate.wait().await;
            }
            match bridge.desk.now().filter(|_| !stateless && !is_hello) {
                Some(translation) => bridge.translate(translation, call, outgoing).await,
                None => bridge.call(call, outgoing).await,
            }
        });
    }
}
