//! The HTTP server: connections, limits, and which path goes where.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::ALLOW;
use http::request::Parts;
use http::{Method, Request};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use super::areas::Area;
use super::log::Kind;
use super::reply::{self, Answer};
use super::state::{Record, Shared};
use super::{authorize, consent, device, discovery, mcp, register, revoke, token};

const CONNECTIONS: usize = 512;
const HEAD: Duration = Duration::from_secs(30);
const HEAD_SIZE: usize = 64 * 1024;
const BODY: Duration = Duration::from_secs(10);
const BODY_SIZE: usize = 1024 * 1024;

/// One request: everything but its log entry.
pub(super) struct Call {
    pub(super) shared: Arc<Shared>,
    pub(super) parts: Parts,
    pub(super) body: Bytes,
}

/// Serves until `stop` is dropped.
pub(super) async fn serve(shared: Arc<Shared>, listener: TcpListener, mut stop: oneshot::Receiver<()>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            _ = &mut stop => return,
            accepted = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (permit, listener.accept().await)
            } => accepted,
        };
        let (Ok(permit), Ok((stream, _))) = accepted else {
            // Out of descriptors: existing connections may free some.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&shared), request));
            // A connection ends with an error when a fault hangs up; nobody needs to hear of it.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(HEAD_SIZE)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(permit);
        });
    }
}

#[derive(Debug, Clone, Copy)]
enum Route {
    AuthorizationServer,
    ProtectedResource(Option<Area>),
    Authorize,
    Consent,
    Token,
    Revoke,
    Register,
    Device,
    Mcp(Area),
}

/// Our path (never the caller's text), what is there, and the methods it takes.
fn route(path: &str) -> Option<(&'static str, Route, &'static [Method])> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const MCP: &[Method] = &[Method::POST, Method::GET, Method::DELETE];
    let fixed = [
        ("/.well-known/oauth-authorization-server", Route::AuthorizationServer, GET),
        ("/.well-known/oauth-protected-resource", Route::ProtectedResource(None), GET),
        ("/api/mcp/oauth/authorize", Route::Authorize, GET),
        ("/api/mcp/oauth/consent", Route::Consent, POST),
        ("/api/mcp/oauth/token", Route::Token, POST),
        ("/api/mcp/oauth/revoke", Route::Revoke, POST),
        ("/api/mcp/oauth/register", Route::Register, POST),
        ("/api/mcp/oauth/device", Route::Device, POST),
    ];
    let areas = Area::ALL.into_iter().flat_map(|area| {
        [
            (area.path(), Route::Mcp(area), MCP),
            (area.metadata_path(), Route::ProtectedResource(Some(area)), GET),
        ]
    });
    fixed.into_iter().chain(areas).find(|(ours, ..)| *ours == path)
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let Some((path, route, methods)) = route(request.uri().path()) else {
        let mut record = Record::new(&shared, Kind::Other, "");
        record.entry.status = 404;
        return Ok(reply::http_error(404, "not_found", "there is nothing here"));
    };
    let mut record = Record::new(&shared, kind(route, request.method()), path);
    let answer = if methods.contains(request.method()) {
        let (parts, body) = request.into_parts();
        match read(body).await {
            Ok(body) => dispatch(route, Call { shared, parts, body }, &mut record).await,
            Err(status) => Ok(reply::http_error(status, "bad_body", "the body is too large or too slow")),
        }
    } else {
        let mut response = reply::empty(405);
        let names: Vec<_> = methods.iter().map(Method::as_str).collect();
        reply::set(&mut response, ALLOW, &names.join(", "));
        Ok(response)
    };
    record.entry.status = answer.as_ref().map_or(0, |response| response.status().as_u16());
    answer
}

async fn dispatch(route: Route, call: Call, record: &mut Record) -> Answer {
    match route {
        Route::AuthorizationServer | Route::ProtectedResource(_) => Ok(metadata(route, &call)),
        Route::Authorize => Ok(authorize::serve(&call, record)),
        Route::Consent => Ok(consent::serve(&call, record)),
        Route::Token => token::serve(&call, record).await,
        Route::Revoke => Ok(revoke::serve(&call, record)),
        Route::Register => Ok(register::serve(&call, record)),
        Route::Device => Ok(device::serve(&call, record)),
        Route::Mcp(area) => mcp::serve(&call, area, record),
    }
}

fn metadata(route: Route, call: &Call) -> http::Response<reply::Body> {
    let mut state = call.shared.state();
    state.log.counts.discovery += 1;
    if !state.options.discovery {
        return reply::http_error(404, "not_found", "there is nothing here");
    }
    let document = match route {
        Route::ProtectedResource(area) => {
            let issuer = state.options.authorization_server.as_deref();
            discovery::protected_resource(&call.shared.base, area, issuer)
        }
        _ => discovery::authorization_server(&call.shared.base, &state.options),
    };
    reply::json(200, &document)
}

/// The whole body, or the status that says why not.
async fn read(body: Incoming) -> Result<Bytes, u16> {
    match tokio::time::timeout(BODY, Limited::new(body, BODY_SIZE).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(413),
        Err(_) => Err(408),
    }
}

fn kind(route: Route, method: &Method) -> Kind {
    match route {
        Route::AuthorizationServer | Route::ProtectedResource(_) => Kind::Discovery,
        Route::Authorize => Kind::Authorize,
        Route::Consent => Kind::Consent,
        Route::Token => Kind::Token,
        Route::Revoke => Kind::Revoke,
        Route::Register => Kind::Register,
        Route::Device => Kind::Device,
        Route::Mcp(_) if method == Method::GET => Kind::Stream,
        Route::Mcp(_) if method == Method::DELETE => Kind::Delete,
        Route::Mcp(_) => Kind::Mcp,
    }
}
