//! Others' tools, as they are published, at the OpenAPI document: `cargo test --test openapi`. Node and
//! Python run them.

#![allow(clippy::unwrap_used, reason = "clippy knows test functions, not the code they share")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;
use astro_tests::not_run;

mod asker;
mod readers;

/// A file or folder of these tests.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(name)
}

/// What was installed. If it could not be, says what is missing and that the running test did not run.
///
/// # Panics
/// When it could not be installed and `CI` is `true`: there nothing is left out.
fn or_say(installed: anyhow::Result<PathBuf>) -> Option<PathBuf> {
    let missing = match installed {
        Ok(place) => return Some(place),
        Err(error) => format!("{error:#}"),
    };
    not_run(std::thread::current().name().unwrap_or_default(), &missing);
    None
}

/// Runs a command to its end.
///
/// # Errors
/// What it said, when it fails or is not there.
fn ran(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output()?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&said).trim()
    );
    Ok(())
}
