//! The measurements: what is done in each round on each way, every one in a session of its own.

use std::path::PathBuf;
use std::time::Duration;

use super::check::note;
use super::client::{Client, Outcome};
use super::keychain::Keychain;
use super::messages::{Form, HUGE, LARGE, Tool};
use super::metric::Metric;
use super::peers::Column;
use super::server::Server;

mod calls;
mod large;
mod start;

/// What all measurements share.
pub(crate) struct Bench {
    pub(crate) server: Server,
    /// The server's address, 20 ms away.
    pub(crate) distant: String,
    pub(crate) home: PathBuf,
    pub(crate) keychain: Option<Keychain>,
}

/// Some rows of the table that are measured together.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) metrics: &'static [Metric],
    pub(crate) run: fn(&Bench, &mut Column) -> Outcome<()>,
}

use Metric as M;

pub(crate) const GROUPS: [Group; 14] = [
    group("start", &[M::ColdStart, M::IdleMemory, M::Exit, M::Farewell], start::near),
    group("keychain", &[M::KeychainStart, M::KeychainMemory], start::keychain),
    group("distant", &[M::DistantList, M::DistantLeast], start::distant),
    group("pinned", &[M::PinnedCall, M::PinnedEventCall], calls::pinned),
    group("calls", &[M::FreeCall, M::CpuCall, M::ClientCpuCall, M::Requests], calls::free),
    group("flood", &[M::InFlight, M::CpuInFlight, M::ClientCpuInFlight], calls::flood),
    group("slow", &[M::SlowInFlight], calls::slow),
    group("huge", &[M::HugeIdFirst, M::PeakIdFirst], |bench, column| {
        large::huge(bench, column, [M::HugeIdFirst, M::PeakIdFirst], Tool::Big(HUGE, Form::IdFirst))
    }),
    group("huge-reversed", &[M::HugeResultFirst, M::PeakResultFirst], |bench, column| {
        large::huge(
            bench,
            column,
            [M::HugeResultFirst, M::PeakResultFirst],
            Tool::Big(HUGE, Form::ResultFirst),
        )
    }),
    group("large", &[M::LargeIdFirst], |bench, column| {
        large::repeated(bench, column, M::LargeIdFirst, Tool::Big(LARGE, Form::IdFirst))
    }),
    group("large-reversed", &[M::LargeResultFirst], |bench, column| {
        large::repeated(bench, column, M::LargeResultFirst, Tool::Big(LARGE, Form::ResultFirst))
    }),
    group("large-request", &[M::LargeRequest], |bench, column| {
        large::repeated(bench, column, M::LargeRequest, Tool::Swallow(LARGE))
    }),
    group("large-event", &[M::LargeEvent], |bench, column| {
        large::repeated(bench, column, M::LargeEvent, Tool::Big(LARGE, Form::Event))
    }),
    group("progress", &[M::Progress], |bench, column| {
        large::repeated(bench, column, M::Progress, Tool::Count)
    }),
];

const fn group(
    name: &'static str,
    metrics: &'static [Metric],
    run: fn(&Bench, &mut Column) -> Outcome<()>,
) -> Group {
    Group { name, metrics, run }
}

impl Group {
    /// One round of one column. What fails is noted with its reason, and stops nothing.
    pub(crate) fn measure(&self, bench: &Bench, column: &mut Column) {
        let count = |column: &Column, metric| column.samples.get(metric).map_or(0, Vec::len);
        // What has failed and never worked would only cost time.
        let is_lost = |metric| column.failures.contains_key(metric) && !column.samples.contains_key(metric);
        if self.metrics.iter().all(is_lost) {
            return;
        }
        let before: Vec<_> = self.metrics.iter().map(|metric| count(column, metric)).collect();
        if let Err(reason) = (self.run)(bench, column) {
            for (metric, before) in self.metrics.iter().zip(before) {
                if before == count(column, metric) {
                    column.failures.entry(*metric).or_insert_with(|| reason.clone());
                }
            }
        }
    }
}

/// How a session ended.
struct Ended {
    exit_ms: f64,
    /// How long the server took for the DELETE, if there was one.
    farewell: Option<Duration>,
}

impl Bench {
    /// Does something in a session that is open, and ends it. No tool may have been executed more often than asked.
    fn finish(
        &self,
        column: &Column,
        mut client: Box<dyn Client>,
        work: impl FnOnce(&mut dyn Client) -> Outcome<()>,
    ) -> Outcome<Ended> {
        let before = self.server.executions();
        self.server.take_farewell();
        let outcome = work(client.as_mut());
        let asked = client.executions();
        let exit = client.finish();
        let executed = self.server.executions() - before;
        note(&column.faults.duplicated, executed.saturating_sub(asked));
        outcome?;
        let farewell = self.server.take_farewell().map(|(came, answered)| answered - came);
        Ok(Ended { exit_ms: exit?, farewell })
    }

    /// The same, from the start.
    fn session(&self, column: &Column, work: impl FnOnce(&mut dyn Client) -> Outcome<()>) -> Outcome<Ended> {
        let (client, _) = column.start(&self.server.address, &self.home)?;
        self.finish(column, client, work)
    }
}
