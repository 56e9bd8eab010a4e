//! Every kind of thing that stdin and stdout can be (DESIGN decision 10): pipes, sockets, files, terminals.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::program::{Program, command};
use crate::wire::Wire;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pipe,
    Socket,
    File,
    Terminal,
}

const KINDS: [Kind; 4] = [Kind::Pipe, Kind::Socket, Kind::File, Kind::Terminal];
const CALLS: usize = 40;

/// A terminal that changes nothing: the end of the one who types, and the end of the program.
fn terminal() -> (File, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut modes = tcgetattr(&theirs).unwrap();
    modes.make_raw();
    tcsetattr(&theirs, OptionalActions::Now, &modes).unwrap();
    (File::from(ours), theirs.into())
}

/// The program's end and ours, of something to read from.
fn stdin(kind: Kind, text: &str, folder: &std::path::Path) -> (Stdio, Option<Box<dyn Write + Send>>) {
    match kind {
        Kind::Pipe => {
            let (theirs, ours) = std::io::pipe().unwrap();
            (theirs.into(), Some(Box::new(ours)))
        }
        Kind::Socket => {
            let (ours, theirs) = UnixStream::pair().unwrap();
            (OwnedFd::from(theirs).into(), Some(Box::new(ours)))
        }
        Kind::File => {
            let path = folder.join("in");
            std::fs::write(&path, text).unwrap();
            (File::open(path).unwrap().into(), None)
        }
        Kind::Terminal => {
            let (ours, theirs) = terminal();
            (theirs.into(), Some(Box::new(ours)))
        }
    }
}

/// The same of something to write to.
fn stdout(kind: Kind, folder: &std::path::Path) -> (Stdio, Option<Box<dyn Read + Send>>) {
    match kind {
        Kind::Pipe => {
            let (ours, theirs) = std::io::pipe().unwrap();
            (theirs.into(), Some(Box::new(ours)))
        }
        Kind::Socket => {
            let (ours, theirs) = UnixStream::pair().unwrap();
            (OwnedFd::from(theirs).into(), Some(Box::new(ours)))
        }
        Kind::File => (File::create(folder.join("out")).unwrap().into(), None),
        Kind::Terminal => {
            let (ours, theirs) = terminal();
            (theirs.into(), Some(Box::new(ours)))
        }
    }
}

/// S-01, S-08: each with each. All calls are answered, and the end of stdin is the end.
#[test]
fn whatever_stdin_and_stdout_are_it_works() {
    let result = format!("\"{}\"", "y".repeat(20_000));
    for input in KINDS {
        for output in KINDS {
            let result = result.clone();
            let wire = Wire::start(move |request, reply| {
                (request.method() == "tools/call").then(|| reply.result(request, &result))
            });
            let folder = tempfile::tempdir().unwrap();
            let filler = "x".repeat(20_000);
            let text: String = (0..CALLS)
                .map(|id| {
                    format!(
                        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"f\":\"{filler}\"}}\n"
                    )
                })
                .collect();
            let (theirs, to) = stdin(input, &text, folder.path());
            let (their_out, from) = stdout(output, folder.path());
            let child = command(&wire).stdin(theirs).stdout(their_out).spawn().unwrap();
            let mut program = Program::of(child, None);
            let writer = to.map(|mut to| {
                std::thread::spawn(move || {
                    to.write_all(text.as_bytes()).unwrap();
                    to
                })
            });
            let mut lines = Vec::new();
            if let Some(from) = from {
                let mut from = BufReader::new(from);
                while lines.len() < CALLS {
                    let mut line = String::new();
                    assert!(from.read_line(&mut line).unwrap() > 0, "{input:?} to {output:?}");
                    lines.push(line);
                }
                program.read_from(from);
            }
            // A terminal forgets what was typed and not yet read when the one who types goes away.
            wire.wait_for("tools/call", CALLS);
            drop(writer.map(|writer| writer.join().unwrap()));
            let (begun, busy) = (Instant::now(), program.busy());
            let (code, ..) = program.end(begun, busy);
            assert_eq!(code, Some(0), "{input:?} to {output:?}");
            if output == Kind::File {
                let text = std::fs::read_to_string(folder.path().join("out")).unwrap();
                lines = text.lines().map(str::to_owned).collect();
            }
            let mut ids: Vec<_> = lines
                .iter()
                .map(|line| {
                    let line = line.trim_end();
                    assert!(line.len() > 20_000 && line.ends_with("y\"}"), "{input:?} to {output:?}: {line}");
                    line.split_once("\"id\":").unwrap().1.split(',').next().unwrap().parse::<usize>().unwrap()
                })
                .collect();
            ids.sort_unstable();
            assert_eq!(ids, (0..CALLS).collect::<Vec<_>>(), "{input:?} to {output:?}");
        }
    }
}

/// Row 127: a disk that is full is an end like any other.
#[test]
fn a_stdout_that_takes_nothing_ends_it() {
    let wire = Wire::start(|_, _| None);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut child = command(&wire).stdout(full).spawn().unwrap();
    let to: Box<dyn Write + Send> = Box::new(child.stdin.take().unwrap());
    let mut program = Program::of(child, Some(to));
    program.call("1");
    let (begun, busy) = (Instant::now(), program.busy());
    assert_eq!(program.end(begun, busy).0, Some(0));
}

/// S-08: with nothing to read from there is nothing to do.
#[test]
fn without_a_host_it_ends() {
    let wire = Wire::start(|_, _| None);
    let child = command(&wire).stdin(Stdio::null()).spawn().unwrap();
    let program = Program::of(child, None);
    let (begun, busy) = (Instant::now(), program.busy());
    assert_eq!(program.end(begun, busy).0, Some(0));
    assert!(wire.seen().is_empty());
}
