//! Measures Astro against what the machine could do: `cargo run --release -p astro-load -- all`.

mod bare;
mod bench;
mod calls;
mod drive;
mod echo;
mod flame;
mod pool;
mod process;
mod report;
mod scenarios;
mod session;
mod stage;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use astro_tests::{Backend, postgres};
use clap::Parser;

use bench::{Bench, Plan};
use echo::Echo;
use report::Report;
use scenarios::{SCENARIOS, Scenario};
use stage::Stage;

/// Sizes of the pool, unless others are asked for.
const ITEMS: [u64; 3] = [1_000, 100_000, 1_000_000];
/// Seconds for each side of a comparison.
const SECONDS: f64 = 5.0;
/// The same, and the size, in a hurry.
const QUICK: (u64, f64) = (1_000, 0.6);

/// Measures Astro against what the machine could do.
///
/// The server runs in a process of its own, on SQLite in a temporary folder and on PostgreSQL in a
/// private cluster that writes durably. Each figure has its ceiling from the same run: slices of about
/// a second of the server and of the ceiling take turns, so that both meet the same machine. The
/// ceiling of a read is a bare tonic server that answers with the same bytes; that of a write is the
/// bare database, running the same statements, prepared, with as many requests in a transaction.
#[derive(Debug, Parser)]
#[command(name = "astro-load", after_help = EXAMPLES)]
struct Cli {
    /// `all`, names of scenarios, `list`, or `profile` and a scenario's name.
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// sqlite://FILE or postgres://…: an empty database, which is filled and left behind. Both kinds
    /// unless set.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Sizes of the pool: items that are there, and events in the log.
    #[arg(long, value_delimiter = ',', default_values_t = ITEMS)]
    items: Vec<u64>,
    /// Seconds for each side of a comparison.
    #[arg(long, default_value_t = SECONDS)]
    seconds: f64,
    /// The main scenarios at 1,000 items in two minutes: enough to see that something broke.
    #[arg(long)]
    quick: bool,
    /// File to write all figures to.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// File to write the table to, which is printed as well.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  astro-load list                              what can be measured, and what is wanted of it
  astro-load all                               everything, at all sizes, on both databases: an hour
  astro-load all --quick                       two minutes
  astro-load get-item create --items 100000    some of it, at one size
  astro-load profile create --items 100000     a flame graph of the server, by perf

How to read the table: p50 … max are latencies in milliseconds; µs are processor time for one
operation, of the server and of PostgreSQL's processes (SQLite runs within the server); the ratio
compares with the ceiling of the same run. Beneath it, each target and whether it was met.";

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    match args.get(1).and_then(|word| word.to_str()) {
        Some("server") => {
            args.remove(1);
            std::thread::spawn(end_with_parent);
            return astro_server::cli::main_with(args);
        }
        Some("console-alone") => {
            args.remove(1);
            std::thread::spawn(end_with_parent);
            return astro_console::cli::main_with(args);
        }
        Some("echo") => {
            std::thread::spawn(end_with_parent);
            return echo::serve();
        }
        Some(_) | None => {}
    }
    match run(Cli::parse_from(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("astro-load: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The servers end when whoever started them does.
fn end_with_parent() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(1);
}

/// Writes a line for people.
pub(crate) fn tell(line: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes a line of the output.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[tokio::main]
async fn run(mut cli: Cli) -> anyhow::Result<()> {
    if cli.scenarios[0] == "list" {
        scenarios::list();
        return Ok(());
    }
    let profile = cli.scenarios[0] == "profile";
    if profile {
        cli.scenarios.remove(0);
        ensure!(cli.scenarios.len() == 1, "profile takes the name of one scenario");
        flame::is_available()?;
    }
    if cli.quick {
        (cli.items, cli.seconds) = (vec![QUICK.0], QUICK.1);
    }
    let plan = Plan { time: Duration::from_secs_f64(cli.seconds), quick: cli.quick, profile };
    let chosen = chosen(&cli)?;
    let mut report = Report::new();
    for backend in backends(&cli)? {
        let mut smallest = BTreeMap::new();
        for items in &cli.items {
            let url = cli.database_url.as_deref();
            tell(&format!("{backend:?}: filling with {items} items"));
            let stage = Stage::start(backend, url, *items).await?;
            let mut bench = Bench::new(stage, Echo::start().await?, plan, smallest);
            measure(&mut bench, &chosen, &mut report).await;
            report.add(bench.rows);
            smallest = bench.smallest;
        }
    }
    let table = report.markdown();
    say(&table);
    if let Some(file) = &cli.markdown {
        std::fs::write(file, &table).with_context(|| format!("cannot write {file:?}"))?;
    }
    if let Some(file) = &cli.json {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(file, json).with_context(|| format!("cannot write {file:?}"))?;
    }
    Ok(())
}

fn chosen(cli: &Cli) -> anyhow::Result<Vec<&'static Scenario>> {
    if cli.scenarios == ["all"] {
        return Ok(SCENARIOS.iter().filter(|scenario| scenario.quick || !cli.quick).collect());
    }
    let by_name = |name: &String| {
        let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
        found.with_context(|| format!("there is no scenario {name}; see `astro-load list`"))
    };
    cli.scenarios.iter().map(by_name).collect()
}

fn backends(cli: &Cli) -> anyhow::Result<Vec<Backend>> {
    if let Some(url) = &cli.database_url {
        return Ok(vec![match url.split(':').next() {
            Some("sqlite") => Backend::Sqlite,
            Some("postgres" | "postgresql") => Backend::Postgres,
            Some(_) | None => bail!("--database-url takes sqlite://… or postgres://…"),
        }]);
    }
    postgres::make_durable();
    let mut backends = vec![Backend::Sqlite];
    if postgres::is_available("PostgreSQL") {
        backends.push(Backend::Postgres);
    }
    Ok(backends)
}

async fn measure(bench: &mut Bench, chosen: &[&'static Scenario], report: &mut Report) {
    for scenario in chosen {
        bench.begin(scenario);
        // What the others find is worth more than that one of them failed.
        if let Err(error) = (scenario.run)(bench).await {
            let (backend, items) = (bench.stage.backend, bench.stage.items);
            let what = format!("{backend:?}, {items} items, {}: {error:#}", scenario.name);
            tell(&what);
            report.failed(what);
        }
    }
}
