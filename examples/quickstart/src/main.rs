//! The program `astro-quickstart`.

use std::process::ExitCode;

fn main() -> ExitCode {
    astro_quickstart::main_with(std::env::args_os())
}
