//! The same figures for machines: all samples, so that other statistics can be made of them.

use serde_json::{Map, Value, json};

use super::metric::ROWS;
use super::peers::{Column, Statistic};

pub(crate) fn report(columns: &[Column], rounds: usize) -> Value {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let columns: Map<_, _> =
        columns.iter().map(|column| (column.way.name().to_owned(), of(column))).collect();
    json!({ "system": std::env::consts::OS, "cores": cores, "rounds": rounds, "columns": columns })
}

fn of(column: &Column) -> Value {
    let figures: Map<_, _> = ROWS
        .iter()
        .filter_map(|row| {
            let samples = column.samples.get(&row.metric);
            let failure = column.failures.get(&row.metric);
            samples.or(failure.map(|_| const { &Vec::new() }))?;
            let value =
                json!({ "median": column.figure(row.metric, Statistic::Median), "samples": samples, "failure": failure });
            Some((row.key.to_owned(), value))
        })
        .collect();
    let faults: Map<_, _> =
        column.faults.counts().into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect();
    json!({ "figures": figures, "faults": faults })
}
