//! The tools of the product page and the imaginary account behind them. The data is made up but
//! obeys the calls: an app that was created is listed, counted and offered from then on.

use serde_json::{Value, json};

use super::areas::Area;

/// Apps of one account.
const LIMIT: usize = 1000;

/// Each tool with the scope that it needs; none is needed for the documentation.
const TOOLS: [(&str, Option<&str>); 4] = [
    ("list_apps", Some("apps:read")),
    ("create_app", Some("apps:write")),
    ("get_app_analytics", Some("analytics:read")),
    ("search_documentation", None),
];

const PAGES: [(&str, &str, &str); 5] = [
    ("OAuth Authentication", "oauth", "How MCP clients sign in to a Chipp account with OAuth 2.0 and PKCE."),
    (
        "Rate Limits",
        "rate-limits",
        "How many requests a minute each plan allows, and the headers that say so.",
    ),
    (
        "Tools Reference",
        "tools-reference",
        "All tools of the Chipp MCP Server with their arguments and scopes.",
    ),
    ("Common Workflows", "workflows", "Create an app, add knowledge to it and read its analytics."),
    ("Consumer OAuth", "consumer-oauth", "Let each user of an app connect an account at another service."),
];

/// Why a call gave no result.
pub(super) enum Failed {
    /// The arguments do not fit the schema: a protocol error.
    Arguments(&'static str),
    /// The tool ran and could not do it: a result that the model reads.
    Tool(&'static str),
}

struct App {
    id: String,
    name: String,
    description: String,
}

/// The apps of the account.
pub(super) struct Apps(Vec<App>);

impl Default for Apps {
    fn default() -> Self {
        let app = |id: u32, name: &str, description: &str| App {
            id: format!("app_{id}"),
            name: name.to_owned(),
            description: description.to_owned(),
        };
        Apps(vec![
            app(1001, "Support Desk", "Answers customers from the help centre"),
            app(1002, "Recipe Coach", "Plans meals for a week"),
        ])
    }
}

/// A tool's own name, if it exists.
pub(super) fn known(name: &str) -> Option<&'static str> {
    TOOLS.iter().map(|(tool, _)| *tool).find(|tool| *tool == name)
}

/// The scope that a tool needs.
pub(super) fn scope(name: &str) -> Option<&'static str> {
    TOOLS.iter().find(|(tool, _)| *tool == name).and_then(|(_, scope)| *scope)
}

/// The tools of an area. The ids of the apps are part of a schema, so the list does change when
/// an app is created.
pub(super) fn list(apps: &Apps, area: Area) -> Vec<Value> {
    TOOLS.iter().filter(|(tool, _)| area.offers(tool)).map(|(tool, _)| describe(apps, tool)).collect()
}

fn describe(apps: &Apps, tool: &str) -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let (title, description, properties, required, reads) = match tool {
        "list_apps" => ("List apps", "Lists the apps of the account.", json!({}), json!([]), true),
        "create_app" => (
            "Create app",
            "Creates an app.",
            json!({"name": text("Name of the app"), "description": text("What the app is for")}),
            json!(["name"]),
            false,
        ),
        "get_app_analytics" => {
            let ids: Vec<&str> = apps.0.iter().map(|app| app.id.as_str()).collect();
            let days = json!({"type": "integer", "minimum": 1, "maximum": 365, "default": 7});
            let app = json!({"type": "string", "description": "Id of the app", "enum": ids});
            let properties = json!({"appId": app, "days": days});
            ("App analytics", "Sums up the conversations of an app.", properties, json!(["appId"]), true)
        }
        _ => (
            "Search documentation",
            "Searches Chipp's documentation. Needs no sign-in.",
            json!({"query": text("Words to look for")}),
            json!(["query"]),
            true,
        ),
    };
    json!({
        "name": tool,
        "title": title,
        "description": description,
        "inputSchema": {"type": "object", "properties": properties, "required": required},
        "annotations": {"readOnlyHint": reads},
    })
}

/// Runs a tool.
pub(super) fn call(apps: &mut Apps, tool: &str, arguments: &Value) -> Result<Value, Failed> {
    match tool {
        "list_apps" => Ok(json!({"apps": apps.0.iter().map(show).collect::<Vec<_>>()})),
        "create_app" => create(apps, arguments),
        "get_app_analytics" => analytics(apps, arguments),
        _ => search(arguments),
    }
}

fn show(app: &App) -> Value {
    json!({"id": app.id, "name": app.name, "description": app.description})
}

fn create(apps: &mut Apps, arguments: &Value) -> Result<Value, Failed> {
    let name = arguments["name"].as_str().ok_or(Failed::Arguments("name is required"))?.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Failed::Tool("the name must have 1 to 200 characters"));
    }
    if apps.0.len() >= LIMIT {
        return Err(Failed::Tool("this account has as many apps as its plan allows"));
    }
    let description: String =
        arguments["description"].as_str().unwrap_or_default().chars().take(1000).collect();
    let id = format!("app_{}", 1001 + apps.0.len());
    let app = App { id, name: name.to_owned(), description };
    let shown = show(&app);
    apps.0.push(app);
    Ok(json!({"app": shown}))
}

fn analytics(apps: &Apps, arguments: &Value) -> Result<Value, Failed> {
    let id = arguments["appId"].as_str().ok_or(Failed::Arguments("appId is required"))?;
    let days = match &arguments["days"] {
        Value::Null => 7,
        days => days
            .as_u64()
            .filter(|days| (1..=365).contains(days))
            .ok_or(Failed::Arguments("days must be a whole number from 1 to 365"))?,
    };
    let app = apps.0.iter().find(|app| app.id == id).ok_or(Failed::Tool("there is no such app"))?;
    // The same app has the same figures in every run, and another app has others.
    let seed =
        app.id.bytes().chain(app.name.bytes()).fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 9973);
    let conversations = days * (3 + seed % 40);
    Ok(json!({
        "appId": app.id,
        "days": days,
        "conversations": conversations,
        "messages": conversations * (4 + seed % 5),
        "users": conversations.div_ceil(2),
    }))
}

fn search(arguments: &Value) -> Result<Value, Failed> {
    let query = arguments["query"].as_str().ok_or(Failed::Arguments("query is required"))?.to_lowercase();
    let words: Vec<&str> = query.split_whitespace().take(20).collect();
    let hits: Vec<Value> = PAGES
        .iter()
        .filter(|(title, _, text)| {
            let page = format!("{title} {text}").to_lowercase();
            words.iter().any(|word| page.contains(word))
        })
        .map(|(title, slug, text)| json!({"title": title, "url": format!("https://chipp.ai/docs/guides/mcp/{slug}"), "text": text}))
        .collect();
    Ok(json!({"results": hits}))
}
