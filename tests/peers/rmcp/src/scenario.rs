//! What the client does, and what must hold; tests/peers/scenario.mjs does the same.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, GetPromptRequestParams, LoggingLevel, PingRequest,
    ProtocolVersion, ReadResourceRequestParams, RequestMetaObject, ServerResult, SetLevelRequestParams,
    SubscriptionFilter,
};
use rmcp::service::{PeerRequestOptions, RunningService, Subscription};
use rmcp::transport::TokioChildProcess;
use rmcp::{ClientLifecycleMode, ClientServiceExt, RoleClient};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::GREETING;
use crate::client::Peer;
use crate::report::{Era, Options, Report};

const TOOLS: [&str; 9] =
    ["add", "ask", "enable_more", "large", "sample", "shout", "slow_count", "wait", "waits"];
/// The server spreads its five steps over 900 ms; a proxy that keeps them back delivers them at once.
const STREAMED_OVER: Duration = Duration::from_millis(50);
/// How long rmcp waits after it closed stdin before it sends SIGTERM.
const SIGTERM_AFTER: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(15);
const SIZE: usize = 1_000_000;

type Client = RunningService<RoleClient, Peer>;

async fn connect(options: &Options, peer: Peer) -> Result<Client> {
    let mut command = tokio::process::Command::new(&options.command[0]);
    command.args(&options.command[1..]);
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = match options.era {
        Era::Legacy => ClientLifecycleMode::Initialize,
        Era::Auto => ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
        Era::Modern => ClientLifecycleMode::Discover { preferred_versions },
    };
    Ok(peer.serve_with_lifecycle(TokioChildProcess::new(command)?, lifecycle).await?)
}

fn request(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    let mut params = CallToolRequestParams::new(tool);
    params.arguments = arguments.as_object().cloned();
    params
}

async fn send(client: &Client, params: CallToolRequestParams) -> Result<String> {
    let result = client.call_tool(params).await?;
    let text = result.content.first().and_then(|block| block.as_text()).map(|text| text.text.clone());
    ensure!(result.is_error != Some(true), "{:?}", result.content);
    text.context("no text")
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> Result<String> {
    send(client, request(tool, arguments)).await
}

async fn names(client: &Client) -> Result<Vec<String>> {
    let mut names: Vec<_> =
        client.list_all_tools().await?.into_iter().map(|tool| tool.name.into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Waits until it is so.
async fn until(mut holds: impl AsyncFnMut() -> Result<bool>, why: &str) -> Result<()> {
    let began = Instant::now();
    while !holds().await? {
        ensure!(began.elapsed() < SOON, "{why}");
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A slow call, of which progress is heard, and a fast one meanwhile.
async fn slow_and_fast(client: &Client, report: &mut Report) -> Result<()> {
    client.service().heard().progress.clear();
    let slow = call(client, "slow_count", json!({}));
    tokio::pin!(slow);
    let fast = async {
        tokio::select! {
            biased;
            _ = &mut slow => bail!("a slow call held up a fast one"),
            said = call(client, "add", json!({"a": 1, "b": 1})) => said,
        }
    };
    report.check("parallel", fast).await?;
    let watched = async {
        let said = slow.await?;
        let done = Instant::now();
        ensure!(said == "counted to 5", "{said}");
        let seen = std::mem::take(&mut client.service().heard().progress);
        let steps: Vec<_> = seen.iter().map(|(_, step, _)| *step).collect();
        ensure!(steps == [1.0, 2.0, 3.0, 4.0, 5.0], "all before the result, in order: {steps:?}");
        ensure!(done - seen[0].2 >= STREAMED_OVER, "progress was held back until the result");
        ensure!(seen.iter().all(|(token, ..)| *token == seen[0].0), "one token");
        Ok(())
    };
    report.check("progress", watched).await
}

async fn list_changed(client: &Client, modern: bool) -> Result<()> {
    let mut subscription: Option<Subscription> = None;
    if modern {
        let filter = SubscriptionFilter::builder().tools_list_changed().build();
        subscription = Some(client.listen(filter).await?);
    }
    let said = call(client, "enable_more", json!({})).await?;
    ensure!(said == "enabled", "{said}");
    if let Some(subscription) = &mut subscription {
        let heard = tokio::time::timeout(SOON, subscription.next()).await.context("no list_changed")??;
        ensure!(heard.is_some(), "the subscription ended");
    } else {
        until(async || Ok(client.service().heard().tools_changed > 0), "no list_changed").await?;
    }
    let listed = names(client).await?;
    ensure!(listed.iter().any(|name| name == "more"), "{listed:?}");
    ensure!(call(client, "more", json!({})).await? == "more", "more");
    Ok(())
}

async fn resources(client: &Client) -> Result<()> {
    let listed = client.list_all_resources().await?;
    ensure!(listed.len() == 1 && listed[0].uri == GREETING, "{listed:?}");
    let read = serde_json::to_value(client.read_resource(ReadResourceRequestParams::new(GREETING)).await?)?;
    ensure!(read["contents"][0]["text"] == "grün 🌱", "{read}");
    Ok(())
}

async fn prompts(client: &Client) -> Result<()> {
    let listed = client.list_all_prompts().await?;
    ensure!(listed.len() == 1 && listed[0].name == "greet", "{listed:?}");
    let mut params = GetPromptRequestParams::new("greet");
    params.arguments = json!({"name": "Ada"}).as_object().cloned();
    let got = serde_json::to_value(client.get_prompt(params).await?)?;
    ensure!(got["messages"][0]["content"]["text"] == "Hello, Ada", "{got}");
    Ok(())
}

async fn cancel(client: &Client) -> Result<()> {
    let params = CallToolRequestParams::new("wait");
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    let waits = client.send_cancellable_request(request, PeerRequestOptions::no_options()).await?;
    let is = async |expected: &str| Ok(call(client, "waits", json!({})).await? == expected);
    until(async || is("1 waiting, 0 cancelled").await, "it does not wait").await?;
    waits.cancel(Some("enough".into())).await?;
    until(async || is("0 waiting, 1 cancelled").await, "the server saw no cancellation").await
}

async fn logging(client: &Client, modern: bool) -> Result<()> {
    let levels = [(LoggingLevel::Warning, &["loud"][..]), (LoggingLevel::Debug, &["quiet", "loud"])];
    for (level, expected) in levels {
        client.service().heard().logged.clear();
        let mut shout = request("shout", json!({}));
        if modern {
            let mut meta = RequestMetaObject::default();
            meta.set_log_level(level);
            shout.meta = Some(meta);
        } else {
            client.set_level(SetLevelRequestParams::new(level)).await?;
        }
        ensure!(send(client, shout).await? == "shouted", "shout");
        let loud = async || Ok(client.service().heard().logged.iter().any(|said| said == "loud"));
        until(loud, "nothing was logged").await?;
        let logged = client.service().heard().logged.clone();
        ensure!(logged == expected, "{level:?}: {logged:?}");
    }
    Ok(())
}

async fn ping(client: &Client) -> Result<()> {
    let answer = client.send_request(ClientRequest::PingRequest(PingRequest::default())).await?;
    ensure!(matches!(answer, ServerResult::EmptyResult(_)), "{answer:?}");
    Ok(())
}

pub async fn scenario(options: &Options, report: &mut Report) -> Result<()> {
    let client = report.check("connect", connect(options, Peer::default())).await?;
    let info = client.peer_info().context("nothing is known of the server")?;
    report.protocol = Some(info.protocol_version.to_string());
    report.server = info.server_info.as_ref().map(|server| server.name.clone());
    let modern = info.protocol_version >= ProtocolVersion::V_2026_07_28;
    let played = play(&client, options, modern, report).await;
    let end = async {
        let began = Instant::now();
        client.cancel().await?;
        ensure!(began.elapsed() < SIGTERM_AFTER, "the command did not end on EOF and had to be signalled");
        Ok(())
    };
    report.check("close", end).await?;
    played?;
    // What rmcp does not understand it only traces; the judge is the copy of stdout.
    report.check("quiet", async { Ok(()) }).await
}

async fn play(client: &Client, options: &Options, modern: bool, report: &mut Report) -> Result<()> {
    let listed = async {
        let listed = names(client).await?;
        ensure!(listed == TOOLS, "{listed:?}");
        Ok(())
    };
    report.check("list", listed).await?;
    let says = async |tool, arguments: Value, expected: &str| {
        let said = call(client, tool, arguments).await?;
        ensure!(said == expected, "{said}");
        Ok(())
    };
    report.check("call", says("add", json!({"a": 2, "b": 3}), "5")).await?;
    slow_and_fast(client, report).await?;
    report.check("elicitation", says("ask", json!({}), "accept: grün 🌱")).await?;
    report.check("sampling", says("sample", json!({}), "peer-model: word")).await?;
    let asked = {
        let heard = client.service().heard();
        (heard.elicitation, heard.sampling)
    };
    ensure!(asked == (1, 1), "{asked:?}");
    if !options.without.iter().any(|name| name == "list_changed") {
        report.check("list_changed", list_changed(client, modern)).await?;
    }
    report.check("resources", resources(client)).await?;
    report.check("prompts", prompts(client)).await?;
    report.check("cancel", cancel(client)).await?;
    report.check("logging", logging(client, modern)).await?;
    if !modern {
        report.check("ping", ping(client)).await?;
    }
    report.check("large", says("large", json!({"size": SIZE}), &"€".repeat(SIZE))).await
}
