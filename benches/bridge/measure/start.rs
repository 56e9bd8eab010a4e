//! How long it takes until a client can work, what waiting costs, and how long the end takes.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Bench;
use crate::client::direct::Direct;
use crate::client::piped::Piped;
use crate::client::{Client, Outcome};
use crate::cpu;
use crate::messages::Tool;
use crate::metric::Metric;
use crate::peers::{Column, Way};

/// How long a bridge rests before its memory is looked at.
const REST: Duration = Duration::from_millis(300);
/// A bridge that starts faster than this, in milliseconds, is started some times more.
const FAST: f64 = 50.0;
const TIMES: usize = 5;

pub(super) fn near(bench: &Bench, column: &mut Column) -> Outcome<()> {
    for time in 0..TIMES {
        let (client, cold_ms) = column.start(&bench.server.address, &bench.home)?;
        column.add(Metric::ColdStart, cold_ms);
        let bridge = client.bridge();
        let mut idle = None;
        let ended = bench.finish(column, client, |client| {
            client.one(Tool::List)?;
            if let (0, Some(bridge)) = (time, bridge) {
                thread::sleep(REST);
                idle = cpu::memory(bridge, "VmRSS");
            }
            Ok(())
        })?;
        if let Some(idle) = idle {
            column.add(Metric::IdleMemory, idle);
        }
        if bridge.is_some() {
            let farewell = ended.farewell.unwrap_or_default().as_secs_f64() * 1e3;
            column.add(Metric::Exit, ended.exit_ms - farewell);
            column.add(Metric::Farewell, f64::from(u8::from(ended.farewell.is_some())));
        }
        if cold_ms > FAST {
            break;
        }
    }
    Ok(())
}

/// With a token that a sign-in has put into a real keychain. The others have none.
pub(super) fn keychain(bench: &Bench, column: &mut Column) -> Outcome<()> {
    let (Some(keychain), Way::ChippAuth(program)) = (&bench.keychain, column.way.clone()) else {
        return Ok(());
    };
    for time in 0..TIMES {
        let mut command = keychain.command(&program, &["proxy", &keychain.url]);
        let (client, cold_ms) = Piped::start(&mut command, Arc::clone(&column.faults))?;
        let bridge = client.bridge();
        let mut idle = None;
        bench.finish(column, Box::new(client), |client| {
            client.one(Tool::List)?;
            if let (0, Some(bridge)) = (time, bridge) {
                thread::sleep(REST);
                idle = cpu::memory(bridge, "VmRSS");
            }
            Ok(())
        })?;
        column.add(Metric::KeychainStart, cold_ms);
        if let Some(idle) = idle {
            column.add(Metric::KeychainMemory, idle);
        }
    }
    Ok(())
}

pub(super) fn distant(bench: &Bench, column: &mut Column) -> Outcome<()> {
    let begun = Instant::now();
    let (client, _) = column.start(&bench.distant, &bench.home)?;
    let mut list_ms = 0.0;
    bench.finish(column, client, |client| {
        client.one(Tool::List)?;
        list_ms = begun.elapsed().as_secs_f64() * 1e3;
        Ok(())
    })?;
    column.add(Metric::DistantList, list_ms);
    if let Way::Direct = column.way {
        column.add(Metric::DistantLeast, Direct::least(&bench.distant)?);
    }
    Ok(())
}
