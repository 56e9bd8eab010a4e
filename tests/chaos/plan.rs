//! What is done to one call, and what may come of it. Everything follows from the seed and the call's number, so that
//! it does not matter which call is served when.

use std::time::Duration;

use super::dice::Dice;

/// What the server does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    // It answers …
    Json,
    /// … in small pieces,
    Drip,
    /// … in chunks, and closes the connection after it,
    LastWords,
    /// … on a stream, after some notifications,
    Stream,
    /// … on a stream that is cut into pieces anywhere,
    StreamDrip,
    /// … on a stream that stays open for a while,
    StreamOpen,
    /// … twice,
    Twice,
    /// … after answers that nobody waits for,
    Strangers,
    /// … on the stream of another call, and once more on its own,
    Lent,
    /// … after a question to the host,
    Ask,
    /// … on streams that end early on purpose,
    Polled,
    /// … on a stream that breaks in the middle of an event and can be resumed,
    Resumable,
    /// … when it has refused the token,
    Unauthorized,
    /// … or not, when it has asked for patience for no time at all,
    Busy,
    /// … with an error of JSON-RPC behind this status,
    Rpc(u16),
    /// … late, and not at all if it was cancelled.
    Slow,
    // It does not answer:
    NoHead,
    HalfHead,
    HalfBody,
    HalfEvent,
    Reset,
    Status(u16),
    Accepted,
    Empty,
    Html,
    Silent,
    SilentStream,
}

/// The plan for one call.
#[derive(Debug, Clone)]
pub struct Plan {
    pub key: u64,
    /// Of 2026-07-28, and so without a session.
    pub modern: bool,
    pub fate: Fate,
    /// Notifications before the answer.
    pub notes: u64,
    /// How much there is in the answer beyond what is needed, in bytes.
    pub padding: usize,
    /// The host cancels the call so long after it has sent it.
    pub cancel: Option<Duration>,
    /// The server forgets all sessions before it answers.
    pub forgets: bool,
    /// The server is started anew before it answers, which cuts all connections.
    pub restarts: bool,
    /// More chance.
    pub dice: Dice,
}

/// Shares of ten thousand; the rest is answered in the plainest way.
const SHARES: &[(u64, Fate)] = &[
    (500, Fate::Drip),
    (200, Fate::LastWords),
    (1800, Fate::Stream),
    (300, Fate::StreamDrip),
    (100, Fate::StreamOpen),
    (200, Fate::Twice),
    (200, Fate::Strangers),
    (100, Fate::Lent),
    (200, Fate::Ask),
    (100, Fate::Polled),
    (100, Fate::Resumable),
    (157, Fate::Unauthorized),
    (3, Fate::Busy),
    (100, Fate::Rpc(200)),
    (50, Fate::Rpc(400)),
    (50, Fate::Rpc(404)),
    (50, Fate::Rpc(500)),
    (300, Fate::Slow),
    (60, Fate::NoHead),
    (60, Fate::HalfHead),
    (60, Fate::HalfBody),
    (60, Fate::HalfEvent),
    (60, Fate::Reset),
    (40, Fate::Status(400)),
    (40, Fate::Status(403)),
    (40, Fate::Status(413)),
    (80, Fate::Status(500)),
    (80, Fate::Status(503)),
    (40, Fate::Status(504)),
    (60, Fate::Accepted),
    (60, Fate::Empty),
    (60, Fate::Html),
    (3, Fate::Silent),
    (3, Fate::SilentStream),
];

impl Plan {
    pub fn of(seed: u64, key: u64) -> Self {
        let mut dice = Dice::of(seed, key);
        let modern = dice.permille(400);
        let mut place = dice.below(10_000);
        let mut fate = Fate::Json;
        for (share, other) in SHARES {
            if place < *share {
                fate = *other;
                break;
            }
            place -= share;
        }
        // These need a session.
        if modern && matches!(fate, Fate::Lent | Fate::Ask | Fate::Polled | Fate::Resumable) {
            fate = Fate::Stream;
        }
        // From a server with sessions this says that it is too old for such a request, which is another matter.
        if modern && fate == Fate::Status(400) {
            fate = Fate::Status(403);
        }
        let streams = matches!(
            fate,
            Fate::Stream | Fate::StreamDrip | Fate::StreamOpen | Fate::Polled | Fate::Resumable | Fate::Ask
        );
        let notes = if streams { dice.below(6) } else { 0 };
        let padding = match dice.below(1000) {
            0 => 600_000,
            1..20 => 20_000,
            _ => 0,
        };
        let cancels = if fate == Fate::Slow { 700 } else { 10 };
        let cancel = dice.permille(cancels).then(|| Duration::from_millis(dice.below(40)));
        let (forgets, restarts) = (dice.below(10_000) < 4, dice.below(10_000) < 3);
        Plan { key, modern, fate, notes, padding, cancel, forgets, restarts, dice }
    }

    /// The id of the request, as JSON: texts, and numbers that are small or too large for a double.
    pub fn id(&self) -> String {
        match self.key % 3 {
            0 => format!("\"call-{}\"", self.key),
            1 => format!("1234567890{:09}", self.key),
            _ => self.key.to_string(),
        }
    }

    /// The line that the host sends.
    pub fn request(&self) -> String {
        let meta = r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        let meta = if self.modern { meta } else { "" };
        let (id, key) = (self.id(), self.key);
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{\"name\":\"tool\",\"arguments\":{{\"key\":{key}}}{meta}}}}}\n"
        )
    }

    /// The answer of a server that does what it should.
    pub fn answer(&self) -> String {
        let (id, key) = (self.id(), self.key);
        let padding = "p".repeat(self.padding);
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"key\":{key},\"padding\":\"{padding}\"}}}}")
    }

    pub fn note(&self, n: u64) -> String {
        let key = self.key;
        format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{{\"progressToken\":{key},\"progress\":{n}}}}}"
        )
    }

    /// The names of the failures that may come of it; an empty one stands for the answer.
    pub fn outcomes(&self) -> &'static [&'static str] {
        match self.fate {
            Fate::Busy => &["", "server-busy"],
            Fate::Rpc(_) => &["rpc"],
            Fate::NoHead | Fate::HalfHead | Fate::HalfBody | Fate::HalfEvent | Fate::Reset => {
                &["stream-lost"]
            }
            Fate::Status(413) => &["too-large"],
            Fate::Status(500 | 503) => &["server-error"],
            Fate::Status(504) | Fate::Silent | Fate::SilentStream => &["timeout"],
            Fate::Status(_) | Fate::Accepted | Fate::Empty | Fate::Html => &["bad-response"],
            _ => &[""],
        }
    }
}
