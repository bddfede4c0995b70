//! Fields of the contract as the arguments that fill them: who typed `--org` is told of `--org`.

use clap::{Arg, ArgMatches, Command, CommandFactory};

use crate::cli::Cli;

/// Ends of fields' paths, and the arguments that may fill them. An argument with the field's own
/// name goes first and needs no line here.
const FILLED_BY: &[(&str, &[&str])] = &[
    ("app_ids", &["app"]),
    ("assigned_to_user_id", &["recipient"]),
    ("assignment_id", &["assignment"]),
    ("assignment_priority", &["priority"]),
    ("assignment_reason", &["reason"]),
    ("assignment_type", &["kind"]),
    ("assignment_types", &["kind"]),
    ("bot_id", &["bot"]),
    ("bot_ids", &["bot"]),
    ("claim_ttl_seconds", &["claim_ttl"]),
    ("custom_metadata", &["metadata"]),
    ("denied_user_ids", &["deny"]),
    ("display_name", &["name"]),
    ("donation_app_ids", &["app"]),
    ("donation_keyword", &["keyword"]),
    ("end_time", &["until"]),
    ("expire_time", &["expires"]),
    ("external_context", &["context"]),
    ("external_system", &["system"]),
    ("from_earliest", &["from_start"]),
    ("item.id", &["item_id"]),
    ("item_id", &["item"]),
    ("item_ids", &["item_id"]),
    ("item_value_min_cents", &["item_value_min"]),
    ("items_per_day_max", &["items_per_day"]),
    ("junk_names", &["junk"]),
    ("labels", &["label"]),
    ("market_hash_names", &["name"]),
    ("market_value", &["value"]),
    ("offer_ttl_seconds", &["offer_ttl"]),
    ("open_only", &["open"]),
    ("org_id", &["org"]),
    ("organization.id", &["org_id"]),
    ("page_size", &["limit"]),
    ("received_from_user_id", &["donor"]),
    ("reservation_id", &["reservation"]),
    ("resume_token", &["after"]),
    ("runner_up_user_ids", &["runner_up"]),
    ("scopes", &["scope"]),
    ("severities", &["severity"]),
    ("start_time", &["since"]),
    ("states", &["state"]),
    ("tradable_now", &["tradable"]),
    ("ttl_seconds", &["ttl"]),
    ("types", &["kind"]),
    ("user_id", &["user", "donor"]),
    ("validate_only", &["dry_run"]),
    ("value_per_day_max_cents", &["value_per_day"]),
    ("wait_seconds", &["wait"]),
];

/// The arguments of the command in hand.
#[derive(Debug)]
pub(crate) struct Arguments(Command);

impl Arguments {
    /// Those of the command that was typed.
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let mut path = Vec::new();
        let mut at = matches;
        while let Some((name, below)) = at.subcommand() {
            path.push(name);
            at = below;
        }
        Self::at(&path)
    }

    fn at(path: &[&str]) -> Self {
        let mut command = Cli::command();
        // Arguments of all commands are theirs from here on.
        command.build();
        for name in path {
            let below = command.find_subcommand(name).expect("clap found it").clone();
            command = below;
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
        let ends = |end: &str| {
            path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        let listed = FILLED_BY.iter().filter(|(end, _)| ends(end)).flat_map(|(_, ids)| *ids);
        let own = path.rsplit('.').next().unwrap_or(path);
        let mut candidates = std::iter::once(own).chain(listed.copied());
        let has = |id: &str| self.0.get_arguments().find(|argument| argument.get_id() == id);
        candidates.find_map(has).map(shown)
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
fn shown(argument: &Arg) -> String {
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
    use prost_reflect::MessageDescriptor;

    use super::*;
    use crate::contract::POOL;

    /// Each command, and the request that its arguments fill.
    const REQUESTS: &[(&str, &str)] = &[
        ("items list", "ListItemsRequest"),
        ("items get", "GetItemRequest"),
        ("items update", "UpdateItemRequest"),
        ("items history", "ListItemHistoryRequest"),
        ("items reserve", "ReserveItemsRequest"),
        ("reservations create", "ReserveItemsRequest"),
        ("reservations release", "ReleaseReservationRequest"),
        ("assignments create", "CreateAssignmentRequest"),
        ("assignments get", "GetAssignmentRequest"),
        ("assignments list", "ListAssignmentsRequest"),
        ("assignments watch", "WatchAssignmentRequest"),
        ("assignments cancel", "CancelAssignmentRequest"),
        ("assignments reassign", "ReassignAssignmentRequest"),
        ("assignments retry", "RetryAssignmentRequest"),
        ("donations list", "ListDonationsRequest"),
        ("donations get", "GetDonationRequest"),
        ("events tail", "WatchEventsRequest"),
        ("events list", "ListEventsRequest"),
        ("syncs start", "StartSyncRequest"),
        ("syncs get", "GetSyncRequest"),
        ("syncs list", "ListSyncsRequest"),
        ("syncs resolve", "ResolveDiscrepancyRequest"),
        ("discrepancies list", "ListDiscrepanciesRequest"),
        ("discrepancies resolve", "ResolveDiscrepancyRequest"),
        ("users get", "GetUserRequest"),
        ("users set-trade-url", "SetTradeUrlRequest"),
        ("bots register", "RegisterBotRequest"),
        ("bots list", "ListBotsRequest"),
        ("bots get", "GetBotRequest"),
        ("bots remove", "RemoveBotRequest"),
        ("keys create", "CreateApiKeyRequest"),
        ("keys list", "ListApiKeysRequest"),
        ("keys revoke", "RevokeApiKeyRequest"),
        ("orgs create", "CreateOrganizationRequest"),
        ("orgs get", "GetOrganizationRequest"),
        ("orgs list", "ListOrganizationsRequest"),
        ("orgs update", "UpdateOrganizationRequest"),
    ];

    /// What the program fills in by itself, or what only an answer has.
    const BY_ITSELF: &[&str] = &["request_id", "update_mask", "create_time", "update_time", "slug"];

    /// Inner messages whose fields are arguments of their own.
    const OPENED: &[&str] = &["DonationRules", "Organization"];

    fn fields(of: &MessageDescriptor, prefix: &str, found: &mut Vec<String>) {
        for field in of.fields().filter(|field| !BY_ITSELF.contains(&field.name())) {
            let path = format!("{prefix}{}", field.name());
            let kind = field.kind();
            match kind.as_message() {
                Some(inner)
                    if inner.name().ends_with("Filter") || OPENED.contains(&inner.name()) =>
                {
                    fields(inner, &format!("{path}."), found);
                }
                // Of an item, an update takes what its mask may name.
                Some(inner) if inner.name() == "Item" => {
                    let taken = ["id", "etag", "labels", "market_value", "custom_metadata"];
                    found.extend(taken.map(|name| format!("{path}.{name}")));
                }
                Some(_) | None => found.push(path),
            }
        }
    }

    #[test]
    fn every_field_of_a_command_s_request_has_its_argument() {
        for (command, request) in REQUESTS {
            let arguments = Arguments::at(&command.split(' ').collect::<Vec<_>>());
            let request = POOL.get_message_by_name(&format!("astro.v1.{request}")).unwrap();
            let mut paths = Vec::new();
            fields(&request, "", &mut paths);
            for path in paths {
                let told = arguments.of_field(&path);
                // The items of a reservation are asked for in whatever state they are free.
                let narrowed =
                    path.starts_with("filter.") && request.name() == "ReserveItemsRequest";
                assert!(told.is_some() || narrowed, "astro {command}: no argument for {path}");
            }
        }
    }

    #[test]
    fn every_command_is_in_the_list() {
        let local = ["keys scopes", "bots pause", "bots resume"];
        for noun in Cli::command().get_subcommands() {
            for verb in noun.get_subcommands() {
                let name = format!("{} {}", noun.get_name(), verb.get_name());
                let known = REQUESTS.iter().any(|(command, _)| *command == name);
                let other = local.contains(&&*name) || noun.get_name() == "bots";
                assert!(known || other, "{name} has no request in the list");
            }
        }
    }

    #[track_caller]
    fn check(command: &str, text: &str, renamed: &str) {
        let arguments = Arguments::at(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(arguments.rename(text), renamed);
    }

    #[test]
    fn a_field_is_told_as_the_argument_of_the_command_in_hand() {
        check("items list", "org_id: is required", "--org: is required");
        check("orgs get", "org_id: must be a UUID", "ORG: must be a UUID");
        check("items list", "filter.app_ids: has more than 100", "--app: has more than 100");
        check("items get", "item_id: must be a UUID", "ITEM_ID: must be a UUID");
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
