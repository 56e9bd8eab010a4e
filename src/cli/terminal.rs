//! What a person types or pastes into the terminal while something else goes on.
//!
//! A thread of its own reads, because a read cannot be taken back; nobody waits for it, not even the end of
//! the process. The terminal's mode belongs to the value and goes back with it, so that a sign-in that
//! ends in the browser, or by Ctrl-C, leaves a terminal that shows what is typed.

use secrecy::SecretString;
use tokio::sync::mpsc;

/// Whether what is typed is shown.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Echo {
    Shown,
    Hidden,
}

/// Lines from the terminal, while this value lives.
pub(super) struct Typed {
    lines: mpsc::UnboundedReceiver<SecretString>,
    _mode: system::Mode,
}

impl Typed {
    /// Begins to read; `None` where nobody can type, or where reading would stop us because another program
    /// has the terminal.
    pub(super) fn start(echo: Echo) -> Option<Typed> {
        let (sender, lines) = mpsc::unbounded_channel();
        let mode = system::Mode::start(echo, sender)?;
        Some(Typed { lines, _mode: mode })
    }

    /// The next line, without its end; `None` when there are no more.
    pub(super) async fn line(&mut self) -> Option<SecretString> {
        self.lines.recv().await
    }
}

/// The longest line, in bytes: an address may be 8 KiB. The rest of a longer one is dropped.
const LONGEST: usize = 16 * 1024;

#[cfg(unix)]
mod system {
    use std::io::{IsTerminal, stdin};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::getpgrp;
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
    };
    use secrecy::SecretString;
    use tokio::sync::mpsc::UnboundedSender;

    use super::{Echo, LONGEST};

    /// How often the reader looks whether it is still wanted.
    const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

    /// The terminal as it was before, if it was changed, and the reader's leave to read.
    pub(super) struct Mode {
        before: Option<Termios>,
        over: Arc<AtomicBool>,
    }

    impl Mode {
        pub(super) fn start(echo: Echo, sender: UnboundedSender<SecretString>) -> Option<Mode> {
            if !stdin().is_terminal() || !is_ours() {
                return None;
            }
            let over = Arc::new(AtomicBool::new(false));
            let mut mode = Mode { before: None, over: Arc::clone(&over) };
            if echo == Echo::Hidden {
                mode.before = Some(hide()?);
            }
            let read = move || reader(&sender, &over);
            std::thread::Builder::new().name("typed".to_owned()).spawn(read).ok()?;
            Some(mode)
        }
    }

    impl Drop for Mode {
        fn drop(&mut self) {
            self.over.store(true, Ordering::Relaxed);
            // Changing a terminal that another program has would stop us.
            if let Some(before) = self.before.as_ref().filter(|_| is_ours()) {
                let _ = tcsetattr(stdin(), OptionalActions::Now, before);
            }
        }
    }

    /// Whether we may read: whoever does so in the background of his own terminal is stopped. Any other
    /// terminal stops nobody.
    fn is_ours() -> bool {
        tcgetpgrp(stdin()).map_or(true, |foreground| foreground == getpgrp())
    }

    /// Hides what is typed, and takes it as it comes: a terminal that edits lines itself cuts them at 4096
    /// bytes, on macOS at 1024, and codes are longer than that at some servers. Ctrl-C stays a signal.
    fn hide() -> Option<Termios> {
        let before = tcgetattr(stdin()).ok()?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON);
        hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
        hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Now, &hidden).ok()?;
        Some(before)
    }

    fn reader(sender: &UnboundedSender<SecretString>, over: &AtomicBool) {
        let mut line = Vec::new();
        loop {
            let ready = poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], Some(&LOOK));
            if over.load(Ordering::Relaxed) {
                return;
            }
            match ready {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(_) => return,
            }
            let mut bytes = [0; 4096];
            let Ok(read @ 1..) = rustix::io::read(stdin(), &mut bytes) else { return };
            for byte in &bytes[..read] {
                match byte {
                    b'\r' | b'\n' => {
                        let text = String::from_utf8_lossy(&line).into_owned();
                        line.clear();
                        if sender.send(text.into()).is_err() {
                            return;
                        }
                    }
                    // Ctrl-D on an empty line.
                    4 if line.is_empty() => return,
                    // Backspace, and Ctrl-U.
                    8 | 127 => drop(line.pop()),
                    21 => line.clear(),
                    byte if line.len() < LONGEST && !byte.is_ascii_control() => line.push(*byte),
                    _ => {}
                }
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io::{BufRead, IsTerminal, Read, stdin};

    use secrecy::SecretString;
    use tokio::sync::mpsc::UnboundedSender;

    use super::{Echo, LONGEST};

    /// The console puts its mode back at the end of each line.
    pub(super) struct Mode;

    impl Mode {
        pub(super) fn start(echo: Echo, sender: UnboundedSender<SecretString>) -> Option<Mode> {
            if !stdin().is_terminal() {
                return None;
            }
            let next = move || match echo {
                Echo::Hidden => rpassword::read_password().ok(),
                Echo::Shown => {
                    let mut line = String::new();
                    let read = stdin().lock().take(LONGEST as u64).read_line(&mut line).ok()?;
                    (read > 0).then(|| line.trim_end().to_owned())
                }
            };
            let read = move || while next().is_some_and(|line| sender.send(line.into()).is_ok()) {};
            std::thread::Builder::new().name("typed".to_owned()).spawn(read).ok()?;
            Some(Mode)
        }
    }
}
