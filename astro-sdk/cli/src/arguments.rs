//! Fields of the contract as the arguments that fill them: who typed `--org` is told of `--org`.

use clap::{Arg, ArgMatches, Command};

/// The arguments of the command in hand.
#[derive(Debug)]
pub(crate) struct Arguments(Command);

impl Arguments {
    /// Those of one command.
    pub(crate) fn new(command: Command) -> Self {
        Self(command)
    }

    /// Those of the command that was typed.
    pub(crate) fn of(mut command: Command, matches: &ArgMatches) -> Self {
        // Arguments of all commands are theirs from here on.
        command.build();
        let mut at = matches;
        while let Some((name, below)) = at.subcommand() {
            command = command.find_subcommand(name).expect("clap found it").clone();
            at = below;
        }
        Self(command)
    }

    /// What to type for the field with this path (`filter.app_ids`): `--app`, `ITEM_ID`.
    pub(crate) fn of_field(&self, path: &str) -> Option<String> {
        // Whoever writes JSON writes fields.
        if self.0.get_name() == "call" {
            return None;
        }
        let path = path.split('[').next().unwrap_or(path);
        let own = path.rsplit('.').next().unwrap_or(path);
        let last = |argument: &&Arg| argument.get_id().as_str().rsplit('.').next() == Some(own);
        let has = |id: &str| self.0.get_arguments().find(|argument| argument.get_id() == id);
        let organization = || has("--org").filter(|_| own == "org_id" || path == "organization.id");
        // An argument that undoes another is not the field's own.
        let mut others = self.0.get_arguments().filter(|it| !it.get_id().as_str().contains(':'));
        has(path).or_else(|| others.find(last)).or_else(organization).map(shown)
    }

    /// The text with every field's name that this command has an argument for replaced by that.
    pub(crate) fn rename(&self, text: &str) -> String {
        let rename = |word: &str| {
            let name = word.trim_end_matches([',', ':', ';', '.']);
            // A word without a joint may be any word.
            let argument = name.contains('_').then(|| self.of_field(name)).flatten();
            argument.map_or_else(|| word.to_owned(), |argument| word.replacen(name, &argument, 1))
        };
        text.split(' ').map(rename).collect::<Vec<_>>().join(" ")
    }
}

/// `--app` for an option, `ITEM_ID` for one that has its place.
pub(crate) fn shown(argument: &Arg) -> String {
    match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument
            .get_value_names()
            .and_then(|names| names.first())
            .map_or_else(|| argument.get_id().as_str().to_uppercase(), ToString::to_string),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::Tree;
    use crate::contract::POOL;

    use super::*;

    #[track_caller]
    fn check(command: &str, text: &str, renamed: &str) {
        let tree = Tree::of(&POOL);
        let mut found = tree.command;
        found.build();
        for name in command.split(' ') {
            found = found.find_subcommand(name).unwrap().clone();
        }
        assert_eq!(Arguments::new(found).rename(text), renamed);
    }

    #[test]
    fn a_field_is_told_as_the_argument_of_the_command_in_hand() {
        check("items list", "org_id: is required", "--org: is required");
        check("orgs get", "org_id: must be a UUID", "ORG: must be a UUID");
        check("items list", "filter.app_ids: has more than 100", "--app: has more than 100");
        check("items get", "item_id: must be a UUID", "ITEM_ID: must be a UUID");
        check("items list", "page_size: is 0", "--limit: is 0");
        check("items update", "item.market_value: x", "--value: x");
        check("events list", "resume_token: not ours.", "--after: not ours.");
        check("keys create", "set bot_id, or not.", "set --bot, or not.");
        check("orgs update", "organization.donation_rules.junk_names[3]: x", "--junk: x");
        check("assignments list", "external_id was used", "--external-id was used");
    }

    #[test]
    fn what_is_no_field_stays_as_it_is() {
        let text = "item \"org_id\" of my-org_id: é. state is free… a_b .";
        check("items list", text, text);
        check("items list", "", "");
        check("call", "org_id: is required", "org_id: is required");
    }
}
