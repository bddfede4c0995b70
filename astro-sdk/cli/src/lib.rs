//! The astro command line: the SDK's calls for people and scripts.
//!
//! Reading order: `cli` is the tree of commands. Those of the RPCs come from the contract: `verbs`
//! makes a command of each and runs it, `flags` makes its arguments of the request's fields and the
//! request of its arguments, `words` lists what people say where the contract's words are not
//! theirs. By hand are `assignments watch`, `events tail`, `keys scopes`, `call` and the manual.
//! `output` prints, `failure` explains what went wrong and chooses the exit code.

mod advice;
mod arguments;
mod assignments;
mod call;
mod cli;
mod context;
mod contract;
mod events;
mod failure;
mod flags;
mod key;
mod keys;
mod manual;
mod output;
mod values;
mod verbs;
mod words;

use std::ffi::OsString;
use std::io::Write;

use prost_reflect::DescriptorPool;

use arguments::Arguments;
use cli::Tree;
use failure::{Failure, Typed};

/// Variables of the environment that stand for arguments: what calls the program for others, a test for
/// instance, keeps its own from it.
pub const VARIABLES: [&str; 6] = [
    "ASTRO_ENDPOINT",
    "ASTRO_API_KEY",
    "ASTRO_CA_CERT",
    "ASTRO_CLIENT_CERT",
    "ASTRO_CLIENT_KEY",
    "ASTRO_ORG",
];

/// Runs one command line, program name first, and answers the exit code.
///
/// Results go to `out`, everything else to `err`. Arguments that are not given come from the
/// environment, as the help says.
pub async fn run<I>(args: I, out: &mut (dyn Write + Send), err: &mut (dyn Write + Send)) -> u8
where
    I: IntoIterator<Item: Into<OsString>>,
{
    run_contract(&contract::POOL, args, out, err).await
}

/// The same with the commands of another contract than this program's own.
pub async fn run_contract<I>(
    contract: &DescriptorPool,
    args: I,
    out: &mut (dyn Write + Send),
    err: &mut (dyn Write + Send),
) -> u8
where
    I: IntoIterator<Item: Into<OsString>>,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let words: Vec<String> = args.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(place) = key::misplaced(&words) {
        let failure = Failure::KeyMisplaced(place);
        let _ = writeln!(err, "error: {}", failure.explain(&Typed::default()));
        return failure.exit_code();
    }
    let tree = Tree::of(contract);
    let matches = match tree.command.clone().try_get_matches_from(args) {
        Ok(matches) => matches,
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
    let endpoint = matches.get_one::<String>("--endpoint").cloned().unwrap_or_default();
    let arguments = Some(Arguments::of(tree.command.clone(), &matches));
    let mut typed = Typed { endpoint, arguments, key: None };
    match tree.run(&matches, &mut typed, out, err).await {
        Ok(()) => 0,
        // The reader has seen enough: `astro items list | head`.
        Err(Failure::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(failure) => {
            let _ = writeln!(err, "error: {}", failure.explain(&typed));
            failure.exit_code()
        }
    }
}
