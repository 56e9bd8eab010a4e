//! A host that speaks only the newer era, at a server that knows sessions only (checklist 1.5 row 7): it is
//! told so, with the revision that the server speaks.
//!
//! The code is that of an unsupported revision, which is what it is: -32022, with the list that a host may
//! choose from and a person can read. Nothing is made up, for it is said only after the server has refused the
//! request as one that makes no sense and has opened a session in the revision named. Only a probe is never
//! answered so (row 6): a host that could have gone on with `initialize` may take the list for all that there
//! is.

use http::{HeaderValue, Method};
use serde_json::json;

use super::Known;
use super::verdict::{LAST_LEGACY, UNSUPPORTED, Verdict, is_legacy, verdict};
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::call::Call;
use crate::proxy::envelope::{Envelope, member, string};
use crate::proxy::legacy::session::Session;
use crate::proxy::message;
use crate::proxy::remote::refusal::Refusal;
use crate::proxy::remote::{Draft, Outgoing, Remote};

/// The id of our own `initialize`.
const ID: &str = "chipp-auth-version";

impl<B: Bearer> Bridge<B> {
    /// Answers a request of the newer era that was refused as if nobody had ever heard of it; false if the
    /// server knows no sessions either, or is not known to.
    pub(in crate::proxy) async fn too_new(
        &self,
        call: &Call,
        refusal: &Refusal,
        requested: &HeaderValue,
    ) -> bool {
        let answered = self.desk.now().is_some() || refusal.is_answer();
        if answered || verdict(refusal.status, &refusal.body) != Verdict::Unknown4xx {
            return false;
        }
        let Some(version) = self.remote.older_version().await else { return false };
        self.remote.era.learn(Known::Legacy);
        let (host, requested) = (self.remote.host(), requested.to_str().unwrap_or_default());
        let text = format!(
            "{host} speaks MCP {version}, and not {requested}. To mend it: use an MCP client that also speaks \
             {version}."
        );
        let data = json!({"supported": [version], "requested": requested, "source": "chipp-auth"});
        let error = json!({"code": UNSUPPORTED, "message": text, "data": data});
        for ticket in call.asked.iter().filter(|ticket| self.pending.take_this(ticket)) {
            self.output.write(message::error(Some(&ticket.id), &error)).await;
        }
        true
    }
}

impl<B: Bearer> Remote<B> {
    /// The revision in which the server opens sessions. Where the host has none it costs two requests, once.
    async fn older_version(&self) -> Option<String> {
        if let Some(version) = &self.sessions.current().version {
            return version.to_str().ok().map(str::to_owned);
        }
        let version = self.era.older.get_or_init(async || self.ask_version().await);
        version.await.clone()
    }

    async fn ask_version(&self) -> Option<String> {
        let client = json!({"name": "chipp-auth", "version": env!("CARGO_PKG_VERSION")});
        let params = json!({"protocolVersion": LAST_LEGACY, "capabilities": {}, "clientInfo": client});
        let hello = Outgoing::own(message::request(ID, "initialize", &params.to_string()));
        let (id, answer) = self.ask(&hello, &Session::default()).await.ok()?;
        let version =
            Envelope::peek(&answer).ok()?.result.and_then(|result| member(result, "protocolVersion"));
        let version = version.map(string).filter(|version| is_legacy(version))?.into_owned();
        if id.is_some() {
            let session = Session { id, version: HeaderValue::from_str(&version).ok(), epoch: 0 };
            let end =
                Draft { method: Method::DELETE, body: None, session: &session, last_id: None, line: None };
            let _ = self.exchange(&end).await;
        }
        Some(version)
    }
}
