//! A person at a terminal: the program on a pseudo-terminal, what it shows, and what is typed.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::house::LONG;

pub struct Desk {
    child: Child,
    keyboard: File,
    shown: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Desk {
    /// Runs a command with stdin, stdout and stderr on a terminal.
    pub fn start(mut command: Command) -> Desk {
        let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || File::options().read(true).write(true).open(&name).unwrap();
        let child = command
            .stdin(Stdio::from(slave()))
            .stdout(Stdio::from(slave()))
            .stderr(Stdio::from(slave()))
            .spawn()
            .unwrap();
        // What holds the other side's descriptors goes, or the end of the child would not be seen.
        drop(command);
        let keyboard = File::from(master);
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut screen, all) = (keyboard.try_clone().unwrap(), Arc::clone(&shown));
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = screen.read(&mut bytes) {
                all.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        Desk { child, keyboard, shown, reader: Some(reader) }
    }

    /// Everything shown so far.
    pub fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Waits until something is shown `times` times.
    pub fn until(&self, text: &str, times: usize) -> String {
        let begun = Instant::now();
        loop {
            let shown = self.shown();
            if shown.matches(text).count() >= times {
                return shown;
            }
            assert!(begun.elapsed() < LONG, "{text} is not in {shown}");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// The address to open: a line of its own.
    pub fn url(&self) -> String {
        let shown = self.until("Waiting for you", 1);
        let line = shown.lines().find(|line| line.contains("/authorize?")).unwrap();
        line.trim().to_owned()
    }

    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Whether the terminal shows what is typed.
    pub fn echoes(&self) -> bool {
        tcgetattr(&self.keyboard).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    pub fn interrupt(&self) {
        kill_process(Pid::from_raw(self.child.id() as i32).unwrap(), Signal::INT).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id() as i32).unwrap(), signal).unwrap();
    }

    /// The exit code, once everything is shown that was written.
    pub fn end(&mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // The other side is closed now, which the reader notices.
                self.reader.take().map(JoinHandle::join);
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < LONG, "still running: {}", self.shown());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
