//! What goes over the wire besides the messages: each line of each head (T-01, T-02, T-07, T-11, T-12, T-27).

use crate::program::{HELLO, Program, READY};
use crate::wire::{Request, Wire};

/// The lines of a head but the first, in an order of their own, the address left out.
fn lines(request: &Request) -> Vec<String> {
    let mut lines: Vec<_> = request.head.trim_end().lines().map(str::to_owned).collect();
    lines.retain(|line| !line.to_lowercase().starts_with("host: 127.0.0.1:"));
    lines[1..].sort();
    lines
}

fn find(wire: &Wire, method: &str) -> Vec<String> {
    let seen = wire.seen.lock().unwrap();
    lines(seen.iter().find(|request| request.method() == method).unwrap())
}

/// A whole session. Nothing more is sent than MCP wants, no `origin`; the session id that came in a header of
/// capitals (T-12) is known, and its own capitals are kept.
#[test]
fn each_request_has_these_headers_and_no_others() {
    let wire = Wire::start(|request, reply| {
        (request.method() == "initialize").then(|| {
            let result = "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{}}";
            let text = crate::wire::answer(request, result);
            let head = format!(
                "HTTP/1.1 200 OK\r\nCONTENT-TYPE: APPLICATION/JSON; Charset=UTF-8\r\nmCp-SeSsIoN-iD: sEsSiOn\r\nCONTENT-LENGTH: {}\r\n\r\n",
                text.len()
            );
            reply.raw(head.as_bytes())?;
            reply.raw(text.as_bytes())
        })
    });
    let mut program = Program::start(&wire);
    program.greet_with(HELLO, "2025-06-18");
    program.send(READY);
    program.call("1");
    program.says(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    wire.wait_for("GET", 1);
    program.finish();
    let length = |text: &str| format!("content-length: {}", text.len());
    let both = "accept: application/json, text/event-stream";
    let (auth, json) = ("authorization: Bearer x", "content-type: application/json");
    let agent = concat!("user-agent: chipp-auth/", env!("CARGO_PKG_VERSION"));
    let (session, version) = ("mcp-session-id: sEsSiOn", "mcp-protocol-version: 2025-06-18");
    assert_eq!(find(&wire, "initialize"), ["POST /mcp HTTP/1.1", both, auth, &length(HELLO), json, agent]);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#;
    for (method, text) in [("notifications/initialized", READY), ("tools/call", call)] {
        let expected = ["POST /mcp HTTP/1.1", both, auth, &length(text), json, version, session, agent];
        assert_eq!(find(&wire, method), expected);
    }
    let events = "accept: text/event-stream";
    assert_eq!(find(&wire, "GET"), ["GET /mcp HTTP/1.1", events, auth, version, session, agent]);
    let farewell = find(&wire, "DELETE");
    assert_eq!(farewell, ["DELETE /mcp HTTP/1.1", both, auth, version, session, agent]);
    // Those of the host, one GET and one DELETE (DESIGN section 1).
    assert_eq!(wire.seen().len(), 5, "{:?}", wire.seen());
}
