//! The program, and what the kernel knows about it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::wire::{PATIENCE, Wire};

pub const HELLO: &str = r#"{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
pub const READY: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// The program, with nothing of the environment of the tests but a folder of its own.
pub fn command(wire: &Wire) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chipp-auth"));
    command.args(["proxy", &wire.url, "--header", "Authorization: Bearer x"]);
    let home = env!("CARGO_TARGET_TMPDIR");
    command.env_clear().env("HOME", home).env("CHIPP_AUTH_HOME", home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub struct Program {
    pub child: Child,
    pub to: Option<Box<dyn Write + Send>>,
    lines: Option<mpsc::Receiver<String>>,
    said: Arc<Mutex<String>>,
}

impl Program {
    pub fn start(wire: &Wire) -> Self {
        let mut program = Program::unread(wire);
        let from = program.child.stdout.take().unwrap();
        program.read_from(from);
        program
    }

    /// Nobody reads what it writes yet.
    pub fn unread(wire: &Wire) -> Self {
        let mut child = command(wire).spawn().unwrap();
        let to: Box<dyn Write + Send> = Box::new(child.stdin.take().unwrap());
        Program::of(child, Some(to))
    }

    pub fn of(mut child: Child, to: Option<Box<dyn Write + Send>>) -> Self {
        let said = Arc::new(Mutex::new(String::new()));
        if let Some(mut stderr) = child.stderr.take() {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut chunk) {
                    said.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..count]));
                }
            });
        }
        Program { child, to, lines: None, said }
    }

    /// Reads its lines from now on.
    pub fn read_from(&mut self, from: impl Read + Send + 'static) {
        let (sender, lines) = mpsc::sync_channel(1);
        self.lines = Some(lines);
        std::thread::spawn(move || {
            let mut from = BufReader::with_capacity(256 << 10, from);
            let mut line = String::new();
            while matches!(from.read_line(&mut line), Ok(1..)) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
    }

    pub fn raw(&mut self, bytes: impl AsRef<[u8]>) {
        self.to.as_mut().unwrap().write_all(bytes.as_ref()).unwrap();
    }

    pub fn send(&mut self, line: &str) {
        self.raw(format!("{line}\n"));
    }

    pub fn call(&mut self, id: &str) {
        self.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call"}}"#));
    }

    /// The next line, its end included; nothing at the end.
    pub fn line(&mut self) -> Option<String> {
        match self.lines.as_ref().unwrap().recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("nothing is said; stderr: {}", self.said()),
        }
    }

    /// Asserts what the next line is.
    pub fn says(&mut self, expected: &str) {
        assert_eq!(self.line().as_deref(), Some(&*format!("{expected}\n")), "stderr: {}", self.said());
    }

    /// Sends `initialize`, and takes the answer, which names this revision.
    pub fn greet_with(&mut self, hello: &str, revision: &str) {
        self.send(hello);
        let answer = self.line().unwrap();
        assert!(answer.contains(&format!("\"protocolVersion\":\"{revision}\"")), "{answer}");
    }

    /// Opens a session.
    pub fn greet(&mut self, wire: &Wire) {
        self.greet_with(HELLO, "2025-11-25");
        self.send(READY);
        wire.wait_for("notifications/initialized", 1);
    }

    /// What it has written on stderr so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// The most memory that it ever had at a time, in MiB.
    pub fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let (_, rest) = status.split_once("VmHWM:").expect("it has ended");
        rest.split_whitespace().next().unwrap().parse::<u64>().unwrap() >> 10
    }

    /// The processor time that it has used. Known until it is waited for.
    pub fn busy(&self) -> Duration {
        busy(self.child.id())
    }

    /// Waits for the end: the exit code, how long it took from `since`, and the processor time from then on.
    pub fn end(mut self, since: Instant, busy: Duration) -> (Option<i32>, Duration, Duration) {
        let begun = Instant::now();
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(self.pid()), options).unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "it does not end; stderr: {}", self.said());
            std::thread::sleep(Duration::from_millis(1));
        }
        let (took, used) = (since.elapsed(), self.busy().saturating_sub(busy));
        let code = self.child.wait().unwrap().code();
        // Whatever happened, it was foreseen.
        assert!(!self.said().contains("panicked"), "{}", self.said());
        (code, took, used)
    }

    /// Closes stdin, and waits for a good end.
    pub fn finish(mut self) -> Duration {
        drop(self.to.take());
        let busy = self.busy();
        let (code, took, _) = self.end(Instant::now(), busy);
        assert_eq!(code, Some(0));
        took
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time of a process, in the kernel's steps of 10 ms.
pub fn busy(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // After the name, which may contain anything: state is the first, the times are the 12th and 13th.
    let Some((_, rest)) = stat.rsplit_once(") ") else { return Duration::ZERO };
    let ticks = rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
