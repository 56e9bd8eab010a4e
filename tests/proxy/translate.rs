//! A host of the older era at a server of the newer one, row by row of the table of translation (1.6-A).

use serde_json::{Value, json};

use super::eras::{discovered, modern_only};
use super::host::Host;
use super::server::{Answer, Seen, Server};

mod cancelling;
mod listening;
mod requests;
mod rounds;

/// A server that asks for what the script says before it is done.
async fn serve(script: impl Fn(&Seen) -> Option<Answer> + Send + Sync + 'static) -> Server {
    Server::start(move |seen| {
        let strict = modern_only(seen)?;
        // What the strict server refuses stays refused.
        if strict.status != 200 { Some(strict) } else { Some(script(seen).unwrap_or(strict)) }
    })
    .await
}

/// A host with these capabilities, and a session at the server.
async fn open(server: &Server, version: &str, capabilities: Value) -> (Host, Value) {
    let mut host = Host::start(server);
    let info = json!({"name": "host", "version": "1", "n": 1.5});
    host.call(
        0,
        "initialize",
        json!({"protocolVersion": version, "capabilities": capabilities, "clientInfo": info}),
    )
    .await;
    let hello = host.next().await;
    host.note("notifications/initialized", json!({})).await;
    (host, hello)
}

/// As a host that can be asked for everything.
async fn ready(server: &Server) -> Host {
    open(server, "2025-11-25", json!({"roots": {}, "sampling": {}, "elicitation": {}})).await.0
}

/// What a server of the newer era says of itself, with these capabilities.
fn offering(capabilities: Value) -> Value {
    let mut found = discovered();
    found["capabilities"] = capabilities;
    found
}
