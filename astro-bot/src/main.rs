//! The bot worker's command.

use clap::{Parser, ValueEnum};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Connects one Steam account to astro-server: takes donations in, and delivers items.
///
/// The worker does what the server says and keeps nothing on disk but its Steam refresh token.
/// Run one worker for each account. To stop it in order, send SIGTERM or press Ctrl-C.
#[derive(Debug, Parser)]
#[command(
    name = "astro-bot",
    version,
    after_help = "Examples:\n  \
        ASTRO_BOT_API_KEY=… astro-bot --server https://astro.example.org \\\n    \
          --refresh-token-file /var/lib/astro/token --identity-secret-file /run/secrets/identity\n\n  \
        First login, with the mobile authenticator's shared secret:\n  \
        astro-bot --account-name astrobot --password-file password \\\n    \
          --shared-secret-file shared --refresh-token-file token --api-key-file key\n\n\
        RUST_LOG chooses what is logged, such as RUST_LOG=astro_bot=debug."
)]
struct Command {
    #[command(flatten)]
    bot: astro_bot::Args,
    /// How to write the log.
    #[arg(long, env = "ASTRO_BOT_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command = Command::parse();
    start_log(command.log_format);
    let config = command.bot.into_config()?;
    let shutdown = CancellationToken::new();
    tokio::spawn(stop_on_signal(shutdown.clone())?);
    astro_bot::run(config, shutdown).await
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// Waits for SIGINT or SIGTERM, then cancels the token.
fn stop_on_signal(shutdown: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("Stopping");
        shutdown.cancel();
    })
}
