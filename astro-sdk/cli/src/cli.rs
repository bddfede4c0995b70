//! The tree of commands and the arguments that all of them take.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use prost_reflect::DescriptorPool;

use crate::call::CallArgs;
use crate::context::{Context, read};
use crate::failure::{Failure, Typed};
use crate::key::{Form, Kind};
use crate::output::Format;
use crate::verbs::{self, Verb};
use crate::{keys, manual};

const EXAMPLES: &str = "\
Examples:
  export ASTRO_API_KEY=astro_…             sign in
  astro whoami                             who the key belongs to
  astro keys scopes                        what keys can be allowed to do
  astro items list --state available       what can be given away
  astro assignments create ITEM_ID --user 76561198000000000 --type giveaway
  astro assignments watch ASSIGNMENT_ID    wait until it is delivered
  astro events tail                        follow everything that happens
  astro completion bash                    a script that completes all of this
  astro call ItemService/ListItems -d '{\"pageSize\": 3}'   call any RPC

Exit codes:
  0  done
  1  anything else, such as a watched assignment that will not be delivered
  2  wrong arguments, or the server refused them (INVALID_ARGUMENT)
  3  not found
  4  no key, a bad key, or a key without the scope
  5  the state of things forbids it, or it exists already
  6  the server is away, busy or too slow; try again later";

/// Arguments of every command. Their ids are no names of fields, which other arguments have.
#[derive(Args)]
#[command(next_help_heading = "Connection and output")]
pub(crate) struct Globals {
    /// Server: https://host:port, or http://… on this machine.
    #[arg(
        id = "--endpoint",
        long = "endpoint",
        global = true,
        env = "ASTRO_ENDPOINT",
        default_value = astro_sdk::DEFAULT_ENDPOINT
    )]
    pub(crate) endpoint: String,
    /// File with the API key.
    #[arg(id = "--api-key-file", long = "api-key-file", global = true, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// API key. Others on this machine can see it in the list of processes: set ASTRO_API_KEY or
    /// use --api-key-file instead.
    #[arg(
        id = "--api-key",
        long = "api-key",
        global = true,
        value_name = "KEY",
        env = "ASTRO_API_KEY",
        hide_env_values = true
    )]
    pub(crate) api_key: Option<String>,
    /// File with the certificate (PEM) to trust in place of the public authorities.
    #[arg(
        id = "--ca-cert",
        long = "ca-cert",
        global = true,
        value_name = "FILE",
        env = "ASTRO_CA_CERT"
    )]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Certificate (PEM) to show to a server that asks clients for one.
    #[arg(
        id = "--client-cert",
        long = "client-cert",
        global = true,
        value_name = "FILE",
        env = "ASTRO_CLIENT_CERT"
    )]
    pub(crate) client_cert: Option<PathBuf>,
    /// File with its private key (PEM).
    #[arg(
        id = "--client-key",
        long = "client-key",
        global = true,
        value_name = "FILE",
        env = "ASTRO_CLIENT_KEY"
    )]
    pub(crate) client_key: Option<PathBuf>,
    /// Allow http:// to another machine: the network in between sees key and data.
    #[arg(id = "--allow-insecure", long = "allow-insecure", global = true)]
    pub(crate) allow_insecure: bool,
    /// Organisation, by its id or its short name; needed only with a platform key.
    #[arg(
        id = "--org",
        long = "org",
        global = true,
        value_name = "ORG",
        env = "ASTRO_ORG",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) org: String,
    /// How to print results.
    #[arg(
        id = "--output",
        long = "output",
        short = 'o',
        global = true,
        value_enum,
        default_value_t = Format::Table
    )]
    pub(crate) output: Format,
    /// Print nothing but this field of the result, as a table names it: id, asset.app_id. Of a list,
    /// one line for each entry.
    #[arg(
        id = "--field",
        long = "field",
        global = true,
        value_name = "FIELD",
        conflicts_with = "--output"
    )]
    pub(crate) field: Option<String>,
}

impl Globals {
    /// The key to sign in with, if there is one.
    fn key(&self) -> Result<Option<String>, Failure> {
        let text = match &self.api_key_file {
            Some(file) => read(file)?,
            None => self.api_key.clone().unwrap_or_default(),
        };
        // Editors that put a mark at a file's start mean well.
        let key = text.trim_start_matches('\u{feff}').trim();
        Ok((!key.is_empty()).then(|| key.to_owned()))
    }
}

/// All commands of a contract.
pub(crate) struct Tree {
    pub(crate) command: Command,
    verbs: Vec<Verb>,
}

impl Tree {
    /// Those of the RPCs, and those that are written by hand.
    pub(crate) fn of(contract: &DescriptorPool) -> Self {
        let verbs = verbs::all(contract);
        let mut nouns: BTreeMap<&str, Command> = BTreeMap::new();
        let mut command = Globals::augment_args(Command::new("astro"))
            .version(env!("CARGO_PKG_VERSION"))
            .about("Astro from the command line: items, assignments, bots and keys")
            .after_help(EXAMPLES)
            .arg_required_else_help(true)
            .subcommand_required(true);
        for verb in &verbs {
            let (noun, _) = verb.words();
            if noun.is_empty() {
                command = command.subcommand(verb.command());
                continue;
            }
            let above = nouns.remove(noun).unwrap_or_else(|| {
                let above = Command::new(noun.to_owned()).about(verb.noun_about());
                above.arg_required_else_help(true).subcommand_required(true)
            });
            nouns.insert(noun, above.subcommand(verb.command()));
        }
        let command = command.subcommands(nouns.into_values());
        let command = command.mut_subcommand("keys", |it| it.subcommand(keys::command()));
        let command = command.subcommands([
            CallArgs::augment_args(Command::new("call")).about("Calls any RPC with JSON"),
            manual::completion(),
            manual::man(),
        ]);
        Self { command, verbs }
    }

    /// Does what the command line asks.
    pub(crate) async fn run(
        &self,
        matches: &ArgMatches,
        typed: &mut Typed,
        out: &mut (dyn Write + Send),
        err: &mut (dyn Write + Send),
    ) -> Result<(), Failure> {
        let (noun, below) = matches.subcommand().expect("clap requires one");
        match noun {
            "completion" => return manual::complete(below, self.command.clone(), out),
            "man" => return manual::write(below, self.command.clone()),
            _ => {}
        }
        let name = match below.subcommand_name() {
            Some(verb) => format!("{noun} {verb}"),
            None => noun.to_owned(),
        };
        let verb = self.verbs.iter().find(|verb| verb.name == name);
        let globals = Globals::from_arg_matches(matches).expect("clap parsed them");
        let key = globals.key()?;
        typed.key = key.as_deref().map(Form::of);
        match (verb, &typed.key) {
            (Some(_), None) => return Err(Failure::NoKey),
            // A bot's key opens that bot's session and nothing else.
            (Some(verb), Some(key)) if key.kind == Some(Kind::Bot) && !verb.takes_any_key() => {
                return Err(Failure::KeyOfBot);
            }
            (_, _) => {}
        }
        let mut cx = Context::new(globals, key, out, err)?;
        let matches = below.subcommand().map_or(below, |(_, matches)| matches);
        match verb {
            Some(verb) => verb.run(matches, &mut cx).await,
            None if noun == "call" => {
                let call = CallArgs::from_arg_matches(matches).expect("clap parsed them");
                call.run(&mut cx).await
            }
            None => keys::scopes(&mut cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{POOL, is_person};

    #[test]
    fn the_tree_of_commands_is_consistent() {
        Tree::of(&POOL).command.debug_assert();
    }

    #[test]
    fn the_variables_that_stand_for_arguments_are_told() {
        let command = Tree::of(&POOL).command;
        let named = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
        assert_eq!(named.collect::<Vec<_>>(), crate::VARIABLES);
    }

    #[test]
    fn every_command_explains_itself() {
        fn visit(command: &Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} has no help");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path}: {} has no help", argument.get_id());
            }
            let leaf = command.get_subcommands().next().is_none();
            if leaf && path.matches(' ').count() > 2 {
                assert!(command.get_after_help().is_some(), "{path} has no example");
            }
            for below in command.get_subcommands() {
                visit(below, &path);
            }
        }
        visit(&Tree::of(&POOL).command, "");
    }

    #[test]
    fn every_rpc_has_a_command_but_those_that_a_program_talks_with() {
        let tree = Tree::of(&POOL);
        let mut without = Vec::new();
        for method in POOL.services().flat_map(|it| it.methods().collect::<Vec<_>>()) {
            let verb = tree.verbs.iter().find(|verb| *verb.method() == method);
            let found = verb.and_then(|verb| {
                let (noun, name) = verb.words();
                let above = match noun {
                    "" => Some(&tree.command),
                    noun => tree.command.find_subcommand(noun),
                };
                above?.find_subcommand(name)
            });
            if found.is_none() {
                without.push(method.full_name().to_owned());
            }
        }
        assert_eq!(without, ["astro.bot.v1.BotSessionService.Session"]);
    }

    #[test]
    fn a_person_is_named_in_any_notation_wherever_one_is() {
        let mut found = 0;
        for field in Tree::of(&POOL).verbs.iter().flat_map(Verb::fields) {
            let comment = crate::contract::comment_of_field(field);
            // A text to search for is a name or a number, as the server reads it.
            let searched = field.kind() == prost_reflect::Kind::String;
            if is_person(field) || (comment.contains("SteamID64") && !searched) {
                let read = crate::values::read(field, "STEAM_0:1:43351236");
                let id = prost_reflect::Value::U64(76_561_198_046_968_201);
                assert_eq!(read, Ok(id), "{}", field.full_name());
                found += 1;
            }
        }
        assert!(found >= 10, "{found}");
    }
}
