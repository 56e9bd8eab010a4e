//! The client's answers, and what it hears unasked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{
    ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams, ElicitResult,
    ElicitationAction, ErrorData, LoggingMessageNotificationParam, ProgressNotificationParam, ProgressToken,
    SamplingMessage,
};
use rmcp::service::{NotificationContext, RequestContext};
use rmcp::{ClientHandler, RoleClient};
use serde_json::json;
use tokio::time::Instant;

use crate::COLOUR;

#[derive(Default)]
pub struct Heard {
    pub elicitation: usize,
    pub sampling: usize,
    pub tools_changed: usize,
    pub logged: Vec<String>,
    pub progress: Vec<(ProgressToken, f64, Instant)>,
}

#[derive(Clone, Default)]
pub struct Peer(Arc<Mutex<Heard>>);

impl Peer {
    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientHandler for Peer {
    fn get_info(&self) -> ClientConfig {
        serde_json::from_value(json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {"elicitation": {}, "sampling": {}},
            "clientInfo": {"name": "peers-rmcp", "version": "1.0.0"},
        }))
        .expect("a client")
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.heard().elicitation += 1;
        match request {
            ElicitRequestParams::FormElicitationParams { message, .. } if message == COLOUR => {
                Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({"colour": "grün 🌱"})))
            }
            other => Err(ErrorData::invalid_params(format!("{other:?}"), None)),
        }
    }

    async fn create_message(
        &self,
        _params: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.heard().sampling += 1;
        Ok(CreateMessageResult::new(SamplingMessage::assistant_text("word"), "peer-model".into()))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.heard().progress.push((params.progress_token, params.progress, Instant::now()));
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        // FastMCP puts it into an object.
        let said = params.data["msg"].as_str().or_else(|| params.data.as_str());
        self.heard().logged.push(said.unwrap_or_default().to_owned());
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.heard().tools_changed += 1;
    }
}
