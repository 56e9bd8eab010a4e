//! The server: what is no tool, and HTTP.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ErrorData, GetPromptRequestParams, GetPromptResponse,
    ListPromptsResult, ListResourcesResult, ListToolsResult, LoggingLevel, PaginatedRequestParams,
    ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ServerConfig, SetLevelRequestParams,
    SubscriptionFilter,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{RoleServer, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::{GREETING, tools};

/// What all sessions share, and all requests without one.
pub struct Shared {
    pub more: watch::Sender<bool>,
    /// How many calls of `wait` there are, and how many were cancelled.
    pub waits: Mutex<(usize, usize)>,
    versions: Vec<ProtocolVersion>,
}

/// One session, or one request.
#[derive(Clone)]
pub struct Server {
    pub shared: Arc<Shared>,
    pub level: Arc<Mutex<LoggingLevel>>,
}

type Answer<T> = std::result::Result<T, ErrorData>;

/// The SDK's structures cannot be built by others, but read.
fn made<T: DeserializeOwned>(value: Value) -> Answer<T> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

impl ServerHandler for Server {
    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Owned(self.shared.versions.clone())
    }

    fn get_info(&self) -> ServerConfig {
        made(json!({
            "protocolVersion": self.shared.versions.last().map(ProtocolVersion::as_str),
            "capabilities": {"logging": {}, "prompts": {}, "resources": {}, "tools": {"listChanged": true}},
            "serverInfo": {"name": "peers-rmcp", "version": "1.0.0"},
        }))
        .expect("a server")
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Answer<ListToolsResult> {
        let more = *self.shared.more.borrow();
        made(json!({"resultType": "complete", "tools": tools::list(more)}))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Answer<CallToolResponse> {
        tools::call(self, request, context).await
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Answer<ListResourcesResult> {
        made(
            json!({"resultType": "complete", "resources": [{"uri": GREETING, "name": "greeting", "mimeType": "text/plain"}]}),
        )
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Answer<ReadResourceResponse> {
        let content = json!({"uri": request.uri, "mimeType": "text/plain", "text": "grün 🌱"});
        Ok(ReadResourceResponse::Complete(made(json!({"resultType": "complete", "contents": [content]}))?))
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Answer<ListPromptsResult> {
        made(
            json!({"resultType": "complete", "prompts": [{"name": "greet", "arguments": [{"name": "name", "required": true}]}]}),
        )
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Answer<GetPromptResponse> {
        let arguments = request.arguments.unwrap_or_default();
        let said = format!("Hello, {}", arguments.get("name").and_then(Value::as_str).unwrap_or("?"));
        let message = json!({"role": "user", "content": {"type": "text", "text": said}});
        Ok(GetPromptResponse::Complete(made(json!({"resultType": "complete", "messages": [message]}))?))
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Answer<()> {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = request.level;
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Answer<()> {
        let mut more = self.shared.more.subscribe();
        loop {
            tokio::select! {
                () = context.cancelled() => return Ok(()),
                changed = more.changed() => {
                    if changed.is_err() || context.sink().notify_tool_list_changed().await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Serves `$PORT` of loopback.
pub async fn serve() -> Result<()> {
    let port: u16 = std::env::var("PORT").context("no PORT")?.parse()?;
    let versions = match std::env::var("PEERS_ERA").as_deref() {
        Ok("dual") => ProtocolVersion::KNOWN_VERSIONS.to_vec(),
        Ok("modern") => vec![ProtocolVersion::V_2026_07_28],
        _ => ProtocolVersion::known_up_to(&ProtocolVersion::V_2025_11_25).to_vec(),
    };
    let shared = Arc::new(Shared { more: watch::Sender::new(false), waits: Mutex::default(), versions });
    let make =
        move || Ok(Server { shared: Arc::clone(&shared), level: Arc::new(Mutex::new(LoggingLevel::Debug)) });
    let config = StreamableHttpServerConfig::default();
    let service: StreamableHttpService<Server, LocalSessionManager> =
        StreamableHttpService::new(make, Arc::default(), config);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    // A test that dies takes the server with it.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let service = service.clone();
                async move { Ok::<_, Infallible>(service.handle(request).await) }
            });
            // A client that hangs up is nobody's mistake.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}
