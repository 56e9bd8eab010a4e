//! A result that asks for something first (T-69).

mod refused;

use serde_json::{Value, json};

use super::super::host::{Host, error_of};
use super::super::server::{Answer, Seen, Server, rpc};
use super::{open, ready, serve};

const STATE: &str = r"\u0041== {\\";

fn asking(seen: &Seen, requests: &Value) -> Answer {
    let asks =
        format!(r#"{{"resultType":"input_required","inputRequests":{requests},"requestState":"{STATE}"}}"#);
    Answer::result(seen, &asks)
}

fn everything() -> Value {
    json!({
        "who": {"method": "elicitation/create", "params": {"mode": "form", "message": "who?", "requestedSchema": {}}},
        "what": {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}},
        "where": {"method": "roots/list"},
    })
}

/// Asks for everything once, then is content.
async fn curious() -> Server {
    serve(|seen| match seen.method().as_str() {
        "tools/call" | "prompts/get" | "resources/read" => {
            let answered = seen.json()["params"]["inputResponses"].is_object();
            Some(if answered {
                Answer::result(seen, r#"{"resultType":"complete","n":1.00}"#)
            } else {
                asking(seen, &everything())
            })
        }
        _ => None,
    })
    .await
}

async fn answer(host: &mut Host, asked: &Value, result: Value) {
    host.raw(format!("{}\n", json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}))).await;
}

async fn refuse(host: &mut Host, asked: &Value, message: &str) {
    let error = json!({"code": -1, "message": message});
    host.raw(format!("{}\n", json!({"jsonrpc": "2.0", "id": asked["id"], "error": error}))).await;
}

/// The three questions, by their methods.
async fn questions(host: &mut Host) -> [Value; 3] {
    let mut asked = [host.next().await, host.next().await, host.next().await];
    asked.sort_by_key(|question| question["method"].as_str().unwrap().to_owned());
    asked
}

#[tokio::test]
async fn the_host_is_asked_and_its_answers_go_back_with_the_state() {
    let server = curious().await;
    let mut host = ready(&server).await;
    for method in ["tools/call", "prompts/get", "resources/read"] {
        host.call(method, method, json!({"name": "x", "uri": "y", "arguments": {"n": 1.5}})).await;
        let [who, where_to, what] = questions(&mut host).await;
        assert_eq!(who["params"], everything()["who"]["params"]);
        assert_eq!((&where_to["method"], &where_to["params"]), (&json!("roots/list"), &json!({})));
        assert_eq!(what["params"]["maxTokens"], 1);
        let ids = [&who, &where_to, &what].map(|question| question["id"].as_str().unwrap().to_owned());
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        // In any order.
        answer(&mut host, &where_to, json!({"roots": []})).await;
        answer(&mut host, &who, json!({"action": "decline"})).await;
        answer(&mut host, &what, json!({"role": "assistant", "model": "m"})).await;
        let line = host.line().await;
        assert!(line.contains(r#""n":1.00"#) && line.contains(&format!("\"id\":\"{method}\"")), "{line}");
        let seen = server.of(method);
        assert_eq!(seen.len(), 2);
        assert_ne!(seen[0].id(), seen[1].id(), "another request, another id");
        let body = String::from_utf8(seen[1].body.to_vec()).unwrap();
        assert!(body.contains(&format!(r#""requestState":"{STATE}""#)), "byte for byte: {body}");
        let params = &seen[1].json()["params"];
        assert_eq!(params["inputResponses"]["where"], json!({"roots": []}));
        assert_eq!(params["inputResponses"]["who"], json!({"action": "decline"}));
        assert_eq!(params["inputResponses"]["what"], json!({"role": "assistant", "model": "m"}));
        assert_eq!(params["arguments"], json!({"n": 1.5}));
        assert_eq!(seen[1].header("mcp-method"), Some(method));
        assert_eq!(params["_meta"], seen[0].json()["params"]["_meta"]);
    }
    let rest = host.finish().await.0;
    assert_eq!(rest, Vec::<Value>::new(), "one answer each");
    assert!(server.seen().iter().all(|seen| seen.json()["result"].is_null()), "no answers are posted (T-58)");
}

/// The same over event streams that stay open, with the progress of each round.
#[tokio::test]
async fn rounds_go_on_over_open_streams() {
    let server = serve(|seen| {
        if seen.method() != "tools/call" {
            return None;
        }
        let round =
            seen.json()["params"]["requestState"].as_str().map_or(0, |state| state.parse::<u32>().unwrap());
        let note = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": round}});
        let result = match round {
            3 => json!({"resultType": "complete", "done": true}),
            _ => json!({"resultType": "input_required", "requestState": (round + 1).to_string(),
                        "inputRequests": {"r": {"method": "roots/list"}}}),
        };
        Some(
            Answer::events().event(note.to_string()).event(rpc(&seen.id(), &result.to_string())).wait(60_000),
        )
    })
    .await;
    let begun = std::time::Instant::now();
    let mut host = ready(&server).await;
    host.tool(9).await;
    for round in 0..3 {
        assert_eq!(host.next().await["params"]["data"], round);
        let asked = host.next().await;
        assert_eq!(asked["method"], "roots/list");
        answer(&mut host, &asked, json!({"roots": [round]})).await;
    }
    assert_eq!(host.next().await["params"]["data"], 3);
    assert_eq!(
        host.next().await,
        json!({"jsonrpc": "2.0", "id": 9, "result": {"resultType": "complete", "done": true}})
    );
    assert!(begun.elapsed().as_secs() < 5, "the ends of the streams were waited for");
    let last = &server.of("tools/call")[3].json()["params"];
    assert_eq!(last["inputResponses"], json!({"r": {"roots": [2]}}), "this round's answers only");
}

/// However large the result is, it is looked at before the host gets any of it.
#[tokio::test]
async fn a_large_result_that_asks_is_not_passed_on() {
    let server = serve(|seen| {
        let params = &seen.json()["params"];
        let filler = "x".repeat(6 << 20);
        let result = match (&params["name"], &params["inputResponses"]) {
            (Value::Null, _) => return None,
            (_, Value::Null) => json!({"content": filler, "resultType": "input_required", "inputRequests": {"r": {"method": "roots/list"}}}),
            _ => json!({"content": filler, "resultType": "complete"}),
        };
        Some(Answer::result(seen, &result.to_string()))
    })
    .await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    let asked = host.next().await;
    assert_eq!(asked["method"], "roots/list");
    answer(&mut host, &asked, json!({"roots": []})).await;
    let last = host.next().await;
    assert_eq!((&last["id"], &last["result"]["resultType"]), (&json!(1), &json!("complete")));
    assert_eq!(last["result"]["content"].as_str().unwrap().len(), 6 << 20);
}

/// A state alone is a request for patience.
#[tokio::test]
async fn a_state_without_questions_is_sent_back() {
    let server = serve(|seen| {
        let state = &seen.json()["params"]["requestState"];
        (seen.method() == "tools/call" && state.is_null())
            .then(|| Answer::result(seen, r#"{"resultType":"input_required","requestState":"s"}"#))
    })
    .await;
    let mut host = open(&server, "2025-11-25", json!({})).await.0;
    host.tool(1).await;
    assert_eq!(host.next().await["result"]["era"], "modern");
    let again = &server.of("tools/call")[1].json()["params"];
    assert_eq!((&again["requestState"], &again["inputResponses"]), (&json!("s"), &Value::Null));
}

/// A server that never comes to an end.
#[tokio::test]
async fn rounds_are_limited() {
    let server = serve(|seen| {
        (seen.method() == "tools/call").then(|| asking(seen, &json!({"r": {"method": "roots/list"}})))
    })
    .await;
    let mut host = ready(&server).await;
    host.tool(1).await;
    let mut asked = 0;
    let error = loop {
        let message = host.next().await;
        if message["method"] != "roots/list" {
            break message;
        }
        asked += 1;
        answer(&mut host, &message, json!({"roots": []})).await;
    };
    assert!(error["error"]["message"].as_str().unwrap().contains("asks again and again"), "{error}");
    assert_eq!((asked, server.count("tools/call")), (16, 16));
}

/// MRTR is for three methods; any other result is passed on whatever it says.
#[tokio::test]
async fn other_results_are_passed_on() {
    let server = serve(|seen| (seen.method() == "tools/list").then(|| asking(seen, &everything()))).await;
    let mut host = ready(&server).await;
    host.call(1, "tools/list", json!({})).await;
    assert_eq!(host.next().await["result"]["resultType"], "input_required");
}

/// Two requests that ask at the same time do not get each other's answers.
#[tokio::test]
async fn answers_find_their_requests() {
    let server = serve(|seen| {
        let params = &seen.json()["params"];
        match (seen.method().as_str(), &params["inputResponses"]) {
            ("tools/call", Value::Null) => {
                let message = params["name"].clone();
                Some(asking(
                    seen,
                    &json!({"q": {"method": "elicitation/create", "params": {"message": message}}}),
                ))
            }
            ("tools/call", answers) => Some(Answer::result(
                seen,
                &json!({"got": answers["q"]["content"], "for": params["name"]}).to_string(),
            )),
            _ => None,
        }
    })
    .await;
    let mut host = ready(&server).await;
    for n in 0..20 {
        host.call(n, "tools/call", json!({"name": n.to_string()})).await;
    }
    let mut asked = Vec::new();
    for _ in 0..20 {
        asked.push(host.next().await);
    }
    for question in asked.iter().rev() {
        answer(&mut host, question, json!({"action": "accept", "content": question["params"]["message"]}))
            .await;
    }
    for _ in 0..20 {
        let message = host.next().await;
        assert_eq!(message["result"]["got"], message["result"]["for"]);
        assert_eq!(message["id"].as_u64().unwrap().to_string(), message["result"]["for"].as_str().unwrap());
    }
}
