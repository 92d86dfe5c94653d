//! A connection whose other side does not read: what was to be written to it is not waited for without end.

use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::time::Sleep;

/// How long all that is to be written may take from the moment it does not go on at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connection, which fails when it is not read from.
pub struct Unread<T> {
    inner: T,
    /// Runs while something waits to be written.
    until: Option<Pin<Box<Sleep>>>,
}

impl<T> Unread<T> {
    /// Watches over a connection.
    pub fn new(inner: T) -> Unread<T> {
        Unread { inner, until: None }
    }

    /// The same, unless it was waited for long enough.
    fn bounded<R>(&mut self, context: &mut Context<'_>, written: Poll<std::io::Result<R>>) -> Poll<std::io::Result<R>> {
        if written.is_ready() {
            return written;
        }
        let until = self.until.get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
        ready!(until.as_mut().poll(context));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the answer is not read")))
    }
}

impl<T: Read + Unpin> Read for Unread<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: Write + Unpin> Write for Unread<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.bounded(context, written)
    }

    /// Asked for when all is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.until = None;
        }
        self.bounded(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, parts);
        self.bounded(context, written)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_side_that_does_not_read_is_given_up_and_one_that_reads_is_not() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut near = Unread::new(TokioIo::new(near));
        let mut bytes = [0; 8];
        for _ in 0..3 {
            let written = poll_fn(|context| Pin::new(&mut near).poll_write(context, b"12345678")).await;
            assert_eq!(written.unwrap(), 8);
            let full = poll_fn(|context| Poll::Ready(Pin::new(&mut near).poll_write(context, b"x").is_pending())).await;
            assert!(full);
            tokio::time::advance(PATIENCE / 2).await;
            far.read_exact(&mut bytes).await.unwrap();
            poll_fn(|context| Pin::new(&mut near).poll_flush(context)).await.unwrap();
        }
        let written = poll_fn(|context| Pin::new(&mut near).poll_write(context, b"12345678")).await;
        assert_eq!(written.unwrap(), 8);
        let stuck = poll_fn(|context| Pin::new(&mut near).poll_write(context, b"x"));
        let stuck = tokio::time::timeout(PATIENCE * 2, stuck).await.expect("it is not waited for without end");
        assert_eq!(stuck.unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
