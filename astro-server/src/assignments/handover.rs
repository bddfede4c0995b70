//! A recipient has the items of an attempt: what is booked, and what follows for the assignment.
use super::delivery::open;
use super::ending::finish;
use super::ops::{about, change, settle};
use super::parts::{of_bot, undelivered};
use super::store::{self, Step};
use super::{Assignment, AssignmentState, AttemptId, Changes, Phase};
use crate::bots::{self, Bot};
use crate::db::Conn;
use crate::events::{self, EventType};
use crate::items::asset::NewIds;
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::{Result, Timestamp};

/// The end of a delivery, as the bot reports it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Offer.
    pub trade_offer_id: String,
    /// Trade.
    pub trade_id: String,
    /// New asset id and context of each asset.
    pub assets: NewIds,
    /// End of the trade protection.
    pub settles_at: Option<Timestamp>,
}

/// The recipient has the items of the attempt.
///
/// # Errors
/// Those of the database.
pub fn delivered(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<()> {
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    let Some((attempt, assignment)) = open(conn, bot, id)? else {
        return contradiction(conn, id, delivery, by);
    };
    let step = Step {
        phase: Some(Phase::Delivered),
        trade_offer_id: Some(delivery.trade_offer_id.clone()),
        trade_id: Some(delivery.trade_id.clone()),
        ended_at: Some(now),
        ..Step::default()
    };
    store::step(conn, &attempt, &step, now)?;
    for item in of_bot(conn, assignment.id, bot.id)? {
        hand_over(conn, &item, delivery, by)?;
    }
    let changes = Changes {
        delivery_trade_offer_id: Some(Some(delivery.trade_offer_id.clone())),
        delivery_error_message: Some(None),
        settles_at: Some(assignment.settles_at.max(delivery.settles_at)),
        ..Changes::default()
    };
    match undelivered(conn, assignment.id)?.first() {
        Some(next) => go_on(conn, &assignment, next, delivery, changes, by),
        None => complete(conn, &assignment, delivery, changes, by),
    }
}

/// The part of the bot of `next` follows, unless the assignment was to end.
fn go_on(
    conn: &mut Conn,
    assignment: &Assignment,
    next: &Item,
    delivery: &Delivery,
    changes: Changes,
    by: By<'_>,
) -> Result<()> {
    let changes = Changes {
        bot_id: Some(next.bot_id),
        state: Some(AssignmentState::Queued),
        blocked_reason: Some(None),
        status_message: Some("a part is delivered; the rest waits for its bot".to_owned()),
        next_attempt_at: Some(by.now),
        tries: Some(0),
        ..changes
    };
    let text = format!("a part was delivered in trade {}", delivery.trade_id);
    let after = change(conn, assignment, &changes, EventType::AssignmentPartDelivered, &text, by)?;
    match after.ending {
        Some(ending) => {
            let text = "ends after a part was delivered";
            finish(conn, &after, ending, text, by).map(drop)
        }
        None => Ok(()),
    }
}

/// Everything is delivered.
fn complete(
    conn: &mut Conn,
    assignment: &Assignment,
    delivery: &Delivery,
    changes: Changes,
    by: By<'_>,
) -> Result<()> {
    let changes = Changes {
        state: Some(AssignmentState::Delivered),
        blocked_reason: Some(None),
        status_message: Some("delivered".to_owned()),
        ending: Some(None),
        heir: Some(None),
        delivered_at: Some(Some(by.now)),
        ..changes
    };
    let text = format!("was delivered in trade {}", delivery.trade_id);
    let after = change(conn, assignment, &changes, EventType::AssignmentDelivered, &text, by)?;
    if assignment.heir.is_some() {
        let text = "was accepted before its offer was withdrawn: nothing is left to pass on";
        let event = about(&after, EventType::AssignmentNotPassedOn, text, by);
        events::append(conn, event, by.now)?;
    }
    if after.settles_at.is_none() {
        settle(conn, &after, by)?;
    }
    Ok(())
}

fn hand_over(conn: &mut Conn, item: &Item, delivery: &Delivery, by: By<'_>) -> Result<()> {
    let given = item.steam_asset_id;
    let new = given.and_then(|old| delivery.assets.get(&(item.steam_app_id, old)).copied());
    let changes = items::Changes {
        steam_asset_id: Some(new.map(|(asset, _)| asset)),
        steam_context_id: new.map(|(_, context)| context),
        delivered_at: Some(Some(by.now)),
        delivery_trade_offer_id: Some(Some(delivery.trade_offer_id.clone())),
        ..items::Changes::to(ItemState::Delivered)
    };
    let after =
        items::ops::change(conn, item, &changes, EventType::ItemDelivered, "was delivered", by)?;
    if let Some(assignment) = after.assignment_id {
        let row = (assignment, after.id);
        store::set_item_delivered(conn, row, given, after.steam_asset_id, by.now)?;
    }
    Ok(())
}

/// A delivery of an attempt that had ended otherwise: the books cannot follow by themselves, and
/// a person must know. The next complete inventory shows the items as missing.
fn contradiction(conn: &mut Conn, id: AttemptId, delivery: &Delivery, by: By<'_>) -> Result<()> {
    let attempt = store::attempt(conn, id)?;
    let Some(attempt) = attempt.filter(|a| a.phase == Phase::Ended) else { return Ok(()) };
    let assignment = super::ops::get(conn, attempt.assignment_id)?;
    let text =
        format!("Offer {} was accepted after its attempt had ended", delivery.trade_offer_id);
    let event = about(&assignment, EventType::AssignmentContradiction, text, by)
        .bot(attempt.bot_id)
        .with("trade_offer_id", delivery.trade_offer_id.as_str())
        .with("trade_id", delivery.trade_id.as_str());
    events::append(conn, event, by.now)
}
