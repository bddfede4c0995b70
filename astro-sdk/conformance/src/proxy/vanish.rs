//! Connections whose other end is gone without a word, as when a cable is pulled.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Whether this end is still there for a connection; shared by all of one fault service.
#[derive(Debug, Clone, Default)]
pub(super) struct Presence {
    /// How often it ended.
    ends: Arc<AtomicUsize>,
}

impl Presence {
    /// Ends it for the connections that are open.
    pub(super) fn end(&self) {
        self.ends.fetch_add(1, Ordering::SeqCst);
    }

    /// The connection, for as long as this end is there.
    pub(super) fn of<S>(&self, stream: S) -> Present<S> {
        Present { stream, presence: self.clone(), since: self.ends.load(Ordering::SeqCst) }
    }
}

/// A connection on which nothing is read or written once its presence has ended.
pub(super) struct Present<S> {
    stream: S,
    presence: Presence,
    since: usize,
}

impl<S> Present<S> {
    /// Nobody is woken again: what is not there has nothing to say.
    fn is_over(&self) -> bool {
        self.presence.ends.load(Ordering::SeqCst) > self.since
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Present<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over() {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Present<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_over() {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_over() {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_over() {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
