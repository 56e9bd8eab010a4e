//! The MCP server that is called: as fast as it can be, so that what is measured is the way to it.

use std::convert::Infallible;
use std::sync::mpsc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Starts an MCP server on a thread of its own and returns its address.
pub(crate) fn start() -> String {
    let (to, from) = mpsc::channel();
    std::thread::spawn(move || {
        super::runtime().block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            to.send(listener.local_addr().unwrap().to_string()).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                let connection = hyper::server::conn::http1::Builder::new();
                let service = hyper::service::service_fn(answer);
                tokio::spawn(connection.serve_connection(TokioIo::new(socket), service));
            }
        });
    });
    from.recv().unwrap()
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let status = |code: u16| Response::builder().status(code).body(Full::default()).unwrap();
    match request.method().as_str() {
        "POST" => {}
        "DELETE" => return Ok(status(200)),
        _ => return Ok(status(405)),
    }
    assert_eq!(request.headers()["authorization"], "Bearer x");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let text = std::str::from_utf8(&body).unwrap();
    // Cut out as text: a server that parses would hide a part of what the bridge costs.
    let Some(id) = text.split("\"id\":").nth(1).and_then(|rest| rest.split([',', '}']).next()) else {
        return Ok(status(202));
    };
    let result = if text.contains("\"initialize\"") {
        r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}"#
    } else {
        r#"{"content":[{"type":"text","text":"hello"}]}"#
    };
    let body = format!(r#"{{"result":{result},"jsonrpc":"2.0","id":{id}}}"#);
    let response =
        Response::builder().header("content-type", "application/json").header("mcp-session-id", "bench");
    Ok(response.body(Full::from(body)).unwrap())
}
