//! Turns `proto/` into the SDKs' generated code, and says when that code is stale.
//!
//! Reading order: [`schema`] compiles the contract, [`model`] reduces it to what templates need,
//! [`lang`] and [`openapi`] turn it into files, [`mod@write`] puts them in place or compares them,
//! [`lint`] checks the contract itself. [`sourcemod`] packs the one kit that is no registry's.

pub mod docs;
pub mod lang;
pub mod lint;
pub mod model;
pub mod openapi;
pub mod proto;
pub mod prune;
pub mod python;
pub mod schema;
pub mod sourcemod;
mod templates;
pub mod write;

use std::fmt;
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
    /// Languages whose files were left as they were.
    pub unchecked: Vec<Unchecked>,
}

/// A language that cannot be generated here, so that its files are not checked either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unchecked {
    /// Name of the language.
    pub language: &'static str,
    /// What is not installed.
    pub missing: lang::Missing,
}

impl fmt::Display for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lang::Missing { tool, folder } = self.missing;
        write!(f, "{} is not checked: install {tool} to generate {folder}", self.language)
    }
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
    let (files, unchecked) = files(root, &schema)?;
    let changes = write::write(root, &files, &folders(&unchecked))?;
    Ok(Generated { changes, violations: lint::lint(&schema), unchecked })
}

/// Checks the contract's rules, and that every generated file is exactly what `generate` writes.
/// Answers what could not be checked.
///
/// # Errors
/// Lists every broken rule and every file that differs, and names the command to run. With `CI=true`
/// also what could not be checked.
pub fn check(root: &Path) -> anyhow::Result<Vec<Unchecked>> {
    let schema = schema::Schema::load(root)?;
    let violations = lint::lint(&schema);
    let mut problems: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let (files, unchecked) = files(root, &schema)?;
    let drifts = write::drifts(root, &files, &folders(&unchecked))?;
    problems.extend(drifts.iter().map(ToString::to_string));
    if !drifts.is_empty() {
        problems.push(format!("generated files are not up to date; run: {GENERATE_COMMAND}"));
    }
    // A developer may lack a tool; where changes are let in, everything is checked.
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        problems.extend(unchecked.iter().map(ToString::to_string));
    }
    if problems.is_empty() { Ok(unchecked) } else { bail!(problems.join("\n")) }
}

fn files(
    root: &Path,
    schema: &schema::Schema,
) -> anyhow::Result<(Vec<write::File>, Vec<Unchecked>)> {
    let model = model::Model::build(schema);
    let (mut files, mut unchecked) = (Vec::new(), Vec::new());
    let languages = lang::all();
    files.push(docs::contract::page(&model.public(), &languages)?);
    files.extend(openapi::files(&model.public())?);
    files.extend(lang::sourcepawn::files(schema, &model).context("generating SourcePawn")?);
    for language in languages {
        if let Some(missing) = language.missing() {
            unchecked.push(Unchecked { language: language.name(), missing });
            continue;
        }
        let made = language
            .files(root, schema, &model)
            .with_context(|| format!("generating {}", language.name()))?;
        files.extend(made);
    }
    Ok((files, unchecked))
}

fn folders(unchecked: &[Unchecked]) -> Vec<&'static str> {
    unchecked.iter().map(|found| found.missing.folder).collect()
}
