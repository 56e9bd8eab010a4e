//! What a host may write, and the very words that it gets for it (S-02 to S-04, row 124).

use std::io::Write;

use crate::program::{HELLO, Program};
use crate::wire::Wire;

const NOT_JSON: &str = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"data":{"source":"chipp-auth"},"message":"the line is not valid JSON"}}"#;
const NOT_OBJECT: &str = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"data":{"source":"chipp-auth"},"message":"the line is no message"}}"#;
const NO_MESSAGE: &str = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"data":{"source":"chipp-auth"},"message":"the line is JSON, but no JSON-RPC message"}}"#;
const NO_MESSAGE_5: &str = r#"{"jsonrpc":"2.0","id":5,"error":{"code":-32600,"data":{"source":"chipp-auth"},"message":"the line is JSON, but no JSON-RPC message"}}"#;
const NO_BATCH: &str = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"data":{"source":"chipp-auth"},"message":"a batch is not allowed here"}}"#;

const NO_BATCH_5: &str = r#"{"jsonrpc":"2.0","id":5,"error":{"code":-32600,"data":{"source":"chipp-auth"},"message":"a batch is not allowed here"}}"#;

const BAD: &[(&[u8], &str)] = &[
    // No JSON: words, half an object, two values, what other languages allow.
    (b"rubbish", NOT_JSON),
    (b"Content-Length: 52", NOT_JSON),
    (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"", NOT_JSON),
    (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}}", NOT_JSON),
    (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"} {}", NOT_JSON),
    (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",}", NOT_JSON),
    (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"} // note", NOT_JSON),
    (b"{'id':1,'method':'x'}", NOT_JSON),
    (b"{\"id\":01,\"method\":\"x\"}", NOT_JSON),
    (b"{\"id\":1,\"method\":\"x\",\"params\":NaN}", NOT_JSON),
    (b"{\"id\":1,\"method\":\"x\",\"params\":\"\\x41\"}", NOT_JSON),
    (b"{\"id\":1,\"method\":\"x\",\"params\":\"a\tb\"}", NOT_JSON),
    (b"{\"id\":1,\"method\":\"x\",\"params\":\"a\0b\"}", NOT_JSON),
    (b"\0", NOT_JSON),
    (b"[1,", NOT_JSON),
    (b"\"", NOT_JSON),
    // No UTF-8 (T-06): a byte of Latin-1, one cut off, one too long, a surrogate, UTF-16.
    (b"{\"id\":1,\"method\":\"\xff\"}", NOT_JSON),
    (b"{\"id\":1,\"method\":\"caf\xe9\"}", NOT_JSON),
    (b"{\"id\":1,\"method\":\"\xc3\"}", NOT_JSON),
    (b"{\"id\":1,\"method\":\"\xc0\xaf\"}", NOT_JSON),
    (b"{\"id\":1,\"method\":\"\xed\xa0\x80\"}", NOT_JSON),
    (b"\xff\xfe{\0}\0", NOT_JSON),
    // A byte order mark is one at the very beginning only.
    (b"\xef\xbb\xbf{\"id\":1,\"method\":\"x\"}", NOT_JSON),
    // JSON, but no object.
    (b"17", NOT_OBJECT),
    (b" -0.0 ", NOT_OBJECT),
    (b"\"text\"", NOT_OBJECT),
    (b"true", NOT_OBJECT),
    (b"null", NOT_OBJECT),
    // An object, but no message.
    (b"{}", NO_MESSAGE),
    (b"{\"jsonrpc\":\"2.0\"}", NO_MESSAGE),
    (b"{\"id\":null,\"method\":\"x\"}", NO_MESSAGE),
    (b"{\"id\":{},\"method\":\"x\"}", NO_MESSAGE),
    (b"{\"id\":[1],\"result\":1}", NO_MESSAGE),
    (b"{\"id\":true,\"method\":\"x\"}", NO_MESSAGE),
    (b"{\"method\":null}", NO_MESSAGE),
    (b"{\"id\":5}", NO_MESSAGE_5),
    (b"{\"id\":5,\"method\":5}", NO_MESSAGE_5),
    (b"{\"id\":5,\"params\":{}}", NO_MESSAGE_5),
    // Batches, in a revision that has none (T-40).
    (b"[]", NO_BATCH),
    (b"[1]", NO_BATCH),
    (b"[{\"jsonrpc\":\"2.0\",\"method\":\"x\"}]", NO_BATCH),
    (b"[1,{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"x\"},{\"id\":6}]", NO_BATCH_5),
];

/// Row 124: one answer each, of these words; nothing is forwarded; the next line works.
#[test]
fn each_bad_line_gets_its_words() {
    let wire = Wire::start(|_, _| None);
    let mut program = Program::start(&wire);
    program.greet(&wire);
    for (line, words) in BAD {
        program.raw([line, &b"\n"[..]].concat());
        program.says(words);
        program.call("\"next\"");
        program.says(r#"{"jsonrpc":"2.0","id":"next","result":{}}"#);
    }
    assert_eq!(wire.count("tools/call"), BAD.len());
    wire.wait_for("GET", 1);
    assert_eq!(wire.seen().len(), BAD.len() + 3, "{:?}", wire.seen());
    // To the host it is an answer, to a person nothing worth a line.
    assert_eq!(program.said(), "");
    program.finish();
}

/// The same lines all at once, and nobody reading yet: one answer each all the same.
#[test]
fn many_bad_lines_at_once_get_as_many_words() {
    let wire = Wire::start(|_, _| None);
    let mut program = Program::start(&wire);
    program.greet(&wire);
    let mut lines: Vec<u8> = Vec::new();
    for (line, _) in BAD.iter().cycle().take(2000) {
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
    // On a thread: while nobody reads the answers, nobody reads the lines.
    let mut to = program.to.take().unwrap();
    let writer = std::thread::spawn(move || to.write_all(&lines).map(|()| to).unwrap());
    let mut got: Vec<_> = (0..2000).map(|_| program.line().unwrap()).collect();
    let mut expected: Vec<_> = BAD.iter().cycle().take(2000).map(|(_, words)| format!("{words}\n")).collect();
    got.sort();
    expected.sort();
    assert_eq!(got, expected);
    program.to = Some(writer.join().unwrap());
    program.finish();
}

/// S-02, row 124: a byte order mark before the first message, CRLF, blank lines.
#[test]
fn what_editors_and_other_systems_add_is_no_fault() {
    let wire = Wire::start(|_, _| None);
    let mut program = Program::start(&wire);
    program.raw(format!("\u{feff}{HELLO}\r\n\r\n \t \r\n\n"));
    assert!(program.line().unwrap().starts_with("{\"jsonrpc\":\"2.0\",\"id\":\"hello\",\"result\":{"));
    program.raw("\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}\r\n");
    program.says(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    program.raw("\u{20}{\"id\":2,\"method\":\"a\"}\t\r\n");
    program.says(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
    let bodies: Vec<_> = wire.seen.lock().unwrap().iter().map(|request| request.body.clone()).collect();
    assert_eq!(bodies, [HELLO, r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#, " {\"id\":2,\"method\":\"a\"}\t"]);
    assert_eq!(program.said(), "");
    program.finish();
}

/// Row 126, as files end: complete without a line end is processed, half a line is dropped with a note.
#[test]
fn the_last_line_counts_if_it_is_complete() {
    for (last, answer, note) in [
        (
            r#"{"jsonrpc":"2.0","id":"last","method":"a"}"#,
            Some(r#"{"jsonrpc":"2.0","id":"last","result":{}}"#),
            "",
        ),
        (" \r", None, ""),
        ("17", Some(NOT_OBJECT), ""),
        (
            r#"{"jsonrpc":"2.0","id":"last","method":"tools/ca"#,
            None,
            " WARN stdin ended in the middle of a line; dropped\n",
        ),
        ("\u{feff}", None, " WARN stdin ended in the middle of a line; dropped\n"),
    ] {
        let wire = Wire::start(|_, _| None);
        let mut program = Program::start(&wire);
        program.greet(&wire);
        program.raw(last);
        drop(program.to.take());
        if let Some(answer) = answer {
            program.says(answer);
        }
        assert_eq!(program.line(), None);
        crate::wire::wait_until("the note", || program.said() == note);
        program.finish();
    }
}

/// T-40: in the one revision that has batches, one that cannot be sent is refused request by request: with an
/// `initialize` in it, with something that is no message, with more requests than may wait.
#[test]
fn each_request_of_a_refused_batch_is_answered() {
    let many: Vec<_> = (0..1025).map(|id| format!("{{\"id\":{id},\"method\":\"a\"}}")).collect();
    for (batch, ids) in [
        (
            r#"{"id":1,"method":"a"},{"id":"\/","method":"initialize"},{"method":"b"}"#.to_owned(),
            vec!["1".to_owned(), r#""\/""#.to_owned()],
        ),
        (r#"{"id":1E+2,"method":"a"},[]"#.to_owned(), vec!["1E+2".to_owned()]),
        (many.join(","), (0..1025).map(|id| id.to_string()).collect()),
    ] {
        let wire = Wire::start(|_, _| None);
        let mut program = Program::start(&wire);
        program.send(&HELLO.replace("2025-11-25", "2025-03-26"));
        program.line();
        program.send(&format!("[{batch}]"));
        for id in ids {
            program.says(&NO_BATCH_5.replace(":5,", &format!(":{id},")));
        }
        assert_eq!(wire.seen(), ["initialize"]);
        program.finish();
    }
}
