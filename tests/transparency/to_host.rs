//! From the server to the host: each message is one line, whichever way the server sent it.

use std::sync::Arc;

use super::cases::{self, Case, File};
use super::forms::{BODIES, FORMS};
use super::proxy::{Proxy, hello};
use super::server::{Answer, SESSION, Seen, Server};
use super::text::{member, request_id, strip};

const MODERN: &str = r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// The id of an answer; nothing for a message that is none.
fn answered_id(text: &str) -> Option<String> {
    let text = strip(text);
    if member(&text, "method").is_some() { None } else { member(&text, "id").map(str::to_owned) }
}

/// A request in whose answer the server says this.
fn trigger(case: &Case, key: &str, modern: bool) -> String {
    let id = answered_id(&case.text).unwrap_or_else(|| format!("\"{key}\""));
    let meta = if modern { MODERN } else { "" };
    let params = format!("{{\"corpus\":\"{key}\",\"name\":\"x\",\"uri\":\"x:y\"{meta}}}");
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{}\",\"params\":{params}}}", case.re)
}

/// Which case and which form a request asks for.
fn key(body: &str) -> Option<(usize, usize)> {
    let (_, rest) = body.split_once("\"corpus\":\"")?;
    let (case, form) = rest.split_once('"')?.0.split_once('/')?;
    Some((case.parse().ok()?, form.parse().ok()?))
}

fn opening(seen: &Seen) -> Option<Answer> {
    let body = strip(std::str::from_utf8(&seen.body).unwrap());
    let revision = member(member(&body, "params")?, "protocolVersion")?;
    let answer = Answer::json(end(member(&body, "id")?, &hello(revision.trim_matches('"'))));
    Some(answer.header("mcp-session-id", SESSION))
}

fn end(id: &str, result: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}")
}

/// The answer to a trigger: the message in its form, and the answer itself where the message is none.
fn answer(case: &Case, form: usize, id: &str) -> Answer {
    if form >= FORMS.len() {
        return BODIES[form - FORMS.len()].1(&case.text);
    }
    let answer = FORMS[form].add(Answer::events(), &case.text);
    if answered_id(&case.text).is_some() { answer } else { answer.event(end(id, "{}")) }
}

fn server_for(cases: &Arc<Vec<Case>>) -> impl Fn(&Seen) -> Option<Answer> + Send + Sync + 'static {
    let cases = Arc::clone(cases);
    move |seen: &Seen| {
        let body = std::str::from_utf8(&seen.body).unwrap();
        match key(body) {
            Some((case, form)) => Some(answer(&cases[case], form, request_id(body).unwrap())),
            None if body.contains("\"method\":\"initialize\"") => opening(seen),
            None => None,
        }
    }
}

/// Takes a line that must be this message.
async fn expect(proxy: &mut Proxy, text: &str, what: &str) {
    let line = proxy.line().await;
    assert!(!line.contains('\r'), "{what}: {line}");
    assert_eq!(strip(&line), strip(text), "{what}");
}

/// The messages that a server says in a file, in the era in which they are asked for. What belongs to no
/// revision is said in both; a request only where there are sessions (T-58).
fn said(modern: bool) -> Vec<(File, Arc<Vec<Case>>)> {
    let own = |file: &File| if file.name.starts_with("20") { file.is_modern() == modern } else { true };
    let mut found = Vec::new();
    for file in cases::all().into_iter().filter(own) {
        let mut cases = file.cases.clone();
        cases.retain(|case| case.server && (!modern || request_id(&strip(&case.text)).is_none()));
        assert!(cases.iter().all(|case| !strip(&case.text).starts_with('[')));
        found.push((file, Arc::new(cases)));
    }
    found
}

/// A large message takes long in each form, and there is nothing in it that the small ones have not.
fn tries(case: &Case, form: usize) -> bool {
    case.text.len() < 200_000 || [0, FORMS.len() - 1, FORMS.len()].contains(&form)
}

async fn answers_arrive(modern: bool) {
    for (file, cases) in said(modern) {
        let server = Server::start(server_for(&cases)).await;
        let revision = if modern { "2026-07-28" } else { file.revision() };
        let mut proxy = Proxy::speaking(&server.url, revision).await;
        for (n, case) in cases.iter().enumerate() {
            let is_answer = answered_id(&case.text).is_some();
            // One JSON text can only be the answer.
            let forms = FORMS.len() + if is_answer { BODIES.len() } else { 0 };
            for form in (0..forms).filter(|form| tries(case, *form)) {
                let name = FORMS.get(form).map_or_else(|| BODIES[form - FORMS.len()].0, |form| form.name);
                let what = format!("{}, {name}", case.name);
                let key = format!("{n}/{form}");
                proxy.send(&trigger(case, &key, modern)).await;
                expect(&mut proxy, &case.text, &what).await;
                if !is_answer {
                    expect(&mut proxy, &end(&format!("\"{key}\""), "{}"), &what).await;
                }
            }
        }
        assert_eq!(proxy.end().await, "", "{}: nothing else is said", file.name);
    }
}

/// T-03, T-09, T-13 to T-17: as a JSON text and as an event, in every form of both.
#[tokio::test]
async fn what_a_server_answers_reaches_the_host() {
    answers_arrive(false).await;
}

/// The same for requests that stand for themselves (T-69, T-70, T-72).
#[tokio::test]
async fn what_a_modern_server_answers_reaches_the_host() {
    answers_arrive(true).await;
}

/// T-26, T-28: on the stream on which a server speaks unasked.
#[tokio::test]
async fn what_a_server_says_unasked_reaches_the_host() {
    for (file, cases) in said(false) {
        let unasked: Vec<_> =
            cases.iter().filter(|case| answered_id(&case.text).is_none()).cloned().collect();
        let all: Vec<_> =
            unasked.iter().flat_map(|case| FORMS.iter().map(move |form| (case.clone(), form))).collect();
        let stream = all.iter().map(|(case, form)| (case.text.clone(), *form)).collect::<Vec<_>>();
        let server = Server::start(move |seen| match seen.verb.as_str() {
            "GET" => {
                let begun = Answer::events().data("\u{feff}");
                let said = stream.iter().fold(begun, |answer, (text, form)| form.add(answer, text));
                Some(said.wait(120_000))
            }
            _ if seen.method() == "initialize" => opening(seen),
            _ => None,
        })
        .await;
        let mut proxy = Proxy::greeting(&server.url, file.revision()).await;
        for (case, form) in &all {
            expect(&mut proxy, &case.text, &format!("{}, {}", case.name, form.name)).await;
        }
        assert_eq!(proxy.end().await, "", "{}", file.name);
        assert_eq!(server.count("GET"), 1);
    }
}

/// T-31, T-32: on the stream that goes on where the first one stopped.
#[tokio::test]
async fn what_a_server_says_later_reaches_the_host() {
    for (file, cases) in said(false) {
        let answers = Arc::new(
            cases.iter().filter(|case| answered_id(&case.text).is_some()).cloned().collect::<Vec<_>>(),
        );
        let known = Arc::clone(&answers);
        let server = Server::start(move |seen| {
            if let Some(id) = seen.header("last-event-id") {
                let (case, form) = key(&format!("\"corpus\":\"{id}\"")).unwrap();
                return Some(FORMS[form].add(Answer::events(), &known[case].text));
            }
            match key(std::str::from_utf8(&seen.body).unwrap()) {
                Some((case, form)) => {
                    Some(Answer::events().data(format!("retry: 0\nid: {case}/{form}\ndata:\n\n")))
                }
                None if seen.method() == "initialize" => opening(seen),
                None => None,
            }
        })
        .await;
        let mut proxy = Proxy::speaking(&server.url, file.revision()).await;
        for (n, case) in answers.iter().enumerate() {
            // The forms have been tried; here one that ends by itself will do.
            let form = n % 5;
            proxy.send(&trigger(case, &format!("{n}/{form}"), false)).await;
            expect(&mut proxy, &case.text, &case.name).await;
        }
        assert_eq!(proxy.end().await, "", "{}", file.name);
    }
}
