//! Deliveries that wait for an item which is missing: they go on when it is seen again.
use super::failure::pause;
use super::ops::{change, get};
use super::remedies::remedy;
use super::{AssignmentState, BlockedReason, Changes, parts, store};
use crate::assignments::limits::ATTEMPTS_MAX;
use crate::db::Conn;
use crate::events::EventType;
use crate::items::ItemState;
use crate::items::ops::By;
use crate::kernel::{AssignmentId, BotId, Result};

/// The assignments whose next part is the bot's and that wait for a missing item.
///
/// # Errors
/// Those of the database.
pub fn waiting(conn: &mut Conn, bot: BotId) -> Result<Vec<AssignmentId>> {
    store::blocked_for(conn, bot, BlockedReason::ItemMissing)
}

/// An item of the assignment was missing and is there again; tells whether the delivery goes on,
/// with a new chance.
///
/// # Errors
/// Those of the database.
pub fn found(conn: &mut Conn, id: AssignmentId, by: By<'_>) -> Result<bool> {
    let Some(assignment) = ready(conn, id)? else { return Ok(false) };
    let changes = Changes {
        tries: Some(0),
        next_attempt_at: Some(by.now),
        ..Changes::to(AssignmentState::Queued, "waits for the bot")
    };
    let text = "goes on: its missing item was seen again";
    change(conn, &assignment, &changes, EventType::AssignmentResumed, text, by)?;
    Ok(true)
}

/// Steam refused an offer as if items were missing, and an inventory shows them: tried again later,
/// as after any failure that passes, and in the end left to a person, for another reason.
///
/// # Errors
/// Those of the database.
pub fn not_missing(conn: &mut Conn, id: AssignmentId, by: By<'_>) -> Result<()> {
    let Some(assignment) = ready(conn, id)? else { return Ok(()) };
    let (changes, name, text) = if assignment.tries < ATTEMPTS_MAX {
        let changes = Changes {
            next_attempt_at: Some(by.now.plus(pause(assignment.tries))),
            ..Changes::to(AssignmentState::Queued, "waits for the bot")
        };
        (changes, EventType::AssignmentResumed, "goes on: the inventory shows all its items")
    } else {
        let reason = BlockedReason::Other;
        let changes = Changes {
            blocked_reason: Some(Some(reason)),
            ..Changes::to(AssignmentState::Blocked, remedy(reason))
        };
        let text = "is blocked: Steam refuses the offer, though the inventory shows all its items";
        (changes, EventType::AssignmentBlocked, text)
    };
    change(conn, &assignment, &changes, name, text, by).map(drop)
}

/// The assignment, if it waits for a missing item and none is missing.
fn ready(conn: &mut Conn, id: AssignmentId) -> Result<Option<super::Assignment>> {
    let assignment = get(conn, id)?;
    let waits = assignment.state == AssignmentState::Blocked
        && assignment.blocked_reason == Some(BlockedReason::ItemMissing);
    if !waits {
        return Ok(None);
    }
    let items = parts::undelivered(conn, id)?;
    let whole = !items.is_empty() && items.iter().all(|item| item.state == ItemState::Assigned);
    Ok(whole.then_some(assignment))
}
