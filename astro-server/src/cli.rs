//! The command line of the server.
use crate::auth::{self, keys::Secret};
use crate::config::{ADMIN_KEY_FILE_DEFAULT, Config, DATABASE_URL_DEFAULT, Pace};
use crate::db::{Address, Conn, Db};
use crate::kernel::{Clock, KeyKind};
use crate::serve::Server;
use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The Astro server: items, assignments, sync and events over gRPC.
///
/// Without a command it serves: on the first start it makes its database and one admin key, which
/// it prints once and writes to a file.
#[derive(Debug, Parser)]
#[command(name = "astro-server", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

const EXAMPLES: &str = "Examples:
  astro-server                                     serve with SQLite in ./astro-data
  ASTRO_DATABASE_URL=postgres://astro@db/astro astro-server --listen 0.0.0.0:50051
  astro-server migrate                             run the migrations and end
  astro-server keys recover                        make a new admin key, when all are lost";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGINT or SIGTERM (the default).
    Serve,
    /// Run the migrations that have not run yet, and end.
    Migrate,
    /// Keys, for whoever can reach the database.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a new admin key, print it and write it to the admin key file.
    Recover,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Args)]
struct ServeArgs {
    /// Address to listen on. The connection is not encrypted: put a TLS proxy in front of any
    /// address that others can reach.
    #[arg(long, env = "ASTRO_LISTEN", default_value = "127.0.0.1:50051", global = true)]
    listen: SocketAddr,
    /// sqlite://PATH or postgres://USER@HOST/DATABASE. Give one with a password by the variable.
    #[arg(long, env = "ASTRO_DATABASE_URL", default_value = DATABASE_URL_DEFAULT, hide_env_values = true, global = true)]
    database_url: String,
    /// File (mode 0600) that the first start writes its admin key to.
    #[arg(long, env = "ASTRO_ADMIN_KEY_FILE", default_value = ADMIN_KEY_FILE_DEFAULT, global = true)]
    admin_key_file: PathBuf,
    /// Form of the log on stderr; RUST_LOG filters it.
    #[arg(long, env = "ASTRO_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    /// Do not answer reflection (grpcurl and `astro call` need it).
    #[arg(long, env = "ASTRO_NO_REFLECTION", global = true)]
    no_reflection: bool,
    /// Seconds between full inventories of each bot.
    #[arg(long, env = "ASTRO_SYNC_INTERVAL_SECS", default_value_t = 300, global = true, value_parser = clap::value_parser!(u64).range(10..=86_400))]
    sync_interval_secs: u64,
    /// Seconds without a sign of life after which a bot's session ends.
    #[arg(long, env = "ASTRO_LEASE_TTL_SECS", default_value_t = 30, global = true, value_parser = clap::value_parser!(u64).range(3..=600))]
    lease_ttl_secs: u64,
    /// Seconds that open calls and streams have to end when the server stops.
    #[arg(long, env = "ASTRO_DRAIN_SECS", default_value_t = 10, global = true, value_parser = clap::value_parser!(u64).range(0..=300))]
    drain_secs: u64,
    /// End the process as a crash would, at this place. For tests.
    #[cfg(feature = "crash-points")]
    #[arg(long, hide = true, global = true)]
    crash_at: Option<String>,
    /// Let the task that passes this place first panic. For tests.
    #[cfg(feature = "crash-points")]
    #[arg(long, hide = true, global = true)]
    panic_at: Option<String>,
}

impl std::fmt::Debug for ServeArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServeArgs").field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl ServeArgs {
    fn config(&self) -> Config {
        let lease_ttl = Duration::from_secs(self.lease_ttl_secs);
        Config {
            listen: self.listen,
            database_url: self.database_url.clone(),
            admin_key_file: self.admin_key_file.clone(),
            clock: Clock::default(),
            pace: Pace {
                lease_ttl,
                heartbeat_interval: lease_ttl / 3,
                sync_interval: Duration::from_secs(self.sync_interval_secs),
                drain: Duration::from_secs(self.drain_secs),
                ..Pace::default()
            },
            reflection: !self.no_reflection,
        }
    }
}

/// Runs the server's command line; the binary's whole `main`.
pub fn main() -> ExitCode {
    run(Cli::parse())
}

/// The same with the arguments given; the first is the program's name.
pub fn main_with(args: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    run(Cli::parse_from(args))
}

fn run(cli: Cli) -> ExitCode {
    start_log(cli.serve.log_format);
    #[cfg(feature = "crash-points")]
    if let Some(name) = &cli.serve.crash_at {
        crate::crash::arm(name);
    }
    #[cfg(feature = "crash-points")]
    if let Some(name) = &cli.serve.panic_at {
        crate::crash::arm_panic(name);
    }
    let done = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&cli.serve),
        Command::Migrate => migrate(&cli.serve),
        Command::Keys { command: KeysCommand::Recover } => recover(&cli.serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_error(&error);
            ExitCode::FAILURE
        }
    }
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

#[allow(clippy::print_stderr)] // the one place where an error leaves the process
fn tell_error(error: &anyhow::Error) {
    eprintln!("astro-server: {error:#}");
}

#[allow(clippy::print_stdout)] // the one place where the command line answers
fn tell(line: &str) {
    println!("{line}");
}

fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        if !args.listen.ip().is_loopback() {
            tracing::warn!(
                "Keys travel in plain text to {}: put a TLS proxy in front",
                args.listen
            );
        }
        let mut server = Server::start(args.config()).await?;
        if let Some(key) = server.admin_key() {
            tell(&format!("admin key: {key}"));
            let file = args.admin_key_file.display();
            tell(&format!("It is shown this once, and was written to {file}."));
        }
        tell(&format!("listening on {}", server.endpoint()));
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            failed = server.failed() => return failed,
        }
        tracing::info!("Stopping: open streams end now");
        server.stop().await
    })
}

fn migrate(args: &ServeArgs) -> anyhow::Result<()> {
    let address = Address::parse(&args.database_url)?;
    if let Address::Sqlite(path) = &address
        && let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)?;
    }
    let names = Conn::open(&address).context("cannot open the database")?.migrate()?;
    for name in &names {
        tell(&format!("ran {name}"));
    }
    tell(&format!("{} migrations ran; the database is up to date", names.len()));
    Ok(())
}

fn recover(args: &ServeArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let address = Address::parse(&args.database_url)?;
    let db = Db::open(&address, crate::events::seal).context("cannot open the database")?;
    let secret = Secret::generate(KeyKind::Admin);
    let (key, now) = (secret.reveal(), Clock::default().now());
    runtime.block_on(db.write(move |conn| auth::ops::recover(conn, &secret, now)))?;
    crate::serve::write_private(&args.admin_key_file, &key)
        .with_context(|| format!("cannot write {}", args.admin_key_file.display()))?;
    tell(&format!("admin key: {key}"));
    tell(&format!("It was written to {}.", args.admin_key_file.display()));
    Ok(())
}
