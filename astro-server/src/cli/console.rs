//! The web console in the server's process, on a port of its own. It is a client like any other: it
//! has an address of the server and the keys of its readers, and nothing else of this process.
use crate::serve::Server;
use anyhow::{Context, bail};
use astro_console::{Config, Console, Open, PATIENCE};
use astro_sdk::Client;
use clap::Args;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

#[derive(Debug, Args)]
pub(super) struct ConsoleArgs {
    /// Address to serve the web console on, such as 127.0.0.1:8080. Nowhere if not set.
    #[arg(long, env = "ASTRO_CONSOLE", value_name = "ADDRESS", global = true)]
    console: Option<SocketAddr>,
    /// Address by which browsers find the console, such as https://console.example.org: needed when
    /// --console is an address that other machines can reach.
    #[arg(long, env = "ASTRO_CONSOLE_PUBLIC_URL", value_name = "URL", global = true)]
    console_public_url: Option<String>,
    /// Address by which the console finds the server when it listens with a certificate, whose name
    /// must be in it: https://astro.example.org:50051.
    #[arg(long, env = "ASTRO_CONSOLE_ENDPOINT", value_name = "URL", global = true)]
    console_endpoint: Option<String>,
}

impl ConsoleArgs {
    /// Takes the console's address; it serves once it is told to.
    ///
    /// # Errors
    /// Flags that do not fit together, and an address that is not free.
    pub(super) async fn open(&self, server: &Server) -> anyhow::Result<Option<Open>> {
        let Some(address) = self.console else { return Ok(None) };
        let endpoint = self.endpoint(server)?;
        let client = Client::builder().endpoint(&endpoint).anonymous();
        let client = client.user_agent("astro-console").patience(PATIENCE).build()?;
        let mut config = Config::new(client, &endpoint);
        config.public_url.clone_from(&self.console_public_url);
        let console = Console::new(config).context("--console-public-url")?;
        let open = console.listen(address).await;
        open.with_context(|| format!("cannot serve the console on {address} (--console)")).map(Some)
    }

    fn endpoint(&self, server: &Server) -> anyhow::Result<String> {
        if let Some(endpoint) = &self.console_endpoint {
            return Ok(endpoint.clone());
        }
        if server.tls().is_some() {
            bail!(
                "--console needs the name that is in the certificate: give the server's address by \
                 --console-endpoint https://NAME:PORT (ASTRO_CONSOLE_ENDPOINT)"
            );
        }
        let mut address = server.address();
        match address {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
                address.set_ip(Ipv4Addr::LOCALHOST.into())
            }
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
                address.set_ip(Ipv6Addr::LOCALHOST.into())
            }
            SocketAddr::V4(_) | SocketAddr::V6(_) => {}
        }
        Ok(format!("http://{address}"))
    }
}

/// What the command line tells of a console: where it is, and a link that signs in with the first
/// admin key where that lies on this machine.
pub(super) fn told(open: &Open, admin_key_file: &Path) -> Vec<String> {
    let mut lines = vec![format!("the console is on {}", open.url())];
    let key = std::fs::read_to_string(admin_key_file).unwrap_or_default();
    if let Some(link) = open.sign_in_link(key.trim()).filter(|_| !key.trim().is_empty()) {
        lines.push(format!("sign in to it once, within an hour: {link}"));
    }
    lines
}
