//! `astro completion` and `astro man`: what shells and `man` read.

use std::io::Write;
use std::path::PathBuf;

use clap::builder::EnumValueParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::failure::Failure;

/// The command that prints a script for a shell.
pub(crate) fn completion() -> Command {
    let shell = Arg::new("shell").required(true).value_name("SHELL").help("The shell");
    Command::new("completion")
        .about("Prints the script that completes commands, options and values in a shell")
        .arg(shell.value_parser(EnumValueParser::<Shell>::new()))
        .after_help(
            "\
Examples:
  astro completion bash > ~/.local/share/bash-completion/completions/astro
  astro completion zsh > \"${fpath[1]}/_astro\"
  astro completion fish > ~/.config/fish/completions/astro.fish
  astro completion powershell >> $PROFILE",
        )
}

/// The command that writes pages of the manual.
pub(crate) fn man() -> Command {
    let folder = Arg::new("folder").required(true).value_name("FOLDER").help("Where they go");
    Command::new("man")
        .about("Writes a page of the manual for each command")
        .arg(folder.value_parser(value_parser!(PathBuf)))
        .after_help("Example:\n  astro man ~/.local/share/man/man1 && man astro-items-list")
}

/// Prints the script.
pub(crate) fn complete(
    matches: &ArgMatches,
    mut command: Command,
    out: &mut (dyn Write + Send),
) -> Result<(), Failure> {
    let shell = *matches.get_one::<Shell>("shell").expect("clap requires it");
    // The generator takes a reader that leaves for a fault of its own.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "astro", &mut script);
    Ok(out.write_all(&script)?)
}

/// Writes the pages.
pub(crate) fn write(matches: &ArgMatches, command: Command) -> Result<(), Failure> {
    let folder = matches.get_one::<PathBuf>("folder").expect("clap requires it");
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|error| Failure::Usage(format!("cannot write to {}: {error}", folder.display())))
}
