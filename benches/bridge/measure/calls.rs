//! Small calls: what is added to each, how many there can be, and what they cost.

use std::time::Duration;

use super::Bench;
use crate::client::{Client, Limit, Outcome};
use crate::cpu::{self, Used};
use crate::messages::{Form, Tool};
use crate::metric::Metric;
use crate::peers::Column;

/// What is compared: one small call, answered in the order that most servers have.
const CALL: Tool = Tool::Echo(Form::IdFirst);
const IN_FLIGHT: usize = 64;
/// A series is measured in batches, so that a disturbance spoils one of them only.
const BATCHES: usize = 20;

fn warm_up() -> Limit {
    Limit::calls(300, Duration::from_millis(300))
}

fn batch() -> Limit {
    Limit::calls(100, Duration::from_millis(50))
}

/// Client, bridge and server on one core: the honest way to compare small times. On more, the scheduler decides.
pub(super) fn pinned(bench: &Bench, column: &mut Column) -> Outcome<()> {
    let pinned = cpu::pin().ok_or("this system cannot pin")?;
    let mut measured = Vec::new();
    bench.session(column, |client| {
        for (metric, tool) in [(Metric::PinnedCall, CALL), (Metric::PinnedEventCall, Tool::Echo(Form::Event))]
        {
            client.sequence(tool, warm_up())?;
            for _ in 0..BATCHES {
                let done = client.sequence(tool, batch())?;
                measured.push((metric, done.seconds * 1e6 / done.calls as f64));
            }
        }
        Ok(())
    })?;
    drop(pinned);
    measured.into_iter().for_each(|(metric, value)| column.add(metric, value));
    Ok(())
}

pub(super) fn free(bench: &Bench, column: &mut Column) -> Outcome<()> {
    let mut measured = Vec::new();
    bench.session(column, |client| {
        client.sequence(CALL, warm_up())?;
        let (mut calls, requests) = (0, bench.server.requests());
        let used = meter(bench, client, |client| {
            for _ in 0..BATCHES {
                let done = client.sequence(CALL, batch())?;
                calls += done.calls;
                measured.push((Metric::FreeCall, done.seconds * 1e6 / done.calls as f64));
            }
            Ok(())
        })?;
        let requests = bench.server.requests() - requests;
        measured.push((Metric::Requests, requests as f64 / calls as f64));
        measured.extend(cost(used, calls, [Metric::CpuCall, Metric::ClientCpuCall]));
        Ok(())
    })?;
    measured.into_iter().for_each(|(metric, value)| column.add(metric, value));
    Ok(())
}

pub(super) fn flood(bench: &Bench, column: &mut Column) -> Outcome<()> {
    let mut measured = Vec::new();
    bench.session(column, |client| {
        client.flood(CALL, IN_FLIGHT, warm_up())?;
        let mut calls = 0;
        let used = meter(bench, client, |client| {
            for _ in 0..3 {
                let done = client.flood(CALL, IN_FLIGHT, Limit::calls(5_000, Duration::from_millis(400)))?;
                calls += done.calls;
                measured.push((Metric::InFlight, done.calls as f64 / done.seconds));
            }
            Ok(())
        })?;
        measured.extend(cost(used, calls, [Metric::CpuInFlight, Metric::ClientCpuInFlight]));
        Ok(())
    })?;
    measured.into_iter().for_each(|(metric, value)| column.add(metric, value));
    Ok(())
}

/// Calls that the server takes 50 ms for: 1,280 a second is what 64 at a time can be.
pub(super) fn slow(bench: &Bench, column: &mut Column) -> Outcome<()> {
    let mut rate = 0.0;
    bench.session(column, |client| {
        client.flood(CALL, IN_FLIGHT, warm_up())?;
        let done =
            client.flood(Tool::Wait, IN_FLIGHT, Limit::calls(10 * IN_FLIGHT, Duration::from_secs(1)))?;
        rate = done.calls as f64 / done.seconds;
        Ok(())
    })?;
    column.add(Metric::SlowInFlight, rate);
    Ok(())
}

/// The CPU time of some work, where the system tells it.
fn meter(
    bench: &Bench,
    client: &mut dyn Client,
    work: impl FnOnce(&mut dyn Client) -> Outcome<()>,
) -> Outcome<Option<Used>> {
    let bridge = client.bridge();
    let now = || Used::now(bench.server.thread(), bridge);
    let before = now();
    work(client)?;
    Ok(before.and_then(|before| Some(now()?.since(before))))
}

/// Milliseconds for 1,000 calls: of all processes, and without the server's.
fn cost(used: Option<Used>, calls: usize, metrics: [Metric; 2]) -> Vec<(Metric, f64)> {
    let used = used.map(|used| [used.all(), used.without_server()]);
    metrics
        .into_iter()
        .zip(used.into_iter().flatten())
        .map(|(metric, seconds)| (metric, seconds * 1e6 / calls as f64))
        .collect()
}
