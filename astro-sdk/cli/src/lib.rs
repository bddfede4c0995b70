//! The astro command line: the SDK's calls for people and scripts.
//!
//! Reading order: `cli` is the tree of commands; each noun has a file with its arguments and what
//! they do; `output` prints, `failure` explains what went wrong and chooses the exit code.

mod assignments;
mod bots;
mod call;
mod cli;
mod context;
mod contract;
mod discrepancies;
mod donations;
mod events;
mod failure;
mod items;
mod keys;
mod orgs;
mod output;
mod reservations;
mod syncs;
mod users;
mod values;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;

use cli::Cli;
use failure::Failure;

/// Runs one command line, program name first, and answers the exit code.
///
/// Results go to `out`, everything else to `err`. Arguments that are not given come from the
/// environment, as the help says.
pub async fn run<I>(args: I, out: &mut (dyn Write + Send), err: &mut (dyn Write + Send)) -> u8
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(asked) => {
            let text = asked.render().to_string();
            // Nobody is left to tell when even this cannot be written.
            let _ = match asked.use_stderr() {
                true => err.write_all(text.as_bytes()),
                false => out.write_all(text.as_bytes()),
            };
            return u8::try_from(asked.exit_code()).unwrap_or(failure::USAGE);
        }
    };
    let endpoint = cli.globals.endpoint.clone();
    match cli.run(out, err).await {
        Ok(()) => 0,
        // The reader has seen enough: `astro items list | head`.
        Err(Failure::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(failure) => {
            let _ = writeln!(err, "error: {}", failure.explain(&endpoint));
            failure.exit_code()
        }
    }
}
