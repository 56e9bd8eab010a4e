//! The forms in which a server may send one and the same message (T-03, T-13, T-14, T-16, T-17).

use super::server::{Answer, Part};

/// How a message is framed as an event.
pub struct Form {
    pub name: &'static str,
    /// The text of the event, its blank line included.
    pub frame: fn(&str) -> String,
    /// Whether its bytes come a few at a time.
    pub dripping: bool,
}

pub const FORMS: &[Form] = &[
    Form { name: "one line", frame: |text| event(&one_line(text), "\n", ""), dripping: false },
    Form { name: "no space", frame: |text| format!("data:{}\n\n", one_line(text)), dripping: false },
    Form { name: "several lines, LF", frame: |text| event(&broken(text), "\n", ""), dripping: false },
    Form { name: "several lines, CR", frame: |text| event(&broken(text), "\r", ""), dripping: false },
    Form { name: "several lines, CRLF", frame: |text| event(&broken(text), "\r\n", ""), dripping: false },
    Form { name: "in small pieces", frame: |text| event(&broken(text), "\r\n", ""), dripping: true },
    Form { name: "with a name, an id and a retry", frame: dressed, dripping: false },
    Form { name: "after what is no message", frame: |text| event(text, "\n", NOTHING), dripping: false },
];

/// A priming event (T-15), comments, and an event of another name (T-17).
const NOTHING: &str = ": hello\n\nid: p\ndata:\n\nevent: other\ndata: {\"id\":1}\n\n:\n\nid\n\n";

/// An event of several lines of data, with one kind of line end.
fn event(text: &str, end: &str, before: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = lines.split('\n').map(|line| format!("data: {line}{end}")).collect();
    format!("{}{}{end}", before.replace('\n', end), lines.concat())
}

fn dressed(text: &str) -> String {
    let lines = event(&broken(text), "\n", "");
    let (first, rest) = lines.split_once('\n').unwrap();
    format!("event: message\n: a comment\nid: 17\nunknown: x\n{first}\nretry: 1\n:\n{rest}")
}

/// The message without line ends of its own.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

/// The message with a line end at (nearly) each place that allows one: after a comma or a colon outside of
/// strings.
fn broken(text: &str) -> String {
    let (mut in_string, mut escaped, mut breaks) = (false, false, 0);
    let mut lines = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && c == '\\' && !escaped;
        lines.push(c);
        if !in_string && matches!(c, ',' | ':') && breaks < 200 {
            lines.push('\n');
            breaks += 1;
        }
    }
    lines
}

impl Form {
    /// Adds a message to a stream.
    pub fn add(&self, answer: Answer, text: &str) -> Answer {
        let framed = (self.frame)(text);
        if !self.dripping || framed.len() > 4096 {
            return answer.data(framed);
        }
        // Pieces that cut characters, line ends and names in two.
        framed
            .as_bytes()
            .chunks(7)
            .fold(answer, |answer, piece| answer.part(Part::Data(piece.to_vec().into())))
    }
}

/// A name, and what makes the answer.
type Body = (&'static str, fn(&str) -> Answer);

/// Answers that are one JSON text: how the text is written, and what the head says.
pub const BODIES: &[Body] = &[
    ("JSON", |text| Answer::json(text)),
    ("JSON with white space around it", |text| {
        let head = Answer::status(200).header("content-type", "Application/JSON ; charset=utf-8");
        head.data(format!("\r\n\t {}\r\n\r\n", broken(text)))
    }),
    ("JSON in small pieces", |text| {
        let head = Answer::status(200).header("content-type", "application/json");
        let size = (text.len() / 50).max(3);
        text.as_bytes().chunks(size).fold(head, |answer, piece| answer.data(piece.to_vec()))
    }),
];
