//! What it does not say and does not do: no word on stdout that is no message (S-03), nothing but words for
//! people on stderr (S-05), no authorization on this side of it (S-13), no door to others (S-14).

use std::collections::HashSet;

use crate::program::{HELLO, Program, READY, command};
use crate::wire::Wire;

/// S-03, S-05: with the most talkative log, and a server at which everything goes wrong.
#[test]
fn however_much_it_logs_stdout_has_messages_only() {
    let wire = Wire::start(|request, reply| {
        Some(match (request.verb.as_str(), request.id()) {
            ("GET", _) => reply.status("500 Oops"),
            (_, Some("\"hello\"")) => return None,
            (_, Some("1")) => reply.status("503 Busy"),
            (_, Some("2")) => reply.head("200 OK", "text/html", 4).and_then(|()| reply.raw(b"<p>\n")),
            (_, Some("3")) => reply.json("{\"not\":\njson"),
            (_, Some("4")) => {
                reply.events().and_then(|()| reply.event("rubbish")).and_then(|()| reply.event("[1]"))
            }
            (_, Some("5")) => reply.json(r#"{"jsonrpc":"2.0","id":"never asked","result":{}}"#),
            (_, Some(_)) => return None,
            (_, None) => reply.status("400 Bad"),
        })
    });
    let mut child = {
        let mut command = command(&wire);
        command.arg("-vvv").env("RUST_BACKTRACE", "1").spawn().unwrap()
    };
    let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut program = Program::of(child, Some(Box::new(to)));
    program.read_from(from);
    program.send(HELLO);
    program.send(READY);
    program.send("rubbish");
    for id in 1..=6 {
        program.call(&id.to_string());
    }
    let mut ids = HashSet::new();
    for _ in 0..8 {
        let line = program.line().unwrap();
        let message: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        assert!(ids.insert(message["id"].to_string()), "twice: {line}");
    }
    drop(program.to.take());
    assert_eq!(program.line(), None);
    crate::wire::wait_until("it is said on stderr", || program.said().contains("dropped"));
    let said = program.said();
    assert!(!said.contains("Bearer x") && !said.contains("\"s\""), "{said}");
    program.finish();
}

/// S-12: one process, and as many conversations as the host likes to have.
#[test]
fn one_process_serves_one_conversation_after_another() {
    let wire = Wire::start(|_, _| None);
    let mut program = Program::start(&wire);
    for round in 1..=5 {
        for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
            program.send(&HELLO.replace("2025-11-25", revision));
            assert!(program.line().unwrap().contains(revision));
            program.send(READY);
            program.call("1");
            program.says(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        }
        assert_eq!(wire.count("initialize"), round * 4);
    }
    program.finish();
}

/// S-13, S-14: the token is given on the command line; nobody is asked for it, and nobody else can come in.
#[test]
fn it_opens_no_door() {
    let wire = Wire::start(|request, reply| {
        (request.method() == "tools/call").then(|| reply.status("401 Unauthorized"))
    });
    let mut program = Program::start(&wire);
    program.greet(&wire);
    program.call("1");
    let line = program.line().unwrap();
    assert!(line.contains("\"name\":\"login-required\""), "{line}");
    let sockets: HashSet<_> = std::fs::read_dir(format!("/proc/{}/fd", program.child.id()))
        .unwrap()
        .filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok()?.to_str().map(str::to_owned))
        .collect();
    for table in ["tcp", "tcp6"] {
        let table =
            std::fs::read_to_string(format!("/proc/{}/net/{table}", program.child.id())).unwrap_or_default();
        for row in table.lines().skip(1) {
            let cells: Vec<_> = row.split_whitespace().collect();
            // 0A: it listens.
            let listens = cells[3] == "0A" && sockets.contains(&format!("socket:[{}]", cells[9]));
            assert!(!listens, "{row}");
        }
    }
    assert!(sockets.iter().any(|socket| socket.starts_with("socket:")), "nothing was looked at: {sockets:?}");
    program.finish();
}
