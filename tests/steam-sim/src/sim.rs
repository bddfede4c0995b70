//! The running simulator: its ports and its end.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::core::Core;
use crate::options::Options;
use crate::steam::Steam;
use crate::{control, proxy, server, tls};

/// A running simulator. It ends when dropped; see [`Steam`] for what can be done with it.
pub struct Sim {
    steam: Steam,
    proxy: SocketAddr,
    https: SocketAddr,
    control: SocketAddr,
    ca_pem: String,
    tasks: JoinSet<()>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Deref for Sim {
    type Target = Steam;

    fn deref(&self) -> &Steam {
        &self.steam
    }
}

impl Sim {
    /// Opens the ports and begins to answer.
    ///
    /// # Errors
    /// When a port is taken.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let proxy_listener = listen(options.proxy_port).await.context("the proxy's port")?;
        let https_listener = listen(options.https_port).await.context("the HTTPS port")?;
        let control_listener = listen(options.control_port).await.context("the control port")?;
        let proxy = proxy_listener.local_addr()?;
        let https = https_listener.local_addr()?;
        let control = control_listener.local_addr()?;
        let identity = tls::make_identity()?;
        let core = Core::new(options);
        let steam = Steam { core: core.clone() };
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(proxy::run(proxy_listener, https, core.clone(), stop.clone()));
        tasks.spawn(server::run(https_listener, identity.acceptor, core.clone(), stop.clone()));
        tasks.spawn(control::run(control_listener, steam.clone(), stop.clone()));
        let agenda_stop = stop.clone();
        tasks.spawn(async move {
            agenda_stop.run_until_cancelled(core.keep_agenda()).await;
        });
        let ca_pem = identity.ca_pem;
        let _stop_on_drop = stop.clone().drop_guard();
        Ok(Self { steam, proxy, https, control, ca_pem, tasks, stop, _stop_on_drop })
    }

    /// The CONNECT proxy, as a client's proxy setting takes it: `http://127.0.0.1:<port>`.
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy)
    }

    /// Where HTTPS is answered, for clients which resolve names by themselves.
    pub fn https_addr(&self) -> SocketAddr {
        self.https
    }

    /// The control API: `http://127.0.0.1:<port>`.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// The certificate of the authority which clients must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The simulated Steam, to hand to other tasks.
    pub fn steam(&self) -> Steam {
        self.steam.clone()
    }

    /// Closes all ports and breaks all connections.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}
