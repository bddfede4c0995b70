//! Schemathesis, as it is published, asks a running server for all that its OpenAPI document allows
//! and much that it does not: `cargo test --test schemathesis`.

#![allow(clippy::unwrap_used, reason = "clippy knows test functions, not the code they share")]

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use astro_tests::{App, Backend};
use tokio::process::Command;

/// What every answer is held to: no fault of the server's, and nothing that is not documented.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";
/// Streams have no end to wait for, and whoever revokes keys may revoke its own.
const LEFT_OUT: &str = ":watch$|/api-keys/";
/// Requests that are drawn for each operation, beside those at the edges of the document.
const DRAWN: &str = "20";

#[tokio::test]
async fn a_server_answers_as_its_document_says_whatever_it_is_asked() {
    let Some(program) = installed().await else { return };
    let app = App::start(Backend::Sqlite).await;
    app.pool_of(3).await;
    let mut asked = Command::new(program);
    asked
        .args(["run", &format!("{}/api/v1/openapi.json", app.relay.endpoint())])
        .args(["--header", &format!("Authorization: Bearer {}", app.client_key)])
        .args(["--checks", CHECKS, "--exclude-path-regex", LEFT_OUT])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", DRAWN])
        // The same requests each time.
        .args(["--seed", "1", "--generation-deterministic", "--no-color"])
        .args(["--request-timeout", "30"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"));
    ran(&mut asked).await.unwrap();
}

/// The program, installed at the first need. If it cannot be, says what is missing and that the test
/// did not run.
///
/// # Panics
/// When it cannot be installed and `CI` is `true`: there nothing is left out.
async fn installed() -> Option<PathBuf> {
    let missing = match install().await {
        Ok(program) => return Some(program),
        Err(error) => format!("NOT RUN: schemathesis: {error:#}\n"),
    };
    assert!(env::var("CI").as_deref() != Ok("true"), "{missing}");
    // Past the capture of output, since a test that passes shows nothing otherwise.
    let _ = std::io::stderr().write_all(missing.as_bytes());
    None
}

/// Makes a folder with what `requirements.txt` names, unless it is there already.
async fn install() -> anyhow::Result<PathBuf> {
    let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis/requirements.txt");
    let wanted = fs::read_to_string(wanted)?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis");
    let (done, program) = (folder.join("requirements.txt"), folder.join("bin/schemathesis"));
    if fs::read_to_string(&done).is_ok_and(|has| has == wanted) {
        return Ok(program);
    }
    let made = ran(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).await;
    made.context("python3 with venv is not installed")?;
    let list = folder.join("wanted.txt");
    fs::write(&list, &wanted)?;
    let mut pip = Command::new(folder.join("bin/pip"));
    let got = ran(pip.args(["install", "--quiet", "--requirement"]).arg(&list)).await;
    got.context("pip cannot install it")?;
    fs::rename(list, done)?;
    Ok(program)
}

/// Runs a command to its end.
///
/// # Errors
/// What it said, when it fails or is not there.
async fn ran(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().await?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&said).trim()
    );
    Ok(())
}
