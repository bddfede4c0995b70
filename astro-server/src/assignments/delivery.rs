//! The life of a delivery attempt, step by step as the bot reports it. The row of an attempt is
//! committed before Steam is asked, so that a crash leaves a trace to follow.
use super::ending::finish;
use super::failure::{Failure, Verdict, verdict};
use super::ops::change;
use super::remedies::remedy;
use super::reversal::come_back;
use super::store::{self, Step};
use super::{Assignment, AssignmentState, Attempt, AttemptId, Changes, Phase, offers, parts};
use crate::bots::{self, Bot};
use crate::db::Conn;
use crate::events::EventType;
use crate::items::asset::{Class, NewIds};
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::{BotId, Result, Timestamp};
use crate::{orgs, users};
use std::collections::HashSet;
use std::time::Duration;

/// All that a bot needs to go on with an attempt.
#[derive(Debug, Clone)]
pub struct Work {
    /// The attempt.
    pub attempt: Attempt,
    /// Its items.
    pub items: Vec<Item>,
    /// Token of the recipient's trade URL.
    pub trade_token: Option<String>,
    /// Message of the offer.
    pub message: String,
    /// Time since the attempt was started; none before.
    pub start_age: Option<Duration>,
}

/// How an attempt ended without delivery, as the bot reports it.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Why.
    pub failure: Failure,
    /// What Steam said; may be empty.
    pub message: String,
    /// Assets that had left, and under which ids they came back.
    pub returned: NewIds,
}

/// The attempts of the bot that are not over, oldest first.
///
/// # Errors
/// Those of the database.
pub fn open_attempts(conn: &mut Conn, bot: &Bot) -> Result<Vec<Attempt>> {
    store::open_attempts(conn, bot.id)
}

/// Classes of what the bot delivered since `since`.
///
/// # Errors
/// Those of the database.
pub fn delivered_since(conn: &mut Conn, bot: BotId, since: Timestamp) -> Result<HashSet<Class>> {
    let assignments = store::delivered_since(conn, bot, since)?;
    let mut classes = HashSet::new();
    // By the rows of the promise: an item that came back since is no item of it any more.
    for row in store::items_of(conn, &assignments)?.iter().filter(|row| row.bot_id == bot) {
        let item = items::ops::get(conn, row.item_id)?;
        classes.insert((item.steam_app_id, item.steam_class_id));
    }
    Ok(classes)
}

/// The attempt, if it is this bot's.
///
/// # Errors
/// Those of the database.
pub fn of_bot(conn: &mut Conn, bot: &Bot, id: AttemptId) -> Result<Option<Attempt>> {
    Ok(store::attempt(conn, id)?.filter(|attempt| attempt.bot_id == bot.id))
}

/// All that the bot needs to go on with `attempt`.
///
/// # Errors
/// Those of the database.
pub fn work(conn: &mut Conn, attempt: Attempt, now: Timestamp) -> Result<Work> {
    let assignment = super::ops::get(conn, attempt.assignment_id)?;
    Ok(Work {
        items: parts::of_bot(conn, assignment.id, attempt.bot_id)?,
        trade_token: users::ops::trade_token(conn, assignment.org_id, assignment.user_id)?,
        message: offers::message(&attempt.marker, &assignment.assignment_reason),
        start_age: attempt.started_at.map(|at| now.since(at)),
        attempt,
    })
}

/// Ends an attempt that nothing was asked of Steam for.
pub(super) fn drop_attempt(conn: &mut Conn, attempt: &Attempt, now: Timestamp) -> Result<()> {
    let step = Step { phase: Some(Phase::Ended), ended_at: Some(now), ..Step::default() };
    store::step(conn, attempt, &step, now)
}

/// Asks the bot to withdraw the offer.
pub(super) fn want_cancelled(conn: &mut Conn, attempt: &Attempt, now: Timestamp) -> Result<()> {
    let step = Step { cancel_wanted: Some(true), ..Step::default() };
    store::step(conn, attempt, &step, now)
}

/// The open attempt of this bot; none for one that is over, or of another bot.
pub(super) fn open(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
) -> Result<Option<(Attempt, Assignment)>> {
    let attempt = store::attempt(conn, id)?.filter(|a| a.bot_id == bot.id);
    let attempt = attempt.ok_or_else(|| bots::protocol_broken(format!("attempt_id {id}")))?;
    if attempt.ended_at.is_some() {
        return Ok(None);
    }
    let assignment = super::ops::get(conn, attempt.assignment_id)?;
    Ok(Some((attempt, assignment)))
}

/// The bot is about to send the offer; tells whether it may: once, since whoever asks again may
/// not know that another worker has sent it meanwhile. The attempt is then looked for on Steam.
///
/// # Errors
/// Those of the database.
pub fn started(conn: &mut Conn, bot: &Bot, id: AttemptId, now: Timestamp) -> Result<bool> {
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(false) };
    if attempt.phase != Phase::Planned {
        return Ok(false);
    }
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    let items = parts::of_bot(conn, assignment.id, bot.id)?;
    if bot.paused || !parts::is_whole(conn, assignment.id, bot.id, &items)? {
        drop_attempt(conn, &attempt, now)?;
        let changes = Changes::to(AssignmentState::Queued, "waits for the bot");
        change(conn, &assignment, &changes, EventType::AssignmentQueued, "waits again", by)?;
        if !bot.paused {
            super::ops::block_for_missing(conn, assignment.id, by)?;
        }
        return Ok(false);
    }
    let step = Step { phase: Some(Phase::Started), started_at: Some(now), ..Step::default() };
    store::step(conn, &attempt, &step, now)?;
    for item in &items {
        let changes = items::Changes::to(ItemState::InOffer);
        items::ops::change(conn, item, &changes, EventType::ItemOffered, "goes into an offer", by)?;
    }
    let changes = Changes {
        status_message: Some("the bot sends the offer".to_owned()),
        ..Changes::default()
    };
    let text = format!("attempt {} was started", attempt.number);
    change(conn, &assignment, &changes, EventType::AssignmentAttemptStarted, &text, by)?;
    Ok(true)
}

/// The offer is on Steam.
///
/// # Errors
/// Those of the database.
pub fn sent(conn: &mut Conn, bot: &Bot, id: AttemptId, offer: &str, now: Timestamp) -> Result<()> {
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(()) };
    if attempt.phase != Phase::Started {
        return Ok(());
    }
    let step = Step {
        phase: Some(Phase::Sent),
        trade_offer_id: Some(offer.to_owned()),
        ..Step::default()
    };
    store::step(conn, &attempt, &step, now)?;
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    for item in parts::of_bot(conn, assignment.id, bot.id)? {
        let changes = items::Changes {
            delivery_trade_offer_id: Some(Some(offer.to_owned())),
            ..items::Changes::default()
        };
        items::ops::change(conn, &item, &changes, EventType::ItemOfferSent, "is in an offer", by)?;
    }
    let changes = Changes {
        delivery_trade_offer_id: Some(Some(offer.to_owned())),
        status_message: Some("the offer waits for the bot's confirmation".to_owned()),
        ..Changes::default()
    };
    let text = format!("offer {offer} was sent");
    change(conn, &assignment, &changes, EventType::AssignmentOfferSent, &text, by).map(drop)
}

/// The recipient sees the offer.
///
/// # Errors
/// Those of the database.
pub fn offered(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    offer: &str,
    now: Timestamp,
) -> Result<()> {
    sent(conn, bot, id, offer, now)?;
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(()) };
    if attempt.phase != Phase::Sent {
        return Ok(());
    }
    let withdraw_at = now.plus(orgs::ops::get(conn, bot.org)?.offer_ttl);
    let step =
        Step { phase: Some(Phase::Offered), withdraw_at: Some(withdraw_at), ..Step::default() };
    store::step(conn, &attempt, &step, now)?;
    let changes = Changes::to(AssignmentState::Offered, "the offer waits for the recipient");
    let by = &bots::source(bot.id);
    let text = format!("offer {offer} waits for the recipient");
    change(conn, &assignment, &changes, EventType::AssignmentOffered, &text, By { source: by, now })
        .map(drop)
}

/// The recipient accepted, and Steam holds the items.
///
/// # Errors
/// Those of the database.
pub fn held(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(()) };
    if !matches!(attempt.phase, Phase::Sent | Phase::Offered) {
        return Ok(());
    }
    let step = Step { phase: Some(Phase::Held), ..Step::default() };
    store::step(conn, &attempt, &step, now)?;
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    for item in parts::of_bot(conn, assignment.id, bot.id)? {
        let changes = items::Changes::to(ItemState::InEscrow);
        items::ops::change(conn, &item, &changes, EventType::ItemInEscrow, "is held by Steam", by)?;
    }
    let text = match until {
        Some(until) => format!("accepted; Steam holds the items until {until}"),
        None => "accepted; Steam holds the items".to_owned(),
    };
    let changes = Changes::to(AssignmentState::Held, text.as_str());
    change(conn, &assignment, &changes, EventType::AssignmentHeld, &text, by).map(drop)
}

/// The attempt ended and nothing moved, or all of it came back, perhaps as other assets.
///
/// # Errors
/// Those of the database.
pub fn ended(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    ended: &Ended,
    now: Timestamp,
) -> Result<()> {
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(()) };
    let step = Step {
        phase: Some(Phase::Ended),
        failure: Some(ended.failure.to_string()),
        error_message: Some(ended.message.clone()),
        ended_at: Some(now),
        ..Step::default()
    };
    store::step(conn, &attempt, &step, now)?;
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    for item in parts::of_bot(conn, assignment.id, bot.id)? {
        keep(conn, &item, &ended.returned, by)?;
    }
    if let Some(ending) = assignment.ending {
        return finish(conn, &assignment, ending, "the offer was withdrawn", by).map(drop);
    }
    let (changes, name) = after(ended, &attempt, &assignment, now);
    let text = format!("attempt {} ended: {}", attempt.number, ended.failure);
    change(conn, &assignment, &changes, name, &text, by).map(drop)
}

/// The item stays with the bot: under another asset id if it had left and came back.
fn keep(conn: &mut Conn, item: &Item, returned: &NewIds, by: By<'_>) -> Result<()> {
    if !matches!(item.state, ItemState::InOffer | ItemState::InEscrow) {
        return Ok(());
    }
    let changes = items::Changes {
        delivery_trade_offer_id: Some(None),
        ..items::Changes::to(ItemState::Assigned)
    };
    let old = item.steam_asset_id.map(|asset| (item.steam_app_id, asset));
    match old.and_then(|old| returned.get(&old)) {
        Some(place) => {
            let told = (EventType::ItemCameBack, "came back to the bot");
            come_back(conn, item, *place, changes, told, by)
        }
        None => {
            let text = "stays with the bot";
            items::ops::change(conn, item, &changes, EventType::ItemKept, text, by).map(drop)
        }
    }
}

/// What becomes of the assignment, and the name of the event that tells.
fn after(
    ended: &Ended,
    attempt: &Attempt,
    assignment: &Assignment,
    now: Timestamp,
) -> (Changes, EventType) {
    let said = &ended.message;
    let shown = if said.is_empty() { ended.failure.as_str() } else { said };
    let error = Some(Some(shown.to_owned()));
    match verdict(ended.failure, assignment.tries, attempt.cancel_wanted) {
        Verdict::Requeue(pause) => {
            let next_attempt_at = now.plus(pause);
            let text = format!("attempt {} failed; next at {next_attempt_at}", attempt.number);
            let changes = Changes {
                next_attempt_at: Some(next_attempt_at),
                delivery_error_message: error,
                ..Changes::to(AssignmentState::Queued, text)
            };
            (changes, EventType::AssignmentQueued)
        }
        Verdict::Renew => {
            let changes = Changes {
                next_attempt_at: Some(now),
                tries: Some(assignment.tries - 1),
                ..Changes::to(
                    AssignmentState::Queued,
                    "nobody answered the offer: a new one follows",
                )
            };
            (changes, EventType::AssignmentOfferWithdrawn)
        }
        Verdict::Block(reason) => {
            let changes = Changes {
                blocked_reason: Some(Some(reason)),
                delivery_error_message: error,
                ..Changes::to(AssignmentState::Blocked, remedy(reason))
            };
            (changes, EventType::AssignmentBlocked)
        }
    }
}
