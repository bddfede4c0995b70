//! Languages: each says in its `driver.yaml` how it is built, checked and run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::process::Command;

/// Name of the file in the work folder that says what it was made of.
const STAMP: &str = ".prepared";

/// One language.
#[derive(Debug, Clone)]
pub struct Language {
    /// Its name, also that of its folder.
    pub name: String,
    /// Command of each column.
    pub columns: BTreeMap<String, Vec<String>>,
    /// Whether each gRPC code has a class of its own.
    pub error_classes: bool,
    /// Marks of SPEC.md that mean nothing in it, with the reason.
    pub inapplicable: BTreeMap<String, String>,
    /// Whether there is something to install.
    pub installs: bool,
    file: File,
    root: PathBuf,
    sdk: PathBuf,
    work: PathBuf,
}

/// A `driver.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    language: String,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    prepare: Vec<Vec<String>>,
    #[serde(default)]
    lint: Vec<Vec<String>>,
    columns: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    example: Vec<String>,
    #[serde(default = "yes")]
    error_classes: bool,
    #[serde(default)]
    inapplicable: BTreeMap<String, String>,
    /// Folders that it is made of beside its own.
    #[serde(default)]
    made_of: Vec<String>,
    /// The examples that it has; all if none is named.
    #[serde(default)]
    stories: Vec<String>,
    #[serde(default = "yes")]
    installs: bool,
}

fn yes() -> bool {
    true
}

/// The project's root: the nearest folder at or above `from` with `proto/` and `Cargo.toml`.
///
/// # Errors
/// When there is none.
pub fn find_root(from: &Path) -> anyhow::Result<PathBuf> {
    let mut folders = from.ancestors();
    let found = folders.find(|dir| dir.join("proto").is_dir() && dir.join("Cargo.toml").is_file());
    let found = found.with_context(|| {
        format!("no folder with proto/ and Cargo.toml at or above {}", from.display())
    })?;
    Ok(found.to_owned())
}

/// Every language that has a `driver.yaml`, by name.
///
/// # Errors
/// When one is wrong.
pub fn all(root: &Path) -> anyhow::Result<Vec<Language>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join("astro-sdk"))? {
        let sdk = entry?.path();
        let path = sdk.join("conformance/driver.yaml");
        if path.is_file() {
            let language = Language::read(root, &sdk, &path);
            found.push(language.with_context(|| path.display().to_string())?);
        }
    }
    found.sort_by(|a: &Language, b: &Language| a.name.cmp(&b.name));
    Ok(found)
}

impl Language {
    fn read(root: &Path, sdk: &Path, path: &Path) -> anyhow::Result<Self> {
        let file: File = serde_saphyr::from_str(&std::fs::read_to_string(path)?)?;
        let name = sdk.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(file.language == name, "its language is {:?}, its folder {name:?}", file.language);
        let work = root.join("target/sdk").join(&name);
        let mut language = Self {
            name,
            columns: BTreeMap::new(),
            error_classes: file.error_classes,
            inapplicable: file.inapplicable.clone(),
            installs: file.installs,
            file,
            root: root.to_owned(),
            sdk: sdk.to_owned(),
            work,
        };
        for (column, command) in &language.file.columns {
            ensure!(!command.is_empty(), "the column {column} has no command");
            let command = language.fill(command, "");
            language.columns.insert(column.clone(), command);
        }
        Ok(language)
    }

    /// Commands that it needs and that this machine lacks.
    pub fn missing(&self) -> Vec<String> {
        let needs = self.file.needs.iter();
        needs.filter(|command| !is_there(command)).cloned().collect()
    }

    /// Builds its package and its driver, unless that was done with the same files.
    ///
    /// # Errors
    /// When a command fails; has what it said.
    pub async fn prepare(&self) -> anyhow::Result<()> {
        let hash = self.hash().await?;
        let stamp = self.work.join(STAMP);
        if std::fs::read_to_string(&stamp).is_ok_and(|known| known == hash) {
            return Ok(());
        }
        std::fs::create_dir_all(&self.work)?;
        let _ = std::fs::remove_file(&stamp);
        for command in &self.file.prepare {
            self.run(command).await.with_context(|| format!("cannot prepare {}", self.name))?;
        }
        Ok(std::fs::write(&stamp, hash)?)
    }

    /// Runs its linters.
    ///
    /// # Errors
    /// When one finds something; has what it said.
    pub async fn lint(&self) -> anyhow::Result<()> {
        for command in &self.file.lint {
            self.run(command).await.with_context(|| format!("lint of {}", self.name))?;
        }
        Ok(())
    }

    /// The command that runs an example; `None` if it does not have it.
    pub fn example(&self, story: &str) -> Option<Vec<String>> {
        let (command, stories) = (&self.file.example, &self.file.stories);
        let has = stories.is_empty() || stories.iter().any(|has| has == story);
        (!command.is_empty() && has).then(|| self.fill(command, story))
    }

    async fn run(&self, command: &[String]) -> anyhow::Result<()> {
        let command = self.fill(command, "");
        let (program, args) = command.split_first().context("a command is empty")?;
        let mut start = Command::new(program);
        start.args(args).current_dir(&self.work).stdin(Stdio::null()).kill_on_drop(true);
        let done = start.output().await.with_context(|| format!("cannot start {program}"))?;
        if done.status.success() {
            return Ok(());
        }
        let said = [done.stdout, done.stderr].concat();
        bail!("{}\n{}", ended(&command, done.status), tail(&String::from_utf8_lossy(&said), 60));
    }

    fn fill(&self, command: &[String], story: &str) -> Vec<String> {
        let places = [
            ("{root}", self.root.display().to_string()),
            ("{sdk}", self.sdk.display().to_string()),
            ("{work}", self.work.display().to_string()),
            ("{story}", story.to_owned()),
            ("{Story}", capital(story)),
        ];
        let fill = |part: &String| {
            places.iter().fold(part.clone(), |text, (place, value)| text.replace(place, value))
        };
        command.iter().map(fill).collect()
    }

    /// What its files are: the SDK's own, and those that its examples and version come from.
    async fn hash(&self) -> anyhow::Result<String> {
        let mut hash = Sha256::new();
        for file in self.files().await? {
            // One that is deleted but not committed yet is listed too.
            if let Ok(content) = std::fs::read(self.root.join(&file)) {
                hash.update(format!("{file} {}\n", content.len()));
                hash.update(&content);
            }
        }
        Ok(crate::contract::hex(&hash.finalize()))
    }

    /// Those that git knows or would take.
    async fn files(&self) -> anyhow::Result<Vec<String>> {
        let sdk = self.sdk.strip_prefix(&self.root)?.display().to_string();
        let mut list = Command::new("git");
        list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]);
        list.args([sdk.as_str(), "examples", "Cargo.toml", "Cargo.lock"]).args(&self.file.made_of);
        let done = list.current_dir(&self.root).output().await.context("git does not start")?;
        ensure!(done.status.success(), "git: {}", String::from_utf8_lossy(&done.stderr));
        let text = String::from_utf8(done.stdout)?;
        let mut files: Vec<String> =
            text.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect();
        files.sort();
        files.dedup();
        Ok(files)
    }
}

/// `giveaway` as a name of a class.
fn capital(story: &str) -> String {
    let mut letters = story.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn ended(command: &[String], status: ExitStatus) -> String {
    format!("{}: {status}", command.join(" "))
}

/// The last lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn is_there(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(command).is_file())
}
