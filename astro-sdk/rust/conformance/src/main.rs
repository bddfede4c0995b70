//! The conformance driver of the Rust SDK: one JSON object a line in, one out. The protocol is in
//! `astro-sdk/conformance/DRIVER.md`.
//!
//! Reading order: [`ops`] does what is asked, [`typed`] turns the contract's names into the SDK's
//! types by the generated [`dispatch`], [`json`] writes messages and errors.

#[path = "gen/dispatch.rs"]
mod dispatch;
mod json;
mod ops;
mod typed;

use std::io::Write;

use anyhow::Context;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use ops::Driver;

// One thread: `open` changes the environment, which no other may read meanwhile.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Err(error) = run().await else { return };
    let _ = writeln!(std::io::stderr(), "astro-sdk-driver: {error:#}");
    // Returning would wait for the thread that reads the standard input.
    std::process::exit(1);
}

async fn run() -> anyhow::Result<()> {
    let driver = Driver::default();
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
