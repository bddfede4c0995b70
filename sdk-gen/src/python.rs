//! Python with packages of its registry, for compilers and tests that come from there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// A virtual environment.
#[derive(Debug, Clone)]
pub struct Python {
    folder: PathBuf,
}

impl Python {
    /// Makes the environment in `folder` with what the list (pip's `requirements.txt`) names, unless it
    /// is there and up to date.
    ///
    /// # Errors
    /// When Python, its `venv` or what it installs is missing; the message names it.
    pub fn install(list: &Path, folder: &Path) -> anyhow::Result<Self> {
        let wanted = fs::read_to_string(list).with_context(|| list.display().to_string())?;
        let made = Self { folder: folder.to_owned() };
        let done = folder.join("installed.txt");
        if fs::read_to_string(&done).is_ok_and(|has| has == wanted) {
            return Ok(made);
        }
        let python = if cfg!(windows) { "python" } else { "python3" };
        ran(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder))
            .context("Python 3 with venv is not installed (on Debian: apt install python3-venv)")?;
        let mut pip = Command::new(made.program("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        ran(pip.arg("--requirement").arg(list))
            .with_context(|| format!("pip cannot install {}", list.display()))?;
        fs::write(done, wanted)?;
        Ok(made)
    }

    /// A program of the environment, such as `python`.
    pub fn program(&self, name: &str) -> PathBuf {
        if cfg!(windows) {
            self.folder.join("Scripts").join(format!("{name}.exe"))
        } else {
            self.folder.join("bin").join(name)
        }
    }
}

/// Runs a command to its end, and answers what it printed.
///
/// # Errors
/// What it said, when it fails or does not start.
pub(crate) fn ran(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output()?;
    let (told, said) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{}: {}{}", output.status, told.trim(), said.trim());
    Ok(told.into_owned())
}
