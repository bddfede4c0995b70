//! The Astro server.
use std::process::ExitCode;

fn main() -> ExitCode {
    astro_server::cli::main()
}
