//! Depth: a message is looked at, and never read into a tree, so there is no depth at which it would be lost,
//! and no stack that it could exhaust. The limit is that of size, 32 MiB: sixteen million levels; for an answer
//! of more than 4 MiB, which is passed on while it arrives, 1,048,576 levels.

use super::proxy::Proxy;
use super::server::{Answer, Server};
use super::to_server::answering;

/// 127 and 128 are the last and the first beyond the limit of the reader that this program uses elsewhere.
/// Whoever goes down level by level ends his stack far before the last.
const LEVELS: [usize; 5] = [127, 128, 129, 1000, 100_000];

fn arrays(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// Objects, each the only member of the one around it.
fn objects(name: &str, levels: usize) -> String {
    format!("{}{{}}{}", format!("{{\"{name}\":").repeat(levels - 1), "}".repeat(levels - 1))
}

/// T-09: host to server.
#[tokio::test]
async fn no_depth_is_too_deep_for_the_server() {
    let server = Server::start(answering).await;
    let mut proxy = Proxy::start(&server.url);
    for levels in LEVELS {
        let (value, deep) = (arrays(levels), objects("_meta", levels));
        for text in [
            format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{value}}}"),
            format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{deep}}}"),
            format!("{{\"unknown\":{deep},\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}}"),
        ] {
            proxy.send(&text).await;
            assert_eq!(proxy.line().await, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "{levels} levels");
            let sent = server.seen().pop().unwrap().body;
            assert!(sent == text, "{levels} levels");
        }
    }
    assert_eq!(proxy.end().await, "");
}

/// T-09: server to host, as an answer and unasked, also where the proxy has to understand the answer.
#[tokio::test]
async fn no_depth_is_too_deep_for_the_host() {
    let server = Server::start(move |seen| {
        let asked = seen.json();
        let [result, note] = answers(usize::try_from(asked["params"]["levels"].as_u64()?).unwrap());
        match asked["params"]["as"].as_str()? {
            "json" => Some(Answer::json(result)),
            _ => Some(Answer::events().event(note).event(result)),
        }
    })
    .await;
    let mut proxy = Proxy::start(&server.url);
    for levels in LEVELS {
        let [result, note] = answers(levels);
        for method in ["a", "tools/list", "initialize"] {
            for (form, lines) in [("json", vec![&result]), ("events", vec![&note, &result])] {
                let params = format!("{{\"levels\":{levels},\"as\":\"{form}\"}}");
                proxy
                    .send(&format!(
                        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}"
                    ))
                    .await;
                for line in lines {
                    assert!(proxy.line().await == *line, "{levels} levels, {method}, {form}");
                }
            }
        }
    }
    assert_eq!(proxy.end().await, "");
}

/// A result that is as deep in every place that the proxy knows, and a notification.
fn answers(levels: usize) -> [String; 2] {
    let (array, schema) = (arrays(levels), objects("properties", levels));
    let tool = format!("{{\"name\":\"x\",\"inputSchema\":{schema}}}");
    [
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{schema},\"tools\":[{tool}],\"x\":{array}}}}}"
        ),
        format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{{\"data\":{array}}}}}"
        ),
    ]
}
