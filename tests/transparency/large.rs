//! Answers that are too large to be kept are passed on while they arrive (P4, P5). They are looked at by other
//! code than the small ones, so they are sent here once more: random values, many of them, in one answer.

use proptest::strategy::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::proxy::Proxy;
use super::random::{Json, json};
use super::server::{Answer, Server};
use super::text::strip;

/// More than is kept of one answer.
const SIZE: usize = 5 << 20;

/// The members of a message around its result: what stands before, and what behind.
const AROUND: [(&str, &str); 5] = [
    (r#"{"jsonrpc":"2.0","id":1,"result":"#, "}"),
    (r#"{"result":"#, r#","jsonrpc":"2.0","id":1}"#),
    (
        "\r\n{ \"future\" : { \"result\" : [ 1e400 ] } ,\n\"result\" :",
        ",\r\"id\" : 1 , \"trace\":\"\\ud800\" }\n",
    ),
    (r#"{"id":1,"id":1,"jsonrpc":"2.0","":{"id":7},"result":"#, r#","x":[{"method":"a"}]}"#),
    (r#"{"jsonrpc":"2.0","id":1.0,"\u0072esult":"#, "}"),
];

/// As many values as it takes, in an object.
fn values(runner: &mut TestRunner) -> String {
    let mut values: Vec<Json> = Vec::new();
    for _ in 0..400 {
        values.push(json().new_tree(runner).unwrap().current());
    }
    let mut text = "{\"values\":[".to_owned();
    for value in values.iter().cycle() {
        text.push_str(&value.spaced);
        if text.len() > SIZE {
            break;
        }
        text.push(',');
    }
    text + "],\"n\":-0.0}"
}

/// Sent in pieces of every size, as JSON and as an event.
#[tokio::test]
async fn large_answers_pass_as_they_are() {
    let mut runner = TestRunner::new(Config::default());
    for (at, (before, behind)) in AROUND.into_iter().enumerate() {
        let message = format!("{before}{}{behind}", values(&mut runner));
        let (sent, size) = (message.clone(), [1500, 4096, 65_537, 1 << 20, SIZE][at]);
        let server = Server::start(move |seen| {
            let as_event = seen.json()["params"]["as"] == "event";
            let text = if as_event {
                format!("data:{}\n\n", sent.replace(['\r', '\n'], "\ndata:"))
            } else {
                sent.clone()
            };
            let head = if as_event { Answer::events() } else { Answer::json("") };
            let pieces = text.as_bytes().chunks(size).map(<[u8]>::to_vec);
            Some(pieces.fold(head, Answer::data))
        })
        .await;
        let mut proxy = Proxy::start(&server.url);
        for form in ["json", "event"] {
            proxy
                .send(&format!(
                    "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{{\"as\":\"{form}\"}}}}"
                ))
                .await;
            let line = proxy.line().await;
            assert!(!line.contains('\r'));
            assert!(strip(&line) == strip(&message), "{form}, {before} … {behind}");
        }
        assert_eq!(proxy.end().await, "");
    }
}
