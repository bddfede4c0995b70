//! How assignments end otherwise than by delivery. What was delivered before stays delivered; the
//! rest goes back to the pool, or passes on to the next person.
use super::heirs::{self, Heir};
use super::ops::{about, change, get, visible};
use super::{
    Assignment, AssignmentState, BlockedReason, Changes, Ending, Phase, delivery, parts, store,
};
use crate::auth::gate::Context;
use crate::db::Conn;
use crate::events::{self, EventType};
use crate::items::ops::By;
use crate::items::{self, ItemState};
use crate::kernel::{AssignmentId, Error, Result, Timestamp};

/// Cancels: at once when no offer can be out, else as soon as Steam shows the offer as ended.
///
/// # Errors
/// `ASSIGNMENT_NOT_FOUND`, `ASSIGNMENT_STATE`, [`Error::Etag`].
pub fn cancel(
    conn: &mut Conn,
    context: &Context,
    id: AssignmentId,
    reason: &str,
    etag: &str,
) -> Result<Assignment> {
    let assignment = unchanged(conn, context, id, etag)?;
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    let text = with_reason("was cancelled", reason);
    wind_up(conn, &assignment, Ending::Cancelled, None, &text, by)
}

/// The assignment, if the caller sees it and it has this `etag`; an empty one fits always.
///
/// # Errors
/// `ASSIGNMENT_NOT_FOUND`, [`Error::Etag`].
pub(super) fn unchanged(
    conn: &mut Conn,
    context: &Context,
    id: AssignmentId,
    etag: &str,
) -> Result<Assignment> {
    let assignment = visible(conn, &context.caller, id)?;
    if !etag.is_empty() && etag != assignment.etag() {
        return Err(Error::Etag(assignment.etag()));
    }
    Ok(assignment)
}

/// What happened, and why if somebody said so.
pub(super) fn with_reason(what: &str, reason: &str) -> String {
    if reason.is_empty() { what.to_owned() } else { format!("{what}: {reason}") }
}

/// Unclaimed assignments whose time is over, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn overdue(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<Assignment>> {
    store::overdue(conn, now, limit)
}

/// Ends an unclaimed assignment whose time is over.
///
/// # Errors
/// [`Error::Conflict`] when it went on in between.
pub fn expire(conn: &mut Conn, assignment: &Assignment, now: Timestamp) -> Result<()> {
    let by = By { source: events::SYSTEM, now };
    wind_up(conn, assignment, Ending::Expired, None, "was not claimed in time", by).map(drop)
}

/// Ends the assignment now or, while an offer may be out, once that has ended. Then `heir` gets
/// the items; of several wishes the last one counts.
///
/// # Errors
/// `ASSIGNMENT_STATE` when there is nothing to end, or Steam holds the items.
pub(super) fn wind_up(
    conn: &mut Conn,
    assignment: &Assignment,
    ending: Ending,
    heir: Option<&Heir>,
    text: &str,
    by: By<'_>,
) -> Result<Assignment> {
    let heir = heir.map(Heir::to_document).transpose()?;
    let willed = Assignment { heir: heir.clone(), ..assignment.clone() };
    match assignment.state {
        AssignmentState::Queued | AssignmentState::Blocked => {
            finish(conn, &willed, ending, text, by)
        }
        AssignmentState::Delivering | AssignmentState::Offered => {
            if assignment.ending == Some(ending) && assignment.heir == heir {
                return Ok(assignment.clone());
            }
            match store::open_attempt(conn, assignment.id)? {
                // Nothing was asked of Steam yet, and nothing will be: the bot has to ask first.
                Some(attempt) if attempt.phase == Phase::Planned => {
                    delivery::drop_attempt(conn, &attempt, by.now)?;
                    finish(conn, &willed, ending, text, by)
                }
                Some(attempt) => {
                    delivery::want_cancelled(conn, &attempt, by.now)?;
                    let changes = Changes {
                        ending: Some(Some(ending)),
                        heir: Some(heir),
                        status_message: Some("ends as soon as the offer is withdrawn".to_owned()),
                        ..Changes::default()
                    };
                    let text = format!("{text}; its offer is withdrawn first");
                    change(conn, assignment, &changes, EventType::AssignmentEnding, &text, by)
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

/// The refusal of what the state does not allow.
pub(super) fn wrong_state(assignment: &Assignment) -> Error {
    let state = match assignment.blocked_reason {
        Some(reason) => format!("{}: {reason}", assignment.state),
        None => assignment.state.to_string(),
    };
    super::state_forbids(assignment.id, state)
}

/// Ends an assignment of which no offer is out. What was not delivered passes on to the heir or
/// the first runner-up, in this transaction; without one it goes back to the pool.
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
    let successor = match heirs::next(conn, assignment, ending)? {
        Some(heir) => heirs::pass_on(conn, assignment, &heir, by)?,
        None => None,
    };
    free_items(conn, assignment, by)?;
    let text = match &successor {
        Some(next) => format!("{text}; its items pass on to {}", next.user_id),
        None => text.to_owned(),
    };
    let changes = Changes {
        ending: Some(None),
        heir: Some(None),
        successor_id: Some(successor.as_ref().map(|next| next.id)),
        cancelled_at: Some(Some(by.now)),
        ..Changes::to(ending.state(), text.as_str())
    };
    let name = match ending {
        Ending::Cancelled => EventType::AssignmentCancelled,
        Ending::Expired => EventType::AssignmentExpired,
    };
    let after = change(conn, assignment, &changes, name, &text, by)?;
    if let Some(next) = successor {
        let text = format!("the items passed on from {} to {}", after.user_id, next.user_id);
        let event = about(&after, EventType::AssignmentPassedOn, text, by)
            .with("successor_id", next.id.to_string())
            .personal("successor_user_id", next.user_id.to_string());
        events::append(conn, event, by.now)?;
    }
    Ok(after)
}

fn free_items(conn: &mut Conn, assignment: &Assignment, by: By<'_>) -> Result<()> {
    for item in parts::undelivered(conn, assignment.id)? {
        match item.state {
            ItemState::Assigned | ItemState::InOffer | ItemState::InEscrow => {
                let freed = items::Changes::freed();
                let text = "went back to the pool";
                items::ops::change(conn, &item, &freed, EventType::ItemReturned, text, by)?;
            }
            // It is not where it should be; only the promise ends.
            ItemState::Missing | ItemState::Quarantined | ItemState::Withdrawn => {
                let changes = items::Changes { state: None, ..items::Changes::freed() };
                let text = "is promised to nobody any more";
                items::ops::change(conn, &item, &changes, EventType::ItemReturned, text, by)?;
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
    let reason = match assignment.blocked_reason {
        Some(BlockedReason::Stack) => BlockedReason::Stack,
        _ => BlockedReason::ItemMissing,
    };
    let changes = Changes {
        blocked_reason: Some(Some(reason)),
        failed_at: Some(Some(by.now)),
        ..Changes::to(AssignmentState::Failed, text)
    };
    change(conn, &assignment, &changes, EventType::AssignmentFailed, text, by).map(drop)
}
