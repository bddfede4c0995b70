//! A bridge of its own process: the listener, the way to the server, and a stop in order.
use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use astro_sdk::Client;
use clap::Parser as _;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tonic::{Status, TimeoutExpired};
use tower::ServiceExt as _;

use crate::limits::{HEADERS_BYTES_MAX, HEADERS_WAIT};
use crate::unread::Unread;
use crate::{Bridge, Services};

/// Connections at once: plugins of a host have a few each.
const CONNECTIONS_MAX: usize = 512;
/// Pause after a connection could not be accepted: files are short, and trying again at once would
/// only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time that calls under way have at a stop.
const DRAIN: Duration = Duration::from_secs(5);

/// HTTP and JSON for Astro, on the machine of those who have no gRPC.
///
/// A game server, a web shop or a shell script calls http://127.0.0.1:8787/api/v1/… and this program
/// calls the Astro server, encrypted if its address begins with https. What there is to call is at
/// /api/docs of the Astro server.
#[derive(clap::Parser)]
#[command(name = "astro-bridge", version, after_help = EXAMPLES)]
struct Args {
    /// The Astro server: https://HOST:PORT, or http:// for one on this machine.
    #[arg(long, env = "ASTRO_ENDPOINT", value_name = "URL", default_value = astro_sdk::DEFAULT_ENDPOINT)]
    server: String,
    /// Address to listen on, without encryption.
    #[arg(
        long,
        env = "ASTRO_BRIDGE_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8787"
    )]
    listen: SocketAddr,
    /// Listen on an address of the network although nothing is encrypted there: everybody who can
    /// read the network reads the keys.
    #[arg(long, env = "ASTRO_BRIDGE_PLAINTEXT")]
    plaintext: bool,
    /// Certificate (PEM) of whoever signed the server's; without it the usual authorities count.
    #[arg(long, env = "ASTRO_CA_CERT", value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Certificate (PEM) that this program shows to the server.
    #[arg(long, env = "ASTRO_CLIENT_CERT", value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, env = "ASTRO_CLIENT_KEY", value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Allow http:// to a server on another machine: everybody who can read the network in between
    /// reads the keys.
    #[arg(long, env = "ASTRO_BRIDGE_ALLOW_INSECURE")]
    allow_insecure: bool,
    /// File with the API key for callers who show none, so that plugins hold no secret. On loopback
    /// only: whoever can connect has what this key may.
    #[arg(long, env = "ASTRO_BRIDGE_API_KEY_FILE", value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  astro-bridge --server https://astro.example.org:50051
  astro-bridge --server https://10.0.0.5:50051 --ca-cert ca.pem --api-key-file astro.key
  curl -H \"authorization: Bearer $ASTRO_API_KEY\" http://127.0.0.1:8787/api/v1/caller";

/// Runs the program with these arguments, its own name first.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = Args::parse_from(args);
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ran = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(args)));
    let Err(error) = ran else { return ExitCode::SUCCESS };
    // Nobody is left to tell if that fails.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}

/// Runs the bridge until it is told to stop.
async fn run(args: Args) -> anyhow::Result<()> {
    if !args.listen.ip().is_loopback() {
        if args.api_key_file.is_some() {
            bail!(
                "--api-key-file goes with a loopback address only: whoever reaches {} would have its rights",
                args.listen
            );
        }
        if !args.plaintext {
            bail!(
                "{} is not this machine's own, and nothing is encrypted: give --plaintext if the network is private",
                args.listen
            );
        }
        tracing::warn!("Keys and answers go over the network unencrypted: {}", args.listen);
    }
    let key = args.api_key_file.as_deref().map(key).transpose()?;
    let bridge = Bridge::new(services(&args)?)?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", args.listen))?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on http://{}, for {}", listener.local_addr()?, args.server)?;
    out.flush()?;
    serve(listener, bridge, key).await
}

/// The header that shows the key of this file.
fn key(file: &Path) -> anyhow::Result<HeaderValue> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("--api-key-file {}", file.display()))?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", text.trim()))
        .with_context(|| format!("--api-key-file {} holds no key", file.display()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The way to the server, as every client of the SDK has it.
fn services(args: &Args) -> anyhow::Result<Services> {
    let read = |flag: &str, file: &Path| {
        std::fs::read(file).with_context(|| format!("cannot read {flag} {}", file.display()))
    };
    let mut client = Client::builder()
        .endpoint(args.server.clone())
        .allow_insecure(args.allow_insecure)
        .user_agent(concat!("astro-bridge/", env!("CARGO_PKG_VERSION")));
    if let Some(file) = &args.ca_cert {
        client = client.ca_certificate(read("--ca-cert", file)?);
    }
    if let Some(file) = &args.client_cert {
        client = client.client_certificate(read("--client-cert", file)?);
    }
    if let Some(file) = &args.client_key {
        client = client.client_key(read("--client-key", file)?);
    }
    let channel = client.channel()?;
    Ok(Services::new(channel.map_err(|error| {
        let error = anyhow::Error::from(error);
        if error.chain().any(|cause| cause.is::<TimeoutExpired>()) {
            return Status::deadline_exceeded("the server did not answer in the time it was given");
        }
        // The chain of causes says more than its first link.
        Status::unavailable(format!("the server cannot be reached: {error:#}"))
    })))
}

async fn serve(
    listener: TcpListener,
    bridge: Bridge,
    key: Option<HeaderValue>,
) -> anyhow::Result<()> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WAIT)
        .max_buf_size(HEADERS_BYTES_MAX);
    let (open, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("A connection cannot be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Beyond the places a connection is closed at once: its caller tries again.
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        // Fails only for a peer that has gone.
        let _ = stream.set_nodelay(true);
        let (bridge, key) = (bridge.clone(), key.clone());
        let answer = service_fn(move |request: Request<Incoming>| {
            let answer = bridge.answer(with_key(request, key.as_ref()));
            async move { Ok::<_, std::convert::Infallible>(answer.await) }
        });
        let connection =
            http.serve_connection(TokioIo::new(Unread::new(stream)), answer).into_owned();
        let connection = open.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!("A connection broke off: {error}");
            }
        });
    }
    drop(listener);
    // Streams have no end of their own.
    let _ = tokio::time::timeout(DRAIN, open.shutdown()).await;
    Ok(())
}

/// The request with the bridge's own key, if it shows none.
fn with_key(mut request: Request<Incoming>, key: Option<&HeaderValue>) -> Request<Incoming> {
    if let Some(key) = key {
        request.headers_mut().entry(AUTHORIZATION).or_insert_with(|| key.clone());
    }
    request
}
