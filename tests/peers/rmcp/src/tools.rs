//! The tools of the server; they answer as those of tests/peers/tools.mjs.

use std::sync::PoisonError;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CreateMessageRequestParams,
    ElicitRequestParams, ErrorData, InputRequest, InputRequiredResult, LoggingLevel,
    LoggingMessageNotificationParam, ProgressNotificationParam, SamplingMessage,
};
use rmcp::service::{RequestContext, ServiceError};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::server::Server;
use crate::{COLOUR, WORD};

const STEPS: u32 = 5;
const STEP: Duration = Duration::from_millis(100);
/// Some clients lose progress that they read in one chunk with the result: a busy machine needs room.
const LAST_STEP: Duration = Duration::from_millis(500);
const WAIT: Duration = Duration::from_secs(30);
/// What a client has to bring back as it is.
const STATE: &str = "a \"state\" of grün\tand\\dots...";

type Context = RequestContext<RoleServer>;
type Answer = Result<CallToolResponse, ErrorData>;

/// All of them, as `tools/list` gives them.
pub fn list(more: bool) -> Value {
    let number = json!({"type": "number"});
    let with = |name: &str, arguments: &[&str]| {
        let properties: serde_json::Map<_, _> =
            arguments.iter().map(|argument| ((*argument).to_owned(), number.clone())).collect();
        json!({"name": name, "inputSchema": {"type": "object", "properties": properties, "required": arguments}})
    };
    let mut tools = vec![with("add", &["a", "b"]), with("large", &["size"])];
    let plain = ["ask", "enable_more", "sample", "shout", "slow_count", "wait", "waits"];
    tools.extend(plain.map(|name| with(name, &[])));
    if more {
        tools.push(with("more", &[]));
    }
    json!(tools)
}

fn text(said: impl Into<String>) -> Answer {
    Ok(CallToolResult::success(vec![ContentBlock::text(said)]).into())
}

fn failed(error: ServiceError) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

fn modern(context: &Context) -> bool {
    context.protocol_version().is_some_and(|version| version.as_str() >= "2026")
}

pub async fn call(server: &Server, request: CallToolRequestParams, context: Context) -> Answer {
    let number = |name| {
        let value = request.arguments.as_ref().and_then(|arguments| arguments.get(name)?.as_f64());
        value.ok_or_else(|| ErrorData::invalid_params(format!("no {name}"), None))
    };
    match &*request.name {
        "add" => text((number("a")? + number("b")?).to_string()),
        "large" => text("€".repeat(number("size")? as usize)),
        "slow_count" => slow_count(&context).await,
        "ask" => ask(&request, &context).await,
        "sample" => sample(&request, &context).await,
        "enable_more" => {
            server.shared.more.send_replace(true);
            if !modern(&context) {
                context.peer.notify_tool_list_changed().await.map_err(failed)?;
            }
            text("enabled")
        }
        "more" if *server.shared.more.borrow() => text("more"),
        "wait" => wait(server, &context).await,
        "waits" => {
            let (waiting, cancelled) = *server.shared.waits.lock().unwrap_or_else(PoisonError::into_inner);
            text(format!("{waiting} waiting, {cancelled} cancelled"))
        }
        "shout" => shout(server, &context).await,
        other => Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
    }
}

async fn slow_count(context: &Context) -> Answer {
    let token = context.meta.get_progress_token();
    for step in 1..=STEPS {
        if let Some(token) = &token {
            let params = ProgressNotificationParam::new(token.clone(), f64::from(step))
                .with_total(f64::from(STEPS))
                .with_message(format!("step {step}"));
            context.peer.notify_progress(params).await.map_err(failed)?;
        }
        sleep(if step == STEPS { LAST_STEP } else { STEP }).await;
    }
    text(format!("counted to {STEPS}"))
}

/// The answer of a modern client; in its first round the demand for one.
fn next_round(request: &CallToolRequestParams, ask: Value) -> Result<Value, Answer> {
    let Some(answer) = request.input_responses.as_ref().and_then(|answers| answers.get("it")) else {
        let ask: InputRequest = serde_json::from_value(ask).expect("a request");
        let asked = [("it".to_owned(), ask)].into_iter().collect();
        return Err(Ok(InputRequiredResult::new(Some(asked), Some(STATE.into())).into()));
    };
    if request.request_state.as_deref() != Some(STATE) {
        return Err(text("the state came back changed"));
    }
    Ok(answer.clone())
}

async fn ask(request: &CallToolRequestParams, context: &Context) -> Answer {
    let schema =
        json!({"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]});
    let params = json!({"mode": "form", "message": COLOUR, "requestedSchema": schema});
    let answer = if modern(context) {
        match next_round(request, json!({"method": "elicitation/create", "params": params})) {
            Ok(answer) => answer,
            Err(demand) => return demand,
        }
    } else {
        let params: ElicitRequestParams = serde_json::from_value(params).expect("a form");
        json!(context.peer.create_elicitation(params).await.map_err(failed)?)
    };
    let [action, colour] =
        [&answer["action"], &answer["content"]["colour"]].map(|said| said.as_str().unwrap_or("?"));
    text(format!("{action}: {colour}"))
}

async fn sample(request: &CallToolRequestParams, context: &Context) -> Answer {
    let params = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(WORD)], 16);
    let answer = if modern(context) {
        match next_round(request, json!({"method": "sampling/createMessage", "params": params})) {
            Ok(answer) => answer,
            Err(demand) => return demand,
        }
    } else {
        json!(context.peer.create_message(params).await.map_err(failed)?)
    };
    let [model, said] =
        [&answer["model"], &answer["content"]["text"]].map(|said| said.as_str().unwrap_or("?"));
    text(format!("{model}: {said}"))
}

async fn wait(server: &Server, context: &Context) -> Answer {
    /// Whatever ends the call, dropping it included.
    struct Waiting<'a>(&'a Server, bool);
    impl Drop for Waiting<'_> {
        fn drop(&mut self) {
            let mut waits = self.0.shared.waits.lock().unwrap_or_else(PoisonError::into_inner);
            waits.0 -= 1;
            if self.1 {
                waits.1 += 1;
                println!("{}", json!({"event": "cancelled"}));
            }
        }
    }
    server.shared.waits.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
    let mut waiting = Waiting(server, true);
    tokio::select! {
        () = context.ct.cancelled() => {}
        () = sleep(WAIT) => waiting.1 = false,
    }
    text("waited")
}

async fn shout(server: &Server, context: &Context) -> Answer {
    let wanted = if modern(context) {
        context.meta.log_level()
    } else {
        Some(*server.level.lock().unwrap_or_else(PoisonError::into_inner))
    };
    for (level, said) in [(LoggingLevel::Debug, "quiet"), (LoggingLevel::Warning, "loud")] {
        if wanted.is_some_and(|wanted| level as u8 >= wanted as u8) {
            let params = LoggingMessageNotificationParam::new(level, json!(said));
            context.peer.notify_logging_message(params).await.map_err(failed)?;
        }
    }
    text("shouted")
}
