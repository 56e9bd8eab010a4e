//! What the processes used: CPU time and memory, from Linux's `/proc`. Elsewhere there is nothing to say.

use std::fs;

/// CPU time in seconds since the processes began: of all threads of this one, of the server's among them, and of
/// the bridge.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) own: f64,
    pub(crate) server: f64,
    pub(crate) bridge: f64,
}

impl Used {
    pub(crate) fn now(server: u32, bridge: Option<u32>) -> Option<Self> {
        Some(Used {
            own: of_process("self")?,
            server: of_thread(&format!("/proc/self/task/{server}"))?,
            bridge: bridge
                .map_or(Some(0.0), |leader| group(leader).iter().map(|pid| of_process(pid)).sum())?,
        })
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Used {
            own: self.own - before.own,
            server: self.server - before.server,
            bridge: self.bridge - before.bridge,
        }
    }

    /// Of everything.
    pub(crate) fn all(self) -> f64 {
        self.own + self.bridge
    }

    /// Of the client and the bridge.
    pub(crate) fn without_server(self) -> f64 {
        self.all() - self.server
    }
}

/// A line of `/proc/…/status` of all processes of a bridge, in MB (10^6 bytes).
pub(crate) fn memory(leader: u32, line: &str) -> Option<f64> {
    let one = |pid: &String| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let rest = status.lines().find_map(|found| found.strip_prefix(line))?;
        rest.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>().ok()
    };
    let sum: Option<f64> = group(leader).iter().map(one).sum();
    sum.filter(|sum| *sum > 0.0).map(|sum| sum * 1024.0 / 1e6)
}

/// The processes of a group.
fn group(leader: u32) -> Vec<String> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().into_string().ok());
    pids.filter(|pid| {
        // Behind the name, which may hold anything: state, parent, group.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let field = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(2));
        field.and_then(|field| field.parse().ok()) == Some(leader)
    })
    .collect()
}

fn of_process(pid: &str) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    threads.map(|thread| of_thread(&thread.path().to_string_lossy())).sum()
}

fn of_thread(path: &str) -> Option<f64> {
    let nanoseconds = fs::read_to_string(format!("{path}/schedstat")).ok()?;
    Some(nanoseconds.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{pin, this_thread};

#[cfg(target_os = "linux")]
mod linux {
    use rustix::thread::{CpuSet, Pid, gettid, sched_getaffinity, sched_setaffinity};

    /// The kernel's number of this thread.
    pub(crate) fn this_thread() -> u32 {
        gettid().as_raw_nonzero().get().unsigned_abs()
    }

    /// While this lives, all threads of this process, and those it starts, share one core.
    pub(crate) struct Pinned(CpuSet);

    /// Everything on the last core that this process may use: the first has the most interrupts.
    pub(crate) fn pin() -> Option<Pinned> {
        let all = sched_getaffinity(None).ok()?;
        let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| all.is_set(*cpu))?;
        let mut one = CpuSet::new();
        one.set(last);
        set(&one);
        Some(Pinned(all))
    }

    impl Drop for Pinned {
        fn drop(&mut self) {
            set(&self.0);
        }
    }

    fn set(cpus: &CpuSet) {
        for thread in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let number =
                thread.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            let _ = number.map(|number| sched_setaffinity(Some(number), cpus));
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn this_thread() -> u32 {
    0
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn pin() -> Option<()> {
    None
}
