//! stdin and stdout in the runtime's own poll loop. All code that knows one system is here.
//!
//! `O_NONBLOCK` belongs to the open file description, which we share with the host and with whatever
//! else it gave its stderr or stdin to: setting it would break them (and Node sets it back). A pipe is
//! therefore opened anew, which gives a description of our own; on a socket, which Node hands out,
//! each call says by itself that it does not want to wait.

#[cfg(target_os = "linux")]
mod wide;

use std::io;
use std::pin::Pin;
#[cfg(target_os = "linux")]
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::FileType;
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

#[cfg(target_os = "linux")]
use crate::proxy::latch::Latch;

/// stdin, if it can be polled.
pub(super) fn stdin() -> Option<Box<dyn AsyncRead + Send + Unpin>> {
    let fd = rustix::stdio::stdin();
    match file_type(fd)? {
        #[cfg(target_os = "linux")]
        FileType::Fifo => {
            let pipe = tokio::net::unix::pipe::OpenOptions::new().open_receiver("/proc/self/fd/0").ok()?;
            Some(Box::new(wide::Wide::new(pipe)))
        }
        FileType::Socket => Some(Box::new(Socket::new(fd, Interest::READABLE)?)),
        _ => None,
    }
}

/// stdout, if it can be polled.
pub(super) fn stdout() -> Option<Box<dyn AsyncWrite + Send + Unpin>> {
    let fd = rustix::stdio::stdout();
    match file_type(fd)? {
        #[cfg(target_os = "linux")]
        FileType::Fifo => {
            let pipe = tokio::net::unix::pipe::OpenOptions::new().open_sender("/proc/self/fd/1").ok()?;
            Some(Box::new(wide::Wide::new(pipe)))
        }
        FileType::Socket => Some(Box::new(Socket::new(fd, Interest::WRITABLE)?)),
        _ => None,
    }
}

/// Opens `door` when nobody reads our stdout any more. Pipes only: of a socket the kernel says so as well when
/// just one direction was closed, and some hosts begin with that.
#[cfg(target_os = "linux")]
pub(super) async fn reader_left(door: Arc<Latch>) {
    let stdout = rustix::stdio::stdout();
    if file_type(stdout) != Some(FileType::Fifo) {
        return;
    }
    let Ok(copy) = rustix::io::fcntl_dupfd_cloexec(stdout, 3) else { return };
    #[expect(deprecated, reason = "sound for an OwnedFd, as below")]
    let Ok(pipe) = AsyncFd::with_interest(copy, Interest::ERROR) else { return };
    if pipe.ready(Interest::ERROR).await.is_ok() {
        door.open();
    }
}

fn file_type(fd: BorrowedFd<'_>) -> Option<FileType> {
    rustix::fs::fstat(fd).ok().map(|stat| FileType::from_raw_mode(stat.st_mode))
}

/// A socket whose description stays as it is.
struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    fn new(fd: BorrowedFd<'_>, interest: Interest) -> Option<Self> {
        // A copy, because closing it must not close stdin or stdout itself.
        let fd = rustix::io::fcntl_dupfd_cloexec(fd, 3).ok()?;
        // Deprecated because a type could change its descriptor behind the runtime's back; an `OwnedFd`
        // cannot. The new constructor is the same, but unsafe, and unsafe code is forbidden here.
        #[expect(deprecated, reason = "sound for an OwnedFd, see above")]
        AsyncFd::with_interest(fd, interest).ok().map(Socket)
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            // At most 16 KiB at a time: the room has to be cleared before it is read into.
            let room = buf.remaining().min(16 << 10);
            let into = buf.initialize_unfilled_to(room);
            let read = ready.try_io(|fd| {
                let flags = RecvFlags::DONTWAIT;
                rustix::io::retry_on_intr(|| rustix::net::recv(fd, &mut *into, flags)).map_err(Into::into)
            });
            match read {
                Ok(Ok((_, count))) => {
                    // Less than there was room for: the socket is empty, and asking again would only
                    // tell that. New bytes, or the end, are told anew.
                    if count > 0 && count < room {
                        ready.clear_ready();
                    }
                    buf.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            let sent = ready.try_io(|fd| {
                let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                rustix::io::retry_on_intr(|| rustix::net::send(fd, buf, flags)).map_err(Into::into)
            });
            match sent {
                Ok(result) => return Poll::Ready(result),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
