//! Deliveries that are reversed on Steam, as either side can while items are under trade
//! protection: the items are the bot's again, under new asset ids.
use super::ops::{about, change, get};
use super::{Assignment, AssignmentItem, AssignmentState, Changes, DeliveryStatus, store};
use crate::bots::{self, Bot};
use crate::db::Conn;
use crate::events::{self, EventType};
use crate::items::asset::NewIds;
use crate::items::ops::By;
use crate::items::{self, Item, ItemState, returns};
use crate::kernel::{AssetId, Result, Timestamp};

/// Whether the trade is a delivery of the bot's.
///
/// # Errors
/// Those of the database.
pub fn knows_trade(conn: &mut Conn, bot: &Bot, trade_id: &str) -> Result<bool> {
    Ok(store::attempt_of_trade(conn, bot.id, trade_id)?.is_some())
}

/// The trade was reversed; `returned` has the ids under which items came back, by those they had
/// before the trade. Its items go back to the pool, once; one whose new id is not known is missing
/// until the same report has it. Tells whether the trade is a delivery of the bot's.
///
/// A delivered assignment is reversed by the first of its trades that is. One that is not whole yet
/// goes on with the rest, since each part is promised for itself.
///
/// # Errors
/// Those of the database.
pub fn reversed(
    conn: &mut Conn,
    bot: &Bot,
    trade_id: &str,
    returned: &NewIds,
    now: Timestamp,
) -> Result<bool> {
    let Some(attempt) = store::attempt_of_trade(conn, bot.id, trade_id)? else {
        return Ok(false);
    };
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    let mut back = 0;
    for row in store::items_of(conn, &[attempt.assignment_id])? {
        if row.bot_id != bot.id {
            continue;
        }
        match row.delivery_status {
            DeliveryStatus::Delivered => {
                bring_back(conn, &row, returned, by)?;
                back += 1;
            }
            DeliveryStatus::Reversed => find(conn, &row, returned, by)?,
            DeliveryStatus::Pending | DeliveryStatus::Returned => {}
        }
    }
    if back > 0 {
        let assignment = get(conn, attempt.assignment_id)?;
        tell(conn, bot, &assignment, (trade_id, back), by)?;
    }
    Ok(true)
}

/// The asset as which the item came back, if that is known.
fn place(row: &AssignmentItem, app: i32, returned: &NewIds) -> Option<(AssetId, AssetId)> {
    row.given_asset_id.and_then(|given| returned.get(&(app, given)).copied())
}

fn bring_back(conn: &mut Conn, row: &AssignmentItem, returned: &NewIds, by: By<'_>) -> Result<()> {
    store::set_item_reversed(conn, row.assignment_id, row.item_id)?;
    let item = items::ops::get(conn, row.item_id)?;
    let freed = items::Changes { delivered_at: Some(None), ..items::Changes::freed() };
    match place(row, item.steam_app_id, returned) {
        Some(place) => {
            let told = (EventType::ItemReversed, "came back: its trade was reversed");
            come_back(conn, &item, place, freed, told, by)?;
        }
        None => {
            let changes = items::Changes {
                state: Some(ItemState::Missing),
                steam_asset_id: Some(None),
                missing_since: Some(Some(by.now)),
                ..freed
            };
            let text = "came back under an id that is not known yet: its trade was reversed";
            items::ops::change(conn, &item, &changes, EventType::ItemReversed, text, by)?;
        }
    }
    Ok(())
}

/// Finds an item that came back before its new id was known.
fn find(conn: &mut Conn, row: &AssignmentItem, returned: &NewIds, by: By<'_>) -> Result<()> {
    let item = items::ops::get(conn, row.item_id)?;
    if item.state != ItemState::Missing || item.steam_asset_id.is_some() {
        return Ok(());
    }
    let Some(place) = place(row, item.steam_app_id, returned) else { return Ok(()) };
    let changes =
        items::Changes { missing_since: Some(None), ..items::Changes::to(ItemState::Available) };
    let told = (EventType::ItemFound, "is the bot's again");
    come_back(conn, &item, place, changes, told, by)
}

/// Makes `changes` of an item that came back as this asset, unless the asset was given away
/// meanwhile as another item that a sync had made of it.
pub(super) fn come_back(
    conn: &mut Conn,
    item: &Item,
    place: (AssetId, AssetId),
    changes: items::Changes,
    told: (EventType, &str),
    by: By<'_>,
) -> Result<()> {
    if store::was_given(conn, item, place.0)? {
        let why = "came back as an asset that was given away meanwhile as another item";
        returns::lost(conn, item, changes, told, why, by).map(drop)
    } else {
        returns::come_back(conn, item, place, changes, told, by).map(drop)
    }
}

fn tell(
    conn: &mut Conn,
    bot: &Bot,
    assignment: &Assignment,
    (trade_id, back): (&str, usize),
    by: By<'_>,
) -> Result<()> {
    let text = format!("trade {trade_id} was reversed on Steam: {back} items came back");
    let name = match assignment.state {
        AssignmentState::Delivered => {
            let changes = Changes {
                reversed_at: Some(Some(by.now)),
                ..Changes::to(AssignmentState::Reversed, "reversed on Steam: the items came back")
            };
            let name = EventType::AssignmentReversed;
            // The event names the bot whose trade it was, as it does below.
            let assignment = Assignment { bot_id: bot.id, ..assignment.clone() };
            return change(conn, &assignment, &changes, name, &text, by).map(drop);
        }
        AssignmentState::Settled => EventType::AssignmentReversedLate,
        AssignmentState::Queued
        | AssignmentState::Delivering
        | AssignmentState::Offered
        | AssignmentState::Held
        | AssignmentState::Blocked
        | AssignmentState::Reversed
        | AssignmentState::Failed
        | AssignmentState::Cancelled
        | AssignmentState::Expired => EventType::AssignmentPartReversed,
    };
    let event = about(assignment, name, text, by).bot(bot.id).with("trade_id", trade_id);
    events::append(conn, event, by.now)
}
