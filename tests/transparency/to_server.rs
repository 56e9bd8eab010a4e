//! From the host to the server: each message is the body of one POST (T-01, T-05, T-06, T-09).

use super::cases::{self, Case};
use super::proxy::{OPEN, Proxy, READY, hello};
use super::server::{Answer, SESSION, Seen, Server};
use super::text::{member, parts, request_id, strip};

/// A server that answers each request under its own id, spelled as the request spells it.
pub fn answering(seen: &Seen) -> Option<Answer> {
    if seen.verb != "POST" {
        return None;
    }
    let body = strip(std::str::from_utf8(&seen.body).unwrap());
    let ids: Vec<_> = if body.starts_with('[') {
        parts(&body).into_iter().filter_map(request_id).collect()
    } else {
        request_id(&body).into_iter().collect()
    };
    match &ids[..] {
        [] => Some(Answer::status(202)),
        [id] if !body.starts_with('[') => {
            Some(Answer::json(answer_of(&body, id)).header("mcp-session-id", SESSION))
        }
        _ => Some(ids.iter().fold(Answer::events(), |answer, id| answer.event(answer_of(&body, id)))),
    }
}

fn answer_of(body: &str, id: &str) -> String {
    let result = if member(body, "method") == Some("\"initialize\"") {
        let params = member(body, "params").unwrap();
        hello(member(params, "protocolVersion").unwrap().trim_matches('"'))
    } else {
        "{}".to_owned()
    };
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}")
}

/// The bodies of the POSTs that a server has seen.
fn bodies(server: &Server) -> Vec<String> {
    let posts = server.seen().into_iter().filter(|seen| seen.verb == "POST");
    posts.map(|seen| String::from_utf8(seen.body.to_vec()).unwrap()).collect()
}

/// The answers that a message asks for, as ids.
fn asked(text: &str) -> Vec<String> {
    let text = strip(text);
    let members = if text.starts_with('[') { parts(&text) } else { vec![&*text] };
    members.into_iter().filter_map(request_id).map(str::to_owned).collect()
}

/// Sends messages through one process. Each must reach the server as it is, and each request among them must
/// be answered under the id that it has.
async fn through(revision: &str, cases: &[&Case]) {
    let server = Server::start(answering).await;
    let mut proxy =
        if cases[0].alone { Proxy::start(&server.url) } else { Proxy::speaking(&server.url, revision).await };
    let mut expected: Vec<_> = cases.iter().map(|case| case.text.clone()).collect();
    let mut ids: Vec<_> = cases.iter().flat_map(|case| asked(&case.text)).collect();
    for case in cases {
        proxy.send(&case.text).await;
    }
    let mut answered = Vec::new();
    for _ in &ids {
        let line = proxy.line().await;
        assert!(line.contains("\"result\":{"), "not passed on, but answered: {line}");
        answered.push(member(&line, "id").unwrap().to_owned());
    }
    ids.sort();
    answered.sort();
    assert_eq!(answered, ids);
    assert_eq!(proxy.end().await, "", "one answer each");
    let mut sent = bodies(&server);
    sent.retain(|body| body != READY && body != OPEN && !body.contains("\"id\":\"hello\""));
    sent.sort();
    expected.sort();
    // One by one, since all of it at once could not be read.
    for (sent, expected) in sent.iter().zip(&expected) {
        assert_eq!(sent, expected, "not as it was");
    }
    assert_eq!(sent.len(), expected.len(), "each once: {sent:#?}");
}

/// T-01, T-05, T-09: not a byte is changed, white space and spelling included.
#[tokio::test]
async fn what_a_host_says_reaches_the_server_as_it_is() {
    for file in cases::all() {
        let said: Vec<_> = file.cases.iter().filter(|case| case.host).collect();
        let (alone, together): (Vec<_>, Vec<_>) = said.into_iter().partition(|case| case.alone);
        for case in alone {
            through(file.revision(), &[case]).await;
        }
        if !together.is_empty() {
            through(file.revision(), &together).await;
        }
    }
}
