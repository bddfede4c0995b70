//! Every scenario in every column, the linters of each language, its examples, and the planted
//! faults. Prints what `astro-conformance` prints.

#![allow(clippy::unwrap_used, reason = "all of it is a test")]

mod install;
mod stories;

use std::path::Path;
use std::process::ExitCode;

use astro_conformance::output::say;
use astro_conformance::suite::Suite;
use astro_conformance::{is_ci, language, mutants};

/// What `cargo test` can be asked for by name: everything, the examples alone, or the lines that
/// install the SDKs.
const PARTS: [&str; 3] = ["conformance", "stories", "install"];

#[tokio::main]
async fn main() -> ExitCode {
    // `cargo test NAME` runs what is called so.
    let mut filters = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let filter = filters.next();
    if filter.as_ref().is_some_and(|filter| !PARTS.iter().any(|part| part.contains(filter))) {
        return ExitCode::SUCCESS;
    }
    let is_asked = |part: &str| filter.as_ref().is_some_and(|filter| part.contains(filter));
    let wrong = match () {
        () if is_asked("stories") => tell().await,
        () if is_asked("install") => install().await,
        () => run().await,
    };
    let wrong = wrong.unwrap_or_else(|error| vec![format!("{error:#}")]);
    wrong.iter().for_each(|line| say(&format!("FAIL {line}")));
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the examples alone; gives what is wrong.
async fn tell() -> anyhow::Result<Vec<String>> {
    let root = language::find_root(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())?;
    let languages = language::all(&root)?;
    let ready: Vec<_> = languages.iter().filter(|one| one.missing().is_empty()).collect();
    for language in &ready {
        language.prepare().await?;
    }
    Ok(stories::run(&ready).await)
}

/// Installs the SDKs as their READMEs say, and nothing else; gives what is wrong.
async fn install() -> anyhow::Result<Vec<String>> {
    let root = language::find_root(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())?;
    let languages = language::all(&root)?;
    let ready: Vec<_> = languages.iter().filter(|one| one.missing().is_empty()).collect();
    for away in languages.iter().filter(|one| !one.missing().is_empty()) {
        say(&format!("install {}: not run, it needs {}", away.name, away.missing().join(", ")));
    }
    let mut wrong = install::run(&root, &ready).await;
    if is_ci() && ready.len() < languages.len() {
        wrong.push("a language has no toolchain here".to_owned());
    }
    Ok(wrong)
}

/// Runs everything; gives what is wrong.
async fn run() -> anyhow::Result<Vec<String>> {
    let root = language::find_root(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())?;
    let suite = Suite::load(&root)?;
    let mut wrong = Vec::new();
    let report = suite.run_all(&suite.columns(&[])?).await?;
    let names: Vec<&str> = suite.scenarios.iter().map(|one| one.name.as_str()).collect();
    report.lines(&names).iter().for_each(|line| say(line));
    if !report.is_good() {
        wrong.push("scenarios: see the table above".to_owned());
    }
    if report.not_run() > 0 && is_ci() {
        wrong.push("a language has no toolchain here".to_owned());
    }
    let ready: Vec<_> = suite.languages.iter().filter(|one| one.missing().is_empty()).collect();
    for language in &ready {
        say(&format!("lint {}", language.name));
        if let Err(error) = language.lint().await {
            wrong.push(format!("{error:#}"));
        }
    }
    wrong.extend(install::run(&root, &ready).await);
    wrong.extend(stories::run(&ready).await);
    if !mutants::run(&suite).await? {
        wrong.push("a planted fault was not caught".to_owned());
    }
    Ok(wrong)
}
