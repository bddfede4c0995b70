//! What people say where the contract's own words are not theirs. All that is not listed here is
//! called as the contract calls it. In each table, the first word of a line is the contract's.

use clap::builder::Resettable;
use clap::{Arg, Command};
use prost_reflect::{FieldDescriptor, MessageDescriptor};

use crate::assignments::until;
use crate::contract::is_leaf;

/// The nouns of services.
pub(crate) const SERVICES: &str = "
AccessService keys
OrganizationService orgs";

/// The commands of RPCs.
pub(crate) const COMMANDS: &str = "
AccessService/GetCaller whoami
AccessService/CreateApiKey keys create
AccessService/ListApiKeys keys list
AccessService/UpdateApiKey keys update
AccessService/RevokeApiKey keys revoke
AccessService/CreateSession sessions create
AccessService/ListSessions sessions list
AccessService/EndSession sessions end
BotService/PauseBot bots pause
BotService/PauseBot bots resume
EventService/WatchEvents events tail
ItemService/ListItemHistory items history
ItemService/ReserveItems items reserve
ItemService/ReserveItems reservations create
ItemService/ListReservations reservations list
ItemService/ReleaseReservation reservations release
SyncService/ListDiscrepancies discrepancies list
SyncService/ResolveDiscrepancy discrepancies resolve
SyncService/ResolveDiscrepancy syncs resolve";

/// What the nouns are that no service is.
pub(crate) const NOUNS: &str = "
discrepancies Differences between Steam and the database
reservations Holds on items for a limited time
sessions Sign-ins of people, made from keys";

/// The options of fields; in capitals, the arguments that have a place. A third word is the option of
/// an update that undoes the second.
const FIELDS: &str = "
AssignmentFilter.assignment_types type
CreateAssignmentRequest.user_id user
CreateOrganizationRequest.slug SLUG
DonationFilter.user_id donor
GetOrganizationRequest.org_id ORG
Organization.id ORG
SetTradeUrlRequest.trade_url TRADE_URL
assigned_to_user_id recipient
assignment_priority priority
assignment_reason reason
assignment_type type
custom_metadata metadata
denied_user_ids deny allow
display_name name
donation_app_ids app any-app
donation_keyword keyword
end_time until
expire_time expires
external_context context
external_id external-id
external_system system
from_earliest from-start
held_only held
item_ids ITEM_ID
items_per_day_max items-per-day
junk_names junk
market_hash_names name
market_value value
open_only open
page_size limit
received_from_user_id donor
resolution as
resume_token after
runner_up_user_ids runner-up
start_time since
tradable_now tradable
validate_only dry-run
value_per_day_max_cents value-per-day";

/// Columns of lists, by what these have. What may be long is last, such as the remedy of a bot that
/// needs somebody.
const COLUMNS: &str = "
ApiKey id kind display_name org_id scopes last_use_time revoke_time
Assignment id state user_id assignment_type total_items_count assign_time status_message
Bot id steam_id display_name connected steam_status paused open_offers queued_assignments \
    last_seen_time steam_token_expire_time needs steam_status_detail
Discrepancy id kind item_name asset_id amount user_id trade_id remedies resolution create_time
Donation id state decline_reason user_id status_message create_time
Event create_time severity event_type source event_description
Item id state item_name asset.app_id market_value create_time
ItemHistoryEntry event_time event_type from_state to_state source description
Organization id slug display_name donation_keyword create_time
Reservation id state items_count source expire_time assignment_id create_time
Sync id state trigger bot_id steam_inventory_count items_added_count items_removed_count \
    discrepancies_found accuracy_percent complete_time
User steam_id display_name has_trade_url country_code first_seen_time last_seen_time org_id";
/// Columns of any other list, at most.
const COLUMNS_MAX: usize = 8;
/// What tells a person at a terminal least.
const COLUMNS_WIDE: [&str; 3] = ["org_id", "etag", "update_time"];

/// Examples that show more than the arguments which must be there.
const EXAMPLES: &str = "
astro assignments create ITEM_ID ITEM_ID --user 76561198000000000 --ttl 86400
astro assignments create --reservation RESERVATION_ID --user STEAM_0:1:12345 --type giveaway
astro assignments create ITEM_ID --user '[U:1:24691]' --system shop --external-id order-17
astro assignments create ITEM_ID --user https://steamcommunity.com/profiles/76561198000000000
astro assignments list --state blocked,failed
astro assignments list --system shop --external-id order-17
astro assignments watch ASSIGNMENT_ID && echo delivered
astro assignments watch ASSIGNMENT_ID --until settled
astro assignments reassign ASSIGNMENT_ID --user 76561198000000000 --reason 'did not answer'
astro bots register 76561198000000000 --name 'Bot 1'
astro discrepancies list --open
astro donations list --donor 76561198000000000 --state declined --limit 5
astro events tail --type 'assignment.*' --type bot.connected
astro events tail --from-start -o json >> log.jsonl
astro events list --newest-first --severity warning,error --limit 20
astro events list --user STEAM_0:1:12345 --since 2027-01-01T00:00:00Z
astro items list --state available --tradable
astro items list --text knife --field id
astro items update ITEM_ID --label event=summer --remove-label old
astro items update ITEM_ID --value 12.50USD --metadata '{\"rank\": 3}'
astro items reserve ITEM_ID ITEM_ID --ttl 3600
astro items reserve --count 3 --app 440
astro reservations create ITEM_ID ITEM_ID --ttl 3600
astro reservations create --count 1 --text knife --field id
astro keys create --name reader --scope items.read --scope events.read --org my-community
astro keys create --kind bot --bot BOT_ID --name 'Bot 1' --field secret > bot.key
astro orgs create my-community --name 'My community' --keyword gift --app 440,730
astro orgs update --items-per-day 50 --junk 'Mann Co. Supply Crate Series*'
astro orgs update my-community --no-junk --allow 76561198000000000 --cancel-unknown-offers false
astro orgs get my-community
astro reservations list --held
astro syncs list --bot BOT_ID --limit 5
astro users get STEAM_0:1:12345
astro users get https://steamcommunity.com/profiles/76561198000000000
astro users list --text anna
astro users set-trade-url 'https://steamcommunity.com/tradeoffer/new/?partner=1&token=AbCdEf12'";

/// What becomes of each kind of difference by itself, and what a person can decide, which the server
/// says of each difference in its `remedies`.
const RESOLVING: &str = "\
What happens by itself, and what a person can decide:
  unknown-asset     adopt, ignore
      taken into the pool, or waits if unknown items are reviewed; gone when the asset leaves
  missing-asset     write-off, ignore
      the item is MISSING; gone when it is seen again
  assigned-missing  write-off, ignore
      the same, and its assignment is blocked until then; write-off gives that up
  unknown-trade     write-off, ignore
      the item left in a trade that Astro did not make: look at the account's API keys and
      sessions
  unknown-offer     ignore, cancel-offer
      withdrawn, or waits if the organisation leaves that to a person; gone when the offer
      ends; never confirmed
  report-refused    ignore
      the bot told something that could not be recorded; it is asked again, and gone once it
      is recorded. If it stays: look at Steam, and at the bot's log
  claimed-twice     ignore
      another bot's books have the asset too; gone when its inventory or trade history shows
      who has it
  stack             write-off, ignore
      another amount than 1: stays out of the pool, or the item is QUARANTINED and its
      assignment blocked; gone when it leaves or is a single one

Examples:
  astro discrepancies resolve DISCREPANCY_ID --as write-off --note 'traded away by hand'
  astro syncs resolve DISCREPANCY_ID --as cancel-offer";

/// What the lines of a table say that begin with `name`.
pub(crate) fn lines<'a>(
    table: &'static str,
    name: &'a str,
) -> impl Iterator<Item = &'static str> + 'a {
    table.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(' '))
}

/// Examples of a command, a line each.
pub(crate) fn examples(command: &str) -> Vec<String> {
    let command = format!("astro {command}");
    lines(EXAMPLES, &command).map(|rest| format!("{command} {rest}")).collect()
}

/// What people type for a field if they have a word of their own: an option, or in capitals the
/// argument that has a place; and the option that undoes it in an update, if that has one.
pub(crate) fn of_field(field: &FieldDescriptor) -> Option<(&'static str, Option<&'static str>)> {
    let whole = format!("{}.{}", field.parent_message().name(), field.name());
    let found = lines(FIELDS, &whole).next().or_else(|| lines(FIELDS, field.name()).next())?;
    Some(found.split_once(' ').map_or((found, None), |(word, undo)| (word, Some(undo))))
}

/// The option of any other field: `bot_ids` is `bot`, `ttl_seconds` is `ttl`, `states` is `state`.
pub(crate) fn option(field: &FieldDescriptor) -> String {
    let ends = ["_seconds", "_cents", "_ids", "_id"];
    let name = match ends.iter().find_map(|end| field.name().strip_suffix(end)) {
        Some(cut) => cut.to_owned(),
        None if field.is_list() || field.is_map() => match field.name().strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => field.name().trim_end_matches('s').to_owned(),
        },
        None => field.name().to_owned(),
    };
    name.replace('_', "-")
}

/// Paths of the columns of a list of such messages; `wide`: of all that fits into a column.
pub(crate) fn columns(entry: &MessageDescriptor, wide: bool) -> Vec<String> {
    let fits = |field: &FieldDescriptor| {
        let kind = field.kind();
        let message = kind.as_message();
        !field.is_map() && message.is_none_or(|it| is_leaf(it) && it.name() != "Struct")
    };
    let all = || entry.fields().filter(fits);
    let tells =
        |it: &FieldDescriptor| !it.is_list() && (wide || !COLUMNS_WIDE.contains(&it.name()));
    let chosen = lines(COLUMNS, entry.name()).next();
    let mut columns: Vec<String> = match chosen {
        Some(paths) => paths.split_whitespace().map(str::to_owned).collect(),
        None => all().filter(tells).take(COLUMNS_MAX).map(|it| it.name().to_owned()).collect(),
    };
    if wide {
        let all: Vec<String> = all().map(|field| field.name().to_owned()).collect();
        columns.extend(all.into_iter().filter(|name| !columns.contains(name)).collect::<Vec<_>>());
    }
    columns
}

/// The command as people want it, where fields alone do not tell that.
pub(crate) fn tuned(name: &str, command: Command) -> Command {
    let told = |argument: Arg, text| argument.help(text).long_help(Resettable::Reset);
    match name {
        "assignments create" => command
            .mut_arg("item_ids", |it| {
                let it = it.required_unless_present("reservation_id");
                let it = it.conflicts_with("reservation_id");
                told(it, "Items; those of several bots are delivered bot by bot. Or --reservation")
            })
            .mut_arg("reservation_id", |it| told(it, "A whole reservation made before"))
            .mut_arg("external_id", |it| it.requires("external_system")),
        "assignments watch" => command.arg(until()),
        "bots pause" => command
            .mut_arg("paused", |it| it.hide(true).default_value("true"))
            .about("Pauses a bot: no new deliveries and donations"),
        "bots resume" => {
            command.mut_arg("paused", |it| it.hide(true)).about("Lets a paused bot go on")
        }
        "discrepancies resolve" | "syncs resolve" => command.after_help(RESOLVING),
        "events list" => command.mut_arg("newest_first", |it| it.conflicts_with("wait_seconds")),
        "items reserve" | "reservations create" => command
            .mut_args(|it| match it.get_id().as_str().strip_prefix("filter.") {
                // It must be empty: only what is available can be reserved.
                Some("states") => it.hide(true),
                Some(_) => it.conflicts_with("item_ids"),
                None => it,
            })
            .mut_arg("item_ids", |it| {
                let it = it.required_unless_present("count").conflicts_with("count");
                told(it, "Items to reserve; or --count")
            }),
        "keys create" => command.mut_arg("kind", |it| it.required(false).default_value("client")),
        _ => command,
    }
}
