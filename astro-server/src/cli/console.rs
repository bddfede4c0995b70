//! The web console in the server's process, on a port of its own. It is a client like any other: it
//! has an address of the server and the keys of its readers, and nothing else of this process.
use crate::serve::Server;
use anyhow::{Context, bail};
use astro_console::{AVATAR_HOST, Config, Console, Open, PATIENCE, PICTURE_HOST, Pictures};
use astro_sdk::Client;
use clap::Args;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

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
    /// must be in it: https://astro.example.org:50051. Port 0 is the one that the server listens on.
    #[arg(long, env = "ASTRO_CONSOLE_ENDPOINT", value_name = "URL", global = true)]
    console_endpoint: Option<String>,
    /// Certificate (PEM) of whoever signed the server's, for the console; without it the usual
    /// authorities count.
    #[arg(long, env = "ASTRO_CONSOLE_CA_CERT", value_name = "FILE", global = true)]
    console_ca_cert: Option<PathBuf>,
    /// Where the console has pictures of items and people from: `tiles` stand for them and nothing is
    /// fetched; `proxy` fetches them from the two hosts below, so that readers' browsers ask nobody
    /// else.
    #[arg(long, env = "ASTRO_CONSOLE_PICTURES", value_enum, default_value_t = Pictures::Tiles, global = true)]
    console_pictures: Pictures,
    /// Where Steam's pictures of items are.
    #[arg(long, env = "ASTRO_CONSOLE_PICTURE_HOST", value_name = "URL", default_value = PICTURE_HOST, global = true)]
    console_picture_host: String,
    /// Where Steam's pictures of people are.
    #[arg(long, env = "ASTRO_CONSOLE_AVATAR_HOST", value_name = "URL", default_value = AVATAR_HOST, global = true)]
    console_avatar_host: String,
}

impl ConsoleArgs {
    /// Takes the console's address; it serves once it is told to.
    ///
    /// # Errors
    /// Flags that do not fit together, and an address that is not free.
    pub(super) async fn open(&self, server: &Server) -> anyhow::Result<Option<Open>> {
        let Some(address) = self.console else { return Ok(None) };
        let endpoint = self.endpoint(server)?;
        let mut client = Client::builder().endpoint(&endpoint).anonymous();
        if let Some(file) = &self.console_ca_cert {
            let pem = std::fs::read(file);
            let pem = pem.with_context(|| format!("--console-ca-cert {}", file.display()))?;
            client = client.ca_certificate(pem);
        }
        let client = client.user_agent("astro-console").patience(PATIENCE).build()?;
        let mut config = Config::new(client, &endpoint);
        config.public_url.clone_from(&self.console_public_url);
        config.pictures = self.console_pictures;
        config.picture_host.clone_from(&self.console_picture_host);
        config.avatar_host.clone_from(&self.console_avatar_host);
        let console = Console::new(config).context("the flags of the console")?;
        let open = console.listen(address).await;
        open.with_context(|| format!("cannot serve the console on {address} (--console)")).map(Some)
    }

    fn endpoint(&self, server: &Server) -> anyhow::Result<String> {
        if let Some(endpoint) = &self.console_endpoint {
            let own = format!(":{}", server.address().port());
            let named = endpoint.trim_end_matches('/');
            return Ok(named
                .strip_suffix(":0")
                .map_or(endpoint.clone(), |name| name.to_owned() + &own));
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

/// Serves the console beside the server, which goes on without it.
pub(super) async fn serve(console: Open) {
    if let Err(error) = console.serve().await {
        tracing::error!("The console is served no more: {error}");
    }
}
