//! The lines that each README gives to install its SDK from a clone: run as they are, in an empty
//! folder beside one; then a first call.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use astro_conformance::contract::Contract;
use astro_conformance::language::Language;
use astro_conformance::output::say;
use astro_conformance::world::{Tenant, World};
use tempfile::TempDir;
use tokio::process::Command;

/// A program that tells the organisation of its key, and what makes and runs it.
struct Way {
    language: &'static str,
    /// Lines before the README's.
    before: &'static str,
    file: &'static str,
    program: &'static str,
    /// Lines after them.
    run: &'static str,
}

const WAYS: [Way; 5] = [
    Way {
        language: "python",
        before: "python3 -m venv .venv\n. .venv/bin/activate",
        file: "first.py",
        program: include_str!("install/first.py"),
        run: "python first.py",
    },
    Way {
        language: "typescript",
        before: "npm init -y >/dev/null",
        file: "first.mjs",
        program: include_str!("install/first.mjs"),
        run: "node first.mjs",
    },
    Way {
        language: "go",
        before: "go mod init example.com/first",
        file: "first.go",
        program: include_str!("install/first.go"),
        run: "go run .",
    },
    Way {
        language: "java",
        before: "",
        file: "src/main/java/First.java",
        program: include_str!("install/First.java"),
        run: "mvn -q compile dependency:build-classpath -Dmdep.outputFile=classpath\n\
              java -cp target/classes:$(cat classpath) First",
    },
    Way {
        language: "rust",
        before: "cargo init --quiet --vcs none --name first",
        file: "src/main.rs",
        program: include_str!("install/first.rs"),
        run: "cargo run --quiet",
    },
];

/// Installs each of these languages' SDKs; gives what is wrong.
pub(crate) async fn run(root: &Path, languages: &[&Language]) -> Vec<String> {
    let mut wrong = Vec::new();
    for language in languages.iter().filter(|language| language.installs) {
        let name = &language.name;
        match install(root, name).await {
            Ok(()) => say(&format!("install {name}: ok")),
            Err(error) => wrong.push(format!("install {name}: {error:#}")),
        }
    }
    wrong
}

async fn install(root: &Path, language: &str) -> anyhow::Result<()> {
    let way = WAYS.iter().find(|way| way.language == language);
    let way = way.context("no test knows how its SDK is installed")?;
    let readme = root.join("astro-sdk").join(language).join("README.md");
    let readme = std::fs::read_to_string(readme)?;
    let folder = TempDir::new()?;
    // The clone, as a README calls it.
    std::os::unix::fs::symlink(root, folder.path().join("astro"))?;
    let program = folder.path().join("program");
    let file = program.join(way.file);
    std::fs::create_dir_all(file.parent().context("it lies in a folder")?)?;
    if language == "java" {
        std::fs::write(program.join("pom.xml"), pom(&readme)?)?;
    }

    let world = World::start(Contract::load()?).await?;
    let tenant = world.tenant().await?;
    let before = tree(&root.join("astro-sdk").join(language))?;
    // A cargo project begins with a program of its own.
    sh(root, &program, way.before, &world, &tenant).await?;
    std::fs::write(&file, way.program)?;
    let lines = format!("{}\n{}\n{}", way.before_again(), block(&readme, "sh")?, way.run);
    let said = sh(root, &program, &lines, &world, &tenant).await?;
    // Maven leaves the end of a colour before it.
    let organisation = said.lines().last().unwrap_or_default().trim_start_matches("\u{1b}[0m");
    ensure!(organisation == tenant.org_id, "its first call says {said:?}");
    let after = tree(&root.join("astro-sdk").join(language))?;
    let left: Vec<_> = after.difference(&before).collect();
    ensure!(left.is_empty(), "it left files in the clone: {left:?}");
    Ok(())
}

impl Way {
    /// What the lines after it need in their own shell.
    fn before_again(&self) -> &'static str {
        self.before.lines().find(|line| line.starts_with(". ")).unwrap_or_default()
    }
}

/// The first block of code in this language.
fn block<'a>(readme: &'a str, language: &str) -> anyhow::Result<&'a str> {
    let start = format!("```{language}\n");
    let rest = readme.split_once(&start).map(|(_, rest)| rest);
    let block = rest.and_then(|rest| rest.split_once("\n```")).map(|(block, _)| block);
    block.with_context(|| format!("the README has no {language}"))
}

/// A project with the dependency that the README says.
fn pom(readme: &str) -> anyhow::Result<String> {
    Ok(format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\
         <modelVersion>4.0.0</modelVersion>\
         <groupId>example</groupId><artifactId>first</artifactId><version>1</version>\
         <properties><maven.compiler.source>17</maven.compiler.source>\
         <maven.compiler.target>17</maven.compiler.target>\
         <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>\
         <dependencies>{}</dependencies></project>",
        block(readme, "xml")?
    ))
}

/// Runs the lines; gives what they say.
async fn sh(
    root: &Path,
    folder: &Path,
    lines: &str,
    world: &World,
    tenant: &Tenant,
) -> anyhow::Result<String> {
    let mut command = Command::new("bash");
    command.args(["-euc", lines]).current_dir(folder).kill_on_drop(true);
    command.env("ASTRO_ENDPOINT", format!("http://{}", world.address()?));
    command.env("ASTRO_API_KEY", &tenant.key);
    // What programs are built of is built once.
    command.env("CARGO_TARGET_DIR", root.join("target/sdk/install"));
    let done = command.output().await.context("bash is missing")?;
    if !done.status.success() {
        bail!("{lines}\n{}", String::from_utf8_lossy(&[done.stdout, done.stderr].concat()));
    }
    Ok(String::from_utf8(done.stdout)?)
}

/// Every file there, but for what Maven builds, which git ignores.
fn tree(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("java/target") {
                left.push(path);
            } else if path.is_file() {
                found.insert(path);
            }
        }
    }
    Ok(found)
}
