//! A pipe that holds more than the usual 64 KiB once a large message is on its way. Each time that a pipe is
//! full or empty one process has to wake the other, and for a large message that costs more than the copying.
//!
//! Not before: the system counts the room of all pipes of a user, and a user with many sessions would find his
//! other programs with small ones.

use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much the pipe should hold then, in bytes. Any process may have that much.
const ROOM: usize = 512 << 10;
/// What is read or written at once of a large message, in bytes.
const LARGE: usize = 32 << 10;

pub(super) struct Wide<P> {
    pipe: P,
    widened: bool,
}

impl<P: AsFd> Wide<P> {
    pub(super) fn new(pipe: P) -> Self {
        Wide { pipe, widened: false }
    }

    fn see(&mut self, size: usize) {
        if size >= LARGE && !std::mem::replace(&mut self.widened, true) {
            // It does not matter if the system refuses.
            let _ = rustix::pipe::fcntl_setpipe_size(&self.pipe, ROOM);
        }
    }
}

impl<P: AsFd + AsyncRead + Unpin> AsyncRead for Wide<P> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.pipe).poll_read(cx, buf));
        self.see(buf.filled().len() - before);
        Poll::Ready(read)
    }
}

impl<P: AsFd + AsyncWrite + Unpin> AsyncWrite for Wide<P> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.see(buf.len());
        Pin::new(&mut self.pipe).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::unix::pipe::{Receiver, Sender};

    use super::*;

    fn room(pipe: &impl AsFd) -> usize {
        rustix::pipe::fcntl_getpipe_size(pipe).unwrap()
    }

    #[tokio::test]
    async fn a_pipe_is_widened_by_a_large_message_and_no_other() {
        let (from, to) = std::io::pipe().unwrap();
        let usual = room(&from);
        let mut to = Wide::new(Sender::from_owned_fd(OwnedFd::from(to)).unwrap());
        let mut from = Wide::new(Receiver::from_owned_fd(OwnedFd::from(from)).unwrap());
        let mut into = vec![0; LARGE];
        to.write_all(&[1; LARGE - 1]).await.unwrap();
        from.read_exact(&mut into[1..]).await.unwrap();
        assert_eq!(room(&to.pipe), usual);
        to.write_all(&[1; LARGE]).await.unwrap();
        assert!(to.widened && !from.widened && room(&to.pipe) > usual);
        from.read_exact(&mut into).await.unwrap();
        assert!(from.widened);
    }
}
