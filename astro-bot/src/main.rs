//! The bot worker's command.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, anyhow};
use astro_bot::Member;
use clap::{Parser, ValueEnum};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Connects Steam accounts to astro-server: takes donations in, and delivers items.
///
/// The worker does what the server says and keeps nothing on disk but Steam refresh tokens. It needs
/// three things: the server's address, a key of the bot (astro bots register; astro keys create
/// --kind bot), and a way to log in to Steam. To stop it in order, send SIGTERM or press Ctrl-C.
/// What only a person can change ends it, with a sentence that says what to do; all else is waited
/// out.
#[derive(Debug, Parser)]
#[command(
    name = "astro-bot",
    version,
    args_override_self = true,
    after_help = "Examples:\n  \
        With a refresh token, and the secret that confirms what the bot gives:\n  \
        astro-bot --server https://astro.example.org --api-key-file key \\\n    \
          --refresh-token-file token --identity-secret-file identity\n\n  \
        First login, with the mobile authenticator's shared secret; the token is written:\n  \
        astro-bot --api-key-file key --account-name astrobot --password-file password \\\n    \
          --shared-secret-file shared --identity-secret-file identity --refresh-token-file token\n\n  \
        Several bots in one process, which share the pace that Steam wants of one address:\n  \
        astro-bot --server https://astro.example.org --bots /etc/astro/bots\n\n  \
        /etc/astro/bots/first.conf:\n  \
        # Flags as below, without the dashes; files are named from this folder.\n  \
        api-key-file = first.key\n  \
        refresh-token-file = first.token\n  \
        identity-secret-file = first.identity\n\n\
        Files with secrets must be private: chmod 600 FILE.\n\
        RUST_LOG chooses what is logged, such as RUST_LOG=astro_bot=debug."
)]
struct Command {
    /// Run a bot for each file NAME.conf in this folder, beside the flags given here for all. A line
    /// of it is FLAG = VALUE.
    #[arg(long, env = "ASTRO_BOT_BOTS", value_name = "FOLDER")]
    bots: Option<PathBuf>,
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

#[allow(clippy::print_stderr)] // the one place where an error leaves the process
fn main() -> ExitCode {
    let command = Command::parse();
    start_log(command.log_format);
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may be off.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(command: Command) -> anyhow::Result<()> {
    let members = members(command)?;
    let shutdown = CancellationToken::new();
    tokio::spawn(stop_on_signal(shutdown.clone())?);
    astro_bot::run_all(members, shutdown).await
}

/// The one bot of the command line, or those of a folder.
fn members(command: Command) -> anyhow::Result<Vec<Member>> {
    let Some(folder) = command.bots else {
        let config = command.bot.into_config()?;
        return Ok(vec![Member { name: String::new(), config }]);
    };
    let member = |(name, flags): astro_bot::BotFlags| {
        let file = format!("{}/{name}.conf", folder.display());
        let given = std::env::args_os().chain(flags);
        let command = Command::try_parse_from(given).map_err(|error| {
            let problem = error.to_string();
            let line = problem.lines().next().unwrap_or_default();
            anyhow!("{file}: {}", line.trim_start_matches("error: "))
        })?;
        Ok(Member { config: command.bot.into_config().context(file)?, name })
    };
    astro_bot::bot_flags(&folder)?.into_iter().map(member).collect()
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
