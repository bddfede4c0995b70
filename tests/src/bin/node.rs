//! The project's programs as processes of their own, for tests that kill them and for scripts that
//! call them: `astro-node server …`, `bot …`, `console …`, `quickstart …` and `astro …`, with the
//! arguments of `astro-server`, `astro-bot`, `astro-console`, `astro-quickstart` and `astro`, and `--files N` for the number of open
//! files that it may have. All but the last end with their parent: when their standard input closes.

use std::ffi::OsString;
use std::io::Read;
use std::process::ExitCode;

use clap::Parser;
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The bot's own arguments.
#[derive(Parser)]
struct Bot {
    #[command(flatten)]
    args: astro_bot::Args,
}

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    limit_files(&mut args);
    let part = if args.len() > 1 { args.remove(1) } else { OsString::new() };
    // The command line ends by itself, and its input is for it.
    if part != "astro" {
        std::thread::spawn(end_with_parent);
    }
    match part.to_str() {
        Some("astro") => astro(args),
        Some("quickstart") => astro_quickstart::main_with(args),
        Some("server") => astro_server::cli::main_with(args),
        Some("console") => astro_console::cli::main_with(args),
        Some("bridge") => astro_bridge::sidecar::main_with(args),
        Some("bot") => bot(Bot::parse_from(args)).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Some(_) | None => ExitCode::FAILURE,
    }
}

/// Takes `--files N` out of the arguments and obeys it.
fn limit_files(args: &mut Vec<OsString>) {
    let Some(at) = args.iter().position(|arg| arg == "--files") else { return };
    let files = args.get(at + 1).and_then(|files| files.to_str()?.parse().ok());
    args.drain(at..=at + 1);
    let limit = Rlimit { current: files, maximum: files };
    setrlimit(Resource::Nofile, limit).expect("a limit can be lowered");
}

#[tokio::main(flavor = "current_thread")]
async fn astro(args: Vec<OsString>) -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    ExitCode::from(astro_cli::run(args, &mut out, &mut err).await)
}

fn end_with_parent() {
    // Nothing is ever sent: the end of the input, however it comes, is the message.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(1);
}

#[tokio::main]
async fn bot(command: Bot) -> anyhow::Result<()> {
    let mut config = command.args.into_config()?;
    config.pace = astro_tests::fast_pace();
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let asked = stop.clone();
    tokio::spawn(async move {
        terminate.recv().await;
        asked.cancel();
    });
    astro_bot::run(config, stop).await
}
