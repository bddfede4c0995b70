//! Recipients whom Steam takes no offer for, because their trade URL is missing or not valid: the
//! bot invites them as friends, and a trade URL that they store frees their deliveries.
use super::ops::change;
use super::remedies::remedy;
use super::{Assignment, AssignmentState, BlockedReason, Changes, store};
use crate::assignments::limits::{ATTEMPTS_MAX, INVITES_PER_BOT_MAX};
use crate::bots::{self, Bot};
use crate::db::Conn;
use crate::events::{self, EventType};
use crate::items::ops::By;
use crate::kernel::{Result, SteamId, Timestamp};
use crate::{orgs, users};

/// What a trade URL or a friendship ends.
const NO_WAY: [BlockedReason; 3] = [
    BlockedReason::TradeUrlNeeded,
    BlockedReason::TradeUrlInvalid,
    BlockedReason::InviteNotAccepted,
];

/// The people whom the bot shall have as friends, each once, who wait longest first.
///
/// # Errors
/// Those of the database.
pub fn wanted(conn: &mut Conn, bot: &Bot) -> Result<Vec<SteamId>> {
    let people = store::blocked_people(conn, bot.id, &NO_WAY, INVITES_PER_BOT_MAX)?;
    let invites = !people.is_empty() && orgs::ops::get(conn, bot.org)?.friend_invites;
    Ok(if invites { people } else { Vec::new() })
}

/// The bot's invitation waits for `person`.
///
/// # Errors
/// Those of the database.
pub fn invited(conn: &mut Conn, bot: &Bot, person: SteamId, now: Timestamp) -> Result<()> {
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    let reason = BlockedReason::InviteNotAccepted;
    for assignment in store::blocked(conn, bot.id, person, &NO_WAY)? {
        if assignment.blocked_reason != Some(reason) {
            let changes = Changes {
                blocked_reason: Some(Some(reason)),
                ..Changes::to(AssignmentState::Blocked, remedy(reason))
            };
            let text = "the bot invited the recipient as a friend";
            change(conn, &assignment, &changes, EventType::AssignmentInvited, text, by)?;
        }
    }
    Ok(())
}

/// The bot and `person` are friends: what waited for that is tried again. If they were friends
/// before, the tries go on counting, so that it stops when Steam takes no offer all the same.
///
/// # Errors
/// Those of the database.
pub fn befriended(conn: &mut Conn, bot: &Bot, person: SteamId, now: Timestamp) -> Result<()> {
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    for assignment in store::blocked(conn, bot.id, person, &NO_WAY)? {
        let new = assignment.blocked_reason == Some(BlockedReason::InviteNotAccepted);
        let tries = if new { 0 } else { assignment.tries };
        if tries < ATTEMPTS_MAX {
            let text = "is tried again: the recipient is the bot's friend";
            resume(conn, &assignment, tries, text, by)?;
        }
    }
    Ok(())
}

/// Steam takes no invitation of `person`: only their trade URL helps.
///
/// # Errors
/// Those of the database.
pub fn refused(
    conn: &mut Conn,
    bot: &Bot,
    person: SteamId,
    message: &str,
    now: Timestamp,
) -> Result<()> {
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    let reason = match users::ops::trade_token(conn, bot.org, person)? {
        Some(_) => BlockedReason::TradeUrlInvalid,
        None => BlockedReason::TradeUrlNeeded,
    };
    for assignment in store::blocked(conn, bot.id, person, &NO_WAY)? {
        let known = assignment.delivery_error_message.as_deref() == Some(message);
        if assignment.blocked_reason != Some(reason) || !known {
            let changes = Changes {
                blocked_reason: Some(Some(reason)),
                delivery_error_message: Some(Some(message.to_owned())),
                ..Changes::to(AssignmentState::Blocked, remedy(reason))
            };
            let text = format!("Steam takes no invitation: {message}");
            change(conn, &assignment, &changes, EventType::AssignmentInviteRefused, &text, by)?;
        }
    }
    Ok(())
}

/// Blocked assignments whose recipients stored a trade URL since, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn with_trade_url(conn: &mut Conn, _now: Timestamp, limit: i64) -> Result<Vec<Assignment>> {
    store::blocked_before_token(conn, &NO_WAY, limit)
}

/// Queues such a delivery again.
///
/// # Errors
/// [`Error::Conflict`](crate::kernel::Error::Conflict) when it went on in between.
pub fn resume_with_trade_url(
    conn: &mut Conn,
    assignment: &Assignment,
    now: Timestamp,
) -> Result<()> {
    let by = By { source: events::SYSTEM, now };
    resume(conn, assignment, 0, "is tried again: the recipient's trade URL was stored", by)
}

fn resume(
    conn: &mut Conn,
    assignment: &Assignment,
    tries: i32,
    text: &str,
    by: By<'_>,
) -> Result<()> {
    let changes = Changes {
        tries: Some(tries),
        next_attempt_at: Some(by.now),
        ..Changes::to(AssignmentState::Queued, "waits for the bot")
    };
    change(conn, assignment, &changes, EventType::AssignmentResumed, text, by).map(drop)
}
