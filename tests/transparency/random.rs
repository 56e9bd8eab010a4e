//! Ten thousand values that nobody has thought of, through the program and back (P4).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::forms::{BODIES, FORMS};
use super::proxy::Proxy;
use super::server::{Answer, Seen, Server};
use super::text::{member, strip};

/// A JSON text, with and without white space between its tokens.
#[derive(Debug, Clone)]
pub struct Json {
    pub plain: String,
    pub spaced: String,
}

/// All that the grammar allows: numbers and strings in every spelling, names that come twice.
pub fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        1 => Just("null".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
        4 => number(),
        4 => string(),
    ];
    let leaf =
        (leaf, space()).prop_map(|(plain, space)| Json { spaced: format!("{space}{plain}{space}"), plain });
    leaf.prop_recursive(4, 12, 4, |inner| {
        let member = (string(), space(), inner.clone()).prop_map(|(name, space, value)| Json {
            plain: format!("{name}:{}", value.plain),
            spaced: format!("{space}{name}{space}:{}", value.spaced),
        });
        prop_oneof![
            (prop::collection::vec(inner, 0..4), space())
                .prop_map(|(items, space)| join(&items, "[]", &space)),
            (prop::collection::vec(member, 0..4), space())
                .prop_map(|(members, space)| join(&members, "{}", &space)),
        ]
    })
}

fn join(items: &[Json], around: &str, space: &str) -> Json {
    let (open, close) = around.split_at(1);
    let list = |text: fn(&Json) -> &str| items.iter().map(text).collect::<Vec<_>>().join(",");
    let (plain, spaced) = (list(|item| &item.plain), list(|item| &item.spaced));
    Json { plain: format!("{open}{plain}{close}"), spaced: format!("{open}{space}{spaced}{close}{space}") }
}

fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no other", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
    ]
}

/// A string: whatever may stand unescaped, escapes that need not be, and surrogates without a partner.
fn string() -> impl Strategy<Value = String> {
    "([^\"\\\\\\x00-\\x1f]|[ -~&&[^\"\\\\]]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}|\\\\ud[89abAB][0-9a-f]{2}){0,10}"
        .prop_map(|inner| format!("\"{inner}\""))
}

type Texts = Arc<Mutex<HashMap<String, (String, usize)>>>;

/// A server that knows what to answer to whom, and in which form.
async fn server(texts: &Texts) -> Server {
    let texts = Arc::clone(texts);
    Server::start(move |seen: &Seen| {
        let id = member(std::str::from_utf8(&seen.body).unwrap(), "id")?.to_owned();
        let (text, form) = texts.lock().unwrap().get(&id)?.clone();
        Some(match FORMS.get(form) {
            Some(form) => form.add(Answer::events(), &text),
            None => BODIES[form - FORMS.len()].1(&text),
        })
    })
    .await
}

/// Sends the values side by side, and takes them back in whatever order they come.
async fn there_and_back(
    proxy: &mut Proxy,
    server: &Server,
    texts: &Texts,
    values: &[Json],
) -> Result<(), TestCaseError> {
    texts.lock().unwrap().clear();
    server.log.lock().unwrap().clear();
    let mut sent = HashMap::new();
    for (n, value) in values.iter().enumerate() {
        let id = format!("\"{n}\"");
        // A line end would end the message.
        let params = value.spaced.replace('\n', " ");
        let line = format!("{{\"id\":{id},\"method\":\"a\",\"params\":{params},\"jsonrpc\":\"2.0\"}}");
        let result = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{}}}", value.spaced);
        texts.lock().unwrap().insert(id.clone(), (result, n % (FORMS.len() + BODIES.len())));
        proxy.send(&line).await;
        sent.insert(id, line);
    }
    for _ in values {
        let line = proxy.line().await;
        let stripped = strip(&line);
        let id = member(&stripped, "id").unwrap().to_owned();
        let (text, _) = texts.lock().unwrap().remove(&id).expect("each once");
        prop_assert_eq!(stripped, strip(&text));
    }
    for seen in server.seen() {
        let body = std::str::from_utf8(&seen.body).unwrap();
        let line = sent.remove(member(body, "id").unwrap());
        prop_assert_eq!(Some(body), line.as_deref());
    }
    prop_assert!(sent.is_empty());
    Ok(())
}

/// P4: 200 times 50 values.
#[test]
fn ten_thousand_values_come_back_as_they_are() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let texts = Texts::default();
    let server = runtime.block_on(server(&texts));
    let running = std::cell::RefCell::new(None);
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let ran = TestRunner::new(config).run(&prop::collection::vec(json(), 50), |values| {
        runtime.block_on(async {
            let mut proxy = running.take().unwrap_or_else(|| Proxy::start(&server.url));
            there_and_back(&mut proxy, &server, &texts, &values).await?;
            // After a failure a new one is started, since this one has more to say.
            running.replace(Some(proxy));
            Ok(())
        })
    });
    if let Err(failure) = ran {
        panic!("{failure}");
    }
}
