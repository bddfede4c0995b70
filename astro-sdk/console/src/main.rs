//! `astro-console`: the pages alone, towards an Astro server anywhere.

use std::process::ExitCode;

fn main() -> ExitCode {
    astro_console::cli::main_with(std::env::args_os())
}
