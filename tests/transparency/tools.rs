//! The one place where the proxy cuts something out of a message: from a modern `tools/list` the tools whose
//! `x-mcp-header` is invalid (T-55). Everything around them stays as it is, to the byte.

use super::forms::FORMS;
use super::proxy::Proxy;
use super::server::{Answer, Server};
use super::text::strip;

/// Schemas of arguments, each with whether a tool that has it stays.
const SCHEMAS: &[(&str, bool)] = &[
    (r#"{"type":"string","x-mcp-header":"Region"}"#, true),
    (r#"{"x-mcp-header":"Deep","type":["integer","null"]}"#, true),
    (r#"{"type":"object","properties":{"b":{"type":"boolean","x-mcp-header":"A-b_c.1"}}}"#, true),
    // No mark at all, whatever it looks like.
    (r#"{"type":"number","maximum":1e400,"description":"x-mcp-header\ud800"}"#, true),
    (r#"{"enum":[{"x-mcp-header":""}],"default":{"x-mcp-header":""}}"#, true),
    (r#"{"type":"string","X-Mcp-Header":"","x\u002dmcp-headers":""}"#, true),
    (r#"{"type":"string","x-mcp-header":""}"#, false),
    (r#"{"type":"string","x-mcp-header":"a b"}"#, false),
    (r#"{"type":"string","x-mcp-header":"a:"}"#, false),
    (r#"{"type":"string","x-mcp-header":"a\r\nb: c"}"#, false),
    (r#"{"type":"string","x-mcp-header":"\u0000"}"#, false),
    (r#"{"type":"string","x-mcp-header":"é"}"#, false),
    (r#"{"type":"string","x-mcp-header":7}"#, false),
    (r#"{"type":"string","\u0078-mcp-header":"a b"}"#, false),
    (r#"{"type":"number","x-mcp-header":"N"}"#, false),
    (r#"{"type":"object","x-mcp-header":"O"}"#, false),
    (r#"{"type":"array","x-mcp-header":"L"}"#, false),
    (r#"{"x-mcp-header":"Untyped"}"#, false),
    (r#"{"type":"array","items":{"type":"string","x-mcp-header":"I"}}"#, false),
    (r#"{"oneOf":[{"type":"string","x-mcp-header":"I"}]}"#, false),
    (r#"{"anyOf":[{},{"type":"string","x-mcp-header":"I"}]}"#, false),
    (r#"{"allOf":[{"properties":{"c":{"type":"string","x-mcp-header":"I"}}}]}"#, false),
    (r#"{"not":{"type":"string","x-mcp-header":"I"}}"#, false),
    (r#"{"if":{},"then":{"type":"string","x-mcp-header":"I"}}"#, false),
    (r#"{"else":{"properties":{"c":{"type":"string","x-mcp-header":"I"}}}}"#, false),
    (
        r##"{"$ref":"#/$defs/c"},"twice":{"type":"string","x-mcp-header":"I"},"again":{"type":"string","x-mcp-header":"i"}"##,
        false,
    ),
];

fn tool(n: usize, schema: &str) -> String {
    format!(
        "{{ \"inputSchema\":{{\"type\":\"object\", \"properties\":{{\"a\":{schema}}}}},\r\n \"n\":1E+{n}, \"name\":\"tool \\u006e\\/{n}\" }}"
    )
}

/// An answer with these tools.
fn answer(id: &str, tools: &[String]) -> String {
    format!(
        "{{\"future\":[1.0,\"\\ud800\"],\n\"result\":{{\"ttlMs\":6e4, \"tools\" : [ {} ] ,\"resultType\":\"complete\",\"nextCursor\":\"\\/\"}},\"id\":{id},\"jsonrpc\":\"2.0\"}}",
        tools.join(" ,\r\n")
    )
}

/// Asks for the list in each form, and returns what came, without white space.
async fn listed(tools: Vec<String>, modern: bool) -> Vec<String> {
    let server = Server::start(move |seen| {
        let id = seen.json()["id"].as_u64().filter(|_| seen.method() == "tools/list")?;
        let text = answer(&id.to_string(), &tools);
        Some(match FORMS.get(usize::try_from(id).unwrap()) {
            Some(form) => form.add(Answer::events(), &text),
            None => Answer::json(text),
        })
    })
    .await;
    let mut proxy = Proxy::start(&server.url);
    let meta = if modern { super::exceptions::META } else { "" };
    let mut came = Vec::new();
    for id in 0..=FORMS.len() {
        let params = format!("{{{meta}}}");
        proxy
            .send(&format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/list\",\"params\":{params}}}"
            ))
            .await;
        came.push(strip(&proxy.line().await));
    }
    assert_eq!(proxy.end().await, "");
    came
}

fn expected(tools: &[String]) -> Vec<String> {
    (0..=FORMS.len()).map(|id| strip(&answer(&id.to_string(), tools))).collect()
}

/// T-55: the invalid ones go, wherever they stand in the list; in a session all stay.
#[tokio::test]
async fn invalid_tools_are_cut_out_and_nothing_else() {
    let all: Vec<_> = SCHEMAS.iter().enumerate().map(|(n, (schema, _))| tool(n, schema)).collect();
    let valid: Vec<_> =
        all.iter().zip(SCHEMAS).filter(|(_, (_, stays))| *stays).map(|(tool, _)| tool.clone()).collect();
    let (first, last) = (all[6].clone(), all[7].clone());
    let around = [std::slice::from_ref(&first), &valid, std::slice::from_ref(&last)].concat();
    for (sent, left) in [(&all, &valid), (&around, &valid), (&valid, &valid), (&vec![first, last], &vec![])] {
        assert_eq!(listed(sent.clone(), true).await, expected(left));
    }
    assert_eq!(listed(all.clone(), false).await, expected(&all));
}

/// One by one, so that it is known which.
#[tokio::test]
async fn each_tool_stays_or_goes_as_the_list_says() {
    for (schema, stays) in SCHEMAS {
        let alone = vec![tool(1, schema)];
        let left = if *stays { alone.clone() } else { vec![] };
        assert_eq!(listed(alone, true).await, expected(&left), "{schema}");
    }
}

/// A schema without any mark stays, however deep it is and however it spells its letters.
#[tokio::test]
async fn depth_is_no_fault_of_a_tool() {
    for levels in [31, 33, 127, 128, 1000] {
        for letter in ["a", "\\u0061"] {
            let schema =
                format!("{{\"properties\":{{\"{letter}\":").repeat(levels) + "{}" + &"}}".repeat(levels);
            let tools = vec![tool(1, &schema), tool(2, "{}")];
            assert_eq!(listed(tools.clone(), true).await, expected(&tools), "{levels} levels of {letter}");
        }
    }
}
