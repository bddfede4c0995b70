//! The astro command line: the SDK's calls for people and scripts.
//!
//! Reading order: `cli` is the tree of commands; each noun has a file with its arguments and what
//! they do; `output` prints, `failure` explains what went wrong and chooses the exit code.

mod advice;
mod arguments;
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
mod key;
mod keys;
mod orgs;
mod output;
mod reservations;
mod syncs;
mod users;
mod values;

use std::ffi::OsString;
use std::io::Write;

use clap::{CommandFactory, FromArgMatches};

use arguments::Arguments;
use cli::Cli;
use failure::{Failure, Typed};

/// Runs one command line, program name first, and answers the exit code.
///
/// Results go to `out`, everything else to `err`. Arguments that are not given come from the
/// environment, as the help says.
pub async fn run<I>(args: I, out: &mut (dyn Write + Send), err: &mut (dyn Write + Send)) -> u8
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let words: Vec<String> = args.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(place) = key::misplaced(&words) {
        let failure = Failure::KeyMisplaced(place);
        let _ = writeln!(err, "error: {}", failure.explain(&Typed::default()));
        return failure.exit_code();
    }
    let parsed = Cli::command().try_get_matches_from(args).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((cli, Arguments::of(&matches)))
    });
    let (cli, arguments) = match parsed {
        Ok(parsed) => parsed,
        Err(asked) => {
            // A variable may hold what the arguments do not.
            let text = key::hidden(&asked.render().to_string());
            // Nobody is left to tell when even this cannot be written.
            let _ = match asked.use_stderr() {
                true => err.write_all(text.as_bytes()),
                false => out.write_all(text.as_bytes()),
            };
            return u8::try_from(asked.exit_code()).unwrap_or(failure::USAGE);
        }
    };
    let mut typed =
        Typed { endpoint: cli.globals.endpoint.clone(), arguments: Some(arguments), key: None };
    match cli.run(&mut typed, out, err).await {
        Ok(()) => 0,
        // The reader has seen enough: `astro items list | head`.
        Err(Failure::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(failure) => {
            let _ = writeln!(err, "error: {}", failure.explain(&typed));
            failure.exit_code()
        }
    }
}
