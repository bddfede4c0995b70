//! A linter and TypeScript read the document: `node/` has their lock file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context as _, anyhow};
use sha2::{Digest as _, Sha256};

use crate::{or_say, ran, source};

/// What is installed, and what is written for it.
const FILES: [&str; 4] = [".npmrc", "client.ts", "package-lock.json", "package.json"];

#[test]
fn the_linter_has_nothing_to_say() {
    let Some(folder) = installed() else { return };
    let mut redocly = tool(&folder, "redocly");
    redocly.args(["lint", "--extends=recommended-strict"]).arg(document());
    redocly.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    ran(&mut redocly).unwrap();
}

#[test]
fn typescript_made_of_it_takes_a_program_at_its_word() {
    let Some(folder) = installed() else { return };
    let made = tempfile::tempdir_in(&folder).unwrap();
    let mut types = tool(&folder, "openapi-typescript");
    ran(types.arg(document()).arg("--output").arg(made.path().join("api.ts"))).unwrap();
    let client = made.path().join("client.ts");
    fs::copy(folder.join("client.ts"), &client).unwrap();
    let mut compiler = tool(&folder, "tsc");
    compiler.args(["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022"]);
    ran(compiler.args(["--noUncheckedIndexedAccess", "--skipLibCheck"]).arg(client)).unwrap();
}

#[test]
fn the_lock_file_names_no_registry() {
    let text = fs::read_to_string(source("node").join("package-lock.json")).unwrap();
    assert!(!text.contains("\"resolved\""));
}

fn document() -> PathBuf {
    let root = sdk_gen::find_root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    root.join("astro-sdk/openapi/openapi.json")
}

fn tool(folder: &Path, name: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(folder.join("node_modules/.bin").join(name)).current_dir(folder);
    command
}

/// The folder with the tools, which are installed at the first need.
fn installed() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| install().map_err(|error| format!("{error:#}")));
    or_say(installed.clone().map_err(|missing| anyhow!(missing)))
}

/// A folder with the lock file's packages, unless there is one of the same files.
fn install() -> anyhow::Result<PathBuf> {
    ran(Command::new("node").arg("--version")).context("node is not installed")?;
    ran(Command::new("npm").arg("--version")).context("npm is not installed")?;
    let mut hash = Sha256::new();
    for name in FILES {
        hash.update(
            fs::read(source("node").join(name)).with_context(|| format!("cannot read {name}"))?,
        );
    }
    let hash: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi-readers");
    let folder = parent.join(hash);
    if folder.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&parent)?;
    let staging = tempfile::tempdir_in(&parent)?;
    for name in FILES {
        fs::copy(source("node").join(name), staging.path().join(name))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]);
    ran(npm.current_dir(staging.path())).context("npm cannot install the tools")?;
    // Whole or not at all, also when another process does the same: the first to finish wins.
    let renamed = fs::rename(staging.path(), &folder);
    if folder.exists() { Ok(folder) } else { renamed.map(|()| folder).map_err(Into::into) }
}
