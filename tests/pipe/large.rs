//! Much, and much at a time: what is too long is dropped while it comes, and a gigabyte leaves nothing behind
//! (P5, row 125). The memory is the kernel's own figure, the peak of the whole life of the process.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::program::Program;
use crate::wire::{Wire, answer};

const MIB: usize = 1 << 20;
const TOO_LARGE: &str = r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-31006,"data":{"name":"too-large","retryable":false,"source":"chipp-auth"},"message":"too-large: a message of the host is longer than 32 MiB. To mend it: ask for less at a time."}}"#;

/// Writes `head`, then so many MiB of filler, then `tail`.
fn long(program: &mut Program, head: &str, mib: usize, tail: &str) {
    let filler = vec![b'x'; MIB];
    program.raw(head);
    for _ in 0..mib {
        program.raw(&filler);
    }
    program.raw(tail);
}

/// Row 125: 100 MB, with the id where it is seen in time and where it is not. 32 MiB may be held, and a copy
/// of nothing.
#[test]
fn a_line_of_100_mb_costs_one_answer_and_no_memory() {
    let wire = Wire::start(|_, _| None);
    let mut program = Program::start(&wire);
    program.greet(&wire);
    program.call("0");
    program.says(r#"{"jsonrpc":"2.0","id":0,"result":{}}"#);
    let before = program.peak();
    for (head, tail, id) in [
        (r#"{"jsonrpc":"2.0","id":"big","method":"a","params":""#, "\"}\n", "\"big\""),
        (r#"{"jsonrpc":"2.0","method":"a","params":""#, "\",\"id\":1}\n", "null"),
        ("rubbish", "\r\n", "null"),
        (r#"{"jsonrpc":"2.0","id":9,"result":""#, "\"}\n", "null"),
    ] {
        long(&mut program, head, 100, tail);
        program.says(&TOO_LARGE.replace("ID", id));
        program.call("1");
        program.says(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    }
    let grown = program.peak() - before;
    assert!(grown <= 40, "{grown} MiB more");
    assert_eq!(wire.count("tools/call"), 5);
    program.finish();
}

/// A line as long as allowed is passed on, and one byte more is not.
#[test]
fn the_limit_is_where_it_says() {
    let wire = Wire::start(|_, _| None);
    let mut program = Program::start(&wire);
    let (head, tail) = (r#"{"jsonrpc":"2.0","id":1,"method":"a","params":""#, "\"}");
    for (length, passes) in [(32 * MIB, true), (32 * MIB + 1, false)] {
        let filler = "x".repeat(length - head.len() - tail.len());
        program.raw(format!("{head}{filler}{tail}\r\n"));
        let expected = match passes {
            true => r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned(),
            false => TOO_LARGE.replace("ID", "1"),
        };
        program.says(&expected);
    }
    let lengths: Vec<_> = wire.seen.lock().unwrap().iter().map(|request| request.length).collect();
    assert_eq!(lengths, [32 * MIB]);
    program.finish();
}

/// P5: a gigabyte without an end of line.
#[test]
fn a_gigabyte_in_one_line() {
    let wire = Wire::start(|_, _| None);
    let mut program = Program::start(&wire);
    program.call("0");
    program.says(r#"{"jsonrpc":"2.0","id":0,"result":{}}"#);
    let before = program.peak();
    long(&mut program, r#"{"id":"g","method":"a","params":""#, 1024, "\"}\n");
    program.says(&TOO_LARGE.replace("ID", "\"g\""));
    let grown = program.peak() - before;
    assert!(grown <= 40, "{grown} MiB more");
    program.call("1");
    program.says(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    program.finish();
}

/// P5: a gigabyte in 1,024 requests, sent faster than the server takes them. Their sum in memory has a limit
/// of 64 MiB; beyond it the host has to wait.
#[test]
fn a_gigabyte_in_many_lines() {
    let taken = Arc::new(AtomicU64::new(0));
    let wire = Wire::start({
        let taken = Arc::clone(&taken);
        move |request, _| {
            taken.fetch_add(request.length as u64, Ordering::SeqCst);
            None
        }
    });
    let mut program = Program::start(&wire);
    program.call("\"first\"");
    program.says(r#"{"jsonrpc":"2.0","id":"first","result":{}}"#);
    let before = program.peak();
    let mut to = program.to.take().unwrap();
    let writer = std::thread::spawn(move || {
        let filler = "x".repeat(MIB);
        for id in 0..1024 {
            let line =
                format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"a\",\"params\":\"{filler}\"}}\n");
            to.write_all(line.as_bytes()).unwrap();
        }
        to
    });
    let mut ids: Vec<_> = (0..1024).map(|_| program.line().unwrap()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 1024, "one answer each");
    assert!(taken.load(Ordering::SeqCst) > 1024 * MIB as u64);
    let grown = program.peak() - before;
    assert!(grown <= 100, "{grown} MiB more");
    program.to = Some(writer.join().unwrap());
    program.finish();
}

/// P5: a gigabyte of answers, as JSON and as events, with eight calls open at a time.
#[test]
fn a_gigabyte_of_answers() {
    let wire = Wire::start(|request, reply| {
        if request.verb != "POST" || request.id() == Some("\"first\"") {
            return None;
        }
        let text = answer(request, &format!("\"{}\"", "y".repeat(MIB)));
        let id: u32 = request.id()?.parse().unwrap();
        Some(if id.is_multiple_of(2) {
            reply.json(&text)
        } else {
            reply.events().and_then(|()| reply.event(&text))
        })
    });
    let mut program = Program::start(&wire);
    program.call("\"first\"");
    program.says(r#"{"jsonrpc":"2.0","id":"first","result":{}}"#);
    let before = program.peak();
    let mut seen = vec![false; 1024];
    for id in 0..1024 + 8 {
        if id < 1024 {
            program.call(&id.to_string());
        }
        if id >= 8 {
            let line = program.line().unwrap();
            assert!(line.len() > MIB);
            let id = line.split_once("\"id\":").unwrap().1.split(',').next().unwrap();
            let before = std::mem::replace(&mut seen[id.parse::<usize>().unwrap()], true);
            assert!(!before, "answered twice: {id}");
        }
    }
    assert!(seen.iter().all(|seen| *seen));
    let grown = program.peak() - before;
    assert!(grown <= 48, "{grown} MiB more");
    program.finish();
}

/// P5: a server that takes connections and reads nothing. What has not left it stays with the host, beyond a
/// limit of 64 MiB for all messages together.
#[test]
fn a_server_that_reads_nothing_is_not_fed() {
    for size in [8 * MIB, 8 * 1024] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Wire::at(format!("http://{}/mcp", listener.local_addr().unwrap()));
        let mut program = Program::unread(&wire);
        let before = program.peak();
        let mut to = program.to.take().unwrap();
        let written = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&written);
        std::thread::spawn(move || {
            let filler = "x".repeat(size);
            for _ in 0..(1024 * MIB) / size {
                let line = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":\"{filler}\"}}\n");
                if to.write_all(line.as_bytes()).is_err() {
                    return;
                }
                count.fetch_add(line.len() as u64, Ordering::SeqCst);
            }
        });
        crate::wire::wait_until("it stands still", || {
            let last = written.load(Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(500));
            last > 16 * MIB as u64 && written.load(Ordering::SeqCst) == last
        });
        let taken = written.load(Ordering::SeqCst) >> 20;
        assert!(taken <= 64 + 40, "{taken} MiB were taken");
        // A line keeps the buffer that it was read into, which may be twice as long.
        let grown = program.peak() - before;
        assert!(grown <= 2 * (64 + 8), "{grown} MiB more");
    }
}
