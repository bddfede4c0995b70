//! A console of its own process: its arguments, and the way to the server.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use astro_sdk::Client;
use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::{AVATAR_HOST, Config, Console, PATIENCE, PICTURE_HOST, Pictures, assets};

/// Serves Astro's web console, towards an Astro server anywhere.
#[derive(Debug, Parser)]
#[command(name = "astro-console", version)]
struct Args {
    /// Address of the server: https://host:port, or http:// on this machine.
    #[arg(long, env = "ASTRO_ENDPOINT", value_name = "URL", default_value = astro_sdk::DEFAULT_ENDPOINT)]
    endpoint: String,
    /// Address to serve pages on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address by which browsers find the console, https://console.example.org: needed on any other
    /// address than this machine's own.
    #[arg(long, env = "ASTRO_CONSOLE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Certificate (PEM) of whoever signed the server's; without it the usual authorities count.
    #[arg(long, env = "ASTRO_CA_CERT", value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Certificate (PEM) that this program shows to the server.
    #[arg(long, env = "ASTRO_CLIENT_CERT", value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, env = "ASTRO_CLIENT_KEY", value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Allow http:// to another machine, to the server and from readers: keys and pages are seen by
    /// whoever is on the way.
    #[arg(long)]
    allow_insecure: bool,
    /// Where pictures of items and people come from: `tiles` stand for them and nothing is fetched;
    /// `proxy` fetches them from the two hosts below, so that readers' browsers ask nobody else.
    #[arg(long, env = "ASTRO_CONSOLE_PICTURES", value_enum, default_value_t = Pictures::Tiles)]
    pictures: Pictures,
    /// Where Steam's pictures of items are.
    #[arg(long, env = "ASTRO_CONSOLE_PICTURE_HOST", value_name = "URL", default_value = PICTURE_HOST)]
    picture_host: String,
    /// Where Steam's pictures of people are.
    #[arg(long, env = "ASTRO_CONSOLE_AVATAR_HOST", value_name = "URL", default_value = AVATAR_HOST)]
    avatar_host: String,
    /// File with a key for which a sign-in link is printed. It works once, within an hour.
    #[arg(long, value_name = "FILE")]
    link_for_key_file: Option<PathBuf>,
    /// Folder with console.css, console.js and icon.svg to serve in place of those that are built in,
    /// read anew each time: for whoever works on them.
    #[arg(long, value_name = "DIR")]
    assets: Option<PathBuf>,
}

/// Runs the program with these arguments, until it is told to stop.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = Args::parse_from(args);
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ran = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(args)));
    let Err(error) = ran else { return ExitCode::SUCCESS };
    // Nobody is left to tell if that fails.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

#[allow(clippy::print_stdout, reason = "where the console is, for whoever started it")]
async fn run(args: Args) -> anyhow::Result<()> {
    let mut builder = Client::builder()
        .endpoint(&args.endpoint)
        .anonymous()
        .user_agent("astro-console")
        .patience(PATIENCE)
        .allow_insecure(args.allow_insecure);
    if let Some(file) = &args.ca_cert {
        builder = builder.ca_certificate(read(file)?);
    }
    if let (Some(certificate), Some(key)) = (&args.client_cert, &args.client_key) {
        builder = builder.client_certificate(read(certificate)?).client_key(read(key)?);
    }
    let mut config = Config::new(builder.build()?, &args.endpoint);
    config.public_url = args.public_url;
    config.allow_insecure = args.allow_insecure;
    config.pictures = args.pictures;
    config.picture_host = args.picture_host;
    config.avatar_host = args.avatar_host;
    if let Some(folder) = args.assets {
        assets::read_from(folder);
    }
    let console = Console::new(config)?.listen(args.listen);
    let console = console.await.with_context(|| format!("cannot serve on {}", args.listen))?;
    println!("the console is on {}", console.url());
    if let Some(file) = &args.link_for_key_file {
        let key = String::from_utf8(read(file)?).context("the key's file is no text")?;
        let link = console.sign_in_link(key.trim()).context("no random numbers")?;
        println!("sign in once: {link}");
    }
    tokio::select! {
        served = console.serve() => Ok(served?),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
