//! Large answers and requests, and long streams.

use super::Bench;
use crate::client::Outcome;
use crate::cpu;
use crate::messages::Tool;
use crate::metric::Metric;
use crate::peers::Column;

/// How often each is done in a session. The first pays for memory and for a TCP window that the others find.
const TIMES: usize = 4;

pub(super) fn repeated(bench: &Bench, column: &mut Column, metric: Metric, tool: Tool) -> Outcome<()> {
    let mut measured = Vec::new();
    bench.session(column, |client| {
        for _ in 0..TIMES {
            measured.push(client.one(tool)?);
        }
        Ok(())
    })?;
    measured.into_iter().for_each(|value| column.add(metric, value));
    Ok(())
}

/// One very large answer, and the most memory that the bridge ever had.
pub(super) fn huge(bench: &Bench, column: &mut Column, metrics: [Metric; 2], tool: Tool) -> Outcome<()> {
    let (mut taken, mut peak) = (0.0, None);
    bench.session(column, |client| {
        taken = client.one(tool)?;
        peak = client.bridge().and_then(|bridge| cpu::memory(bridge, "VmHWM"));
        Ok(())
    })?;
    column.add(metrics[0], taken);
    if let Some(peak) = peak {
        column.add(metrics[1], peak);
    }
    Ok(())
}
