//! An answer that comes on an event stream, with what the server says before it.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::resume::Tries;
use super::{Call, Patience};
use crate::error::Result;
use crate::proxy::Bearer;
use crate::proxy::bridge::Bridge;
use crate::proxy::events::{Cursor, Events, Stop};

/// How long a stream is read on after the answer, so that its connection can be used again.
const AFTER: Duration = Duration::from_secs(5);

impl<B: Bearer> Bridge<B> {
    /// Reads a stream, and takes it up again after a break where the server allows that.
    pub(super) async fn follow(
        &self,
        call: &mut Call,
        mut events: Events,
        patience: &Patience,
    ) -> Result<()> {
        let (mut cursor, mut tries) = (Cursor::default(), Tries::new(patience));
        loop {
            let before = cursor.last_id.clone();
            let stop = self.drain(call, &mut events, &mut cursor, patience).await?;
            if call.is_over() {
                return Ok(());
            }
            if stop == Stop::TooLarge {
                return Err(self.too_large());
            }
            if call.manner.is_stateless() {
                return Err(self.lost());
            }
            if cursor.last_id != before {
                tries = Tries::new(patience);
            }
            events = self.resume(call, &cursor, &mut tries, patience).await?;
        }
    }

    /// Passes messages on until the stream stops.
    async fn drain(
        &self,
        call: &mut Call,
        events: &mut Events,
        cursor: &mut Cursor,
        patience: &Patience,
    ) -> Result<Stop> {
        let mut after = None;
        loop {
            self.output.ready().await;
            let limit = after
                .map_or(self.limits.stream, |end: Instant| end.saturating_duration_since(Instant::now()));
            match patience.within(limit, events.next(cursor)).await {
                Some(Ok(message)) => {
                    if let Some(stop) = self.burst(call, message, events, cursor).await {
                        return Ok(stop);
                    }
                }
                Some(Err(stop)) => return Ok(stop),
                None if after.is_some() => return Ok(Stop::Ended),
                None if patience.goes_on(events.was_active()) => {}
                None => return Err(self.late()),
            }
            if call.is_holding() {
                return Ok(Stop::Ended);
            }
            // Messages that come faster than they can be passed on extend the limit no more than comments do.
            if after.is_none() && !call.is_over() && patience.is_over() {
                return Err(self.late());
            }
            if after.is_none() && call.is_over() {
                after = Some(Instant::now() + AFTER);
            }
        }
    }

    /// Passes a message on, and with it those that have come already: servers report progress in bursts,
    /// and a system call for each line costs more than all the rest. Nothing is waited for.
    async fn burst(
        &self,
        call: &mut Call,
        message: Vec<u8>,
        events: &mut Events,
        cursor: &mut Cursor,
    ) -> Option<Stop> {
        let together = self.output.together();
        self.pass_on(call, message).await;
        let stop = loop {
            match events.next(cursor).now_or_never() {
                Some(Ok(message)) => self.pass_on(call, message).await,
                Some(Err(stop)) => break Some(stop),
                None => break None,
            }
        };
        drop(together);
        self.output.flush().await;
        stop
    }
}
