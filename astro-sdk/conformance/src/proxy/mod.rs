//! The fault service: stands between an SDK and the server, does to attempts what a script says,
//! and keeps what it saw.
//!
//! It works on HTTP/2 requests and gRPC frames, so that any method passes, those that this build
//! does not know included. HTTP and JSON are made gRPC of before, as the server does it: what happens
//! to an attempt is the same.

mod frames;
mod pass;
mod record;
mod tls;
mod vanish;
mod ways;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::bail;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::contract::Contract;
use crate::planted::Planted;

use pass::Passage;
pub use record::{Attempt, Ended, Record};
pub use tls::Certificates;
use vanish::Presence;
use ways::Ways;

/// A fault service in front of one server. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    ways: Arc<Ways>,
    presence: Presence,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
    entrance: Mutex<Entrance>,
}

/// The plain entrance.
enum Entrance {
    /// Open, until this is cancelled; its connections end then too.
    Open(CancellationToken, JoinHandle<()>),
    /// Whoever comes is refused; the port stays taken by a socket that does not listen.
    Closed(TcpSocket),
}

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;

impl Proxy {
    /// Listens on a free port of this machine and leads to `target`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(
        target: SocketAddr,
        contract: Contract,
        planted: Option<Planted>,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let ways = Arc::new(Ways::new(Passage::new(target, contract, planted))?);
        let presence = Presence::default();
        let entrance = Mutex::new(open(listener, Arc::clone(&ways), &presence, &stop));
        let _stop_on_drop = stop.clone().drop_guard();
        Ok(Self { address, ways, presence, stop, _stop_on_drop, entrance })
    }

    /// Leaves the connections that are open without a word: they stay open, and nothing is read or
    /// written on them any more. New ones are served.
    pub fn vanish(&self) {
        self.presence.end();
    }

    /// Cuts the connections of the plain entrance and refuses new ones, as while a server is away.
    ///
    /// # Errors
    /// When it is closed already, or the port was lost.
    pub async fn refuse(&self) -> anyhow::Result<()> {
        let mut entrance = self.entrance.lock().await;
        let Entrance::Open(close, accepting) = &mut *entrance else { bail!("it is closed") };
        close.cancel();
        accepting.await?;
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        *entrance = Entrance::Closed(socket);
        Ok(())
    }

    /// Opens the plain entrance again.
    ///
    /// # Errors
    /// When it is open.
    pub async fn admit(&self) -> anyhow::Result<()> {
        let mut entrance = self.entrance.lock().await;
        let Entrance::Closed(socket) = &mut *entrance else { bail!("it is open") };
        let socket = std::mem::replace(socket, TcpSocket::new_v4()?);
        *entrance = {
            let listener = socket.listen(BACKLOG)?;
            open(listener, Arc::clone(&self.ways), &self.presence, &self.stop)
        };
        Ok(())
    }

    /// Where clients connect, as they take it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Another entrance, with a certificate; asks for the client's if `ask`. Gives its endpoint.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn listen_tls(&self, own: &Certificates, ask: bool) -> anyhow::Result<String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let acceptor = own.acceptor(ask)?;
        let ways = Arc::clone(&self.ways);
        let presence = self.presence.clone();
        tokio::spawn(accept(listener, Some(acceptor), ways, presence, self.stop.clone()));
        Ok(format!("https://localhost:{}", address.port()))
    }

    /// Leads to another server from now on.
    pub fn lead_to(&self, target: SocketAddr) {
        self.ways.passage().lead_to(target);
    }

    /// Its script and what it saw.
    pub fn record(&self) -> &Record {
        self.ways.passage().record()
    }
}

fn open(
    listener: TcpListener,
    ways: Arc<Ways>,
    presence: &Presence,
    stop: &CancellationToken,
) -> Entrance {
    let close = stop.child_token();
    let accepting = tokio::spawn(accept(listener, None, ways, presence.clone(), close.clone()));
    Entrance::Open(close, accepting)
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    ways: Arc<Ways>,
    presence: Presence,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    while let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await {
        let cut = stop.child_token();
        let serving = greet(stream, tls.clone(), Arc::clone(&ways), &presence, cut.clone());
        connections.spawn(async move { cut.run_until_cancelled(serving).await });
        while connections.try_join_next().is_some() {}
    }
    // Closed is what takes no more on any connection either.
    while connections.join_next().await.is_some() {}
}

fn greet(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    ways: Arc<Ways>,
    presence: &Presence,
    cut: CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    // A small answer must not wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let stream = presence.of(stream);
    async move {
        match tls {
            None => serve(stream, ways, cut).await,
            Some(acceptor) => {
                // A client that does not trust the certificate goes away.
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, ways, cut).await;
                }
            }
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ways: Arc<Ways>,
    cut: CancellationToken,
) {
    let service = service_fn(move |request| {
        let (ways, cut) = (Arc::clone(&ways), cut.clone());
        async move { Ok::<_, std::convert::Infallible>(ways.take(request, cut).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(1_000);
    // It ends with the client.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
