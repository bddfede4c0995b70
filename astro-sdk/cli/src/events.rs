//! `astro events`: the log of everything that happened.

use astro_sdk::steam::SteamId;
use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::*;
use clap::{Args, Subcommand};
use prost_types::Timestamp;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::enum_name;
use crate::values;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Follow the log, a line for each event, across lost connections.
    #[command(after_help = "\
Examples:
  astro events tail
  astro events tail --type 'assignment.*' --type bot.connected
  astro events tail --from-start -o json >> log.jsonl
  astro events tail --after RESUME_TOKEN")]
    Tail(TailArgs),
    /// List events, oldest first unless it is asked for backwards.
    #[command(after_help = "\
Examples:
  astro events list --assignment ASSIGNMENT_ID
  astro events list --newest-first --severity warning,error --limit 20
  astro events list --user STEAM_0:1:12345 --since 2027-01-01T00:00:00Z
  astro events list --type 'item.*' --limit 500 -o json")]
    List(ListArgs),
}

/// What to follow.
#[derive(Args)]
pub(crate) struct TailArgs {
    /// Type of event, or a family like 'item.*'; may be given several times.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Vec<String>,
    /// Go on after this resume token.
    #[arg(long, value_name = "TOKEN")]
    after: Option<String>,
    /// Begin with the oldest event that is kept.
    #[arg(long, conflicts_with = "after")]
    from_start: bool,
}

/// What to list.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Type of event, or a family like 'item.*'; may be given several times.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Vec<String>,
    /// Only events of this assignment.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ASSIGNMENT_ID")]
    assignment: String,
    /// Only events of this item.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ITEM_ID")]
    item: String,
    /// Only events about this person: a SteamID in any form.
    #[arg(long, value_name = "STEAM_ID")]
    user: Option<SteamId>,
    /// Only events of this bot.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "BOT_ID")]
    bot: String,
    /// Only events that this one caused: key:KEY_ID, bot:BOT_ID or system.
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
    /// Severities, separated by commas: info, warning, error.
    #[arg(long, value_delimiter = ',', value_parser = values::severity, value_name = "SEVERITY")]
    severity: Vec<i32>,
    /// Only events from this time on: 2027-01-31T12:00:00Z.
    #[arg(long, value_parser = values::time, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only events before this time.
    #[arg(long, value_parser = values::time, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Read backwards: the newest event first.
    #[arg(long, conflicts_with = "wait")]
    newest_first: bool,
    /// Go on after this resume token, or before it with --newest-first.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TOKEN")]
    after: String,
    /// Most events to print: 1 to 500.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=500))]
    limit: i32,
    /// Wait up to this many seconds for a first event: 0 to 20.
    #[arg(long, default_value_t = 0, value_name = "SECONDS", value_parser = clap::value_parser!(i32).range(0..=20))]
    wait: i32,
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        match self {
            Self::Tail(args) => tail(args, cx).await,
            Self::List(args) => list(args, cx).await,
        }
    }
}

async fn tail(args: TailArgs, cx: &mut Context<'_>) -> Result<(), Failure> {
    let start = match args.after {
        Some(token) => Some(Start::ResumeToken(token)),
        None => args.from_start.then_some(Start::FromEarliest(true)),
    };
    let request = WatchEventsRequest { org_id: cx.org().await?, types: args.kind, start };
    let mut events = cx.client.events().watch(request);
    while let Some(event) = events.try_next().await? {
        cx.out.entry(&event, &line(&event))?;
    }
    Ok(())
}

async fn list(args: ListArgs, cx: &mut Context<'_>) -> Result<(), Failure> {
    let request = ListEventsRequest {
        org_id: cx.org().await?,
        types: args.kind,
        resume_token: args.after,
        page_size: args.limit,
        wait_seconds: args.wait,
        assignment_id: args.assignment,
        item_id: args.item,
        user_id: args.user.map_or(0, SteamId::steam_id64),
        bot_id: args.bot,
        source: args.source,
        severities: args.severity,
        start_time: args.since,
        end_time: args.until,
        newest_first: args.newest_first,
    };
    let page = cx.client.events().list(request).pages().try_next().await?;
    let columns = ["create_time", "severity", "event_type", "source", "event_description"];
    Ok(cx.out.list(&page.unwrap_or_default(), &columns)?)
}

fn line(event: &Event) -> String {
    let time = event.create_time.map(|time| time.to_string()).unwrap_or_default();
    let severity = enum_name("astro.v1.EventSeverity", event.severity);
    format!("{time}  {severity:<7}  {:<24}  {}", event.event_type, event.event_description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let event = Event {
            create_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            severity: EventSeverity::Info.into(),
            event_type: "item.received".into(),
            event_description: "Received a knife".into(),
            ..Event::default()
        };
        let expected = "2023-11-14T22:13:20Z  INFO     item.received             Received a knife";
        assert_eq!(line(&event), expected);
    }
}
