//! What clients and time do to assignments. Each change appends its event.
use super::remedies::remedy;
use super::warnings::{self, Warning};
use super::{
    Assignment, AssignmentItem, AssignmentState, BlockedReason, Changes, DeliveryStatus, Filter,
    ending, heirs, parts, store,
};
use crate::auth::gate::Context;
use crate::db::{Conn, Document};
use crate::events::{self, EventType, NewEvent};
use crate::items::ops::{By, Source};
use crate::items::{self, Item, ItemState};
use crate::kernel::page::Piece;
use crate::kernel::{
    AssignmentId, Caller, Error, Money, OrgId, Page, Reach, Result, SteamId, Timestamp,
};
use crate::{bots, orgs, users};
use serde_json::Value;
use std::time::Duration;

/// What a person is promised, and on which terms.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Recipient.
    pub user: SteamId,
    /// Who gets the items, in turn, when the assignment expires.
    pub runner_ups: Vec<SteamId>,
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
}

/// An assignment to make.
#[derive(Debug, Clone)]
pub struct NewAssignment {
    /// Organisation as asked for; may be empty.
    pub org_id: String,
    /// Items.
    pub source: Source,
    /// To whom and why.
    pub terms: Terms,
    /// Token of the recipient's trade URL, if it came along.
    pub trade_token: Option<String>,
    /// Time to claim it; none: the organisation's.
    pub ttl: Option<Duration>,
    /// Check only.
    pub validate_only: bool,
}

/// An assignment that was made, or would have been.
#[derive(Debug, Clone)]
pub struct Created {
    /// The assignment.
    pub assignment: Assignment,
    /// Its items.
    pub items: Vec<AssignmentItem>,
    /// What would be in the way of its delivery: told of one that was only checked.
    pub warnings: Vec<Warning>,
}

/// Assigns items to a person and queues the delivery.
///
/// # Errors
/// `EXTERNAL_ID_EXISTS`, [`Error::Invalid`] for a bot's account, and those of the items.
pub fn create(conn: &mut Conn, context: &Context, new: &NewAssignment) -> Result<Created> {
    let org = orgs::ops::home(conn, &context.caller, &new.org_id)?;
    unused(conn, org.id, &new.terms)?;
    must_be_person(conn, "user_id", new.terms.user)?;
    for next in &new.terms.runner_ups {
        must_be_person(conn, "runner_up_user_ids", *next)?;
    }
    let items = match items::ops::check(conn, &context.caller, org.id, &new.source, context.now) {
        Ok(items) => items,
        Err(error) => {
            // They may have gone to the same promise, sent twice at once.
            unused(conn, org.id, &new.terms)?;
            return Err(error);
        }
    };
    let ttl = new.ttl.unwrap_or(org.claim_ttl);
    let (assignment, rows) =
        draft(conn.id(context.now), &new.terms, org.id, &items, ttl, context.now)?;
    if new.validate_only {
        let warnings = warnings::of(conn, &org, new, &items, context.now)?;
        return Ok(Created { assignment, items: rows, warnings });
    }
    let user = new.terms.user;
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    users::ops::meet(conn, org.id, user, context.now)?;
    if let Some(token) = &new.trade_token {
        users::ops::set_trade_token(conn, org.id, user, token, &source, context.now)?;
    }
    store::insert(conn, &assignment, &rows)?;
    items::ops::assign(conn, &items, &new.source, assignment.id, user, by)?;
    let text = format!("{} items were assigned to {user}", rows.len());
    append(conn, None, &assignment, EventType::AssignmentCreated, &text, by)?;
    Ok(Created { assignment, items: rows, warnings: Vec::new() })
}

/// Checks that no assignment has the external id.
fn unused(conn: &mut Conn, org: OrgId, terms: &Terms) -> Result<()> {
    if let Some((system, Some(id))) = &terms.external
        && let Some(other) = store::by_external_id(conn, org, system, id)?
    {
        return Err(super::external_id_exists(other));
    }
    Ok(())
}

/// Passes unless the account is a bot's, of whichever organisation: what a bot got back as a prize
/// would be in two places in the books.
///
/// # Errors
/// [`Error::Invalid`] naming `field`.
pub(super) fn must_be_person(conn: &mut Conn, field: &'static str, user: SteamId) -> Result<()> {
    match bots::ops::of_steam_id(conn, user)? {
        None => Ok(()),
        Some(_) => {
            let problem = format!("{user} is the account of a bot, which is given nothing");
            Err(Error::invalid(field, problem))
        }
    }
}

/// The new assignment `id` of `items`, which are delivered bot after bot, and its rows of items.
pub(super) fn draft(
    id: AssignmentId,
    terms: &Terms,
    org: OrgId,
    items: &[Item],
    ttl: Duration,
    now: Timestamp,
) -> Result<(Assignment, Vec<AssignmentItem>)> {
    let first = items.first().ok_or_else(|| Error::invalid("item_ids", "is required"))?;
    let values: Vec<Money> = items.iter().filter_map(Item::value).collect();
    let total = Money::sum(values.iter());
    let (external_system, external_id) = match terms.external.clone() {
        Some((system, id)) => (Some(system), id),
        None => (None, None),
    };
    let rows = items.iter().map(|item| row(id, org, item, now)).collect();
    let assignment = Assignment {
        id,
        org_id: org,
        user_id: terms.user,
        bot_id: first.bot_id,
        assignment_type: terms.assignment_type.clone(),
        assignment_reason: terms.reason.clone(),
        external_system,
        external_id,
        external_context: Document(terms.context.clone()),
        assignment_priority: terms.priority,
        state: AssignmentState::Queued,
        ending: None,
        blocked_reason: None,
        status_message: "waits for the bot".to_owned(),
        total_items_count: i32::try_from(items.len()).unwrap_or(i32::MAX),
        total_estimated_value: total.as_ref().map(|m| m.minor_units),
        total_currency: total.map(|m| m.currency),
        delivery_attempts: 0,
        tries: 0,
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
        reversed_at: None,
        runner_up_user_ids: heirs::runner_ups_to_keep(&terms.runner_ups),
        heir: None,
        predecessor_id: None,
        successor_id: None,
        expires_at: now.plus(ttl),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    Ok((assignment, rows))
}

fn row(assignment: AssignmentId, org: OrgId, item: &Item, now: Timestamp) -> AssignmentItem {
    AssignmentItem {
        assignment_id: assignment,
        item_id: item.id,
        org_id: org,
        item_name_at_assignment: item.item_name.clone(),
        item_value_at_assignment: item.market_value,
        item_currency: item.market_currency.clone(),
        delivery_status: DeliveryStatus::Pending,
        delivered_at: None,
        given_asset_id: None,
        delivered_asset_id: None,
        created_at: now,
        bot_id: item.bot_id,
    }
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
    name: EventType,
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

/// Appends the event `name` of an assignment that was made or changed.
pub(super) fn append(
    conn: &mut Conn,
    before: Option<&Assignment>,
    after: &Assignment,
    name: EventType,
    text: &str,
    by: By<'_>,
) -> Result<()> {
    let id_of = |id: Option<AssignmentId>| id.map(|id| id.to_string()).unwrap_or_default();
    let event = about(after, name, text, by)
        // The bot that it was with: a part's successor is with the next one.
        .bot(before.unwrap_or(after).bot_id)
        .moved(before.map(|b| b.state.as_str()), after.state.as_str())
        .with("trade_offer_id", after.delivery_trade_offer_id.clone().unwrap_or_default())
        .with("blocked_reason", after.blocked_reason.map_or("", BlockedReason::as_str))
        .with("predecessor_id", id_of(after.predecessor_id))
        .with("successor_id", id_of(after.successor_id));
    events::append(conn, event, by.now)
}

/// An event about the assignment, which stays as it is.
pub(super) fn about(
    assignment: &Assignment,
    name: EventType,
    text: impl Into<String>,
    by: By<'_>,
) -> NewEvent {
    NewEvent::new(assignment.org_id, name, by.source, text)
        .assignment(assignment.id, assignment.external_system.as_deref())
        .user(Some(assignment.user_id))
        .bot(assignment.bot_id)
        .with("external_id", assignment.external_id.clone().unwrap_or_default())
}

/// The assignment, if the caller sees it.
///
/// # Errors
/// `ASSIGNMENT_NOT_FOUND`.
pub fn visible(conn: &mut Conn, caller: &Caller, id: AssignmentId) -> Result<Assignment> {
    let found = store::get(conn, id)?.filter(|a| caller.sees(a.org_id));
    found.ok_or(super::ASSIGNMENT.missing(id))
}

/// The assignment.
///
/// # Errors
/// `ASSIGNMENT_NOT_FOUND`.
pub fn get(conn: &mut Conn, id: AssignmentId) -> Result<Assignment> {
    store::get(conn, id)?.ok_or(super::ASSIGNMENT.missing(id))
}

/// The assignment's items.
///
/// # Errors
/// Those of the database.
pub fn items(conn: &mut Conn, id: AssignmentId) -> Result<Vec<AssignmentItem>> {
    store::items_of(conn, &[id])
}

/// The next piece of a list of assignments.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    reach: Reach,
    filter: &Filter,
    oldest_first: bool,
    page: &Page,
) -> Result<Piece<Assignment>> {
    store::list(conn, reach, filter, oldest_first, page)
}

/// The items of several assignments.
///
/// # Errors
/// Those of the database.
pub fn items_of(conn: &mut Conn, ids: &[AssignmentId]) -> Result<Vec<AssignmentItem>> {
    store::items_of(conn, ids)
}

/// What keeps items that are promised from being given, if something does.
fn obstacle(items: &[Item]) -> Option<BlockedReason> {
    if items.iter().any(Item::is_stack) {
        return Some(BlockedReason::Stack);
    }
    let gone = items.iter().any(|item| item.state != ItemState::Assigned);
    gone.then_some(BlockedReason::ItemMissing)
}

/// Blocks an assignment that no offer is out for, since one of its items is gone or has become a
/// stack, and gives it up if it is gone for good. Of one that is blocked already the remedy changes,
/// if a stack is in its way now.
///
/// # Errors
/// Those of the database.
pub fn block_for_missing(conn: &mut Conn, id: AssignmentId, by: By<'_>) -> Result<()> {
    let assignment = get(conn, id)?;
    let items = parts::undelivered(conn, id)?;
    let reason = obstacle(&items).unwrap_or(BlockedReason::ItemMissing);
    let news = reason == BlockedReason::Stack && assignment.blocked_reason != Some(reason);
    let blocked_anew = assignment.state == AssignmentState::Blocked && news;
    if assignment.state != AssignmentState::Queued && !blocked_anew {
        return Ok(());
    }
    let changes = Changes {
        blocked_reason: Some(Some(reason)),
        ..Changes::to(AssignmentState::Blocked, remedy(reason))
    };
    let text = if reason == BlockedReason::Stack {
        "is blocked: one of its items is a stack"
    } else {
        "is blocked: one of its items is missing"
    };
    change(conn, &assignment, &changes, EventType::AssignmentBlocked, text, by)?;
    // It was written off or taken back while the offer of another part was out.
    if items.iter().any(|item| item.state == ItemState::Withdrawn) {
        ending::fail(conn, id, "given up: one of its items is gone for good", by)?;
    }
    Ok(())
}

/// Queues an assignment again that waited for a stack to be a single item again, if nothing else is
/// in its way.
///
/// # Errors
/// Those of the database.
pub fn unblock_stack(conn: &mut Conn, id: AssignmentId, by: By<'_>) -> Result<()> {
    let assignment = get(conn, id)?;
    let waited = assignment.state == AssignmentState::Blocked
        && assignment.blocked_reason == Some(BlockedReason::Stack);
    if !waited {
        return Ok(());
    }
    match obstacle(&parts::undelivered(conn, id)?) {
        Some(BlockedReason::Stack) => Ok(()),
        Some(reason) => {
            let changes = Changes {
                blocked_reason: Some(Some(reason)),
                ..Changes::to(AssignmentState::Blocked, remedy(reason))
            };
            let text = "is blocked: one of its items is missing";
            change(conn, &assignment, &changes, EventType::AssignmentBlocked, text, by).map(drop)
        }
        None => {
            let changes = Changes {
                next_attempt_at: Some(by.now),
                tries: Some(0),
                ..Changes::to(AssignmentState::Queued, "waits for the bot")
            };
            let text = "goes on: its items are single ones again";
            change(conn, &assignment, &changes, EventType::AssignmentResumed, text, by).map(drop)
        }
    }
}

/// Queues a blocked assignment again, or lets a waiting one go at once. One that waits for its turn
/// only keeps its place, however often it is asked for.
///
/// # Errors
/// `ASSIGNMENT_NOT_FOUND`, `ASSIGNMENT_STATE`.
pub fn retry(conn: &mut Conn, context: &Context, id: AssignmentId) -> Result<Assignment> {
    let assignment = visible(conn, &context.caller, id)?;
    let waits = assignment.state == AssignmentState::Queued;
    if !waits && assignment.state != AssignmentState::Blocked {
        return Err(ending::wrong_state(&assignment));
    }
    if waits && assignment.next_attempt_at <= context.now && assignment.tries == 0 {
        return Ok(assignment);
    }
    if let Some(reason) = obstacle(&parts::undelivered(conn, id)?) {
        return Err(super::state_forbids(id, format!("BLOCKED: {reason}")));
    }
    let changes = Changes {
        state: (!waits).then_some(AssignmentState::Queued),
        next_attempt_at: Some(context.now.min(assignment.next_attempt_at)),
        tries: Some(0),
        ..Changes::to(AssignmentState::Queued, "waits for the bot")
    };
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    change(conn, &assignment, &changes, EventType::AssignmentRetried, "is tried again", by)
}

/// Deliveries that cannot be reversed any more, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn to_settle(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<Assignment>> {
    store::to_settle(conn, now, limit)
}

/// Settles such a delivery.
///
/// # Errors
/// [`Error::Conflict`] when it went on in between.
pub fn settle_due(conn: &mut Conn, assignment: &Assignment, now: Timestamp) -> Result<()> {
    settle(conn, assignment, By { source: events::SYSTEM, now }).map(drop)
}

pub(super) fn settle(conn: &mut Conn, assignment: &Assignment, by: By<'_>) -> Result<Assignment> {
    let changes = Changes {
        settles_at: Some(Some(assignment.settles_at.unwrap_or(by.now))),
        ..Changes::to(AssignmentState::Settled, "delivered")
    };
    change(conn, assignment, &changes, EventType::AssignmentSettled, "is settled", by)
}
