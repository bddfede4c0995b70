//! `astro-console`: the pages alone, towards an Astro server anywhere.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use astro_console::{Config, Console};
use astro_sdk::Client;
use clap::Parser;
use tracing_subscriber::EnvFilter;

/// Serves Astro's web console, towards an Astro server anywhere.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Address of the server: https://host:port, or http:// on this machine.
    #[arg(long, env = "ASTRO_ENDPOINT", default_value = astro_sdk::DEFAULT_ENDPOINT)]
    endpoint: String,
    /// Address to serve pages on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address by which browsers find the console, https://console.example.org: needed on any other
    /// address than this machine's own.
    #[arg(long, env = "ASTRO_CONSOLE_PUBLIC_URL")]
    public_url: Option<String>,
    /// File with the certificates (PEM) to trust in place of the public authorities.
    #[arg(long)]
    ca_cert: Option<PathBuf>,
    /// Allow http:// to another machine, to the server and from readers: key and pages are seen by
    /// whoever is on the way.
    #[arg(long)]
    allow_insecure: bool,
    /// File with a key for which a sign-in link is printed. It works once, within an hour.
    #[arg(long)]
    link_for_key_file: Option<PathBuf>,
}

#[tokio::main]
#[allow(clippy::print_stdout, reason = "where the console is, for whoever started it")]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let args = Args::parse();
    let mut builder = Client::builder()
        .endpoint(&args.endpoint)
        .anonymous()
        .user_agent("astro-console")
        .patience(astro_console::PATIENCE)
        .allow_insecure(args.allow_insecure);
    if let Some(file) = &args.ca_cert {
        let pem = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        builder = builder.ca_certificate(pem);
    }
    let mut config = Config::new(builder.build()?, &args.endpoint);
    config.public_url = args.public_url;
    config.allow_insecure = args.allow_insecure;
    let console = Console::new(config)?.listen(args.listen);
    let console = console.await.with_context(|| format!("cannot serve on {}", args.listen))?;
    println!("the console is on {}", console.url());
    if let Some(file) = &args.link_for_key_file {
        let key = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let link = console.sign_in_link(key.trim()).context("no random numbers")?;
        println!("sign in once: {link}");
    }
    tokio::select! {
        served = console.serve() => Ok(served?),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
