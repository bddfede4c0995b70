//! The conformance driver of the Rust SDK: one JSON object a line in, one out. The protocol is in
//! `astro-sdk/conformance/DRIVER.md`. A library as well, for drivers that go another way to the server.
//!
//! Reading order: `ops` does what is asked, `typed` turns the contract's names into the SDK's types by
//! the generated `dispatch`, `json` writes messages and errors.

#[path = "gen/dispatch.rs"]
mod dispatch;
mod json;
mod ops;
mod typed;

use std::io::Write;

use anyhow::Context;
use astro_sdk::{Client, ClientBuilder, ConfigError};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use ops::Driver;

/// A driver: its language, and how its clients are made.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// As in `driver.yaml`.
    pub language: &'static str,
    /// Makes a client of what the runner gave, while the runner's variables are set.
    pub open: fn(Given) -> Result<Client, ConfigError>,
}

/// What the runner gave for a client.
#[derive(Debug)]
pub struct Given {
    /// All of it, as settings of the SDK.
    pub builder: ClientBuilder,
    /// Where the server is.
    pub endpoint: Option<String>,
    /// The authority to trust.
    pub ca_pem: Option<String>,
    /// The certificate to show.
    pub cert_pem: Option<String>,
    /// Its key.
    pub key_pem: Option<String>,
}

/// Does what standard input asks, to its end; says on standard error what went wrong.
///
/// One thread must be all that there is: `open` changes the environment, which no other may read
/// meanwhile.
pub async fn drive(kind: Kind) {
    let Err(error) = run(kind).await else { return };
    let _ = writeln!(std::io::stderr(), "{}: {error:#}", env!("CARGO_PKG_NAME"));
    // Returning would wait for the thread that reads the standard input.
    std::process::exit(1);
}

async fn run(kind: Kind) -> anyhow::Result<()> {
    let driver = Driver::new(kind);
    let mut lines = BufReader::new(stdin()).lines();
    let mut answers = FuturesUnordered::new();
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Some(line) = line? else { return Ok(()) };
                let asked = serde_json::from_str(&line).context("a line is no JSON")?;
                answers.push(answer(&driver, asked));
            }
            Some(answer) = answers.next() => {
                let mut out = std::io::stdout().lock();
                writeln!(out, "{}", answer?)?;
                out.flush()?;
            }
        }
    }
}

async fn answer(driver: &Driver, asked: Value) -> anyhow::Result<Value> {
    let id = asked["id"].clone();
    let mut answer = ops::answer(driver, &asked).await.with_context(|| format!("asked {asked}"))?;
    answer["id"] = id;
    Ok(answer)
}
