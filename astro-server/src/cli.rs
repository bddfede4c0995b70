//! The command line of the server.
mod console;
mod encryption;

use crate::admin_key;
use crate::auth::limits::RATE_MAX;
use crate::config::{
    ADMIN_KEY_FILE_DEFAULT, Bounds, Collector, Config, DATABASE_URL_DEFAULT, Network, Pace, RATES,
    Rates,
};
use crate::db::limits::{READERS_DEFAULT, WRITERS_DEFAULT};
use crate::db::{Address, Conn, Db, Options};
use crate::edge::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX};
use crate::kernel::conceal::conceal;
use crate::outside::{Chance, Outside};
use crate::serve::Server;
use anyhow::Context;
use clap::builder::TypedValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use console::ConsoleArgs;
use encryption::Encryption;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The Astro server: items, assignments, sync and events over gRPC.
///
/// Without a command it serves: on the first start it makes its database and one admin key, which
/// it writes to a file and shows once if it runs on a terminal.
#[derive(Debug, Parser)]
#[command(name = "astro-server", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Exit code of a command line that cannot be read, as clap's own.
const USAGE: u8 = 2;

const EXAMPLES: &str = "Examples:
  astro-server                                     serve with SQLite in ./astro-data
  ASTRO_DATABASE_URL=postgres://astro@db/astro astro-server --listen 0.0.0.0:50051 \\
        --tls-cert fullchain.pem --tls-key privkey.pem
  astro-server migrate                             run the migrations and end
  astro-server keys recover                        make a new admin key, when all are lost";

/// Time for what still runs in the database when the server has stopped.
const STOP_WAIT: Duration = Duration::from_secs(1);
/// The signal that a file would become larger than `ulimit -f` allows; the same number on Linux,
/// macOS and the BSDs.
const SIGXFSZ: i32 = 25;

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
    /// Make a new admin key and write it to the admin key file, which must not be there.
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
    /// Address to listen on. One that other machines can reach needs --tls-cert and --tls-key, or
    /// --plaintext.
    #[arg(long, env = "ASTRO_LISTEN", default_value = "127.0.0.1:50051", global = true)]
    listen: SocketAddr,
    #[command(flatten)]
    encryption: Encryption,
    #[command(flatten)]
    console: ConsoleArgs,
    /// sqlite://PATH or postgres://USER@HOST/DATABASE. Give one with a password by the variable.
    #[arg(long, env = "ASTRO_DATABASE_URL", default_value = DATABASE_URL_DEFAULT, hide_env_values = true, global = true)]
    database_url: String,
    /// Reads of the database at once, each on a connection of its own. A quarter of them are kept
    /// for the looks at keys.
    #[arg(long, env = "ASTRO_DATABASE_READERS", default_value_t = READERS_DEFAULT, global = true, value_parser = connections())]
    database_readers: usize,
    /// Writes at once on PostgreSQL, each on a connection of its own. A server opens as many
    /// connections as readers and writers need, and up to four more: all servers together must
    /// stay below PostgreSQL's max_connections.
    #[arg(long, env = "ASTRO_DATABASE_WRITERS", default_value_t = WRITERS_DEFAULT, global = true, value_parser = connections())]
    database_writers: usize,
    /// Prepare no statements: for PgBouncer before 1.21 in transaction mode.
    #[arg(long, env = "ASTRO_DATABASE_NO_PREPARE", global = true)]
    database_no_prepare: bool,
    /// File (mode 0600) that the first start writes its admin key to; it is never overwritten.
    #[arg(long, env = "ASTRO_ADMIN_KEY_FILE", default_value = ADMIN_KEY_FILE_DEFAULT, global = true)]
    admin_key_file: PathBuf,
    /// Form of the log on stderr; RUST_LOG filters it.
    #[arg(long, env = "ASTRO_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    /// Where to tell figures for Prometheus: `GET /metrics`, open to whoever can connect and never
    /// encrypted, such as 127.0.0.1:9464. Nowhere if not set.
    #[arg(long, env = "ASTRO_METRICS_LISTEN", value_name = "ADDRESS", global = true)]
    metrics_listen: Option<SocketAddr>,
    /// Origin whose pages may call from a browser, such as https://shop.example.org; may be given
    /// several times. None if not set: pages of the server itself need no leave.
    #[arg(
        long = "cors-origin",
        env = "ASTRO_CORS_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ',',
        global = true
    )]
    cors_origins: Vec<String>,
    /// OpenTelemetry collector to send the same figures to (OTLP over gRPC, without TLS), such as
    /// http://127.0.0.1:4317. Needs a server built with `--features otlp`.
    #[arg(long, env = "ASTRO_OTLP_ENDPOINT", value_name = "URL", global = true)]
    otlp_endpoint: Option<String>,
    /// Seconds between figures that are sent to it.
    #[arg(long, env = "ASTRO_OTLP_INTERVAL_SECS", default_value_t = 60, global = true, value_parser = clap::value_parser!(u64).range(1..=3600))]
    otlp_interval_secs: u64,
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
    /// Connections at once; the limit of open files (ulimit -n) may allow fewer.
    #[arg(long, env = "ASTRO_MAX_CONNECTIONS", default_value_t = CONNECTIONS_MAX, global = true)]
    max_connections: usize,
    /// Connections of one address at once. Addresses of this machine have no such limit; raise it
    /// when a proxy on another machine connects for everybody.
    #[arg(long, env = "ASTRO_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = CONNECTIONS_PER_ADDRESS_MAX, global = true)]
    max_connections_per_address: usize,
    /// Reads a second of each key, and twice as many at once after a pause; all keys of an organisation
    /// have five times that. `astro keys update` gives a key its own. Each server counts by itself.
    #[arg(long, env = "ASTRO_RATE_READ", value_name = "PER_SECOND", default_value_t = RATES.read, global = true, value_parser = rate())]
    rate_read: u32,
    /// The same for calls that change something: five times as many at once.
    #[arg(long, env = "ASTRO_RATE_WRITE", value_name = "PER_SECOND", default_value_t = RATES.write, global = true, value_parser = rate())]
    rate_write: u32,
    /// The same for calls that stay open, such as watches: ten times as many at once.
    #[arg(long, env = "ASTRO_RATE_STREAM", value_name = "PER_SECOND", default_value_t = RATES.stream, global = true, value_parser = rate())]
    rate_stream: u32,
    /// Let every key make as many calls as it can.
    #[arg(long, env = "ASTRO_NO_RATE_LIMITS", global = true)]
    no_rate_limits: bool,
    /// Address or network of a proxy in front of this server, such as 127.0.0.1 or 10.0.0.0/8; may be
    /// given several times. From there, and from nowhere else, the last address in X-Forwarded-For (or
    /// Forwarded) that is no such proxy's is the caller's: when it sends many bad keys it is locked out
    /// and its neighbours are not. Calls from this machine's own addresses are not locked out unless
    /// they are given here.
    #[arg(
        long = "trusted-proxy",
        env = "ASTRO_TRUSTED_PROXIES",
        value_name = "ADDRESS",
        value_delimiter = ',',
        global = true
    )]
    trusted_proxies: Vec<Network>,
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

fn rate() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=i64::from(RATE_MAX))
}

fn connections() -> impl TypedValueParser<Value = usize> {
    clap::value_parser!(u16).range(1..=1000).map(usize::from)
}

impl ServeArgs {
    fn database(&self) -> Options {
        Options {
            readers: self.database_readers,
            writers: self.database_writers,
            prepare: !self.database_no_prepare,
        }
    }

    fn rates(&self) -> Option<Rates> {
        let (read, write, stream) = (self.rate_read, self.rate_write, self.rate_stream);
        (!self.no_rate_limits).then_some(Rates { read, write, stream })
    }

    fn config(&self) -> anyhow::Result<Config> {
        let lease_ttl = Duration::from_secs(self.lease_ttl_secs);
        Ok(Config {
            listen: self.listen,
            tls: self.encryption.files(self.listen)?,
            database_url: self.database_url.clone(),
            database: self.database(),
            admin_key_file: self.admin_key_file.clone(),
            outside: Outside::default(),
            pace: Pace {
                lease_ttl,
                heartbeat_interval: lease_ttl / 3,
                sync_interval: Duration::from_secs(self.sync_interval_secs),
                drain: Duration::from_secs(self.drain_secs),
                ..Pace::default()
            },
            bounds: Bounds {
                connections: self.max_connections,
                connections_per_address: self.max_connections_per_address,
                ..Bounds::default()
            },
            rates: self.rates(),
            trusted_proxies: self.trusted_proxies.clone(),
            metrics_listen: self.metrics_listen,
            collector: self.otlp_endpoint.clone().map(|endpoint| Collector {
                endpoint,
                every: Duration::from_secs(self.otlp_interval_secs),
            }),
            cors_origins: self.cors_origins.clone(),
            reflection: !self.no_reflection,
        })
    }
}

/// Runs the server's command line; the binary's whole `main`.
pub fn main() -> ExitCode {
    main_with(std::env::args_os())
}

/// The same with the arguments given; the first is the program's name.
pub fn main_with(args: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let args: Vec<std::ffi::OsString> = args.into_iter().collect();
    match Cli::try_parse_from(&args) {
        Ok(cli) => run(cli),
        Err(error) if error.use_stderr() => {
            tell_text(&without_secrets(error.to_string(), &args));
            ExitCode::from(USAGE)
        }
        // Help and version.
        Err(error) => error.exit(),
    }
}

/// What clap says, without the values that it repeats if they look like a URL or a key: they were
/// meant for another place.
fn without_secrets(mut text: String, args: &[std::ffi::OsString]) -> String {
    let given = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    let set = std::env::vars().filter(|(name, _)| name.starts_with("ASTRO_")).map(|(_, v)| v);
    for value in given.chain(set) {
        let value =
            value.strip_prefix("--").and_then(|v| v.split_once('=')).map_or(&*value, |v| v.1);
        if ["://", "@", "password", "astro_"].iter().any(|sign| value.contains(sign)) {
            text = text.replace(value, "(not shown)");
        }
    }
    conceal(&text).into_owned()
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
        .with_writer(|| Concealed(std::io::stderr()));
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// The log: a key that somebody pasted where it does not belong is not repeated there.
struct Concealed(std::io::Stderr);

impl Write for Concealed {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        // A line comes in one piece.
        self.0.write_all(conceal(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

fn tell_error(error: &anyhow::Error) {
    tell_text(&format!("astro-server: {}\n", conceal(&format!("{error:#}"))));
}

#[allow(clippy::print_stderr)] // the one place where an error leaves the process
fn tell_text(text: &str) {
    eprint!("{text}");
}

#[allow(clippy::print_stdout)] // the one place where the command line answers
fn tell(line: &str) {
    println!("{line}");
}

fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    crate::serve::raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        // A limit on the size of files is an error of the write that meets it, not the end.
        let _too_large = signal(SignalKind::from_raw(SIGXFSZ))?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let config = args.config()?;
        if config.tls.is_none() && !args.listen.ip().to_canonical().is_loopback() {
            tracing::warn!(
                "Keys and data travel in plain text to {}, as --plaintext says: keep a TLS proxy or \
                 a private network in front",
                args.listen
            );
        }
        let mut server = Server::start(config).await?;
        if let Some(tls) = server.tls() {
            let mut hangup = signal(SignalKind::hangup())?;
            tokio::spawn(async move {
                while hangup.recv().await.is_some() {
                    tls.look_again();
                }
            });
        }
        if let Some(key) = server.admin_key() {
            announce(&key, args);
        }
        let console = args.console.open(&server).await?;
        tell(&format!("listening on {}", server.endpoint()));
        if let Some(console) = console {
            console::told(&console, &args.admin_key_file).iter().for_each(|line| tell(line));
            tokio::spawn(console::serve(console));
        }
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            failed = server.failed() => return failed,
        }
        tracing::info!("Stopping: open streams end now");
        server.stop().await
    });
    // A read that hangs in the database must not keep the process.
    runtime.shutdown_timeout(STOP_WAIT);
    ended
}

fn migrate(args: &ServeArgs) -> anyhow::Result<()> {
    let address = Address::parse(&args.database_url)?;
    address.prepare()?;
    let mut conn = Conn::open_with(&address, args.database(), Chance::default())
        .context("cannot open the database")?;
    let names = conn.migrate()?;
    for name in &names {
        tell(&format!("ran {name}"));
    }
    tell(&format!("{} migrations ran; the database is up to date", names.len()));
    Ok(())
}

fn recover(args: &ServeArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (address, outside) = (Address::parse(&args.database_url)?, Outside::default());
    let db = Db::open_with(&address, args.database(), &outside, crate::events::seal)
        .context("cannot open the database")?;
    crate::events::catch_up(&db)?;
    let now = outside.clock.now();
    if let Some(key) = runtime.block_on(admin_key::another(&db, &args.admin_key_file, now))? {
        announce(&key, args);
    }
    Ok(())
}

/// Tells where the new admin key is. It is shown on a terminal only: a journal keeps what it is told.
fn announce(key: &str, args: &ServeArgs) {
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    announcement(key, &args.admin_key_file, is_terminal).iter().for_each(|line| tell(line));
}

fn announcement(key: &str, file: &Path, is_terminal: bool) -> Vec<String> {
    let file = file.display();
    if is_terminal {
        let place = format!("It is shown this once, and was written to {file}.");
        vec![format!("admin key: {key}"), place]
    } else {
        vec![format!("The admin key was written to {file}: it is shown on a terminal only.")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_key_is_shown_on_a_terminal_only() {
        let told =
            |is_terminal| announcement("astro_admin_a_b", Path::new("k"), is_terminal).join(" ");
        assert!(told(true).contains("astro_admin_a_b"));
        assert!(!told(false).contains("astro_admin"));
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        const URL: &str = "postgres://astro:hunter2@db/astro";
        let key = "astro_admin_abcdefghijkm_0123456789";
        let (bare, listen) = ([URL], ["--listen", URL]);
        let joined = format!("--log-format={URL}");
        let (misspelt, pasted) = (["--databaseurl", URL], ["keys", key]);
        for args in [&bare[..], &listen, &[&*joined], &misspelt, &pasted] {
            let args: Vec<std::ffi::OsString> =
                ["astro-server"].iter().chain(args).map(Into::into).collect();
            let error = Cli::try_parse_from(&args).unwrap_err();
            let told = without_secrets(error.to_string(), &args);
            assert!(!told.contains("hunter2") && !told.contains("0123456789"), "{told}");
        }
    }
}
