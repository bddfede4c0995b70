//! Accepts connections, no more than the process can hold, and ends those that say nothing.
use super::connections::{Connections, Seat};
use super::door::Visit;
use super::limits::{ACCEPT_PAUSE, Bounds, COMPLAINT_EVERY, FILES_RESERVED, FILES_WANTED};
use super::tls::Tls;
use crate::outside::{Listening, Stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// Raises the soft limit of open files as far as the system lets us: each connection is one.
pub fn raise_file_limit() {
    let now = getrlimit(Resource::Nofile);
    let most = now.maximum.map_or(FILES_WANTED, |most| most.min(FILES_WANTED));
    if now.current.is_some_and(|current| current < most) {
        let raised = Rlimit { current: Some(most), maximum: now.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!("The limit of open files cannot be raised to {most}: {error}");
        }
    }
}

/// How many connections fit beside the files that the database and the log need.
pub fn room(wanted: usize) -> usize {
    let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
    let room = files.map_or(wanted, |files| files.saturating_sub(FILES_RESERVED).max(files / 4));
    if room < wanted {
        tracing::warn!(
            "The limit of open files leaves room for {room} connections instead of {wanted}: \
             raise it (ulimit -n, LimitNOFILE=)"
        );
    }
    room.min(wanted)
}

/// The listening socket.
pub struct Listener {
    listener: Box<dyn Listening>,
    connections: Connections,
    tls: Option<Tls>,
    failing: Complaint,
    full: Complaint,
}

impl Listener {
    /// Takes the connections in that come to this socket, which are encrypted if there is `tls`.
    pub fn new(listener: Box<dyn Listening>, connections: Connections, tls: Option<Tls>) -> Self {
        let (failing, full) = (Complaint::default(), Complaint::default());
        Self { listener, connections, tls, failing, full }
    }

    /// What connections are encrypted with.
    pub(super) fn tls(&self) -> Option<Tls> {
        self.tls.clone()
    }

    /// The next connection.
    pub(super) async fn next(&mut self) -> Socket {
        let (mut pause, longest) = ACCEPT_PAUSE;
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(socket) = self.admit(stream, peer) {
                        return socket;
                    }
                }
                Err(error) if is_of_the_caller(&error) => {}
                Err(error) => {
                    // Out of files or memory: trying again at once would only spin.
                    self.connections.make_room();
                    if let Some(more) = self.failing.due(Instant::now()) {
                        tracing::error!(
                            "Connections cannot be accepted: {error} (and {more} times before)"
                        );
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(longest);
                }
            }
        }
    }

    fn admit(&mut self, stream: Box<dyn Stream>, peer: SocketAddr) -> Option<Socket> {
        let Some(seat) = self.connections.enter(peer) else {
            if let Some(more) = self.full.due(Instant::now()) {
                let ip = peer.ip();
                tracing::warn!(
                    "Too many connections: one of {ip} was refused (and {more} others before)"
                );
            }
            return None;
        };
        Some(Socket::new(stream, seat, peer))
    }
}

/// Errors of one connection that broke off before it was accepted.
fn is_of_the_caller(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}

/// A line of the log that an attack would repeat without end.
#[derive(Default)]
pub(super) struct Complaint {
    told: Option<Instant>,
    untold: u64,
}

impl Complaint {
    /// Whether to say it now, and how often it was not said since the last time.
    pub(super) fn due(&mut self, now: Instant) -> Option<u64> {
        if self.told.is_some_and(|told| now - told < COMPLAINT_EVERY) {
            self.untold += 1;
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

/// A connection that ends when it is silent, does not read, or others need its place.
pub(super) struct Socket {
    stream: Box<dyn Stream>,
    seat: Seat,
    peer: SocketAddr,
    leave: Pin<Box<WaitForCancellationFutureOwned>>,
    /// When to look at the times below again.
    alarm: Pin<Box<Sleep>>,
    /// Since when the peer takes nothing of what is written.
    stalled: Option<Instant>,
}

impl Socket {
    fn new(stream: Box<dyn Stream>, seat: Seat, peer: SocketAddr) -> Self {
        let leave = Box::pin(seat.leave().cancelled_owned());
        let alarm = Box::pin(sleep_until(seat.ends_at().unwrap_or_else(Instant::now)));
        Self { stream, seat, peer, leave, alarm, stalled: None }
    }

    /// What the calls of the connection know of it.
    pub(super) fn visit(&self) -> Visit {
        Visit { door: self.seat.door(), peer: self.peer }
    }

    /// Who is at the other end.
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// What is allowed to it.
    pub(super) fn bounds(&self) -> Bounds {
        self.seat.bounds()
    }

    /// Tells why the connection has to end, if it has to; looks again when it may.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.leave.as_mut().poll(cx).is_ready() {
            return Err(io::Error::new(ErrorKind::ConnectionAborted, "others need the place"));
        }
        let bounds = self.seat.bounds();
        while self.alarm.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let stalled = self.stalled.map(|since| since + bounds.unread);
            let end = self.seat.ends_at().into_iter().chain(stalled).min();
            if end.is_some_and(|end| end <= now) {
                return Err(io::Error::new(ErrorKind::TimedOut, "nothing was said for too long"));
            }
            let look = now + bounds.first_call;
            self.alarm.as_mut().reset(end.map_or(look, |end| end.min(look)));
        }
        Ok(())
    }

    fn wrote<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
        } else {
            self.stalled.get_or_insert_with(Instant::now);
        }
        written
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_repeated_now_and_then_with_its_number() {
        let (mut complaint, now) = (Complaint::default(), Instant::now());
        assert_eq!(complaint.due(now), Some(0));
        assert_eq!(complaint.due(now), None);
        assert_eq!(complaint.due(now), None);
        let later = now + COMPLAINT_EVERY;
        assert_eq!(complaint.due(later), Some(2));
        assert_eq!(complaint.due(later), None);
    }
}
