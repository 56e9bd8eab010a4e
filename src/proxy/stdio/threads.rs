//! stdin and stdout on threads of their own, for whatever cannot be polled.
//!
//! Plain threads and not the runtime's: a read that is waiting cannot be stopped, and the runtime would
//! wait for it at the end (crates.md 8). Each holds one message at most, so a slow end slows the other.

use std::io::{self, Read, Write};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// Reads stdin on a thread.
pub(super) fn stdin() -> mpsc::Receiver<io::Result<Bytes>> {
    let (to, from) = mpsc::channel(1);
    let failed = to.clone();
    let reader = std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut chunk = vec![0; 64 << 10];
        loop {
            let read = match stdin.read(&mut chunk) {
                Ok(0) => return,
                Ok(count) => Ok(Bytes::copy_from_slice(&chunk[..count])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let failed = read.is_err();
            if to.blocking_send(read).is_err() || failed {
                return;
            }
        }
    });
    if let Err(error) = reader {
        let _ = failed.try_send(Err(error));
    }
    from
}

/// Writes stdout on a thread.
pub(super) struct Writer(std::sync::mpsc::SyncSender<Job>);

type Job = (Vec<u8>, oneshot::Sender<io::Result<()>>);

/// Starts the thread that writes stdout.
pub(super) fn stdout() -> Writer {
    let (to, from) = std::sync::mpsc::sync_channel::<Job>(1);
    // If no thread can be had, the channel is closed and the first write says so.
    let _ = std::thread::Builder::new().name("stdout".to_owned()).spawn(move || {
        let mut stdout = io::stdout().lock();
        while let Ok((line, done)) = from.recv() {
            let _ = done.send(stdout.write_all(&line).and_then(|()| stdout.flush()));
        }
    });
    Writer(to)
}

impl Writer {
    /// Writes all of `line`; returns when that is done.
    pub(super) async fn write(&mut self, line: Vec<u8>) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let (done, wait) = oneshot::channel();
        // Never full: the one message before has been written, since its writer waited for it.
        self.0.try_send((line, done)).map_err(|_| gone())?;
        wait.await.map_err(|_| gone())?
    }
}
