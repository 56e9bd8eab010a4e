//! A result that asks for something first (multi round-trip requests of 2026-07-28), as pure functions: what
//! it asks for, what an answer to that is, and the request that carries the answers.

use super::splice::{members, with};
use crate::proxy::envelope::{Envelope, member, string};

/// How often one request may be sent in all. Whoever asks more often does not come to an end.
pub(super) const MOST: usize = 16;
/// How many things a server may ask for at a time.
const AT_A_TIME: usize = 32;

/// One thing that a server asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask<'a> {
    /// Its name, as it stands in the text.
    pub(super) key: &'a str,
    pub(super) method: &'a str,
    pub(super) params: String,
}

/// What a result asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Required<'a> {
    pub(super) asks: Vec<Ask<'a>>,
    /// To be sent back as it came: nobody but the server knows what it means.
    pub(super) state: Option<&'a str>,
}

/// Whether a result asks for something first.
pub(in crate::proxy) fn is_required(result: &str) -> bool {
    member(result, "resultType").is_some_and(|kind| string(kind) == "input_required")
}

impl<'a> Required<'a> {
    /// What the result asks for. `Err` with a sentence where that is nothing that anybody could do.
    pub(super) fn of(result: &'a str) -> Result<Self, String> {
        let state = member(result, "requestState").filter(|state| *state != "null");
        let Some(requests) = member(result, "inputRequests").filter(|requests| *requests != "null") else {
            return match state {
                Some(_) => Ok(Required { asks: Vec::new(), state }),
                None => Err("asks for nothing".to_owned()),
            };
        };
        let requests = members(requests).ok_or("asks for something that is no list of requests")?;
        if requests.len() > AT_A_TIME {
            return Err(format!("asks for more than {AT_A_TIME} things at once"));
        }
        let ask = |(key, request)| {
            let method = member(request, "method").map(string);
            let method = ["elicitation/create", "sampling/createMessage", "roots/list"]
                .into_iter()
                .find(|known| method.as_deref() == Some(known))
                .ok_or("asks for something that no client can be asked for")?;
            let params = member(request, "params").filter(|params| params.starts_with('{')).unwrap_or("{}");
            Ok::<_, String>(Ask { key, method, params: completed(method, key, params) })
        };
        Ok(Required { asks: requests.into_iter().map(ask).collect::<Result<_, _>>()?, state })
    }
}

/// A page that the user is sent to has a name in 2025-11-25; later revisions have none (SEP-1036).
fn completed(method: &str, key: &str, params: &str) -> String {
    let page = method == "elicitation/create" && member(params, "mode") == Some("\"url\"");
    let named = page && member(params, "elicitationId").is_none();
    named
        .then(|| with(params, &[("elicitationId", Some(key))]))
        .flatten()
        .unwrap_or_else(|| params.to_owned())
}

/// The server's view of the host's answer to one ask. The map of answers has no place for errors: a question
/// that the host could not put to the user counts as dismissed by him; where there is no such answer, the
/// whole request fails with the host's words.
pub(super) fn answer(method: &str, message: &[u8]) -> Result<String, String> {
    let envelope = Envelope::peek(message).unwrap_or_default();
    if let Some(result) = envelope.result.filter(|result| result.starts_with('{')) {
        return Ok(result.to_owned());
    }
    if method == "elicitation/create" {
        return Ok(r#"{"action":"cancel"}"#.to_owned());
    }
    let words = envelope.error.and_then(|error| member(error, "message")).map(string).unwrap_or_default();
    Err(crate::error::clean(&words))
}

/// The parameters of the next request: the original ones, the answers, and the state if there was one.
pub(super) fn retry(params: &str, answers: &[(String, String)], state: Option<&str>) -> Option<String> {
    let list: Vec<_> = answers.iter().map(|(key, answer)| format!("{key}:{answer}")).collect();
    let list = format!("{{{}}}", list.join(","));
    let answers = Some(list.as_str()).filter(|_| !answers.is_empty());
    with(params, &[("inputResponses", answers), ("requestState", state)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_asks_or_is_complete() {
        assert!(is_required(r#"{"resultType":"input_required"}"#));
        assert!(is_required(r#"{"resultType":"input\u005frequired"}"#));
        for complete in [r#"{"resultType":"complete"}"#, r#"{"a":"input_required"}"#, "[]", "null"] {
            assert!(!is_required(complete), "{complete}");
        }
    }

    #[test]
    fn what_it_asks_for_is_kept_as_it_stands() {
        let result = r#"{"inputRequests":{"\u0061":{"method":"roots/list"},
            "b":{"method":"elicitation/create","params":{"mode":"url","url":"https://x"}},
            "c":{"method":"sampling/createMessage","params":{"n":1.00}}},"requestState":"\u0041=="}"#;
        let required = Required::of(result).unwrap();
        assert_eq!(required.state, Some(r#""\u0041==""#));
        let asks: Vec<_> = required.asks.iter().map(|a| (a.key, a.method, a.params.as_str())).collect();
        assert_eq!(
            asks,
            [
                (r#""\u0061""#, "roots/list", "{}"),
                (r#""b""#, "elicitation/create", r#"{"mode":"url","url":"https://x","elicitationId":"b"}"#),
                (r#""c""#, "sampling/createMessage", r#"{"n":1.00}"#),
            ]
        );
        assert_eq!(Required::of(r#"{"requestState":""}"#).unwrap().state, Some(r#""""#));
    }

    #[test]
    fn what_nobody_can_do_is_not_tried() {
        let many: Vec<_> = (0..33).map(|n| format!(r#""{n}":{{"method":"roots/list"}}"#)).collect();
        for result in [
            "{}",
            r#"{"inputRequests":[]}"#,
            r#"{"inputRequests":{"a":{"method":"tools/call"}}}"#,
            r#"{"inputRequests":{"a":1}}"#,
            &format!(r#"{{"inputRequests":{{{}}}}}"#, many.join(",")),
        ] {
            assert!(Required::of(result).is_err(), "{result}");
        }
    }

    #[test]
    fn an_answer_is_the_bare_result_and_a_refusal_what_can_be_said_of_it() {
        let said = |method, text: &str| answer(method, text.as_bytes());
        assert_eq!(said("roots/list", r#"{"id":1,"result":{"roots":[1.0]}}"#).unwrap(), r#"{"roots":[1.0]}"#);
        let error = r#"{"id":1,"error":{"code":-1,"message":"User\u001b rejected"}}"#;
        assert_eq!(said("elicitation/create", error).unwrap(), r#"{"action":"cancel"}"#);
        assert_eq!(said("sampling/createMessage", error).unwrap_err(), "User rejected");
    }

    #[test]
    fn the_next_request_is_the_first_with_these_answers_and_no_others() {
        let params = r#"{"name":"t","inputResponses":{"old":1},"requestState":"old","_meta":{"a":1.0}}"#;
        let answers = [(r#""\u0061""#.to_owned(), "{}".to_owned()), (r#""b""#.to_owned(), "1".to_owned())];
        assert_eq!(
            retry(params, &answers, Some(r#""\u0041""#)).unwrap(),
            r#"{"name":"t","_meta":{"a":1.0},"inputResponses":{"\u0061":{},"b":1},"requestState":"\u0041"}"#
        );
        assert_eq!(retry(params, &[], None).unwrap(), r#"{"name":"t","_meta":{"a":1.0}}"#);
    }
}
