//! What the host may write on stdin (S-01 to S-04, rows 124 to 126).

use serde_json::{Value, json};

use super::host::{Host, error_of};
use super::server::Server;
use chipp_auth::proxy::End;

/// Row 124: each bad line gets its one error, and the next line works.
#[tokio::test]
async fn a_bad_line_is_answered_and_the_next_one_works() {
    let server = Server::start(|_| None).await;
    let mut host = Host::ready(&server).await;
    let cases: [(&[u8], i64, Value); 10] = [
        (b"rubbish", -32700, Value::Null),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"", -32700, Value::Null),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"} {}", -32700, Value::Null),
        (b"{\"id\":1,\"method\":\"\xff\"}", -32700, Value::Null),
        (b"17", -32600, Value::Null),
        (b"\"text\"", -32600, Value::Null),
        (b"[]", -32600, Value::Null),
        (b"{}", -32600, Value::Null),
        (b"{\"id\":null,\"method\":\"x\"}", -32600, Value::Null),
        (b"{\"id\":5,\"method\":5}", -32600, json!(5)),
    ];
    for (line, code, id) in cases {
        let shown = String::from_utf8_lossy(line);
        host.raw([line, b"\n"].concat()).await;
        let message = host.next().await;
        assert_eq!((&message["error"]["code"], &message["id"]), (&json!(code), &id), "{shown}");
        host.tool("next").await;
        assert_eq!(host.next().await["id"], "next", "{shown}");
    }
    assert_eq!(server.count("tools/call"), 10, "nothing bad was forwarded");
    assert_eq!(server.seen().len(), 13, "nothing bad was forwarded");
}

/// S-02, row 124.
#[tokio::test]
async fn a_bom_crlf_and_blank_lines_are_fine() {
    let server = Server::start(|_| None).await;
    let mut host = Host::start(&server);
    host.raw("\u{feff}\r\n\n  \r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}\r\n\r\n").await;
    assert_eq!(host.next().await["id"], 1);
    assert_eq!(server.seen()[0].body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}");
    host.silence().await;
}

#[tokio::test]
async fn a_bom_before_the_first_message_is_taken_off() {
    let server = Server::start(|_| None).await;
    let mut host = Host::start(&server);
    host.raw("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}\n").await;
    assert_eq!(host.next().await["id"], 1);
}

/// T-09: valid JSON that a derived struct would refuse or misread is forwarded.
#[tokio::test]
async fn valid_json_is_forwarded_however_odd() {
    let server = Server::start(|_| None).await;
    let mut host = Host::start(&server);
    for line in [
        r#"{"id":1,"id":2,"method":"a","jsonrpc":"2.0"}"#,
        r#"{"\ud800":1,"id":2,"method":"a\ud800","jsonrpc":"2.0"}"#,
        &format!("{{\"id\":2,\"method\":\"deep\",\"params\":{}{}}}", "[".repeat(5000), "]".repeat(5000)),
    ] {
        host.raw(format!("{line}\n")).await;
        // The plain server cannot read them all, and then gives no answer; the proxy does.
        assert_eq!(host.next().await["id"], 2, "{line}");
        assert_eq!(server.seen().last().unwrap().body, line);
    }
}

/// Row 125: the id from the head, if it is a request's; the next line works.
#[tokio::test]
async fn a_line_that_is_too_long_is_answered_and_dropped() {
    let server = Server::start(|_| None).await;
    let mut host = Host::ready(&server).await;
    let filler = "x".repeat(33 << 20);
    for (line, id) in [
        (
            format!("{{\"jsonrpc\":\"2.0\",\"id\":\"long\",\"method\":\"a\",\"params\":\"{filler}\"}}\n"),
            json!("long"),
        ),
        (format!("{{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":\"{filler}\",\"id\":1}}\n"), Value::Null),
        (format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"{filler}\"}}\n"), Value::Null),
    ] {
        host.raw(line).await;
        let message = host.next().await;
        assert_eq!((error_of(&message), &message["id"]), (("too-large".to_owned(), -31006), &id));
        host.tool("next").await;
        assert_eq!(host.next().await["id"], "next");
    }
}

/// Row 126.
#[tokio::test]
async fn a_last_line_without_an_end_counts_if_it_is_complete() {
    let server = Server::start(|_| None).await;
    let mut host = Host::ready(&server).await;
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":\"last\",\"method\":\"a\"}").await;
    let (rest, end) = host.finish().await;
    assert_eq!(end, End::Eof);
    assert_eq!(rest.iter().map(|m| &m["id"]).collect::<Vec<_>>(), ["last"]);

    let mut host = Host::ready(&server).await;
    host.raw("{\"jsonrpc\":\"2.0\",\"id\":\"last\",\"meth").await;
    assert_eq!(host.finish().await, (vec![], End::Eof));
}
