//! Turns `proto/` into the SDKs' generated code, and says when that code is stale.
//!
//! Reading order: [`schema`] compiles the contract, [`model`] reduces it to what templates need,
//! [`lang`] turns it into files, [`mod@write`] puts them in place or compares them, [`lint`] checks the
//! contract itself.

pub mod lang;
pub mod lint;
pub mod model;
pub mod schema;
pub mod write;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The command that brings generated files up to date; named in every complaint about them.
pub const GENERATE_COMMAND: &str = "cargo sdk generate";

/// What [`generate`] did.
#[derive(Debug)]
pub struct Generated {
    /// Files written and deleted, relative to the root.
    pub changes: write::Changes,
    /// Where the contract breaks its own rules; [`check`] fails on these.
    pub violations: Vec<lint::Violation>,
}

/// Finds the project's root: the nearest folder at or above `from` with `proto/` and `Cargo.toml`.
///
/// # Errors
/// When there is no such folder.
pub fn find_root(from: &Path) -> anyhow::Result<PathBuf> {
    from.ancestors()
        .find(|dir| dir.join("proto").is_dir() && dir.join("Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .with_context(|| {
            format!("no folder with proto/ and Cargo.toml at or above {}", from.display())
        })
}

/// Brings every generated file up to date and deletes those that are generated no more.
///
/// # Errors
/// When `proto/` does not compile, a template fails, or a file cannot be written.
pub fn generate(root: &Path) -> anyhow::Result<Generated> {
    let schema = schema::Schema::load(root)?;
    let changes = write::write(root, &files(root, &schema)?)?;
    Ok(Generated { changes, violations: lint::lint(&schema) })
}

/// Checks the contract's rules, and that every generated file is exactly what `generate` writes.
///
/// # Errors
/// Lists every broken rule and every file that differs, and names the command to run.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let schema = schema::Schema::load(root)?;
    let violations = lint::lint(&schema);
    let mut problems: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let drifts = write::drifts(root, &files(root, &schema)?)?;
    problems.extend(drifts.iter().map(ToString::to_string));
    if !drifts.is_empty() {
        problems.push(format!("generated files are not up to date; run: {GENERATE_COMMAND}"));
    }
    if problems.is_empty() { Ok(()) } else { bail!(problems.join("\n")) }
}

fn files(root: &Path, schema: &schema::Schema) -> anyhow::Result<Vec<write::File>> {
    let model = model::Model::build(schema);
    let mut files = Vec::new();
    for language in lang::all() {
        let made = language
            .files(root, schema, &model)
            .with_context(|| format!("generating {}", language.name()))?;
        files.extend(made);
    }
    Ok(files)
}
