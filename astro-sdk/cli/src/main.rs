//! The program `astro`.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    ExitCode::from(astro_cli::run(std::env::args_os(), &mut out, &mut err).await)
}
