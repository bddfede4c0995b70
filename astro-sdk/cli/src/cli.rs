//! The tree of commands and the arguments that all of them take.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::context::{Context, read};
use crate::failure::{Failure, Typed};
use crate::key::{Form, Kind};
use crate::output::Format;
use crate::{
    assignments, bots, call, discrepancies, donations, events, items, keys, orgs, reservations,
    syncs, users,
};

const EXAMPLES: &str = "\
Examples:
  export ASTRO_API_KEY=astro_…             sign in
  astro whoami                             who the key belongs to
  astro keys scopes                        what keys can be allowed to do
  astro items list --state available       what can be given away
  astro assignments create ITEM_ID --user 76561198000000000 --type giveaway
  astro assignments watch ASSIGNMENT_ID    wait until it is delivered
  astro events tail                        follow everything that happens
  astro call ItemService/ListItems -d '{\"pageSize\": 3}'   call any RPC

Exit codes:
  0  done
  1  anything else, such as a watched assignment that will not be delivered
  2  wrong arguments, or the server refused them (INVALID_ARGUMENT)
  3  not found
  4  no key, a bad key, or a key without the scope
  5  the state of things forbids it, or it exists already
  6  the server is away, busy or too slow; try again later";

/// Astro from the command line: items, assignments, bots and keys.
#[derive(Parser)]
#[command(name = "astro", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Arguments of every command.
#[derive(Args)]
#[command(next_help_heading = "Connection and output")]
pub(crate) struct Globals {
    /// Server: https://host:port, or http://… on this machine.
    #[arg(long, global = true, env = "ASTRO_ENDPOINT", default_value = astro_sdk::DEFAULT_ENDPOINT)]
    pub(crate) endpoint: String,
    /// File with the API key.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// API key. Others on this machine can see it in the list of processes: set ASTRO_API_KEY or
    /// use --api-key-file instead.
    #[arg(long, global = true, value_name = "KEY", env = "ASTRO_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// File with the certificate (PEM) to trust in place of the public authorities.
    #[arg(long, global = true, value_name = "FILE", env = "ASTRO_CA_CERT")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Allow http:// to another machine: the network in between sees key and data.
    #[arg(long, global = true)]
    pub(crate) allow_insecure: bool,
    /// Organisation, by its id or its short name; needed only with a platform key.
    #[arg(
        long,
        global = true,
        value_name = "ORG",
        env = "ASTRO_ORG",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) org: String,
    /// How to print results.
    #[arg(long, short, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// Print nothing but this field of the result, as a table names it: id, asset.app_id. Of a list,
    /// one line for each entry.
    #[arg(long, global = true, value_name = "FIELD", conflicts_with = "output")]
    pub(crate) field: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Items in the pool: look, label, reserve.
    #[command(subcommand)]
    Items(items::Command),
    /// Holds on items for a limited time.
    #[command(subcommand)]
    Reservations(reservations::Command),
    /// Giving items to people.
    #[command(subcommand)]
    Assignments(assignments::Command),
    /// Trade offers that people sent to the bots.
    #[command(subcommand)]
    Donations(donations::Command),
    /// The log of everything that happened.
    #[command(subcommand)]
    Events(events::Command),
    /// Matching the bots' inventories with the database.
    #[command(subcommand)]
    Syncs(syncs::Command),
    /// Differences between Steam and the database.
    #[command(subcommand)]
    Discrepancies(discrepancies::Command),
    /// People on Steam.
    #[command(subcommand)]
    Users(users::Command),
    /// Steam accounts that hold items.
    #[command(subcommand)]
    Bots(bots::Command),
    /// Keys that clients and bots sign in with.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Organisations.
    #[command(subcommand)]
    Orgs(orgs::Command),
    /// Show the key's owner and scopes, and the server's version.
    Whoami,
    /// Call any RPC with JSON.
    Call(call::CallArgs),
}

/// Which key a command signs in with.
enum Needs {
    /// None at all, or any.
    Nothing,
    /// Any.
    Key,
    /// One that is no bot's: a bot's key opens that bot's session and nothing else.
    NoBotKey,
}

impl Needs {
    fn check(&self, key: Option<&Form>) -> Result<(), Failure> {
        match (self, key) {
            (Self::Nothing, _) | (Self::Key, Some(_)) => Ok(()),
            (Self::Key | Self::NoBotKey, None) => Err(Failure::NoKey),
            (Self::NoBotKey, Some(key)) if key.kind == Some(Kind::Bot) => Err(Failure::KeyOfBot),
            (Self::NoBotKey, Some(_)) => Ok(()),
        }
    }
}

impl Command {
    fn needs(&self) -> Needs {
        match self {
            Self::Call(_) | Self::Keys(keys::Command::Scopes) => Needs::Nothing,
            Self::Whoami => Needs::Key,
            Self::Items(_)
            | Self::Reservations(_)
            | Self::Assignments(_)
            | Self::Donations(_)
            | Self::Events(_)
            | Self::Syncs(_)
            | Self::Discrepancies(_)
            | Self::Users(_)
            | Self::Bots(_)
            | Self::Keys(_)
            | Self::Orgs(_) => Needs::NoBotKey,
        }
    }
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

impl Cli {
    /// Does what the command line asks.
    pub(crate) async fn run(
        self,
        typed: &mut Typed,
        out: &mut (dyn Write + Send),
        err: &mut (dyn Write + Send),
    ) -> Result<(), Failure> {
        let key = self.globals.key()?;
        typed.key = key.as_deref().map(Form::of);
        let needs = self.command.needs();
        needs.check(typed.key.as_ref())?;
        let mut context = Context::new(self.globals, key, out, err)?;
        let cx = &mut context;
        match self.command {
            Command::Items(command) => command.run(cx).await,
            Command::Reservations(command) => command.run(cx).await,
            Command::Assignments(command) => command.run(cx).await,
            Command::Donations(command) => command.run(cx).await,
            Command::Events(command) => command.run(cx).await,
            Command::Syncs(command) => command.run(cx).await,
            Command::Discrepancies(command) => command.run(cx).await,
            Command::Users(command) => command.run(cx).await,
            Command::Bots(command) => command.run(cx).await,
            Command::Keys(command) => command.run(cx).await,
            Command::Orgs(command) => command.run(cx).await,
            Command::Whoami => keys::whoami(cx).await,
            Command::Call(args) => args.run(cx).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_explains_itself() {
        fn visit(command: &clap::Command, path: &str) {
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
        visit(&Cli::command(), "");
    }
    #[test]
    fn a_person_is_named_in_any_notation_wherever_one_is() {
        fn visit(command: &clap::Command, found: &mut usize) {
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let named =
                    ["user", "donor", "recipient", "steam_id", "runner_up", "deny", "allow"];
                if help.contains("SteamID") || named.contains(&argument.get_id().as_str()) {
                    let parser = argument.get_value_parser().type_id();
                    let taken = parser == std::any::TypeId::of::<astro_sdk::steam::SteamId>();
                    assert!(taken, "{} {}", command.get_name(), argument.get_id());
                    *found += 1;
                }
            }
            command.get_subcommands().for_each(|below| visit(below, found));
        }
        let mut found = 0;
        visit(&Cli::command(), &mut found);
        assert!(found >= 10, "{found}");
    }
}
