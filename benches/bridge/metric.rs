//! What is measured: one row of the table each, with the way it is compared, and what chipp-auth is to reach.

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    ColdStart,
    KeychainStart,
    DistantList,
    DistantLeast,
    PinnedCall,
    PinnedEventCall,
    FreeCall,
    CpuCall,
    ClientCpuCall,
    InFlight,
    CpuInFlight,
    ClientCpuInFlight,
    SlowInFlight,
    LargeIdFirst,
    LargeResultFirst,
    LargeEvent,
    LargeRequest,
    HugeIdFirst,
    HugeResultFirst,
    Progress,
    IdleMemory,
    KeychainMemory,
    PeakIdFirst,
    PeakResultFirst,
    Exit,
    Farewell,
    Requests,
}

impl Metric {
    /// Whether more is better.
    pub(crate) fn is_rate(self) -> bool {
        matches!(self, Metric::InFlight | Metric::SlowInFlight)
    }
}

/// How a figure is compared with the direct client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    /// Not at all.
    Alone,
    /// So many times as much.
    Ratio,
    /// So much more.
    Added,
}

/// What chipp-auth is to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    None,
    AtMost(f64),
    RatioAtMost(f64),
    RatioAtLeast(f64),
    AddedAtMost(f64),
}

pub(crate) struct Row {
    pub(crate) metric: Metric,
    /// For machines.
    pub(crate) key: &'static str,
    /// For people, with the unit.
    pub(crate) title: &'static str,
    pub(crate) compare: Compare,
    pub(crate) goal: Goal,
}

const fn row(metric: Metric, key: &'static str, title: &'static str, compare: Compare, goal: Goal) -> Row {
    Row { metric, key, title, compare, goal }
}

use Compare::{Added, Alone, Ratio};
use Goal::{AddedAtMost, AtMost, RatioAtLeast, RatioAtMost};

pub(crate) const ROWS: [Row; 27] = [
    row(Metric::ColdStart, "cold_start_ms", "cold start to the `initialize` answer, ms", Ratio, AtMost(5.0)),
    row(
        Metric::KeychainStart,
        "keychain_start_ms",
        "– with the token in a keychain, ms",
        Alone,
        AtMost(50.0),
    ),
    row(
        Metric::DistantList,
        "distant_list_ms",
        "20 ms away: start and `tools/list`, ms",
        Added,
        AddedAtMost(5.0),
    ),
    row(Metric::DistantLeast, "distant_least_ms", "– not waiting for `initialized`, ms", Alone, Goal::None),
    row(Metric::PinnedCall, "pinned_call_us", "small call, all on one core, µs", Added, AddedAtMost(15.0)),
    row(
        Metric::PinnedEventCall,
        "pinned_event_call_us",
        "– answered as an event, µs",
        Added,
        AddedAtMost(16.0),
    ),
    row(Metric::FreeCall, "call_us", "small call, on all cores, µs", Added, Goal::None),
    row(Metric::CpuCall, "cpu_ms", "CPU for 1,000 of them, ms", Ratio, RatioAtMost(2.0)),
    row(Metric::ClientCpuCall, "cpu_without_server_ms", "– without the server's, ms", Ratio, Goal::None),
    row(Metric::InFlight, "in_flight_per_s", "64 calls in flight, calls/s", Ratio, RatioAtLeast(0.7)),
    row(Metric::CpuInFlight, "in_flight_cpu_ms", "CPU for 1,000 of them, ms", Ratio, RatioAtMost(1.8)),
    row(
        Metric::ClientCpuInFlight,
        "in_flight_cpu_without_server_ms",
        "– without the server's, ms",
        Ratio,
        Goal::None,
    ),
    row(
        Metric::SlowInFlight,
        "slow_in_flight_per_s",
        "calls of 50 ms, 64 in flight, calls/s",
        Ratio,
        RatioAtLeast(0.95),
    ),
    row(Metric::LargeIdFirst, "large_ms", "10 MB result (`id` first), ms", Ratio, RatioAtMost(2.0)),
    row(
        Metric::LargeResultFirst,
        "large_reversed_ms",
        "10 MB result (`result` first), ms",
        Ratio,
        RatioAtMost(2.0),
    ),
    row(Metric::LargeEvent, "large_event_ms", "10 MB result in one event, ms", Ratio, RatioAtMost(1.5)),
    row(Metric::LargeRequest, "large_request_ms", "10 MB request, ms", Ratio, RatioAtMost(1.6)),
    row(Metric::HugeIdFirst, "huge_ms", "50 MB result (`id` first), ms", Ratio, Goal::None),
    row(Metric::HugeResultFirst, "huge_reversed_ms", "50 MB result (`result` first), ms", Ratio, Goal::None),
    row(Metric::Progress, "progress_ms", "1,000 progress notifications, ms", Ratio, RatioAtMost(3.0)),
    row(Metric::IdleMemory, "idle_mb", "idle memory, MB", Alone, AtMost(8.0)),
    row(Metric::KeychainMemory, "keychain_idle_mb", "– with the token in a keychain, MB", Alone, Goal::None),
    row(Metric::PeakIdFirst, "peak_mb", "peak memory after 50 MB (`id` first), MB", Alone, AtMost(20.0)),
    row(
        Metric::PeakResultFirst,
        "peak_reversed_mb",
        "peak memory after 50 MB (`result` first), MB",
        Alone,
        AtMost(20.0),
    ),
    row(Metric::Exit, "exit_ms", "exit after stdin closes, ms", Alone, AtMost(10.0)),
    row(Metric::Farewell, "deletes", "– DELETEs of the session", Alone, Goal::None),
    row(Metric::Requests, "requests_per_call", "HTTP requests for each call", Alone, Goal::None),
];

impl Row {
    /// Whether the goal is reached, if there is one.
    pub(crate) fn is_reached(&self, value: f64, direct: f64) -> Option<bool> {
        match self.goal {
            Goal::None => None,
            AtMost(most) => Some(value <= most),
            RatioAtMost(most) => Some(value / direct <= most),
            RatioAtLeast(least) => Some(value / direct >= least),
            AddedAtMost(most) => Some(value - direct <= most),
        }
    }
}
