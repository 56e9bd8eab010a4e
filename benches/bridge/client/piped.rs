//! The client that starts a bridge and speaks with it as an MCP host does: one message, one line.

use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::lines::Lines;
use super::{Client, Done, Limit, Open, Outcome, seconds};
use crate::check::{self, Faults};
use crate::messages::{HELLO, INITIALIZED, Tool};
use crate::watchdog;

/// For the answer to `initialize`, and for the end.
const BOUND: Duration = Duration::from_secs(10);

pub(crate) struct Piped {
    child: Child,
    to: Option<ChildStdin>,
    from: Lines<ChildStdout>,
    open: Open,
}

impl Piped {
    /// Starts a bridge: and the milliseconds until it has answered `initialize`.
    pub(crate) fn start(command: &mut Command, faults: Arc<Faults>) -> Outcome<(Self, f64)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let begun = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("does not start: {error}"))?;
        let (to, from) = (child.stdin.take(), Lines::new(child.stdout.take().unwrap()));
        let mut piped = Piped { child, to, from, open: Open::new(faults) };
        let armed = watchdog::arm(piped.child.id(), BOUND);
        piped.send(HELLO.to_owned())?;
        loop {
            match piped.from.next() {
                Ok(Some(line)) if check::id(line) == Some(0) && check::is_error(line) => {
                    return Err(format!(
                        "answers initialize with {}",
                        String::from_utf8_lossy(line).trim_end()
                    ));
                }
                Ok(Some(line)) if check::id(line) == Some(0) => break,
                Ok(Some(_)) => {}
                _ if armed.has_bitten() => return Err(format!("no initialize answer within {BOUND:?}")),
                _ => return Err("ends before it answers initialize".to_owned()),
            }
        }
        let cold_ms = seconds(begun) * 1e3;
        drop(armed);
        piped.send(INITIALIZED.to_owned())?;
        Ok((piped, cold_ms))
    }

    fn send(&mut self, mut line: String) -> Outcome<()> {
        line.push('\n');
        let to = self.to.as_mut().ok_or("its stdin is closed")?;
        to.write_all(line.as_bytes()).map_err(|error| format!("takes no input: {error}"))
    }

    /// Reads until one call is done.
    fn receive(&mut self) -> Outcome<()> {
        loop {
            match self.from.next() {
                Ok(Some(line)) if self.open.take(line) => return Ok(()),
                Ok(Some(_)) => {}
                Ok(None) => return Err("ended".to_owned()),
                Err(error) => return Err(format!("cannot be read: {error}")),
            }
        }
    }

    fn run(&mut self, tool: Tool, in_flight: usize, limit: Limit) -> Outcome<Done> {
        let armed = watchdog::arm(self.child.id(), limit.bound);
        let id = self.open.call(tool);
        let mut next = Some(tool.request(id));
        let (mut sent, mut done) = (0, 0);
        let begun = Instant::now();
        let mut series = || -> Outcome<()> {
            loop {
                while let Some(line) = next.take() {
                    self.send(line)?;
                    sent += 1;
                    let goes_on = sent < limit.calls && begun.elapsed() < limit.time;
                    if goes_on && sent - done < in_flight {
                        next = Some(tool.request(self.open.call(tool)));
                    }
                }
                if self.open.is_empty() {
                    return Ok(());
                }
                self.receive()?;
                self.open.outcome()?;
                done += 1;
                if sent < limit.calls && begun.elapsed() < limit.time {
                    next = Some(tool.request(self.open.call(tool)));
                }
            }
        };
        let outcome = series();
        let seconds = seconds(begun);
        outcome.map_err(|error| {
            let reason =
                if armed.has_bitten() { format!("not done within {:?}", limit.bound) } else { error };
            format!("{reason}; {} messages missing", self.open.lose())
        })?;
        Ok(Done { calls: done, seconds })
    }

    fn kill(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Client for Piped {
    fn sequence(&mut self, tool: Tool, limit: Limit) -> Outcome<Done> {
        self.run(tool, 1, limit)
    }

    fn flood(&mut self, tool: Tool, in_flight: usize, limit: Limit) -> Outcome<Done> {
        self.run(tool, in_flight, limit)
    }

    fn bridge(&self) -> Option<u32> {
        Some(self.child.id())
    }

    fn executions(&self) -> usize {
        self.open.executions()
    }

    fn finish(mut self: Box<Self>) -> Outcome<f64> {
        let armed = watchdog::arm(self.child.id(), BOUND);
        let begun = Instant::now();
        drop(self.to.take());
        let status = self.child.wait().map_err(|error| error.to_string())?;
        let exit_ms = seconds(begun) * 1e3;
        // Nothing may come now.
        while let Ok(Some(line)) = self.from.next() {
            self.open.take(line);
        }
        if armed.has_bitten() {
            return Err(format!("did not end within {BOUND:?} after its stdin"));
        }
        match status.signal() {
            Some(signal) => Err(format!("ended by signal {signal}")),
            None => Ok(exit_ms),
        }
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        // Also what the bridge has started itself. Its number is not used again before it is waited for.
        if let Ok(None) = self.child.try_wait() {
            self.kill();
            let _ = self.child.wait();
        }
    }
}
