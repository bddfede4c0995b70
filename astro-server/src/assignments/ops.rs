//! What clients and time do to assignments. Each change appends its event.
use super::delivery;
use super::rules::remedy;
use super::{
    Assignment, AssignmentItem, AssignmentState, BlockedReason, Changes, DeliveryStatus, Ending,
    Filter, Phase, store,
};
use crate::auth::gate::Context;
use crate::db::{Conn, Document};
use crate::events::{self, NewEvent, Severity};
use crate::items::ops::{By, Source};
use crate::items::{self, Item, ItemState};
use crate::kernel::steam::parse_trade_url;
use crate::kernel::{AssignmentId, Caller, Error, Money, OrgId, Page, Result, SteamId, Timestamp};
use crate::{orgs, users};
use serde_json::Value;
use std::time::Duration;

/// An assignment to make.
#[derive(Debug, Clone)]
pub struct NewAssignment {
    /// Organisation as asked for; may be empty.
    pub org_id: String,
    /// Recipient.
    pub user: SteamId,
    /// Items.
    pub source: Source,
    /// Kind.
    pub assignment_type: String,
    /// Reason shown to the recipient.
    pub reason: String,
    /// System and id in it.
    pub external: Option<(String, Option<String>)>,
    /// What the system keeps.
    pub context: Value,
    /// Higher goes first.
    pub priority: i32,
    /// Trade URL; may be empty.
    pub trade_url: String,
    /// Time to claim it; none: the organisation's.
    pub ttl: Option<Duration>,
    /// Check only.
    pub validate_only: bool,
}

/// Assigns items to a person and queues the delivery.
///
/// # Errors
/// [`Error::ExternalIdExists`], [`Error::ItemsOnSeveralBots`], and those of the items.
pub fn create(
    conn: &mut Conn,
    context: &Context,
    new: &NewAssignment,
) -> Result<(Assignment, Vec<AssignmentItem>)> {
    let org = orgs::ops::home(conn, &context.caller, &new.org_id)?;
    if let Some((system, Some(id))) = &new.external
        && let Some(other) = store::by_external_id(conn, org.id, system, id)?
    {
        return Err(Error::ExternalIdExists(other));
    }
    let items = items::ops::check(conn, &context.caller, org.id, &new.source, context.now)?;
    let token = trade_token(new)?;
    let (assignment, rows) = draft(new, org.id, &items, org.claim_ttl, context.now)?;
    if new.validate_only {
        return Ok((assignment, rows));
    }
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    users::ops::meet(conn, org.id, new.user, context.now)?;
    if let Some(token) = token {
        users::ops::set_trade_token(conn, org.id, new.user, &token, &source, context.now)?;
    }
    store::insert(conn, &assignment, &rows)?;
    items::ops::assign(conn, &items, &new.source, assignment.id, new.user, by)?;
    let text = format!("{} items were assigned to {}", rows.len(), new.user);
    append(conn, None, &assignment, "assignment.created", &text, by)?;
    Ok((assignment, rows))
}

fn trade_token(new: &NewAssignment) -> Result<Option<String>> {
    if new.trade_url.is_empty() {
        return Ok(None);
    }
    let (owner, token) = parse_trade_url("trade_url", &new.trade_url)?;
    if owner != new.user {
        return Err(Error::invalid("trade_url", "belongs to another account than user_id"));
    }
    Ok(Some(token))
}

fn draft(
    new: &NewAssignment,
    org: OrgId,
    items: &[Item],
    claim_ttl: Duration,
    now: Timestamp,
) -> Result<(Assignment, Vec<AssignmentItem>)> {
    let first = items.first().ok_or_else(|| Error::invalid("item_ids", "is required"))?;
    if items.iter().any(|item| item.bot_id != first.bot_id) {
        return Err(Error::ItemsOnSeveralBots);
    }
    let id = AssignmentId::new();
    let values: Vec<Money> = items.iter().filter_map(Item::value).collect();
    let total = Money::sum(values.iter());
    let (external_system, external_id) = match new.external.clone() {
        Some((system, id)) => (Some(system), id),
        None => (None, None),
    };
    let rows = items
        .iter()
        .map(|item| AssignmentItem {
            assignment_id: id,
            item_id: item.id,
            org_id: org,
            item_name_at_assignment: item.item_name.clone(),
            item_value_at_assignment: item.market_value,
            item_currency: item.market_currency.clone(),
            delivery_status: DeliveryStatus::Pending,
            delivered_at: None,
            delivered_asset_id: None,
            created_at: now,
        })
        .collect();
    let assignment = Assignment {
        id,
        org_id: org,
        user_id: new.user,
        bot_id: first.bot_id,
        assignment_type: new.assignment_type.clone(),
        assignment_reason: new.reason.clone(),
        external_system,
        external_id,
        external_context: Document(new.context.clone()),
        assignment_priority: new.priority,
        state: AssignmentState::Queued,
        ending: None,
        blocked_reason: None,
        status_message: "waits for the bot".to_owned(),
        total_items_count: i32::try_from(items.len()).unwrap_or(i32::MAX),
        total_estimated_value: total.as_ref().map(|m| m.minor_units),
        total_currency: total.map(|m| m.currency),
        delivery_attempts: 0,
        delivery_trade_offer_id: None,
        delivery_error_message: None,
        assigned_at: now,
        processing_started_at: None,
        last_delivery_attempt_at: None,
        next_attempt_at: now,
        delivered_at: None,
        settles_at: None,
        failed_at: None,
        cancelled_at: None,
        expires_at: now.plus(new.ttl.unwrap_or(claim_ttl)),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    Ok((assignment, rows))
}

/// Makes `changes` and appends the event `name`. The state is compared and changed in one
/// statement; if somebody was faster, the transaction runs again.
///
/// # Errors
/// [`Error::Internal`] for a move that the table of states does not have.
pub(super) fn change(
    conn: &mut Conn,
    assignment: &Assignment,
    changes: &Changes,
    name: &'static str,
    text: &str,
    by: By<'_>,
) -> Result<Assignment> {
    let (from, to) = (assignment.state, changes.state.unwrap_or(assignment.state));
    if from != to && !from.can_become(to) {
        let id = assignment.id;
        return Err(Error::Internal(format!("assignment {id}: {from} cannot become {to}")));
    }
    let after = store::change(conn, assignment, changes, by.now)?;
    append(conn, Some(assignment), &after, name, text, by)?;
    Ok(after)
}

fn append(
    conn: &mut Conn,
    before: Option<&Assignment>,
    after: &Assignment,
    name: &'static str,
    text: &str,
    by: By<'_>,
) -> Result<()> {
    let severity = match after.state {
        AssignmentState::Blocked | AssignmentState::Failed | AssignmentState::Reversed => {
            Severity::Warning
        }
        AssignmentState::Queued
        | AssignmentState::Delivering
        | AssignmentState::Offered
        | AssignmentState::Held
        | AssignmentState::Delivered
        | AssignmentState::Settled
        | AssignmentState::Cancelled
        | AssignmentState::Expired => Severity::Info,
    };
    let event = NewEvent::new(after.org_id, name, by.source, text)
        .assignment(after.id, after.external_system.as_deref())
        .user(Some(after.user_id))
        .bot(after.bot_id)
        .moved(before.map(|b| b.state.as_str()), after.state.as_str())
        .with("external_id", after.external_id.clone().unwrap_or_default())
        .with("trade_offer_id", after.delivery_trade_offer_id.clone().unwrap_or_default())
        .with("blocked_reason", after.blocked_reason.map_or("", BlockedReason::as_str))
        .severity(severity);
    events::append(conn, event, by.now)
}

/// The assignment, if the caller sees it.
///
/// # Errors
/// [`Error::AssignmentNotFound`].
pub fn visible(conn: &mut Conn, caller: &Caller, id: AssignmentId) -> Result<Assignment> {
    let found = store::get(conn, id)?.filter(|a| caller.sees(a.org_id));
    found.ok_or(Error::AssignmentNotFound(id))
}

/// The assignment.
///
/// # Errors
/// [`Error::AssignmentNotFound`].
pub fn get(conn: &mut Conn, id: AssignmentId) -> Result<Assignment> {
    store::get(conn, id)?.ok_or(Error::AssignmentNotFound(id))
}

/// The assignment's items.
///
/// # Errors
/// Those of the database.
pub fn items(conn: &mut Conn, id: AssignmentId) -> Result<Vec<AssignmentItem>> {
    store::items(conn, id)
}

/// A page of assignments, one row more than its size.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    org: Option<OrgId>,
    filter: &Filter,
    oldest_first: bool,
    page: &Page,
) -> Result<Vec<Assignment>> {
    store::list(conn, org, filter, oldest_first, page)
}

/// The items of several assignments.
///
/// # Errors
/// Those of the database.
pub fn items_of(conn: &mut Conn, ids: &[AssignmentId]) -> Result<Vec<AssignmentItem>> {
    store::items_of(conn, ids)
}

/// Cancels: at once when no offer can be out, else as soon as Steam shows the offer as ended.
///
/// # Errors
/// [`Error::AssignmentNotFound`], [`Error::AssignmentState`], [`Error::Etag`].
pub fn cancel(
    conn: &mut Conn,
    context: &Context,
    id: AssignmentId,
    reason: &str,
    etag: &str,
) -> Result<Assignment> {
    let assignment = visible(conn, &context.caller, id)?;
    if !etag.is_empty() && etag != assignment.etag() {
        return Err(Error::Etag(assignment.etag()));
    }
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    let text = if reason.is_empty() {
        "was cancelled".to_owned()
    } else {
        format!("was cancelled: {reason}")
    };
    wind_up(conn, &assignment, Ending::Cancelled, &text, by)
}

/// Ends unclaimed assignments whose time is over, at most `limit`; tells how many.
///
/// # Errors
/// Those of the database.
pub fn expire(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<usize> {
    let overdue = store::overdue(conn, now, limit)?;
    let by = By { source: events::SYSTEM, now };
    for assignment in &overdue {
        wind_up(conn, assignment, Ending::Expired, "was not claimed in time", by)?;
    }
    Ok(overdue.len())
}

fn wind_up(
    conn: &mut Conn,
    assignment: &Assignment,
    ending: Ending,
    text: &str,
    by: By<'_>,
) -> Result<Assignment> {
    match assignment.state {
        AssignmentState::Queued | AssignmentState::Blocked => {
            finish(conn, assignment, ending, text, by)
        }
        AssignmentState::Delivering | AssignmentState::Offered => {
            if assignment.ending.is_some() {
                return Ok(assignment.clone());
            }
            let open = store::open_attempt(conn, assignment.id)?;
            match open {
                // Nothing was asked of Steam yet, and nothing will be: the bot has to ask first.
                Some(attempt) if attempt.phase == Phase::Planned => {
                    delivery::drop_attempt(conn, &attempt, by.now)?;
                    finish(conn, assignment, ending, text, by)
                }
                Some(attempt) => {
                    delivery::want_cancelled(conn, &attempt, by.now)?;
                    let changes = Changes {
                        ending: Some(Some(ending)),
                        status_message: Some("ends as soon as the offer is withdrawn".to_owned()),
                        ..Changes::default()
                    };
                    let name = "assignment.ending";
                    change(conn, assignment, &changes, name, "offer will be withdrawn", by)
                }
                // The attempt ended in between: the next run sees the state that followed.
                None => Err(Error::Conflict(format!("assignment {} went on", assignment.id))),
            }
        }
        AssignmentState::Held
        | AssignmentState::Delivered
        | AssignmentState::Settled
        | AssignmentState::Reversed
        | AssignmentState::Failed
        | AssignmentState::Cancelled
        | AssignmentState::Expired => Err(wrong_state(assignment)),
    }
}

fn wrong_state(assignment: &Assignment) -> Error {
    let state = match assignment.blocked_reason {
        Some(reason) => format!("{}: {reason}", assignment.state),
        None => assignment.state.to_string(),
    };
    Error::AssignmentState { assignment: assignment.id, state }
}

/// Ends an assignment of which nothing was delivered: its items go back to the pool.
///
/// # Errors
/// Those of [`change`].
pub(super) fn finish(
    conn: &mut Conn,
    assignment: &Assignment,
    ending: Ending,
    text: &str,
    by: By<'_>,
) -> Result<Assignment> {
    free_items(conn, assignment, by)?;
    let changes = Changes {
        ending: Some(None),
        cancelled_at: Some(Some(by.now)),
        ..Changes::to(ending.state(), text)
    };
    let name = match ending {
        Ending::Cancelled => "assignment.cancelled",
        Ending::Expired => "assignment.expired",
    };
    change(conn, assignment, &changes, name, text, by)
}

fn free_items(conn: &mut Conn, assignment: &Assignment, by: By<'_>) -> Result<()> {
    for item in items::ops::of_assignment(conn, assignment.id)? {
        match item.state {
            ItemState::Assigned | ItemState::InOffer | ItemState::InEscrow => {
                let freed = items::Changes::freed();
                let text = "went back to the pool";
                items::ops::change(conn, &item, &freed, "item.returned", text, by)?;
            }
            // It is not where it should be; only the promise ends.
            ItemState::Missing | ItemState::Quarantined | ItemState::Withdrawn => {
                let changes = items::Changes { state: None, ..items::Changes::freed() };
                let text = "is promised to nobody any more";
                items::ops::change(conn, &item, &changes, "item.returned", text, by)?;
            }
            ItemState::Pending
            | ItemState::Available
            | ItemState::Reserved
            | ItemState::Delivered => {}
        }
    }
    store::set_items_returned(conn, assignment.id)
}

/// Gives up an assignment that waits for a person, since one of its items is gone for good.
///
/// # Errors
/// Those of the database.
pub fn fail(conn: &mut Conn, id: AssignmentId, text: &str, by: By<'_>) -> Result<()> {
    let assignment = get(conn, id)?;
    if assignment.state != AssignmentState::Blocked {
        return Ok(());
    }
    free_items(conn, &assignment, by)?;
    let changes = Changes {
        blocked_reason: Some(Some(BlockedReason::ItemMissing)),
        failed_at: Some(Some(by.now)),
        ..Changes::to(AssignmentState::Failed, text)
    };
    change(conn, &assignment, &changes, "assignment.failed", text, by).map(drop)
}

/// Blocks an assignment that no offer is out for, since one of its items is gone.
///
/// # Errors
/// Those of the database.
pub fn block_for_missing(conn: &mut Conn, id: AssignmentId, by: By<'_>) -> Result<()> {
    let assignment = get(conn, id)?;
    if assignment.state != AssignmentState::Queued {
        return Ok(());
    }
    let reason = BlockedReason::ItemMissing;
    let changes = Changes {
        blocked_reason: Some(Some(reason)),
        ..Changes::to(AssignmentState::Blocked, remedy(reason))
    };
    let text = "is blocked: one of its items is missing";
    change(conn, &assignment, &changes, "assignment.blocked", text, by).map(drop)
}

/// Queues a blocked assignment again, or lets a waiting one go at once.
///
/// # Errors
/// [`Error::AssignmentNotFound`], [`Error::AssignmentState`].
pub fn retry(conn: &mut Conn, context: &Context, id: AssignmentId) -> Result<Assignment> {
    let assignment = visible(conn, &context.caller, id)?;
    let waits = assignment.state == AssignmentState::Queued;
    if !waits && assignment.state != AssignmentState::Blocked {
        return Err(wrong_state(&assignment));
    }
    let items = items::ops::of_assignment(conn, id)?;
    if items.iter().any(|item| item.state != ItemState::Assigned) {
        return Err(Error::AssignmentState {
            assignment: id,
            state: format!("BLOCKED: {}", BlockedReason::ItemMissing),
        });
    }
    let changes = Changes {
        state: (!waits).then_some(AssignmentState::Queued),
        next_attempt_at: Some(context.now),
        ..Changes::to(AssignmentState::Queued, "waits for the bot")
    };
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    change(conn, &assignment, &changes, "assignment.retried", "is tried again", by)
}

/// Settles deliveries that cannot be reversed any more, at most `limit`; tells how many.
///
/// # Errors
/// Those of the database.
pub fn settle_due(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<usize> {
    let due = store::to_settle(conn, now, limit)?;
    let by = By { source: events::SYSTEM, now };
    for assignment in &due {
        settle(conn, assignment, by)?;
    }
    Ok(due.len())
}

pub(super) fn settle(conn: &mut Conn, assignment: &Assignment, by: By<'_>) -> Result<Assignment> {
    let changes = Changes {
        settles_at: Some(Some(assignment.settles_at.unwrap_or(by.now))),
        ..Changes::to(AssignmentState::Settled, "delivered")
    };
    change(conn, assignment, &changes, "assignment.settled", "is settled", by)
}
