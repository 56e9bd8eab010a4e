//! The table that is printed, in Markdown, and what is to be said below it.

use std::collections::BTreeSet;

use super::metric::{Compare, Goal, ROWS, Row};
use super::peers::{Column, Statistic, Way};

pub(crate) fn print(columns: &[Column], rounds: usize, statistic: Statistic) {
    let what = if statistic == Statistic::Best { "best" } else { "medians" };
    let names: Vec<_> = columns.iter().map(|column| column.way.name()).collect();
    println!("\n| {what} of {rounds} rounds | {} | goal |", names.join(" | "));
    println!("| --- |{}", " --- |".repeat(names.len() + 1));
    for row in &ROWS {
        let is_measured = |column: &Column| {
            column.samples.contains_key(&row.metric) || column.failures.contains_key(&row.metric)
        };
        if columns.iter().any(is_measured) {
            let cells: Vec<_> =
                columns.iter().map(|column| cell(row, column, &columns[0], statistic)).collect();
            println!("| {} | {} | {} |", row.title, cells.join(" | "), goal(row));
        }
    }
    let faults: Vec<_> = columns.iter().map(|column| column.faults.to_string()).collect();
    println!("| lost, duplicated, reordered, wrong messages | {} | 0, 0, 0, 0 |", faults.join(" | "));
    notes(columns);
}

fn cell(row: &Row, column: &Column, direct: &Column, statistic: Statistic) -> String {
    let Some(value) = column.figure(row.metric, statistic) else {
        return if column.failures.contains_key(&row.metric) { "fails" } else { "–" }.to_owned();
    };
    let mut text = short(value);
    let baseline = direct.figure(row.metric, statistic).unwrap_or(f64::NAN);
    if !matches!(column.way, Way::Direct) {
        match row.compare {
            Compare::Ratio if !baseline.is_nan() => text += &format!(" ({}x)", short(value / baseline)),
            Compare::Added if !baseline.is_nan() => {
                let sign = if value < baseline { "" } else { "+" };
                text += &format!(" ({sign}{})", short(value - baseline));
            }
            _ => {}
        }
    }
    if column.failures.contains_key(&row.metric) {
        text += ", fails at times";
    }
    let is_own = matches!(column.way, Way::ChippAuth(_));
    match row.is_reached(value, baseline).filter(|_| is_own) {
        Some(true) => text + " ✓",
        Some(false) => text + " ✗",
        None => text,
    }
}

fn goal(row: &Row) -> String {
    match row.goal {
        Goal::None => String::new(),
        Goal::AtMost(most) => format!("≤ {most}"),
        Goal::RatioAtMost(most) => format!("≤ {most}x"),
        Goal::RatioAtLeast(least) => format!("≥ {least}x"),
        Goal::AddedAtMost(most) => format!("≤ +{most}"),
    }
}

/// Three figures, or all that stand before the point.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn notes(columns: &[Column]) {
    for column in columns {
        let name = column.way.name();
        let reasons: BTreeSet<_> = column.failures.values().collect();
        for reason in reasons {
            let failed = ROWS.iter().filter(|row| column.failures.get(&row.metric) == Some(reason));
            let failed: Vec<_> = failed.map(|row| row.key).collect();
            println!("\n{name} fails ({}): {reason}", failed.join(", "));
        }
        if let Some(example) = column.faults.example.get() {
            println!("\n{name}, the first wrong answer begins: {}", &example[..example.len().min(200)]);
        }
    }
}
