//! The server of the random exchanges: does to each call what its plan says, and writes down what it has done.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::dice::Dice;
use super::plan::{Fate, Plan};
use super::reply::{EVENTS, HELLO, Reply, Step, chunk, rpc};
use super::server::{Seen, listen};

const JSON: &str = "content-type: application/json\r\n";
/// Longer than anything takes, in a test that works.
const AT_LAST: Duration = Duration::from_secs(5);

/// What has happened, seen from the server.
#[derive(Default)]
pub struct Log {
    /// How often each tool call was carried out.
    pub executed: HashMap<u64, u32>,
    /// How often a call was refused without being carried out: because of the token, or of the session.
    pub refused: HashMap<u64, u32>,
    pub forgotten: HashMap<u64, u32>,
    /// Calls that the host was said to have cancelled.
    pub cancelled: HashMap<u64, Arc<Notify>>,
    /// Questions to the host, and the doors behind which their answers are awaited.
    asked: HashMap<u64, Arc<Notify>>,
    lent: VecDeque<String>,
    sessions: HashSet<String>,
    /// The newest session.
    pub session: String,
    opened: u64,
    pub deleted: Vec<String>,
    pub renewals: u64,
    /// How often all sessions were forgotten, restarts included.
    pub losses: u32,
    pub restarts: u32,
    pub resumed: u64,
    pub answers: u64,
    /// What no client may do.
    pub faults: Vec<String>,
}

/// The server.
pub struct World {
    pub url: url::Url,
    pub seed: u64,
    log: Arc<Mutex<Log>>,
}

impl World {
    pub async fn start(seed: u64) -> Self {
        let log: Arc<Mutex<Log>> = Arc::default();
        let (stop, stopped) = watch::channel(0);
        let to = Arc::clone(&log);
        let url =
            listen(Arc::new(move |seen: &Seen| serve(seen, seed, &mut to.lock().unwrap(), &stop)), stopped);
        World { url: url.await, seed, log }
    }

    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }
}

fn serve(seen: &Seen, seed: u64, log: &mut Log, stop: &watch::Sender<u32>) -> Reply {
    let session = seen.header("mcp-session-id").unwrap_or_default().to_owned();
    let known = log.sessions.contains(&session);
    match (seen.verb.as_str(), seen.method()) {
        ("DELETE", _) => {
            log.deleted.push(session);
            return Reply::status(200, "");
        }
        ("GET", _) if !known => return Reply::status(404, ""),
        ("GET", _) => return get(seen, seed, log),
        ("POST", "initialize") => {
            log.session = format!("session-{}", log.opened);
            log.opened += 1;
            log.renewals += u64::from(log.opened > 1);
            log.sessions.insert(log.session.clone());
            let headers = format!("{JSON}mcp-session-id: {}\r\n", log.session);
            return Reply::body(200, &headers, &rpc(seen.id(), HELLO));
        }
        ("POST", "tools/call") => {}
        ("POST", _) if !known => return Reply::status(404, ""),
        ("POST", "notifications/cancelled") => {
            if let Some(key) = key_of_id(&seen.message["params"]["requestId"]) {
                log.cancelled.entry(key).or_default().notify_one();
                if Plan::of(seed, key).modern {
                    log.faults
                        .push(format!("a cancellation was posted for {key}, which knows of no session"));
                }
            }
            return Reply::status(202, "");
        }
        ("POST", "notifications/initialized") => return Reply::status(202, ""),
        ("POST", _) if seen.message["result"]["answers"].is_u64() => {
            let key = seen.message["result"]["answers"].as_u64().unwrap();
            log.answers += 1;
            match log.asked.remove(&key) {
                Some(door) => door.notify_one(),
                None => log.faults.push(format!("an answer to no question: {key}")),
            }
            return Reply::status(202, "");
        }
        ("POST", _) => return Reply::usual(seen),
        (verb, _) => panic!("{verb}"),
    }
    let Some(key) = seen.message["params"]["arguments"]["key"].as_u64() else {
        return Reply::status(400, "");
    };
    let mut plan = Plan::of(seed, key);
    if plan.modern == seen.header("mcp-session-id").is_some() {
        log.faults.push(format!("{key} has a session, or lacks one"));
    }
    // Both cut off what other calls have under way, so each happens once.
    if plan.forgets && !log.executed.contains_key(&key) && !log.forgotten.contains_key(&key) {
        log.sessions.clear();
        log.losses += 1;
    }
    if !plan.modern && !log.sessions.contains(&session) {
        *log.forgotten.entry(key).or_default() += 1;
        return Reply::status(404, "");
    }
    let refused = log.refused.entry(key).or_default();
    *refused += 1;
    match plan.fate {
        Fate::Unauthorized if *refused == 1 => return Reply::status(401, "www-authenticate: Bearer\r\n"),
        Fate::Busy if *refused == 1 => return Reply::status(429, "retry-after: 0\r\n"),
        _ => {}
    }
    *log.executed.entry(key).or_default() += 1;
    if plan.restarts {
        log.sessions.clear();
        log.restarts += 1;
        log.losses += 1;
        let _ = stop.send(log.restarts);
    }
    carry_out(&mut plan, log)
}

/// The number of the call that has this id.
pub fn key_of_id(id: &Value) -> Option<u64> {
    match id.as_str() {
        Some(text) => text.strip_prefix("call-")?.parse().ok(),
        None => {
            let text = id.to_string();
            text.strip_prefix("1234567890").unwrap_or(&text).parse().ok()
        }
    }
}

fn carry_out(plan: &mut Plan, log: &mut Log) -> Reply {
    let answer = plan.answer();
    let text = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: {}\r\n\r\n{answer}", answer.len());
    let event = format!("data: {answer}\n\n");
    let notes = (0..plan.notes).map(|n| format!("data: {}\n\n", plan.note(n))).collect::<String>();
    let begin = Reply::events;
    match plan.fate {
        Fate::Json | Fate::Unauthorized | Fate::Busy => Reply::raw(text),
        Fate::Drip => pieces(&text, &mut plan.dice),
        Fate::LastWords => {
            let head =
                format!("HTTP/1.1 200 OK\r\n{JSON}connection: close\r\ntransfer-encoding: chunked\r\n\r\n");
            Reply::raw(head).bytes(chunk(&answer)).end().step(Step::Close)
        }
        Fate::Stream => match log.lent.pop_front() {
            Some(other) if !plan.modern => begin().chunk(notes).event(other).chunk(event).end(),
            _ => begin().chunk(notes + &event).end(),
        },
        Fate::StreamDrip => {
            let body = format!("{EVENTS}\r\n{}0\r\n\r\n", chunk(&format!(": hello\n\n{notes}{event}")));
            pieces(&body, &mut plan.dice)
        }
        Fate::StreamOpen => begin().chunk(notes).chunk(event).wait(Duration::from_millis(30)).end(),
        Fate::Twice => begin().chunk(event.repeat(2)).end(),
        Fate::Strangers => {
            let other = Plan { key: plan.key + 1_000_000_000, ..plan.clone() };
            begin().event(other.answer()).event(rpc(&Value::Null, "{}")).event("{ no JSON").chunk(event).end()
        }
        Fate::Lent => {
            log.lent.push_back(answer);
            begin().chunk(": elsewhere\n\n").wait(Duration::from_millis(20)).chunk(event).end()
        }
        Fate::Ask => {
            let door = Arc::new(Notify::new());
            log.asked.insert(plan.key, Arc::clone(&door));
            let key = plan.key;
            let ask = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"ask-{key}\",\"method\":\"roots/list\"}}");
            begin().chunk(notes).event(ask).step(Step::Until(within(door))).chunk(event).end()
        }
        Fate::Polled | Fate::Resumable => resumable(plan, 0),
        Fate::Rpc(status) => {
            let (id, key) = (plan.id(), plan.key);
            let error =
                format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"of {key}"}}}}"#);
            Reply::body(status, JSON, &error)
        }
        Fate::Slow => {
            let door = Arc::clone(log.cancelled.entry(plan.key).or_default());
            let late = begin().chunk(": working\n\n").step(Step::Until(Box::pin(async move {
                let _ = timeout(Duration::from_millis(200), door.notified()).await;
            })));
            // Half of the servers answer even then.
            if plan.cancel.is_some() && plan.dice.permille(500) {
                late.end()
            } else {
                late.chunk(event).end()
            }
        }
        Fate::NoHead => Reply::default().step(Step::Close),
        Fate::Reset => Reply::default().step(Step::Reset),
        Fate::HalfHead => Reply::raw("HTTP/1.1 200 OK\r\ncontent-ty").step(Step::Close),
        Fate::HalfBody => Reply::raw(text[..text.len() - 5].to_owned()).step(Step::Close),
        Fate::HalfEvent => begin().chunk(&event[..event.len() - 1]).step(Step::Close),
        Fate::Status(status) => Reply::status(status, ""),
        Fate::Accepted => Reply::status(202, ""),
        Fate::Empty => Reply::status(200, JSON),
        Fate::Html => Reply::body(200, "content-type: text/html\r\n", "<html>"),
        Fate::Silent => Reply::default().step(Step::Hold),
        Fate::SilentStream => begin().step(Step::Hold),
    }
}

/// Waits for the host's answer, but not for ever: it may have been cut off.
fn within(door: Arc<Notify>) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let _ = timeout(AT_LAST, door.notified()).await;
    })
}

/// Some bytes, a few at a time.
fn pieces(text: &str, dice: &mut Dice) -> Reply {
    let mut reply = Reply::default();
    let mut rest = text.as_bytes();
    for _ in 0..dice.below(5) {
        let at = usize::try_from(dice.below(rest.len() as u64)).unwrap();
        reply = reply.bytes(rest[..at].to_vec()).wait(Duration::from_millis(dice.below(3)));
        rest = &rest[at..];
    }
    reply.bytes(rest.to_vec())
}

/// The stream of a call from its event `from` on. Event `n` is its notification `n`; the last one is the answer.
fn resumable(plan: &mut Plan, from: u64) -> Reply {
    let key = plan.key;
    let event = |n: u64| {
        let data = if n < plan.notes { plan.note(n) } else { plan.answer() };
        format!("id: {key}.{n}\ndata: {data}\n\n")
    };
    let reply = Reply::events();
    // What is before the first event, so that the stream can be resumed even before it.
    let reply = if from == 0 { reply.chunk(format!("id: {key}.begin\nretry: 5\ndata:\n\n")) } else { reply };
    let left = from..=plan.notes;
    match plan.fate {
        Fate::Polled => left.take(2).fold(reply, |reply, n| reply.chunk(event(n))).end(),
        // The first stream breaks in the middle of the next event but one.
        _ if from == 0 && plan.notes > 0 => {
            let half = event(1);
            reply.chunk(event(0)).chunk(&half[..half.len() - 1]).step(Step::Close)
        }
        _ => left.fold(reply, |reply, n| reply.chunk(event(n))).end(),
    }
}

/// A stream that is resumed, or the one for the server's own messages.
fn get(seen: &Seen, seed: u64, log: &mut Log) -> Reply {
    let last = seen.header("last-event-id").unwrap_or_default();
    if let Some((key, n)) = last.split_once('.')
        && let Ok(key) = key.parse()
    {
        log.resumed += 1;
        let from = n.parse::<u64>().map_or(0, |n| n + 1);
        let mut plan = Plan::of(seed, key);
        if from > plan.notes {
            log.faults.push(format!("{key} is resumed after its end"));
        }
        return resumable(&mut plan, from);
    }
    let session = &seen.header("mcp-session-id").unwrap_or_default()["session-".len()..];
    let from = last.strip_prefix("own.").map_or(0, |n| n.parse::<u64>().unwrap() + 1);
    let mut dice = Dice::of(seed, from.wrapping_add(1 << 40));
    let most = from + 5 + dice.below(60);
    let reply = (from..most).fold(Reply::events().chunk("retry: 5\n\n"), |reply, n| {
        let params = format!("{{\"session\":{session},\"n\":{n}}}");
        reply
            .wait(Duration::from_millis(dice.below(20)))
            .chunk(format!("id: own.{n}\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{params}}}\n\n"))
    });
    if dice.permille(500) { reply.end() } else { reply.step(Step::Close) }
}
