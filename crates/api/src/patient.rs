//! Connections whose clients read what they are sent: one that takes nothing for too long fails, or
//! it would keep its place, and its key's, for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a client may take nothing of what is there for it.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Patient<C> {
    connection: C,
    patience: Pin<Box<Sleep>>,
    /// Whether the client was waited for when it was last written to.
    waits: bool,
}

impl<C> Patient<C> {
    pub fn new(connection: C) -> Patient<C> {
        Patient { connection, patience: Box::pin(sleep(PATIENCE)), waits: false }
    }

    /// What came of an attempt to write, or that nothing has come of any for too long.
    fn judged<T>(
        &mut self,
        context: &mut Context<'_>,
        attempt: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if attempt.is_ready() {
            self.waits = false;
            return attempt;
        }
        if !self.waits {
            self.waits = true;
            self.patience.as_mut().reset(Instant::now() + PATIENCE);
        }
        ready!(self.patience.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Patient<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(context, into)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Patient<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.connection).poll_write(context, bytes);
        self.judged(context, attempt)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.connection).poll_write_vectored(context, pieces);
        self.judged(context, attempt)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.connection).poll_flush(context);
        self.judged(context, attempt)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.connection).poll_shutdown(context);
        self.judged(context, attempt)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_waited_for_so_long() {
        let (client, server) = duplex(8);
        let mut server = Patient::new(server);
        let begun = Instant::now();
        let error = server.write_all(b"more than there is room for").await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, PATIENCE));
        drop(client);
    }

    /// However slowly: when some of it is taken, and the system says so, the time begins anew.
    #[tokio::test(start_paused = true)]
    async fn who_takes_little_is_served() {
        let (mut client, server) = duplex(1);
        let mut server = Patient::new(server);
        let sent = tokio::spawn(async move { server.write_all(b"twelve bytes").await });
        let mut got = Vec::new();
        for _ in 0..12 {
            sleep(PATIENCE - Duration::from_secs(1)).await;
            got.push(client.read_u8().await.unwrap());
        }
        sent.await.unwrap().unwrap();
        assert_eq!(got, b"twelve bytes");
    }
}
