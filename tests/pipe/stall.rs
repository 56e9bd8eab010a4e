//! A host that does not read (row 129): nothing is fetched that cannot be handed on, nothing grows, and
//! nothing is missing when it reads again.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::program::{Program, command};
use crate::wire::{PATIENCE, Wire, answer};

/// The size of a message, and how many there are.
const SIZE: usize = 256 << 10;
const MANY: usize = 400;
/// What may be under way: four messages, and the buffers of the sockets, which the kernel lets grow to 4 MiB
/// on the one side and to 6 on the other, and the HTTP library's.
const UNDER_WAY: u64 = (4 * SIZE + (11 << 20)) as u64;

/// Waits until the server gets rid of nothing more for a while; how much it was.
fn standstill(wire: &Wire) -> u64 {
    let begun = Instant::now();
    let mut last = (0, Instant::now());
    loop {
        let sent = wire.sent.load(Ordering::Relaxed);
        if sent != last.0 {
            last = (sent, Instant::now());
        } else if sent > SIZE as u64 && last.1.elapsed() > Duration::from_secs(1) {
            return sent;
        }
        assert!(begun.elapsed() < PATIENCE, "no end: {sent}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn note(number: usize) -> String {
    let filler = "z".repeat(SIZE);
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"n":{number},"data":"{filler}"}}}}"#
    )
}

/// On the stream of a call, over a pipe and over a socket.
#[test]
fn a_stream_waits_for_the_host() {
    for over_socket in [false, true] {
        let wire = Wire::start(|request, reply| {
            (request.method() == "tools/call" && request.id() == Some("7")).then(|| {
                reply.events()?;
                (0..MANY).try_for_each(|number| reply.event(&note(number)))?;
                reply.event(&answer(request, "{}"))
            })
        });
        let (mut program, from) = start(&wire, over_socket);
        program.call("7");
        wire.wait_for("tools/call", 1);
        let before = program.peak();
        let sent = standstill(&wire);
        assert!(sent <= UNDER_WAY, "{sent} bytes were sent to somebody who does not read");
        let grown = program.peak() - before;
        assert!(grown <= 8, "{grown} MiB more");
        // It waits, and does not ask again and again.
        let busy = program.busy();
        std::thread::sleep(Duration::from_millis(500));
        assert!(program.busy() - busy <= Duration::from_millis(20));
        program.read_from(from);
        for number in 0..MANY {
            let line = program.line().unwrap();
            assert!(line.trim_end() == note(number), "lost or changed: {number}");
        }
        program.says(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
        program.finish();
    }
}

/// Many calls whose answers come all at once: of the large ones only a few are read.
#[test]
fn many_answers_wait_for_the_host() {
    const LARGE: usize = 4 << 20;
    let wire = Wire::start(|request, reply| {
        (request.method() == "tools/call")
            .then(|| reply.result(request, &format!("\"{}\"", "y".repeat(LARGE))))
    });
    let (mut program, from) = start(&wire, false);
    let before = program.peak();
    for id in 0..64 {
        program.call(&id.to_string());
    }
    wire.wait_for("tools/call", 64);
    standstill(&wire);
    let grown = program.peak() - before;
    assert!(grown <= 96, "{grown} MiB more, of 256");
    program.read_from(from);
    let mut lines: Vec<_> = (0..64)
        .map(|_| {
            let line = program.line().unwrap();
            assert!(line.len() > LARGE);
            line[..40].to_owned()
        })
        .collect();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 64, "one answer each");
    program.finish();
}

/// What a host writes while it does not read waits in the pipe as well.
#[test]
fn nothing_is_read_for_a_host_that_reads_nothing() {
    let wire = Wire::start(|_, _| None);
    let (mut program, from) = start(&wire, false);
    let mut to = program.to.take().unwrap();
    let writer = std::thread::spawn(move || {
        for _ in 0..50_000 {
            std::io::Write::write_all(&mut to, b"rubbish rubbish rubbish\n").unwrap();
        }
        to
    });
    std::thread::sleep(Duration::from_secs(1));
    assert!(!writer.is_finished(), "1.2 MB were taken, and the answers to them kept");
    program.read_from(from);
    for _ in 0..50_000 {
        assert!(program.line().unwrap().contains("-32700"));
    }
    program.to = Some(writer.join().unwrap());
    program.finish();
}

/// A program whose stdout nobody reads yet, and the end from which it can be read.
fn start(wire: &Wire, over_socket: bool) -> (Program, Box<dyn Read + Send>) {
    if over_socket {
        let (from, stdout) = UnixStream::pair().unwrap();
        let stdout = Stdio::from(std::os::fd::OwnedFd::from(stdout));
        let mut child = command(wire).stdout(stdout).spawn().unwrap();
        let to = child.stdin.take().unwrap();
        return (Program::of(child, Some(Box::new(to))), Box::new(from));
    }
    let mut program = Program::unread(wire);
    let from = program.child.stdout.take().unwrap();
    (program, Box::new(from))
}
