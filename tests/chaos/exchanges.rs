//! A hundred thousand calls at random, with faults at random. Each id gets exactly one answer, with what belongs to it;
//! no tool is carried out twice; the process lives, stays small, and ends as it should.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};

use super::child;
use super::plan::{Fate, Plan};
use super::world::{World, key_of_id};

/// All calls, the processes that share them, and how many are under way at a time in each.
const CALLS: u64 = 100_000;
const PIPES: u64 = 2;
const AT_A_TIME: usize = 48;
/// Without a single line from the proxy, all the time with calls under way.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long after a restart of the server a connection may yet be found broken.
const AFTERMATH: Duration = Duration::from_secs(5);
/// What an optimised build needs is measured elsewhere; this is about growth.
const MEMORY: usize = 160 << 20;

/// What the host knows of its calls.
#[derive(Default)]
struct Ledger {
    open: HashMap<u64, (Instant, OwnedSemaphorePermit)>,
    notes: HashMap<u64, u64>,
    answered: HashMap<u64, u32>,
    cancelled: HashMap<u64, bool>,
    /// The next number on the stream for the server's own messages, by session.
    own: HashMap<u64, u64>,
    restarts: Vec<Instant>,
    losses: Vec<Instant>,
    tally: HashMap<String, u32>,
    faults: Vec<String>,
}

impl Ledger {
    fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    /// One line of the proxy. A question of the server is answered with the text that comes back.
    fn read(&mut self, line: &str, world: &World) -> Option<String> {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            self.fault(format!("not JSON: {line}"));
            return None;
        };
        match (message["method"].as_str(), &message["id"]) {
            (Some("notifications/progress"), _) => self.note(&message["params"], world.seed),
            (Some("notifications/message"), _) => {
                let session = message["params"]["session"].as_u64().unwrap();
                let n = message["params"]["n"].as_u64().unwrap();
                let next = self.own.entry(session).or_default();
                if n != std::mem::replace(next, n + 1) {
                    self.fault(format!("out of order in session {session}: {n}"));
                }
            }
            (Some("roots/list"), Value::String(id)) => {
                let key: u64 = id.strip_prefix("ask-").unwrap().parse().unwrap();
                return Some(format!(
                    "{}\n",
                    json!({"jsonrpc": "2.0", "id": id, "result": {"answers": key}})
                ));
            }
            (None, id) => match key_of_id(id) {
                Some(key) => self.answer(key, &message, world),
                None => self.fault(format!("an answer to nothing: {line}")),
            },
            _ => self.fault(format!("unexpected: {line}")),
        }
        None
    }

    fn note(&mut self, params: &Value, seed: u64) {
        let (key, n) = (params["progressToken"].as_u64().unwrap(), params["progress"].as_u64().unwrap());
        let next = self.notes.entry(key).or_default();
        if n != std::mem::replace(next, n + 1) {
            self.fault(format!("note {n} out of order: {:?}", Plan::of(seed, key)));
        }
        if self.answered.contains_key(&key) {
            self.fault(format!("note {n} after the answer: {:?}", Plan::of(seed, key)));
        }
    }

    fn answer(&mut self, key: u64, message: &Value, world: &World) {
        let plan = Plan::of(world.seed, key);
        *self.answered.entry(key).or_default() += 1;
        let since = self.open.remove(&key).map(|(since, _)| since);
        let error = &message["error"];
        let outcome = match error["data"]["name"].as_str() {
            _ if message["result"]["key"] == key
                && message["result"]["padding"].as_str().map(str::len) == Some(plan.padding) =>
            {
                ""
            }
            Some(name) => name,
            None if error["message"] == format!("of {key}") => "rpc",
            None => "wrong",
        };
        *self.tally.entry(outcome.to_owned()).or_default() += 1;
        if outcome.is_empty()
            && plan.cancel.is_none()
            && self.notes.get(&key).copied().unwrap_or_default() != plan.notes
        {
            self.fault(format!("notifications are missing: {plan:?}"));
        }
        // Without the table of names: what the words say must be what happened.
        if plan.outcomes().contains(&outcome) {
            return;
        }
        self.collect_accidents(world);
        let struck = |at: &Instant| since.is_none_or(|since| *at + AFTERMATH > since);
        let resumes = matches!(plan.fate, Fate::Polled | Fate::Resumable);
        let accident = match outcome {
            // The server did not answer because it expected a cancellation, which came late.
            "stream-lost" if plan.fate == Fate::Slow && plan.cancel.is_some() => true,
            "stream-lost" if resumes => self.losses.iter().any(struck),
            "stream-lost" => self.restarts.iter().any(struck),
            // The new one was lost as well.
            "session-lost" => self.losses.iter().filter(|at| struck(at)).count() > 1,
            _ => false,
        };
        if !accident {
            self.fault(format!("{outcome}: {message} for {plan:?}"));
        }
    }

    /// Notes when the server was started anew, and when it forgot its sessions.
    fn collect_accidents(&mut self, world: &World) {
        let log = world.log();
        for (times, count) in [(&mut self.restarts, log.restarts), (&mut self.losses, log.losses)] {
            times.resize(count as usize, Instant::now());
        }
    }
}

/// One process and one server.
async fn run(seed: u64, calls: u64) -> HashMap<String, u32> {
    let world = Arc::new(World::start(seed).await);
    let mut child = child::start(&world.url);
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let ledger: Arc<Mutex<Ledger>> = Arc::default();
    let (to, lines) = mpsc::channel::<String>(1024);
    let writing = tokio::spawn(write(stdin, lines));
    let reading = tokio::spawn(read(stdout, Arc::clone(&ledger), Arc::clone(&world), to.downgrade()));

    let room = Arc::new(Semaphore::new(AT_A_TIME));
    to.send("{\"jsonrpc\":\"2.0\",\"id\":\"call-999999999\",\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}}}\n".to_owned()).await.unwrap();
    to.send("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n".to_owned()).await.unwrap();
    for key in 0..calls {
        let permit = timeout(PATIENCE, Arc::clone(&room).acquire_owned()).await;
        let permit = permit
            .unwrap_or_else(|_| panic!("seed {seed}: nothing goes on: {}", stuck(&ledger, seed)))
            .unwrap();
        let plan = Plan::of(seed, key);
        ledger.lock().unwrap().open.insert(key, (Instant::now(), permit));
        ledger.lock().unwrap().collect_accidents(&world);
        to.send(plan.request()).await.unwrap();
        if let Some(after) = plan.cancel {
            tokio::spawn(cancel(plan, after, Arc::clone(&ledger), to.clone()));
        }
    }
    let all = timeout(PATIENCE, room.acquire_many(u32::try_from(AT_A_TIME).unwrap())).await;
    assert!(all.is_ok(), "seed {seed}: no answer: {}", stuck(&ledger, seed));
    let memory = child::peak_memory(&child);
    drop(to);
    // The writer closes stdin when nobody has anything more to say.
    timeout(PATIENCE, writing).await.unwrap().unwrap();
    let code = timeout(PATIENCE, child.wait()).await.unwrap_or_else(|_| panic!("seed {seed}: no end"));
    assert_eq!(code.unwrap().code(), Some(0), "seed {seed}");
    timeout(PATIENCE, reading).await.unwrap().unwrap();
    let (ledger, log) = (ledger.lock().unwrap(), world.log());
    let mut faults = [ledger.faults.clone(), log.faults.clone()].concat();
    for key in 0..calls {
        let plan = Plan::of(seed, key);
        let (answers, executed) =
            (ledger.answered.get(&key), log.executed.get(&key).copied().unwrap_or_default());
        match answers {
            Some(1) => {}
            None if ledger.cancelled.contains_key(&key) => {}
            _ => faults.push(format!("{answers:?} answers: {plan:?}")),
        }
        if executed > 1 {
            faults.push(format!("carried out {executed} times: {plan:?}"));
        }
    }
    assert_eq!(log.deleted, std::slice::from_ref(&log.session), "seed {seed}: the end of the session");
    assert!(
        faults.is_empty(),
        "seed {seed}: {} faults, first of all {:#?}",
        faults.len(),
        &faults[..faults.len().min(5)]
    );
    assert!(memory < MEMORY, "seed {seed}: {} MiB", memory >> 20);
    ledger.tally.clone()
}

fn stuck(ledger: &Mutex<Ledger>, seed: u64) -> String {
    let ledger = ledger.lock().unwrap();
    let open: Vec<_> = ledger.open.keys().take(5).map(|key| Plan::of(seed, *key)).collect();
    format!(
        "{} calls, such as {open:#?}; {:?}",
        ledger.open.len(),
        ledger.faults.iter().take(5).collect::<Vec<_>>()
    )
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::Receiver<String>) {
    while let Some(line) = lines.recv().await {
        stdin.write_all(line.as_bytes()).await.unwrap();
    }
}

async fn read(
    stdout: ChildStdout,
    ledger: Arc<Mutex<Ledger>>,
    world: Arc<World>,
    to: mpsc::WeakSender<String>,
) {
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        // What the test harness writes, and the answer to `initialize`.
        let harness =
            line.trim().is_empty() || line.starts_with("running 1 test") || line.starts_with("test child");
        if harness || line.contains("call-999999999") {
            continue;
        }
        let answer = ledger.lock().unwrap().read(&line, &world);
        if let (Some(answer), Some(to)) = (answer, to.upgrade()) {
            to.send(answer).await.unwrap();
        }
    }
}

async fn cancel(plan: Plan, after: Duration, ledger: Arc<Mutex<Ledger>>, to: mpsc::Sender<String>) {
    sleep(after).await;
    let open = {
        let mut ledger = ledger.lock().unwrap();
        let open = ledger.open.remove(&plan.key).is_some();
        if open {
            ledger.cancelled.insert(plan.key, true);
        }
        open
    };
    if open {
        let meta = if plan.modern {
            r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
        } else {
            ""
        };
        let (method, id) = ("notifications/cancelled", plan.id());
        let line = format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{{\"requestId\":{id}{meta}}}}}\n"
        );
        to.send(line).await.unwrap();
    }
}

/// Bar 4: with another seed each time, which a failure names. `CHAOS_SEED` repeats it, `CHAOS_CALLS` makes it longer.
#[test]
fn a_hundred_thousand_exchanges_with_faults() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = number("CHAOS_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    let calls = number("CHAOS_CALLS").unwrap_or(CALLS) / PIPES;
    let pipes = (0..PIPES).map(|pipe| {
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(seed + pipe, calls))
        })
    });
    let mut tally: HashMap<String, u32> = HashMap::new();
    for pipe in pipes.collect::<Vec<_>>() {
        for (outcome, count) in pipe.join().unwrap() {
            *tally.entry(outcome).or_default() += count;
        }
    }
    // All kinds of ends were met.
    for outcome in ["", "rpc", "stream-lost", "server-error", "timeout", "bad-response", "too-large"] {
        assert!(tally.contains_key(outcome), "{outcome:?}: {tally:?}");
    }
}
