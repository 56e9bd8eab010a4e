//! Answers too large to be kept: passed on while they arrive, and what becomes of them when they break.

use std::sync::Arc;

use serde_json::{Value, json};

use super::host::{Host, error_of};
use super::server::{Answer, Part, Seen, Server};

/// Larger than what is kept before it is known what to do with it.
const LARGE: usize = 5 << 20;
const PIECE: usize = 100_000;

/// A result with much text in it, and all kinds of tokens.
fn result() -> String {
    let text =
        r#"The \"quick\" brown fox\njumps \ud83d\ude00 over é 🦀 the lazy dog. "#.repeat(LARGE / 70 + 1);
    format!(
        r#"{{"content":[{{"type":"text","text":"{text}"}}],"n":[1e400,-0.5,true,null,{{}}],"isError":false}}"#
    )
}

/// Sends a text in pieces that end anywhere.
fn pieces(mut answer: Answer, text: &str) -> Answer {
    for piece in text.as_bytes().chunks(PIECE + 1) {
        answer = answer.data(piece.to_vec());
    }
    answer
}

fn json_answer() -> Answer {
    Answer::status(200).header("content-type", "application/json")
}

/// A server whose tool `tool` answers as told; all others answer at once.
async fn serving(text: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(move |seen| {
        (seen.method() == "tools/call" && seen.json()["params"]["name"] == "tool").then(|| text(seen))
    })
    .await
}

/// After a torn answer the pipe still works.
async fn still_works(host: &mut Host) {
    host.call(77, "tools/call", json!({"name": "other"})).await;
    let answer = host.next().await;
    assert_eq!((&answer["id"], answer["result"].is_object()), (&json!(77), true), "{answer}");
}

// P4, T-09: byte by byte, wherever the id stands.
#[tokio::test]
async fn a_large_answer_comes_unchanged_whichever_order_it_has() {
    for (before, after) in [
        (r#"{"result":"#, r#","jsonrpc":"2.0","id":5}"#),
        (r#"{"jsonrpc":"2.0","id":5,"result":"#, "}"),
        (r#" { "x" : [1] , "jsonrpc" : "2.0" , "result" : "#, r#" , "\u0069d" : 5.0 , "y" : {} } "#),
        (r#"{"id":4,"id":5,"result":"#, r#","jsonrpc":"2.0"}"#),
        (r#"{"result":"#, r#","jsonrpc":"2.0","id":4,"id":5}"#),
    ] {
        let whole = Arc::new(format!("{before}{}{after}", result()));
        let sent = Arc::clone(&whole);
        let server = serving(move |_| pieces(json_answer(), &sent)).await;
        let mut host = Host::ready(&server).await;
        host.tool(5).await;
        let line = host.line().await;
        assert!(line == *whole, "changed: {before}…{after}");
        still_works(&mut host).await;
    }
}

// S-02, T-16
#[tokio::test]
async fn line_breaks_between_tokens_become_blanks() {
    let value: Value = serde_json::from_str(&result().replace("1e400", "1")).unwrap();
    let pretty = serde_json::to_string_pretty(&json!({"result": value, "jsonrpc": "2.0", "id": 5})).unwrap();
    let pretty = Arc::new(pretty.replace('\n', "\r\n"));
    let sent = Arc::clone(&pretty);
    let server = serving(move |_| pieces(json_answer(), &sent)).await;
    let mut host = Host::ready(&server).await;
    host.tool(5).await;
    assert!(host.line().await == pretty.replace(['\r', '\n'], " "));
    still_works(&mut host).await;
}

/// P5: longer than any message that is kept.
#[tokio::test]
async fn an_answer_that_passes_through_may_be_longer_than_the_limit() {
    let server = serving(|seen| {
        let text = "x".repeat(40 << 20);
        Answer::json(format!(r#"{{"result":{{"text":"{text}"}},"jsonrpc":"2.0","id":{}}}"#, seen.id()))
    })
    .await;
    let mut host = Host::ready(&server).await;
    host.tool(5).await;
    let answer = host.next().await;
    assert_eq!(answer["result"]["text"].as_str().unwrap().len(), 40 << 20);
}

// S-03, P8: a line that was begun becomes one valid message that nobody waits for; the request gets its one
// answer, an error.
#[tokio::test]
async fn an_answer_that_breaks_off_is_nobodys_and_an_error_follows() {
    let end = r#","jsonrpc":"2.0","id":5}"#;
    for (before, broken, after, name) in [
        (r#"{"result":"#, Part::Break, "", "stream-lost"),
        (r#"{"jsonrpc":"2.0","id":5,"result":"#, Part::Break, "", "stream-lost"),
        (r#"{"result":"#, Part::Data("".into()), "", "stream-lost"),
        (r#"{"result":"#, Part::Data("\n".into()), end, "bad-response"),
        (r#"{"result":"#, Part::Data("\u{1}".into()), end, "bad-response"),
        (r#"{"result":"#, Part::Data(b"\xff".to_vec().into()), end, "bad-response"),
    ] {
        let broken = std::sync::Mutex::new(Some(broken));
        let beginning = format!("{before}{}", String::from_utf8_lossy(&result().as_bytes()[..LARGE]));
        let server = serving(move |_| {
            let part = broken.lock().unwrap().take().unwrap();
            pieces(json_answer(), &beginning).wait(50).part(part).data(after)
        })
        .await;
        let mut host = Host::ready(&server).await;
        host.tool(5).await;
        torn(&mut host, name).await;
    }
}

/// What stands behind the result is held back until it is known whose answer it is.
#[tokio::test]
async fn the_answer_to_another_request_is_nobodys() {
    for after in [
        r#","jsonrpc":"2.0","id":6}"#,
        r#","jsonrpc":"2.0","id":"5"}"#,
        r#","jsonrpc":"2.0"}"#,
        r#","jsonrpc":"2.0","id":5,"method":"ping"}"#,
        r#","jsonrpc":"2.0","id":5,"\u0069d":6}"#,
        r#","jsonrpc":"2.0","id":5}{}"#,
        r#","jsonrpc":"2.0","id":5"#,
        r#","jsonrpc":"2.0","id":05}"#,
    ] {
        let whole = format!(r#"{{"result":{}{after}"#, result().replace("1e400", "1"));
        let server = serving(move |_| pieces(json_answer(), &whole)).await;
        let mut host = Host::ready(&server).await;
        host.tool(5).await;
        torn(&mut host, "bad-response").await;
    }
    // Here it is known before anything is written.
    let whole = format!(r#"{{"jsonrpc":"2.0","id":6,"result":{}}}"#, result());
    let server = serving(move |_| pieces(json_answer(), &whole)).await;
    let mut host = Host::ready(&server).await;
    host.tool(5).await;
    let answer = host.next().await;
    assert_eq!((&answer["id"], error_of(&answer).0.as_str()), (&json!(5), "bad-response"));
    still_works(&mut host).await;
}

async fn torn(host: &mut Host, name: &str) {
    let line = host.next().await;
    assert_eq!((&line["jsonrpc"], &line["id"]), (&json!("2.0"), &json!("chipp-auth-torn-0")), "{name}");
    assert!(line["result"].is_object());
    let answer = host.next().await;
    assert_eq!((&answer["id"], error_of(&answer).0.as_str()), (&json!(5), name));
    still_works(host).await;
}
