//! Schemathesis asks a running server for all that its document allows and much that it does not:
//! `requirements.txt` has its version.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use astro_tests::{App, Backend};
use sdk_gen::python::Python;

use crate::{or_say, ran, source};

/// What every answer is held to: no fault of the server's, and nothing that is not documented.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";
/// Streams have no end to wait for, and whoever revokes keys may revoke its own.
const LEFT_OUT: &str = ":watch$|/api-keys/";
/// Requests that are drawn for each operation, beside those at the edges of the document.
const DRAWN: &str = "20";

#[tokio::test]
async fn a_server_answers_as_its_document_says_whatever_it_is_asked() {
    let Some(program) = or_say(install()) else { return };
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
    tokio::task::spawn_blocking(move || ran(&mut asked)).await.unwrap().unwrap();
}

/// The program, installed at the first need.
fn install() -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis");
    let python = Python::install(&source("requirements.txt"), &folder)?;
    Ok(python.program("schemathesis"))
}
