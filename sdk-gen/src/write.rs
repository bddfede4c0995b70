//! Puts generated files in place, or says how those in place differ.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

/// The list of generated files with their SHA-256, relative to the root.
///
/// It tells a stale file from an edited one, and which files are generated no more.
pub const MANIFEST: &str = "astro-sdk/.generated";

/// Path to SHA-256.
type Hashes = BTreeMap<String, String>;

/// One generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path relative to the root, with `/`.
    pub path: String,
    /// Whole content.
    pub contents: Vec<u8>,
}

impl File {
    /// A file `name` in `folder`, which is relative to the root.
    pub fn new(folder: &str, name: &str, contents: Vec<u8>) -> Self {
        Self { path: format!("{folder}/{name}"), contents }
    }
}

/// What [`write()`] changed: paths relative to the root.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New files and files with new content.
    pub written: Vec<String>,
    /// Files that are generated no more.
    pub deleted: Vec<String>,
}

impl Changes {
    /// One line a change, for people; one that says so when there is none.
    pub fn lines(&self) -> Vec<String> {
        let written = self.written.iter().map(|path| format!("wrote {path}"));
        let deleted = self.deleted.iter().map(|path| format!("deleted {path}"));
        let lines: Vec<String> = written.chain(deleted).collect();
        if lines.is_empty() { vec!["nothing to change".to_owned()] } else { lines }
    }
}

/// How a file in place differs from what would be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftKind {
    /// It is not there.
    Missing,
    /// The contract or the generator changed since it was generated.
    Stale,
    /// It was changed by hand after it was generated.
    Edited,
    /// It was generated once and is no more.
    Leftover,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Path relative to the root.
    pub path: String,
    /// How it differs.
    pub kind: DriftKind,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            DriftKind::Missing => "is missing",
            DriftKind::Stale => "is stale: proto/ or sdk-gen changed since",
            DriftKind::Edited => "was edited by hand: change proto/ or sdk-gen instead",
            DriftKind::Leftover => "is generated no more",
        };
        write!(f, "{} {what}", self.path)
    }
}

/// Writes the files that differ, deletes those of the last run that are not among them, and
/// records the result in [`MANIFEST`]. Those in the folders `kept` stay as they are and recorded.
///
/// # Errors
/// When a file cannot be read, written or deleted, or the manifest is damaged.
pub fn write(root: &Path, files: &[File], kept: &[&str]) -> anyhow::Result<Changes> {
    let (recorded, kept) = read_manifest(root, kept)?;
    let mut changes = Changes::default();
    for path in leftovers(&recorded, files) {
        if root.join(&path).exists() {
            std::fs::remove_file(root.join(&path)).with_context(|| format!("deleting {path}"))?;
            changes.deleted.push(path);
        }
    }
    for file in files.iter().chain([&manifest(files, &kept)]) {
        let path = root.join(&file.path);
        if read(&path)?.as_ref() == Some(&file.contents) {
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, &file.contents)
            .with_context(|| format!("writing {}", path.display()))?;
        changes.written.push(file.path.clone());
    }
    Ok(changes)
}

/// Compares the files in place with `files`, changing nothing. Those in the folders `kept` are not
/// looked at.
///
/// # Errors
/// When a file cannot be read, or the manifest is damaged.
pub fn drifts(root: &Path, files: &[File], kept: &[&str]) -> anyhow::Result<Vec<Drift>> {
    let (recorded, kept) = read_manifest(root, kept)?;
    let mut drifts = Vec::new();
    for file in files {
        let kind = match read(&root.join(&file.path))? {
            None => DriftKind::Missing,
            Some(found) if found == file.contents => continue,
            Some(found) if recorded.get(&file.path) == Some(&sha256(&found)) => DriftKind::Stale,
            Some(_) => DriftKind::Edited,
        };
        drifts.push(Drift { path: file.path.clone(), kind });
    }
    for path in leftovers(&recorded, files) {
        drifts.push(Drift { path, kind: DriftKind::Leftover });
    }
    if drifts.is_empty() && read(&root.join(MANIFEST))? != Some(manifest(files, &kept).contents) {
        drifts.push(Drift { path: MANIFEST.to_owned(), kind: DriftKind::Stale });
    }
    Ok(drifts)
}

fn leftovers(recorded: &Hashes, files: &[File]) -> Vec<String> {
    let wanted = |path: &String| files.iter().any(|file| file.path == *path);
    recorded.keys().filter(|path| !wanted(path)).cloned().collect()
}

fn manifest(files: &[File], kept: &Hashes) -> File {
    let mut hashes = kept.clone();
    hashes.extend(files.iter().map(|file| (file.path.clone(), sha256(&file.contents))));
    let lines: Vec<String> =
        hashes.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect();
    let contents = format!(
        "# Files generated by sdk-gen and their SHA-256. To change it, run: {}\n{}",
        crate::GENERATE_COMMAND,
        lines.concat()
    );
    File { path: MANIFEST.to_owned(), contents: contents.into_bytes() }
}

/// The last run's files, and apart from them those in the folders `kept`; empty before the first.
fn read_manifest(root: &Path, kept: &[&str]) -> anyhow::Result<(Hashes, Hashes)> {
    let Some(bytes) = read(&root.join(MANIFEST))? else { return Ok(Default::default()) };
    let text = String::from_utf8(bytes).with_context(|| format!("{MANIFEST} is not text"))?;
    let mut recorded = Hashes::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (hash, path) =
            line.split_once("  ").with_context(|| format!("{MANIFEST}: odd line {line:?}"))?;
        // Listed files get deleted, so a damaged list must not lead out of the project.
        let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        ensure!(plain, "{MANIFEST}: {path:?} is not below the root");
        recorded.insert(path.to_owned(), hash.to_owned());
    }
    let is_kept = |path: &String| kept.iter().any(|folder| path.starts_with(folder));
    let (kept, recorded) = recorded.into_iter().partition(|(path, _)| is_kept(path));
    Ok((recorded, kept))
}

fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
