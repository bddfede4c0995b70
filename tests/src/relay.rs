//! A TCP relay between client and server, whose connections a test can cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A relay with an address of its own, which stays while the server behind it comes and goes.
pub struct Relay {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

struct State {
    target: SocketAddr,
    /// Ends the connections that are open now.
    cut: CancellationToken,
    passed: usize,
}

impl Relay {
    /// Opens a relay to `target`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let cut = stop.child_token();
        let state = Arc::new(Mutex::new(State { target, cut, passed: 0 }));
        let accepting = accept(listener, Arc::clone(&state));
        let accepting = stop.clone().run_until_cancelled_owned(accepting);
        tokio::spawn(accepting);
        let _stop_on_drop = stop.clone().drop_guard();
        Ok(Self { address, state, stop, _stop_on_drop })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same, as clients take it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks all connections that are open now; later ones are let through.
    pub fn cut(&self) {
        let mut state = lock(&self.state);
        state.cut.cancel();
        state.cut = self.stop.child_token();
    }

    /// Leads later connections to another server, and breaks the open ones.
    pub fn lead_to(&self, target: SocketAddr) {
        lock(&self.state).target = target;
        self.cut();
    }

    /// Where it leads now.
    pub fn target(&self) -> SocketAddr {
        lock(&self.state).target
    }

    /// Connections let through so far.
    pub fn connections(&self) -> usize {
        lock(&self.state).passed
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((client, _)) = listener.accept().await {
        let (target, cut) = {
            let mut state = lock(&state);
            state.passed += 1;
            (state.target, state.cut.clone())
        };
        tokio::spawn(async move { cut.run_until_cancelled(pass(client, target)).await });
    }
}

async fn pass(mut client: TcpStream, target: SocketAddr) -> std::io::Result<()> {
    let mut server = TcpStream::connect(target).await?;
    // As if there were no relay: what is small goes on at once.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
