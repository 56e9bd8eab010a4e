//! What is said to the server: the calls, the texts they carry, and so the texts that must come back.

use std::sync::OnceLock;

/// The bearer token of all clients.
pub(crate) const TOKEN: &str = "bench-token";
/// The first line of every session. Its id is no number that a call has.
pub(crate) const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
pub(crate) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
/// How many progress notifications one [`Tool::Count`] makes.
pub(crate) const STEPS: usize = 1000;
/// The sizes of large texts, in bytes.
pub(crate) const LARGE: usize = 10_000_000;
pub(crate) const HUGE: usize = 50_000_000;

/// How the server puts an answer together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A JSON body in the order of the Python and Rust SDKs: `jsonrpc`, `id`, `result`.
    IdFirst,
    /// A JSON body in the order of the TypeScript SDK: `result`, `jsonrpc`, `id`.
    ResultFirst,
    /// One server-sent event.
    Event,
}

/// The tools of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `tools/list` itself.
    List,
    /// Gives a small text back.
    Echo(Form),
    /// Does so after 50 ms.
    Wait,
    /// Does so after [`STEPS`] progress notifications.
    Count,
    /// Gives a text of that many bytes.
    Big(usize, Form),
    /// Takes one.
    Swallow(usize),
}

impl Tool {
    /// As the server lists it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tool::List => "list",
            Tool::Echo(Form::IdFirst) => "echo",
            Tool::Echo(Form::ResultFirst) => "echo_reversed",
            Tool::Echo(Form::Event) => "echo_event",
            Tool::Wait => "wait",
            Tool::Count => "count",
            Tool::Big(LARGE, Form::IdFirst) => "large",
            Tool::Big(LARGE, Form::ResultFirst) => "large_reversed",
            Tool::Big(LARGE, Form::Event) => "large_event",
            Tool::Big(_, Form::IdFirst) => "huge",
            Tool::Big(_, Form::ResultFirst) => "huge_reversed",
            Tool::Big(_, Form::Event) => "huge_event",
            Tool::Swallow(_) => "swallow",
        }
    }

    /// All that are called by name.
    pub(crate) const NAMED: [Tool; 12] = [
        Tool::Echo(Form::IdFirst),
        Tool::Echo(Form::ResultFirst),
        Tool::Echo(Form::Event),
        Tool::Wait,
        Tool::Count,
        Tool::Big(LARGE, Form::IdFirst),
        Tool::Big(LARGE, Form::ResultFirst),
        Tool::Big(LARGE, Form::Event),
        Tool::Big(HUGE, Form::IdFirst),
        Tool::Big(HUGE, Form::ResultFirst),
        Tool::Big(HUGE, Form::Event),
        Tool::Swallow(LARGE),
    ];

    /// The request with this id, without a line end.
    pub(crate) fn request(self, id: u64) -> String {
        let name = self.name();
        match self {
            Tool::List => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#),
            Tool::Count => format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"_meta":{{"progressToken":"{}"}},"name":"{name}","arguments":{{"text":"hello {id}"}}}}}}"#,
                progress_token(id)
            ),
            Tool::Swallow(bytes) => format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{{"text":"{}"}}}}}}"#,
                filler(bytes)
            ),
            _ => format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{{"text":"hello {id}"}}}}}}"#
            ),
        }
    }

    /// Whether `text`, which may go on after its closing quote, is what the request with this id must bring.
    pub(crate) fn is_right(self, id: u64, text: &[u8]) -> bool {
        let is =
            |expected: &[u8]| text.strip_prefix(expected).is_some_and(|rest| rest.first() == Some(&b'"'));
        match self {
            Tool::List => is(b"echo"),
            Tool::Big(bytes, _) => is(filler(bytes).as_bytes()),
            Tool::Swallow(bytes) => is(format!("{bytes} bytes").as_bytes()),
            _ => is(format!("hello {id}").as_bytes()),
        }
    }
}

/// The progress token that the client gives to this request.
pub(crate) fn progress_token(id: u64) -> String {
    format!("token of {id}")
}

/// A text like a file's, as JSON has it: lines of 80 bytes, their ends escaped.
pub(crate) fn filler(bytes: usize) -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    let line = "The quick brown fox jumps over the lazy dog; so it did yesterday, and it will.\\n";
    let text = TEXT.get_or_init(|| line.repeat(HUGE / 80));
    &text[..bytes]
}

// Lines are whole, so that no text ends within an escape.
const _: () = assert!(LARGE.is_multiple_of(80) && HUGE.is_multiple_of(80));
