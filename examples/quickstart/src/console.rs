//! The web console beside the story, with a link that signs in.

use std::net::SocketAddr;

use anyhow::Context as _;
use astro_console::{Config, Console};
use astro_sdk::Client;

use crate::screen::Screen;
use crate::stage::{Stage, admin_key};

/// Serves the console until the process ends, and tells where.
///
/// # Errors
/// When no address is free.
pub(crate) async fn open(
    address: SocketAddr,
    stage: &Stage,
    screen: &Screen,
) -> anyhow::Result<()> {
    let client = Client::builder().endpoint(&stage.endpoint).anonymous().allow_insecure(true);
    let client = client.user_agent("astro-console").patience(astro_console::PATIENCE).build()?;
    let console = Console::new(Config::new(client, &stage.endpoint))?;
    let open = match console.clone().listen(address).await {
        Ok(open) => open,
        // Another run may have it.
        Err(_) => console.listen(SocketAddr::new(address.ip(), 0)).await?,
    };
    let key = admin_key(&stage.admin_key_file)?;
    let link = open.sign_in_link(&key).context("the machine gives no random numbers")?;
    screen.plain("");
    screen
        .plain(&format!("The web console is on {}. Open this link to sign in, once:", open.url()));
    screen.plain(&link);
    tokio::spawn(async move {
        if let Err(error) = open.serve().await {
            tracing::error!("The console is served no more: {error}");
        }
    });
    Ok(())
}
