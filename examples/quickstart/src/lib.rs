//! The main job in one command: a server, a simulated Steam and a bot in one process, one donation
//! and one giveaway between people who do not exist.
//!
//! Reading order: `giveaway` is what a giveaway plugin does, with the public SDK only; `stage` sets
//! up what a real installation has already.

mod args;
mod closing;
mod console;
mod giveaway;
mod log;
mod people;
mod screen;
mod stage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::Args;
use closing::Verdict;
use screen::Screen;
use stage::Stage;

/// Runs one command line, program name first; the program's whole `main`.
#[tokio::main]
pub async fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = Args::parse_from(args);
    // The story is on standard output; what the parts log is for those who ask for it.
    if let Ok(filter) = EnvFilter::try_from_default_env() {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
    let screen = Screen::new();
    let played = tokio::select! {
        played = play(&args, &screen) => played,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("stopped before the end")),
    };
    let ended = match played {
        Ok((stage, verdict)) => end(&args, stage, &verdict, &screen).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen.complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn play(args: &Args, screen: &Screen) -> anyhow::Result<(Stage, Verdict)> {
    args.check()?;
    let stage = Stage::set(args, screen).await?;
    let mut log = log::Log::open(&stage.client, screen);
    let giveaway = giveaway::run(args, &stage, &mut log, screen).await?;
    let verdict = closing::judge(&stage, &giveaway, &log).await?;
    closing::tell(&verdict, &stage, &log, screen);
    if !args.once && args.inventory.is_none() {
        giveaway::restock(&stage, &mut log, screen).await?;
    }
    Ok((stage, verdict))
}

/// Ends at once with `--once`, else when the person says so; tells whether every item arrived.
async fn end(
    args: &Args,
    stage: Stage,
    verdict: &Verdict,
    screen: &Screen,
) -> anyhow::Result<bool> {
    if args.once {
        closing::suggest_later(&stage, verdict, screen);
        stage.strike().await?;
        tell_verdict(args, verdict, screen);
        return Ok(verdict.is_complete());
    }
    tell_verdict(args, verdict, screen);
    console::open(args.console, &stage, screen).await?;
    closing::suggest(&stage, verdict, screen)?;
    tokio::signal::ctrl_c().await?;
    stage.strike().await?;
    Ok(verdict.is_complete())
}

/// The last lines: how many items arrived, and after lost answers also that none did twice.
fn tell_verdict(args: &Args, verdict: &Verdict, screen: &Screen) {
    if args.lose_every.is_none() {
        return screen.plain(&verdict.to_string());
    }
    screen.plain(&format!("{} answers of Steam were lost on their way", verdict.lost));
    screen.plain(&verdict.to_string());
    screen.plain(&format!("doubled {}", verdict.doubled));
}
