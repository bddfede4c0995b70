//! A second server on the app's database.

use std::net::SocketAddr;

use astro_sdk::Client;
use astro_server::Server;

use crate::{App, Node, Raw, Relay, app};

/// Where it runs.
enum Host {
    /// In this process.
    Inside(Box<Server>),
    /// In a process that can be killed.
    Outside(Box<Node>),
}

/// A server beside the app's own, on the same database. It ends when this is dropped.
pub struct SecondServer {
    /// The way of clients to it.
    pub relay: Relay,
    address: SocketAddr,
    host: Host,
}

impl SecondServer {
    /// Where it listens: what [`App::bot_relay`] is led to for a bot of this server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Streams and waits that are open at this server, which runs in this process.
    ///
    /// # Panics
    /// When it runs in another.
    pub fn open_streams(&self) -> usize {
        match &self.host {
            Host::Inside(server) => server.open_streams(),
            Host::Outside(_) => panic!("another process knows"),
        }
    }

    /// A client of this server with this key.
    pub fn client_with(&self, key: &str) -> Client {
        app::connect(&self.relay, key)
    }

    /// A connection to this server for calls that no SDK makes.
    pub fn raw(&self) -> Raw {
        Raw::new(self.relay.address())
    }

    /// The process that it runs in.
    ///
    /// # Panics
    /// When it runs in none.
    pub fn node(&mut self) -> &mut Node {
        match &mut self.host {
            Host::Outside(node) => node,
            Host::Inside(_) => panic!("the server runs in no process of its own"),
        }
    }

    /// Kills its process and starts another on the same database; clients find it where it was.
    ///
    /// # Panics
    /// When it runs in no process, or cannot be started.
    pub async fn restart_process(&mut self, app: &App, program: &str, args: &[&str]) {
        let started = Node::server(program, &app.database_url, &app.admin_key_file(), args).await;
        let (node, address) = started.expect("a second server starts");
        let before = std::mem::replace(&mut self.host, Host::Outside(Box::new(node)));
        if let Host::Outside(before) = before {
            before.kill().await.expect("the server can be killed");
        }
        self.address = address;
        self.relay.lead_to(address);
    }

    /// Stops it in order; one in a process of its own is killed.
    ///
    /// # Panics
    /// When it fails to.
    pub async fn stop(self) {
        match self.host {
            Host::Inside(server) => server.stop().await.expect("the server stops"),
            Host::Outside(node) => node.kill().await.expect("the server can be killed"),
        }
    }
}

impl App {
    /// Starts a second server on the app's database, in this process and with the app's clock.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn second_server(&self) -> SecondServer {
        let server = Server::start(self.server_config()).await.expect("a second server starts");
        let address = server.address();
        let relay = Relay::start(address).await.expect("a relay starts");
        SecondServer { relay, address, host: Host::Inside(Box::new(server)) }
    }

    /// The same in a process of its own (`astro-node`, with these further arguments), which has
    /// the machine's clock.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn second_process(&self, program: &str, args: &[&str]) -> SecondServer {
        let started = Node::server(program, &self.database_url, &self.admin_key_file(), args).await;
        let (node, address) = started.expect("a second server starts");
        let relay = Relay::start(address).await.expect("a relay starts");
        SecondServer { relay, address, host: Host::Outside(Box::new(node)) }
    }
}
