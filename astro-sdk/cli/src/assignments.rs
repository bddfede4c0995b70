//! `astro assignments`: giving items to people.

use astro_sdk::new_request_id;
use astro_sdk::steam::{SteamId, TradeUrl};
use astro_sdk::v1::*;
use clap::{Args, Subcommand, ValueEnum};
use prost_types::Struct;

use crate::context::{Context, Paging};
use crate::failure::Failure;
use crate::output::enum_name;
use crate::values;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Assign items to a person and queue the delivery.
    #[command(after_help = "\
Examples:
  astro assignments create ITEM_ID ITEM_ID --user 76561198000000000
  astro assignments create --reservation RESERVATION_ID --user STEAM_0:1:12345 --type giveaway
  astro assignments create ITEM_ID --user '[U:1:24691]' --system shop --external-id order-17
  astro assignments create ITEM_ID --user https://steamcommunity.com/profiles/76561198000000000
  astro assignments create ITEM_ID --user 76561198000000000 --ttl 86400 \\
    --runner-up 76561198000000001 --runner-up 76561198000000002")]
    Create(CreateArgs),
    /// Show one assignment.
    #[command(after_help = "Example:\n  astro assignments get ASSIGNMENT_ID")]
    Get {
        /// Assignment id.
        assignment_id: String,
    },
    /// List assignments, newest first.
    #[command(after_help = "\
Examples:
  astro assignments list --state blocked,failed
  astro assignments list --user 76561198000000000 --all
  astro assignments list --system shop --external-id order-17")]
    List(ListArgs),
    /// Follow one assignment, a line for each change; succeeds when it is delivered.
    #[command(after_help = "\
Examples:
  astro assignments watch ASSIGNMENT_ID && echo delivered
  astro assignments watch ASSIGNMENT_ID --until settled")]
    Watch {
        /// Assignment id.
        assignment_id: String,
        /// What to wait for: the recipient has the items, or the trade cannot be reversed any more.
        #[arg(long, value_enum, default_value_t = Until::Delivered)]
        until: Until,
    },
    /// Cancel an assignment that is not delivered.
    #[command(
        after_help = "Example:\n  astro assignments cancel ASSIGNMENT_ID --reason 'wrong person'"
    )]
    Cancel {
        /// Assignment id.
        assignment_id: String,
        /// Why, for the audit trail.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Fail if the assignment changed since it had this etag.
        #[arg(long, default_value = "", hide_default_value = true)]
        etag: String,
    },
    /// Pass the items that are not delivered on to another person. While an offer is out it is
    /// withdrawn first; whoever accepts it before keeps the items.
    #[command(after_help = "\
Examples:
  astro assignments reassign ASSIGNMENT_ID --user 76561198000000000 --reason 'did not answer'
  astro assignments reassign ASSIGNMENT_ID --user STEAM_0:1:12345 --ttl 86400")]
    Reassign(ReassignArgs),
    /// Try a blocked or waiting delivery again now.
    #[command(after_help = "Example:\n  astro assignments retry ASSIGNMENT_ID")]
    Retry {
        /// Assignment id.
        assignment_id: String,
    },
}

/// When a watch is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Until {
    /// The recipient has the items.
    Delivered,
    /// The trade cannot be reversed any more.
    Settled,
}

/// What to assign, to whom and why.
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// Items; those of several bots are delivered bot by bot. Or use --reservation.
    #[arg(required_unless_present = "reservation", conflicts_with = "reservation")]
    item_id: Vec<String>,
    /// A whole reservation made before.
    #[arg(long, value_name = "RESERVATION_ID")]
    reservation: Option<String>,
    /// SteamID of the recipient, in any form.
    #[arg(long, value_name = "STEAM_ID")]
    user: SteamId,
    /// Kind: giveaway, vip, tournament, manual, …
    #[arg(long = "type", default_value = "", hide_default_value = true, value_name = "KIND")]
    kind: String,
    /// Reason shown to the recipient.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// System that asks for it.
    #[arg(long, default_value = "", hide_default_value = true)]
    system: String,
    /// Id in that system; an assignment with it is made once, for ever.
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        requires = "system",
        value_name = "ID"
    )]
    external_id: String,
    /// Whatever the system wants to keep, a JSON object.
    #[arg(long, value_parser = values::json_object, value_name = "JSON")]
    context: Option<Struct>,
    /// Higher goes first: -1000 to 1000.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// The recipient's trade URL; stored for the next time as well.
    #[arg(long, value_name = "URL")]
    trade_url: Option<TradeUrl>,
    /// Seconds until it expires unclaimed [default: the organisation's setting].
    #[arg(long, default_value_t = 0, value_name = "SECONDS", hide_default_value = true)]
    ttl: i32,
    /// SteamID of who gets the items when it expires unclaimed; once for each, in turn.
    #[arg(long, value_name = "STEAM_ID")]
    runner_up: Vec<SteamId>,
    /// Check everything, change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What passes on to whom.
#[derive(Args)]
pub(crate) struct ReassignArgs {
    /// Assignment id.
    assignment_id: String,
    /// SteamID of the new recipient, in any form.
    #[arg(long, value_name = "STEAM_ID")]
    user: SteamId,
    /// The new recipient's trade URL; stored for the next time as well.
    #[arg(long, value_name = "URL")]
    trade_url: Option<TradeUrl>,
    /// Why, for the audit trail.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Seconds until it expires unclaimed [default: as long as the old recipient had].
    #[arg(long, default_value_t = 0, value_name = "SECONDS", hide_default_value = true)]
    ttl: i32,
    /// Fail if the assignment changed since it had this etag.
    #[arg(long, default_value = "", hide_default_value = true)]
    etag: String,
}

/// Which assignments to list.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// States, separated by commas: queued, offered, blocked, …
    #[arg(long, value_delimiter = ',', value_parser = values::assignment_state, value_name = "STATE")]
    state: Vec<i32>,
    /// SteamID of the recipient, in any form.
    #[arg(long, value_name = "STEAM_ID")]
    user: Option<SteamId>,
    /// Kinds, separated by commas.
    #[arg(long = "type", value_delimiter = ',', value_name = "KIND")]
    kind: Vec<String>,
    /// System that asked.
    #[arg(long, default_value = "", hide_default_value = true)]
    system: String,
    /// Id in that system.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ID")]
    external_id: String,
    /// Order: "create_time desc" or "create_time".
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ORDER")]
    order_by: String,
    #[command(flatten)]
    paging: Paging,
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let client = cx.client.assignments();
        let request_id = new_request_id();
        let assignment = match self {
            Self::List(args) => return list(args, cx).await,
            Self::Watch { assignment_id, until } => return watch(assignment_id, until, cx).await,
            Self::Create(args) => {
                let request = args.into_request(cx.org().await?, request_id);
                client.create(request).await?.assignment
            }
            Self::Get { assignment_id } => {
                let request = GetAssignmentRequest { assignment_id };
                client.get(request).await?.assignment
            }
            Self::Cancel { assignment_id, reason, etag } => {
                let request = CancelAssignmentRequest { assignment_id, reason, etag, request_id };
                client.cancel(request).await?.assignment
            }
            Self::Reassign(args) => {
                let answer = client.reassign(args.into_request(request_id)).await?;
                return Ok(cx.out.record(&Some(answer))?);
            }
            Self::Retry { assignment_id } => {
                let request = RetryAssignmentRequest { assignment_id, request_id };
                client.retry(request).await?.assignment
            }
        };
        Ok(cx.out.record(&assignment)?)
    }
}

impl CreateArgs {
    fn into_request(self, org_id: String, request_id: String) -> CreateAssignmentRequest {
        CreateAssignmentRequest {
            org_id,
            user_id: self.user.steam_id64(),
            item_ids: self.item_id,
            reservation_id: self.reservation.unwrap_or_default(),
            assignment_type: self.kind,
            assignment_reason: self.reason,
            external_system: self.system,
            external_id: self.external_id,
            external_context: self.context,
            assignment_priority: self.priority,
            trade_url: self.trade_url.map(|url| url.to_string()).unwrap_or_default(),
            ttl_seconds: self.ttl,
            validate_only: self.dry_run,
            request_id,
            runner_up_user_ids: self.runner_up.into_iter().map(SteamId::steam_id64).collect(),
        }
    }
}

impl ReassignArgs {
    fn into_request(self, request_id: String) -> ReassignAssignmentRequest {
        ReassignAssignmentRequest {
            assignment_id: self.assignment_id,
            user_id: self.user.steam_id64(),
            trade_url: self.trade_url.map(|url| url.to_string()).unwrap_or_default(),
            reason: self.reason,
            ttl_seconds: self.ttl,
            etag: self.etag,
            request_id,
        }
    }
}

async fn list(args: ListArgs, cx: &mut Context<'_>) -> Result<(), Failure> {
    let base = ListAssignmentsRequest {
        org_id: cx.org().await?,
        filter: Some(AssignmentFilter {
            states: args.state,
            user_id: args.user.map_or(0, SteamId::steam_id64),
            external_system: args.system,
            external_id: args.external_id,
            assignment_types: args.kind,
        }),
        order_by: args.order_by,
        ..ListAssignmentsRequest::default()
    };
    let fetch = |page_size, page_token| {
        let client = cx.client.assignments();
        let request = ListAssignmentsRequest { page_size, page_token, ..base.clone() };
        async move {
            let page = client.list(request).pages().try_next().await?.unwrap_or_default();
            Ok((page.assignments, page.next_page_token))
        }
    };
    let (assignments, next_page_token) = args.paging.collect(fetch).await?;
    let columns = [
        "id",
        "state",
        "user_id",
        "assignment_type",
        "total_items_count",
        "assign_time",
        "status_message",
    ];
    Ok(cx.out.list(&ListAssignmentsResponse { assignments, next_page_token }, &columns)?)
}

async fn watch(assignment_id: String, until: Until, cx: &mut Context<'_>) -> Result<(), Failure> {
    let mut changes = cx.client.assignments().watch(WatchAssignmentRequest { assignment_id });
    while let Some(assignment) = changes.try_next().await? {
        cx.out.entry(&assignment, &line(&assignment))?;
        match outcome(assignment.state(), until) {
            Some(true) => return Ok(()),
            Some(false) => return Err(Failure::Ended(ended(&assignment))),
            None => {}
        }
    }
    Err(Failure::Ended("the server stopped telling about the assignment".to_owned()))
}

/// Whether the assignment reached what is waited for; `None`: not yet.
fn outcome(state: AssignmentState, until: Until) -> Option<bool> {
    match state {
        AssignmentState::Settled => Some(true),
        AssignmentState::Delivered => (until == Until::Delivered).then_some(true),
        AssignmentState::Reversed
        | AssignmentState::Failed
        | AssignmentState::Cancelled
        | AssignmentState::Expired => Some(false),
        AssignmentState::Unspecified
        | AssignmentState::Queued
        | AssignmentState::Delivering
        | AssignmentState::Offered
        | AssignmentState::Held
        | AssignmentState::Blocked => None,
    }
}

fn line(assignment: &Assignment) -> String {
    let time = assignment.update_time.map(|time| time.to_string()).unwrap_or_default();
    let state = enum_name("astro.v1.AssignmentState", assignment.state);
    let blocked = enum_name("astro.v1.BlockedReason", assignment.blocked_reason);
    let text = [format!("{state:<10}"), blocked, assignment.status_message.clone()];
    let told: Vec<String> = text.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{time}  {}", told.join("  ")).trim_end().to_owned()
}

fn ended(assignment: &Assignment) -> String {
    let state = enum_name("astro.v1.AssignmentState", assignment.state);
    let id = &assignment.id;
    match assignment.status_message.as_str() {
        "" => format!("assignment {id} ended as {state}"),
        message => format!("assignment {id} ended as {state}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_line() {
        let assignment = Assignment {
            update_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            state: AssignmentState::Blocked.into(),
            blocked_reason: BlockedReason::OfferDeclined.into(),
            status_message: "Talk to them, then retry.".into(),
            ..Assignment::default()
        };
        let expected =
            "2023-11-14T22:13:20Z  BLOCKED     OFFER_DECLINED  Talk to them, then retry.";
        assert_eq!(line(&assignment), expected);
        let queued = Assignment { state: AssignmentState::Queued.into(), ..Assignment::default() };
        assert_eq!(line(&queued).trim(), "QUEUED");
    }

    #[test]
    fn a_watch_ends_with_the_delivery_or_the_settlement() {
        use AssignmentState::{Blocked, Cancelled, Delivered, Queued, Reversed, Settled};
        for state in [Queued, Blocked] {
            assert_eq!(outcome(state, Until::Delivered), None);
        }
        assert_eq!(outcome(Delivered, Until::Delivered), Some(true));
        assert_eq!(outcome(Delivered, Until::Settled), None);
        assert_eq!(outcome(Settled, Until::Delivered), Some(true));
        assert_eq!(outcome(Reversed, Until::Settled), Some(false));
        assert_eq!(outcome(Cancelled, Until::Delivered), Some(false));
    }
}
