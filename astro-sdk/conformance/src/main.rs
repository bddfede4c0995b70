//! The conformance runner's command line.

use std::process::ExitCode;

use anyhow::bail;
use astro_conformance::language::{self, Language};
use astro_conformance::mutants;
use astro_conformance::output::say;
use astro_conformance::report::Report;
use astro_conformance::suite::{Column, Suite};
use clap::{Parser, Subcommand};

/// Proves that every SDK of Astro behaves as astro-sdk/SPEC.md says.
///
/// Runs the scenarios of astro-sdk/conformance/scenarios in each column: a language, or one of its
/// flavours. Ends with 0 only if all passed. See astro-sdk/conformance/SCENARIOS.md and DRIVER.md.
#[derive(Parser)]
#[command(name = "astro-conformance", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Task>,
    /// Columns or languages to run; `all` or none: every column.
    columns: Vec<String>,
    /// Run only scenarios whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Show the lines to and from the drivers.
    #[arg(long)]
    verbose: bool,
}

#[derive(Subcommand)]
enum Task {
    /// List columns and scenarios.
    List,
    /// Build the package and the driver of languages.
    Prepare {
        /// Languages, or `all`.
        #[arg(required = true)]
        languages: Vec<String>,
    },
    /// Plant each fault of mutants.yaml and see that a scenario catches it.
    Mutants,
    /// Start a server behind the fault service, and tell endpoint and keys.
    Serve {
        /// Items in the pool.
        #[arg(long, default_value_t = 10)]
        items: usize,
    },
    /// Run the linters of languages.
    Lint {
        /// Languages, or `all`.
        #[arg(required = true)]
        languages: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr, reason = "the complaint of a command-line tool")]
fn complain(message: &str) {
    eprintln!("{message}");
}

async fn run(cli: Cli) -> anyhow::Result<bool> {
    let root = language::find_root(&std::env::current_dir()?)?;
    match cli.command {
        Some(Task::List) => {
            list(&Suite::load(&root)?)?;
            Ok(true)
        }
        Some(Task::Prepare { languages }) => {
            for language in chosen(&root, &languages)? {
                ensure_tools(&language)?;
                language.prepare().await?;
                say(&format!("{} is prepared", language.name));
            }
            Ok(true)
        }
        Some(Task::Lint { languages }) => {
            for language in chosen(&root, &languages)? {
                ensure_tools(&language)?;
                language.prepare().await?;
                language.lint().await?;
                say(&format!("{}: nothing found", language.name));
            }
            Ok(true)
        }
        Some(Task::Mutants) => mutants::run(&Suite::load(&root)?).await,
        Some(Task::Serve { items }) => {
            astro_conformance::serve::serve(items).await?;
            Ok(true)
        }
        None => {
            let mut suite = Suite::load(&root)?;
            suite.verbose = cli.verbose;
            if let Some(text) = &cli.only {
                suite.only(text)?;
            }
            let columns = suite.columns(&cli.columns)?;
            scenarios(&suite, &columns).await
        }
    }
}

fn list(suite: &Suite) -> anyhow::Result<()> {
    for column in suite.columns(&[])? {
        say(&format!("column {} ({})", column.name, column.language.name));
    }
    for scenario in &suite.scenarios {
        say(&format!("{}: {} [{}]", scenario.file, scenario.name, scenario.spec.join(" ")));
    }
    Ok(())
}

fn chosen(root: &std::path::Path, names: &[String]) -> anyhow::Result<Vec<Language>> {
    let all = language::all(root)?;
    if names.iter().any(|name| name == "all") {
        return Ok(all);
    }
    let mut found = Vec::new();
    for name in names {
        match all.iter().find(|language| language.name == *name) {
            Some(language) => found.push(language.clone()),
            None => bail!("there is no language {name:?} with a driver.yaml"),
        }
    }
    Ok(found)
}

fn ensure_tools(language: &Language) -> anyhow::Result<()> {
    let missing = language.missing();
    if !missing.is_empty() {
        bail!("{} needs {}", language.name, missing.join(", "));
    }
    Ok(())
}

async fn scenarios(suite: &Suite, columns: &[Column]) -> anyhow::Result<bool> {
    let report = suite.run_all(columns).await?;
    let names: Vec<&str> = suite.scenarios.iter().map(|one| one.name.as_str()).collect();
    report.lines(&names).iter().for_each(|line| say(line));
    Ok(is_good(&report))
}

fn is_good(report: &Report) -> bool {
    report.is_good() && (report.not_run() == 0 || !astro_conformance::is_ci())
}
