//! How it ends: with which code, how soon, how busy (S-08 to S-11, P7, rows 126 to 128). The bounds are those
//! of the rows, doubled where a busy machine could miss them.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::program::{HELLO, Program, READY, busy, command};
use crate::wire::{PATIENCE, Wire};

/// After what happened, all that is still to be done takes less (P7).
const LITTLE: Duration = Duration::from_millis(50);

/// A server that answers no call, and does not say goodbye.
fn unwilling() -> Wire {
    Wire::start(|request, reply| ["tools/call", "DELETE"].contains(&request.method()).then(|| reply.hang()))
}

/// Row 126, S-08: with nothing open, EOF ends it at once.
#[test]
fn eof_ends_an_idle_one_at_once() {
    let wire = Wire::start(|request, reply| {
        // The standing stream must hold nobody up.
        (request.verb == "GET").then(|| reply.events().and_then(|()| reply.hang()))
    });
    let mut program = Program::start(&wire);
    program.greet(&wire);
    wire.wait_for("GET", 1);
    let took = program.finish();
    assert!(took < Duration::from_millis(1000), "{took:?}");
    assert_eq!(wire.count("DELETE"), 1);
}

/// Row 126, S-09: what is open gets two seconds, the farewell one, and no call an answer of ours.
#[test]
fn eof_gives_open_calls_two_seconds() {
    let wire = unwilling();
    let mut program = Program::start(&wire);
    program.greet(&wire);
    program.call("1");
    wire.wait_for("tools/call", 1);
    drop(program.to.take());
    let (begun, used) = (Instant::now(), program.busy());
    assert_eq!(program.line(), None);
    let (code, took, used) = program.end(begun, used);
    assert_eq!(code, Some(0));
    assert!(took >= Duration::from_millis(1900) && took < Duration::from_secs(6), "{took:?}");
    assert!(used < LITTLE, "{used:?}");
}

/// A program with a session, and nobody who has read what it wrote.
fn unread(wire: &Wire) -> Program {
    let mut program = Program::unread(wire);
    program.send(HELLO);
    program.send(READY);
    wire.wait_for("notifications/initialized", 1);
    program
}

/// Row 127, S-10: the pipe breaks while an answer is about to come. Nothing more is written or done.
#[test]
fn a_broken_pipe_ends_it_quietly() {
    let wire = Wire::start(|request, _| {
        if request.method() == "tools/call" {
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    });
    let mut program = unread(&wire);
    program.call("1");
    wire.wait_for("tools/call", 1);
    let used = program.busy();
    drop(program.child.stdout.take());
    let (code, took, used) = program.end(Instant::now(), used);
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_millis(1000), "{took:?}");
    assert!(used < LITTLE, "{used:?}");
    assert_eq!(wire.count("DELETE"), 1);
}

/// Row 127, S-10: also while there is nothing to write.
#[test]
fn a_pipe_that_breaks_is_noticed_without_a_write() {
    let wire = Wire::start(|_, _| None);
    let mut program = unread(&wire);
    let (begun, used) = (Instant::now(), program.busy());
    drop(program.child.stdout.take());
    let (code, took, used) = program.end(begun, used);
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_millis(1000), "{took:?}");
    assert!(used < LITTLE, "{used:?}");
    assert_eq!(wire.count("DELETE"), 1);
}

/// S-09: a host that dies closes all of its ends at once. The session is ended all the same.
#[test]
fn a_host_that_dies_leaves_no_session_behind() {
    for _ in 0..10 {
        let wire = Wire::start(|_, _| None);
        let mut program = Program::unread(&wire);
        program.send(HELLO);
        program.send(READY);
        wire.wait_for("GET", 1);
        drop((program.to.take(), program.child.stdout.take()));
        let used = program.busy();
        assert_eq!(program.end(Instant::now(), used).0, Some(0));
        assert_eq!(wire.count("DELETE"), 1);
    }
}

/// Row 127: nobody reads, and then nobody ever will. A write that waits is woken.
#[test]
fn a_pipe_that_breaks_while_it_is_full_ends_it() {
    let wire = Wire::start(|request, reply| {
        (request.method() == "tools/call").then(|| {
            reply.events()?;
            (0..1000).try_for_each(|_| reply.event(r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"a message that is not very long, but there are many of them"}}"#))?;
            reply.hang()
        })
    });
    let mut program = Program::unread(&wire);
    program.call("1");
    wire.wait_for("tools/call", 1);
    let mut sent = 0;
    crate::wire::wait_until("it is full", || {
        std::thread::sleep(Duration::from_millis(100));
        std::mem::replace(&mut sent, wire.sent.load(std::sync::atomic::Ordering::Relaxed)) == sent
            && sent > 100_000
    });
    let used = program.busy();
    drop(program.child.stdout.take());
    let (code, took, used) = program.end(Instant::now(), used);
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_millis(1000), "{took:?}");
    assert!(used < LITTLE, "{used:?}");
}

/// Row 128, S-09: each signal, once. The call is not waited for, the farewell for a second at most.
#[test]
fn each_signal_ends_it_with_its_code() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let wire = unwilling();
        let mut program = Program::start(&wire);
        program.greet(&wire);
        program.call("1");
        wire.wait_for("tools/call", 1);
        let (begun, used) = (Instant::now(), program.busy());
        program.signal(signal);
        assert_eq!(program.line(), None);
        let (ended, took, used) = program.end(begun, used);
        assert_eq!(ended, Some(code), "{signal:?}");
        assert!(took < Duration::from_secs(2), "{signal:?}: {took:?}");
        assert!(used < LITTLE, "{signal:?}: {used:?}");
        assert_eq!(wire.count("DELETE"), 1, "{signal:?}");
    }
}

/// Row 128: each signal, twice. The second waits for nothing.
#[test]
fn each_second_signal_ends_it_at_once() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let wire = unwilling();
        let mut program = Program::start(&wire);
        program.greet(&wire);
        program.signal(signal);
        wire.wait_for("DELETE", 1);
        let (begun, used) = (Instant::now(), program.busy());
        program.signal(signal);
        let (ended, took, _) = program.end(begun, used);
        assert_eq!(ended, Some(code), "{signal:?}");
        assert!(took < Duration::from_millis(500), "{signal:?}: {took:?}");
    }
}

/// Row 128: also before there is a session, while the first answer is waited for, and while nobody reads.
#[test]
fn a_signal_ends_it_at_any_time() {
    let wire = Wire::start(|request, reply| match request.id() {
        Some("\"hello\"") => Some(reply.hang()),
        Some("1") => Some(reply.result(request, &format!("\"{}\"", "y".repeat(1 << 20)))),
        _ => None,
    });
    for lines in [vec!["\n"], vec![HELLO], vec![r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#]] {
        let before = wire.seen().len();
        let mut program = Program::unread(&wire);
        // It has begun to listen when it answers, or sends.
        program.send("rubbish");
        let mut first = [0; 100];
        program.child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        for line in &lines {
            program.send(line);
        }
        crate::wire::wait_until("it is sent", || lines == ["\n"] || wire.seen().len() > before);
        let (begun, used) = (Instant::now(), program.busy());
        program.signal(Signal::TERM);
        let (ended, took, _) = program.end(begun, used);
        assert_eq!(ended, Some(143), "{lines:?}");
        assert!(took < Duration::from_secs(2), "{lines:?}: {took:?}");
    }
}

/// Row 127, P7: whoever started it is killed, and a wrapper between holds the pipe open. Looked for every
/// three seconds; until then it does nothing.
#[test]
fn a_killed_parent_ends_it() {
    let wire = Wire::start(|_, _| None);
    let (stdin, mut to) = std::io::pipe().unwrap();
    let (mut from, stdout) = std::io::pipe().unwrap();
    let program = command(&wire);
    let mut shell = Command::new("sh");
    // The shell prints who it started, and dies when it is told to, without a word to anybody.
    shell.args(["-c", r#"exec 3<&0; "$@" <&3 3<&- & echo $! >&2; wait"#, "sh"]);
    shell.arg(program.get_program()).args(program.get_args()).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PATH", std::env::var_os("PATH").unwrap());
    shell.stdin(stdin.try_clone().unwrap()).stdout(stdout).stderr(Stdio::piped());
    let started = shell.spawn().unwrap();
    // Its copy of stdout's end goes with the command.
    drop(shell);
    let mut shell = started;
    let mut line = String::new();
    let mut said = std::io::BufReader::new(shell.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    let pid = line.trim().parse().unwrap();
    std::io::Write::write_all(&mut to, format!("{HELLO}\n{READY}\n").as_bytes()).unwrap();
    wire.wait_for("notifications/initialized", 1);
    let used = busy(pid);
    let begun = Instant::now();
    shell.kill().unwrap();
    shell.wait().unwrap();
    // stdout ends when its last writer does. The wrapper is this test: its end of stdin stays open.
    let waiting = std::thread::spawn(move || from.read_to_end(&mut Vec::new()).unwrap());
    let mut last = used;
    while !waiting.is_finished() {
        assert!(begun.elapsed() < PATIENCE, "it lives on");
        last = last.max(busy(pid));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert!(last - used < LITTLE, "{:?}", last - used);
    assert_eq!(wire.count("DELETE"), 1);
    drop((to, stdin));
}

/// S-11: killed without warning, it leaves nothing behind that the next one would trip over.
#[test]
fn after_a_crash_the_next_one_works() {
    let wire = Wire::start(|_, _| None);
    for _ in 0..3 {
        let mut program = Program::start(&wire);
        program.greet(&wire);
        program.signal(Signal::KILL);
        assert_eq!(program.line(), None);
    }
    let mut program = Program::start(&wire);
    program.greet(&wire);
    program.call("1");
    program.says(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    program.finish();
}
