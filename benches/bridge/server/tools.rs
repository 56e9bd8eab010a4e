//! The tools. Requests are cut as text: a server that parses would hide a part of what a bridge costs.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;

use super::Notes;
use super::body::{self, Reply};
use crate::check;
use crate::messages::{Form, LARGE, STEPS, Tool, filler};

/// How long [`Tool::Wait`] takes.
const WAIT: Duration = Duration::from_millis(50);

const HELLO: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}"#;

pub(super) async fn answer(message: &Bytes, notes: &Notes) -> Response<Reply> {
    let Some(id) = check::id(message) else {
        return body::status(202);
    };
    match check::string(message, "method") {
        Some(b"tools/call") => {}
        Some(b"initialize") => return json(Form::IdFirst, id, HELLO),
        Some(b"tools/list") => return json(Form::IdFirst, id, &list()),
        Some(b"ping") => return json(Form::IdFirst, id, "{}"),
        _ => return error(id),
    }
    let name = check::string(message, "name");
    let Some(tool) = Tool::NAMED.into_iter().find(|tool| name == Some(tool.name().as_bytes())) else {
        return error(id);
    };
    notes.executions.fetch_add(1, Ordering::Relaxed);
    let text = check::string(message, "text").map(String::from_utf8_lossy).unwrap_or_default();
    match tool {
        Tool::Echo(Form::Event) => {
            body::events(Reply::chunked([event(&whole(Form::IdFirst, id, &content(&text)))]))
        }
        Tool::Echo(form) => json(form, id, &content(&text)),
        Tool::Wait => {
            tokio::time::sleep(WAIT).await;
            json(Form::IdFirst, id, &content(&text))
        }
        Tool::Count => count(id, message, &text),
        Tool::Big(bytes, form) => big(id, bytes, form),
        Tool::Swallow(_) => {
            let is_whole = text.len() == LARGE && text == filler(LARGE);
            json(Form::IdFirst, id, &content(&format!("{} bytes", if is_whole { LARGE } else { 0 })))
        }
        Tool::List => error(id),
    }
}

fn content(text: &str) -> String {
    format!(r#"{{"content":[{{"type":"text","text":"{text}"}}]}}"#)
}

fn whole(form: Form, id: u64, result: &str) -> String {
    match form {
        Form::ResultFirst => format!(r#"{{"result":{result},"jsonrpc":"2.0","id":{id}}}"#),
        _ => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
    }
}

fn json(form: Form, id: u64, result: &str) -> Response<Reply> {
    body::json([Bytes::from(whole(form, id, result))])
}

fn event(message: &str) -> Bytes {
    Bytes::from(format!("event: message\ndata: {message}\n\n"))
}

fn error(id: u64) -> Response<Reply> {
    let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"not here"}}}}"#);
    body::json([Bytes::from(text)])
}

fn list() -> String {
    let schema = r#"{"type":"object","properties":{"text":{"type":"string"}}}"#;
    let tools = Tool::NAMED.map(|tool| format!(r#"{{"name":"{}","inputSchema":{schema}}}"#, tool.name()));
    format!(r#"{{"tools":[{}]}}"#, tools.join(","))
}

/// Progress, step by step in one stream, and the answer at its end.
fn count(id: u64, message: &[u8], text: &str) -> Response<Reply> {
    let token = check::raw(message, "progressToken").map(String::from_utf8_lossy).unwrap_or_default();
    let mut pieces: VecDeque<_> = (1..=STEPS)
        .map(|step| {
            let params = format!(r#"{{"progressToken":{token},"progress":{step},"total":{STEPS}}}"#);
            event(&format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{params}}}"#))
        })
        .collect();
    pieces.push_back(event(&whole(Form::IdFirst, id, &content(text))));
    body::events(Reply::chunked(pieces))
}

/// The large text goes out as it lies in memory.
fn big(id: u64, bytes: usize, form: Form) -> Response<Reply> {
    let order = if form == Form::ResultFirst { Form::ResultFirst } else { Form::IdFirst };
    let around = whole(order, id, &content("|"));
    let (before, after) = around.split_once('|').unwrap();
    let (mut head, mut tail) = (String::new(), after.to_owned());
    if form == Form::Event {
        head.push_str("event: message\ndata: ");
        tail.push_str("\n\n");
    }
    let _ = head.write_str(before);
    let pieces = [Bytes::from(head), Bytes::from_static(filler(bytes).as_bytes()), Bytes::from(tail)];
    if form == Form::Event { body::events(Reply::chunked(pieces)) } else { body::json(pieces) }
}
