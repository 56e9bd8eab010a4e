//! What the answer to a POSTed `initialize` says about the server's era (T-80, T-82, T-83): one pure function,
//! so that there is one opinion.

use http::StatusCode;

use crate::proxy::envelope::{Envelope, member, string};
use crate::proxy::message::{INVALID_PARAMS, METHOD_NOT_FOUND};

/// The last revision with an `initialize` handshake. Revisions are dates, which compare as texts.
pub(in crate::proxy) const LAST_LEGACY: &str = "2025-11-25";
/// The code of an unsupported revision, one of the three that only servers of 2026-07-28 and later know.
pub(in crate::proxy) const UNSUPPORTED: i32 = -32022;
const MODERN: [i32; 3] = [-32020, -32021, UNSUPPORTED];
/// What a server of the newer era says to a request that does not name its revision, unless it says one of those.
const UNKNOWN: [i32; 2] = [METHOD_NOT_FOUND, INVALID_PARAMS];

/// The era, as far as one answer tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::proxy) enum Verdict {
    /// The server opens a session.
    Legacy,
    /// It seems to know no `initialize`, or none of the revisions that have one: to be confirmed, since
    /// "method not found" is also what a server says that is no MCP server at all.
    Modern {
        /// The revisions that it names, if it does.
        supported: Vec<String>,
        /// Whether it said so with an error that only this era knows (T-80).
        certain: bool,
    },
    /// It wants a sign-in, or another one: nothing is known before that (T-82).
    Auth,
    /// It does not know what this is: perhaps the transport of 2024-11-05 (T-83).
    Unknown4xx,
    /// A passing failure, or an error about the request itself: no evidence (T-82).
    Other,
}

/// The verdict on the answer to an `initialize`; `body` is its JSON-RPC message, if it has one.
pub(in crate::proxy) fn verdict(status: StatusCode, body: &[u8]) -> Verdict {
    if matches!(status.as_u16(), 401 | 403 | 407) {
        return Verdict::Auth;
    }
    let envelope = Envelope::peek(body).unwrap_or_default();
    if status.is_success() && envelope.result.is_some() {
        return Verdict::Legacy;
    }
    // What a gateway says in a server's place is no evidence, whatever its words.
    let speaks = status.is_success() || status.is_client_error();
    if let Some(error) = envelope.error.filter(|_| speaks)
        && let Some(modern) = modern(status, error)
    {
        return modern;
    }
    match status.as_u16() {
        408 | 413 | 425 | 429 => Verdict::Other,
        400..=499 => Verdict::Unknown4xx,
        _ => Verdict::Other,
    }
}

fn modern(status: StatusCode, error: &str) -> Option<Verdict> {
    let code = code(error);
    let supported = supported(error);
    if code.is_some_and(|code| MODERN.contains(&code)) {
        let legacy = supported.iter().any(|version| is_legacy(version));
        // A server of both eras that takes this host's revision for unknown: the host shall read its list.
        return Some(if legacy { Verdict::Other } else { Verdict::Modern { supported, certain: true } });
    }
    let unknown_here = code.is_some_and(|code| UNKNOWN.contains(&code))
        && match status.as_u16() {
            400 => true,
            404 => code == Some(METHOD_NOT_FOUND),
            _ => status.is_success() && code == Some(METHOD_NOT_FOUND),
        };
    let lists_others = !supported.is_empty() && !supported.iter().any(|version| is_legacy(version));
    (unknown_here || lists_others).then_some(Verdict::Modern { supported, certain: false })
}

/// Whether this is an error that only a server of 2026-07-28 or later answers with (T-64, T-80). `error` is
/// the member of a JSON-RPC answer.
pub(in crate::proxy) fn is_modern_error(error: &str) -> bool {
    code(error).is_some_and(|code| MODERN.contains(&code))
}

/// Whether a server says that it has no such method.
pub(in crate::proxy) fn is_unknown_method(error: &str) -> bool {
    code(error) == Some(METHOD_NOT_FOUND)
}

/// The revisions that an error names in `data.supported`.
pub(in crate::proxy) fn supported(error: &str) -> Vec<String> {
    let list = member(error, "data").and_then(|data| member(data, "supported"));
    list.and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default()
}

/// Whether a revision has the `initialize` handshake.
pub(in crate::proxy) fn is_legacy(version: &str) -> bool {
    is_revision(version) && version <= LAST_LEGACY
}

/// Whether a revision is one without sessions.
pub(in crate::proxy) fn is_modern(version: &str) -> bool {
    is_revision(version) && version > LAST_LEGACY
}

fn is_revision(version: &str) -> bool {
    version.len() == 10
        && version.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn code(error: &str) -> Option<i32> {
    member(error, "code").and_then(|code| string(code).parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Verdict {
        verdict(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    fn error(code: i32, data: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":{code},"message":"m","data":{data}}}}}"#)
    }

    // T-80: a modern error is evidence, with whatever list of revisions.
    #[test]
    fn only_a_modern_server_answers_with_a_modern_error() {
        for code in [-32020, -32021, -32022] {
            for status in [200, 400] {
                let certain = Verdict::Modern { supported: vec![], certain: true };
                assert_eq!(of(status, &error(code, "null")), certain, "{code}");
            }
        }
        let list = error(-32022, r#"{"supported":["2026-07-28","2027-01-01"]}"#);
        let supported = vec!["2026-07-28".to_owned(), "2027-01-01".to_owned()];
        assert_eq!(of(400, &list), Verdict::Modern { supported, certain: true });
        // One of both eras can be spoken to as before.
        assert_eq!(of(400, &error(-32022, r#"{"supported":["2026-07-28","2025-06-18"]}"#)), Verdict::Other);
    }

    // T-63: "method not found" is no reason to look for HTTP+SSE; whether the server is modern must be asked.
    #[test]
    fn a_server_that_knows_no_initialize_may_be_modern() {
        let perhaps = Verdict::Modern { supported: vec![], certain: false };
        for status in [200, 400, 404] {
            assert_eq!(of(status, &error(-32601, "null")), perhaps, "{status}");
        }
        // The official Python SDK misses the members of `_meta`.
        assert_eq!(of(400, &error(-32602, "null")), perhaps);
        let listed = Verdict::Modern { supported: vec!["2026-07-28".to_owned()], certain: false };
        assert_eq!(of(200, &error(-32602, r#"{"supported":["2026-07-28"]}"#)), listed);
        assert_eq!(of(200, &error(-32602, r#"{"supported":["2025-06-18"]}"#)), Verdict::Other);
    }

    // T-82, T-83.
    #[test]
    fn walls_and_failures_are_no_evidence() {
        for (status, verdict) in [
            (401, Verdict::Auth),
            (403, Verdict::Auth),
            (407, Verdict::Auth),
            (400, Verdict::Unknown4xx),
            (404, Verdict::Unknown4xx),
            (405, Verdict::Unknown4xx),
            (406, Verdict::Unknown4xx),
            (408, Verdict::Other),
            (413, Verdict::Other),
            (429, Verdict::Other),
            (500, Verdict::Other),
            (501, Verdict::Other),
            (502, Verdict::Other),
            (301, Verdict::Other),
        ] {
            assert_eq!(of(status, "<html>"), verdict, "{status}");
            assert_eq!(of(status, &error(-32000, "null")), verdict, "{status}");
        }
        // Not even if their body says more.
        assert_eq!(of(503, &error(-32022, "null")), Verdict::Other);
        assert_eq!(of(401, &error(-32022, "null")), Verdict::Auth);
    }

    #[test]
    fn an_answer_of_the_session_era_is_one() {
        assert_eq!(of(200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Verdict::Legacy);
        assert_eq!(of(200, &error(-32602, "null")), Verdict::Other);
        assert_eq!(of(200, ""), Verdict::Other);
    }

    #[test]
    fn revisions_are_dates() {
        for (version, legacy, modern) in [
            ("2024-11-05", true, false),
            ("2025-11-25", true, false),
            ("2026-07-28", false, true),
            ("2025-11-26", false, true),
            ("", false, false),
            ("1.0", false, false),
            ("2026-07-28x", false, false),
            ("draft-2026", false, false),
        ] {
            assert_eq!((is_legacy(version), is_modern(version)), (legacy, modern), "{version}");
        }
    }
}
