//! 320 redirects: eight requests, five statuses, eight targets (D2, T1, row 93). Nothing but metadata
//! follows any of them, and metadata only on its own origin; the host at the other end hears nothing.

use chipp_auth::credential::TokenStyle;
use chipp_auth::error::Name;
use serde_json::json;

use crate::kit::{CANARY, Kind, make};
use crate::server::{Request, Server, http};
use crate::witness::Witness;

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
/// Where metadata may be fetched from after a redirect.
const NEAR: usize = 2;

/// A target, given the server's own authority and the witness's port. The first two are the server itself.
fn target(index: usize, own: &str, witness: u16) -> String {
    match index {
        // Same origin.
        0 => "/moved".to_owned(),
        1 => format!("http://{own}/moved"),
        // Another port, another name, another scheme.
        2 => format!("http://127.0.0.1:{witness}/moved"),
        3 => format!("http://localhost:{witness}/moved"),
        4 => format!("https://127.0.0.1:{witness}/moved"),
        // The server's address, as a user name and a password.
        5 => format!("http://{own}@127.0.0.1:{witness}/moved"),
        // Addresses that look like paths.
        6 => format!("//127.0.0.1:{witness}/moved"),
        _ => format!("/\\127.0.0.1:{witness}\\moved"),
    }
}
const TARGETS: usize = 8;

/// The path whose requests are redirected.
fn redirected(kind: Kind) -> &'static str {
    match kind {
        Kind::AuthorizationMetadata => "/.well-known/oauth-authorization-server",
        Kind::ResourceMetadata => "/.well-known/oauth-protected-resource/mcp",
        Kind::Registration => "/register",
        Kind::Exchange | Kind::Refresh => "/token",
        Kind::Revocation => "/revoke",
        Kind::McpPost | Kind::McpGet => "/mcp",
    }
}

/// A server of everything, which redirects one kind of request.
async fn server(kind: Kind, status: u16, index: usize, witness: u16) -> Server {
    Server::start(move |request| {
        let own = request.header("host").unwrap();
        let verb = request.head.split(' ').next().unwrap();
        let wanted = match kind {
            Kind::McpPost => "POST",
            Kind::McpGet => "GET",
            _ => verb,
        };
        if request.path() == redirected(kind) && verb == wanted {
            return http(status, &format!("Location: {}\r\n", target(index, own, witness)), b"");
        }
        usual(kind, request, &format!("http://{own}"))
    })
    .await
}

fn usual(kind: Kind, request: &Request, base: &str) -> Vec<u8> {
    let json = |value: serde_json::Value| http(200, "", value.to_string().as_bytes());
    let resource = json!({"resource": format!("{base}/mcp"), "authorization_servers": [base]});
    let metadata = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "code_challenge_methods_supported": ["S256"],
    });
    match (request.path(), kind) {
        ("/moved", Kind::ResourceMetadata) => json(resource),
        ("/moved", Kind::AuthorizationMetadata) => json(metadata),
        ("/.well-known/oauth-protected-resource/mcp", _) => json(resource),
        ("/.well-known/oauth-authorization-server", _) => json(metadata),
        ("/mcp", Kind::McpGet) => {
            let capabilities = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}});
            match serde_json::from_str::<serde_json::Value>(&request.body) {
                Ok(message) if message["id"] == 1 => {
                    json(json!({"jsonrpc": "2.0", "id": 1, "result": capabilities}))
                }
                _ => http(202, "", b""),
            }
        }
        ("/mcp", _) => http(401, "", b""),
        _ => http(404, "", b""),
    }
}

#[tokio::test]
async fn no_redirect_carries_a_byte_to_another_host() {
    let witness = Witness::start().await;
    let mut cases = 0;
    for kind in Kind::ALL {
        for status in STATUSES {
            for index in 0..TARGETS {
                let what = format!("{kind:?}, {status}, target {index}");
                one(kind, status, index, &witness, &what).await;
                witness.assert_alone(&what);
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 320);
}

async fn one(kind: Kind, status: u16, index: usize, witness: &Witness, what: &str) {
    let server = server(kind, status, index, witness.port).await;
    let styles = [TokenStyle::FormPost, TokenStyle::FormBasic, TokenStyle::Json, TokenStyle::JsonBasic];
    let ended = make(kind, &server, styles[index % 4]).await;
    let asked = server.asked();
    let moved = asked.iter().filter(|request| request.path() == "/moved").count();
    let sent = asked.iter().filter(|request| format!("{request:?}").contains(CANARY)).count();
    if kind.is_metadata() {
        assert_eq!(sent, 0, "{what}: metadata is asked for without secrets");
        if index < NEAR {
            assert_eq!((ended, moved), (Ok(()), 1), "{what}: the same origin is followed");
        } else {
            assert_eq!((ended, moved), (Err(Name::RedirectRefused), 0), "{what}");
        }
        return;
    }
    // The request did carry its secret, so the silence elsewhere means something.
    assert!(sent > 0 || kind == Kind::Registration, "{what}: {asked:?}");
    assert_eq!(moved, 0, "{what}: not even the same origin is followed");
    match ended {
        // The stream of a session is given up in silence; the session goes on.
        Ok(()) => assert_eq!(kind, Kind::McpGet, "{what}"),
        Err(name) => assert_eq!(name, Name::RedirectRefused, "{what}"),
    }
}
