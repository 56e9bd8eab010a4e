//! An answer that is one JSON text.

use tokio::time::Instant;

use super::{Call, Patience, stream};
use crate::error::Result;
use crate::http::mcp::Answer;
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;

/// The largest JSON answer that is kept, in bytes.
pub(super) const LARGEST: usize = 32 << 20;

impl<B: Bearer> Bridge<B> {
    /// Reads a JSON answer and passes it on.
    pub(super) async fn whole(
        &self,
        call: &mut Call,
        mut response: Answer,
        patience: &Patience,
    ) -> Result<()> {
        let begun = Instant::now();
        let mut looked = false;
        let mut body = Vec::new();
        let mut share = self.remote.budget.share();
        loop {
            self.output.ready().await;
            let chunk =
                patience.within(self.limits.silence, response.chunk()).await.ok_or_else(|| self.late())?;
            let Some(chunk) = chunk.map_err(|_| self.lost())? else { break };
            if body.is_empty() {
                let announced = response.content_length().unwrap_or_default() + 1;
                body.reserve(
                    usize::try_from(announced).unwrap_or(LARGEST).clamp(chunk.len() + 1, LARGEST + 1),
                );
            }
            if body.len() + chunk.len() > LARGEST {
                return Err(self.too_large());
            }
            body.extend_from_slice(&chunk);
            if body.len() > stream::KEPT
                && !std::mem::replace(&mut looked, true)
                && self.stream(call, (&mut body, begun), &mut response).await
            {
                return Ok(());
            }
            share.keep(body.len()).await;
        }
        self.pass_on(call, body).await;
        Ok(())
    }
}
