//! SourceMod's compiler, called so that its output follows from the sources alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::{SCRIPTING, STUBS, sources};

/// The include file whose constants are the moment of compiling: plugins would differ each time.
const MOMENT_FILE: &str = "core.inc";
const MOMENT: [&str; 2] = ["__DATE__", "__TIME__"];

/// `spcomp`, with SourceMod's include files.
#[derive(Debug, Clone)]
pub struct Compiler {
    program: PathBuf,
    include: PathBuf,
}

/// A compiled plugin.
#[derive(Debug)]
pub struct Compiled {
    /// Its name: `astro`.
    pub name: String,
    /// The plugin.
    pub bytes: Vec<u8>,
    /// What the compiler warns of; empty if all is well.
    pub warnings: String,
}

impl Compiler {
    /// The compiler at this path. SourceMod's include files lie in `include` beside it, as in
    /// SourceMod's own archive, or beside its folder.
    ///
    /// # Errors
    /// When one of them is not there; the message names it.
    pub fn at(program: &Path) -> anyhow::Result<Self> {
        ensure!(program.is_file(), "there is no compiler at {}", program.display());
        // It is started in another folder.
        let program = program.canonicalize()?;
        let folders = program.ancestors().skip(1).take(2).map(|folder| folder.join("include"));
        let include = folders.into_iter().find(|folder| folder.join("sourcemod.inc").is_file());
        let include = include.with_context(|| {
            format!(
                "no include/sourcemod.inc beside {}: it comes with SourceMod",
                program.display()
            )
        })?;
        Ok(Self { program, include })
    }

    /// Compiles every plugin, sorted by name.
    ///
    /// # Errors
    /// What the compiler says of the first plugin that does not compile.
    pub fn compile_all(&self, root: &Path) -> anyhow::Result<Vec<Compiled>> {
        let sources = sources(root)?;
        ensure!(!sources.is_empty(), "there is no plugin in {SCRIPTING}");
        let work = Work::new(self, root)?;
        sources.iter().map(|source| work.compile(source)).collect()
    }
}

/// A folder for one run. Plugins have the names of their sources inside, as the compiler is told
/// them, so it is told names that are the same on every machine.
struct Work<'a> {
    compiler: &'a Compiler,
    folder: tempfile::TempDir,
}

impl<'a> Work<'a> {
    fn new(compiler: &'a Compiler, root: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let place = |name: &str| folder.path().join(name);
        copy(&compiler.include, &place("sourcemod"))?;
        copy(&root.join(SCRIPTING), &place("scripting"))?;
        copy(&root.join(STUBS), &place("stubs"))?;
        let file = place("sourcemod").join(MOMENT_FILE);
        let mut text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        for word in MOMENT {
            text = text.replace(word, "\"\"");
        }
        fs::write(&file, text)?;
        Ok(Self { compiler, folder })
    }

    fn compile(&self, source: &Path) -> anyhow::Result<Compiled> {
        let name = source.file_stem().context("a source has a name")?.to_string_lossy();
        let folder = self.folder.path();
        let mut compile = Command::new(&self.compiler.program);
        compile.current_dir(folder).args([
            "-i",
            "sourcemod",
            "-i",
            "scripting/include",
            "-i",
            "stubs",
        ]);
        compile.arg(format!("-o{name}.smx")).arg(format!("scripting/{name}.sp"));
        let output = compile
            .output()
            .with_context(|| format!("{} does not start", self.compiler.program.display()))?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let file = folder.join(format!("{name}.smx"));
        if !output.status.success() || !file.is_file() {
            bail!("{name}.sp does not compile:\n{}", remarks(&said, &[") : ", "rror"]));
        }
        Ok(Compiled {
            warnings: remarks(&said, &[": warning "]),
            bytes: fs::read(file)?,
            name: name.into_owned(),
        })
    }
}

/// The lines with one of these words.
fn remarks(said: &str, words: &[&str]) -> String {
    let lines = said.lines().filter(|line| words.iter().any(|word| line.contains(word)));
    lines.collect::<Vec<_>>().join("\n")
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for path in super::files(from)? {
        let place = to.join(path.strip_prefix(from)?);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        // What is copied may be read-only, and is changed here.
        fs::write(&place, fs::read(&path).with_context(|| path.display().to_string())?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Compiler;

    #[test]
    fn a_compiler_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("spcomp");
        let complaint = Compiler::at(&program).expect_err("no file").to_string();
        assert!(complaint.contains("no compiler at"), "{complaint}");
        std::fs::write(&program, "").expect("a file");
        let complaint = Compiler::at(&program).expect_err("no include files").to_string();
        assert!(complaint.contains("include/sourcemod.inc"), "{complaint}");
    }
}
