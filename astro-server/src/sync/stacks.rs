//! Stacks: assets with another amount than 1, which stay out of circulation, with their units booked.
//!
//! What the books say of a bot, with the open differences, is what Steam shows, to the unit: an item
//! has the amount that Steam showed last, and an unknown stack is in its difference.
use super::reconcile::Key;
use super::{Discrepancy, DiscrepancyKind, Sync, discrepancies, store};
use crate::assignments;
use crate::bots::Bot;
use crate::db::{Conn, Document};
use crate::events::EventType;
use crate::items::asset::SeenAsset;
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::{BotId, Error, Result};

/// Books how many units of the item Steam shows. One that is a stack is taken out of circulation,
/// whoever it is promised to; one that is a single one again goes on where it was. Tells whether the
/// item was changed.
///
/// # Errors
/// Those of the database.
pub(super) fn book(
    conn: &mut Conn,
    bot: &Bot,
    sync: &Sync,
    item: &Item,
    asset: &SeenAsset,
    by: By<'_>,
) -> Result<bool> {
    let (from, to) = (item.amount, i64::from(asset.amount));
    let place = place_of(conn, item, asset)?;
    let changed = (from, Some(item.state)) != (to, place.state);
    if changed {
        let changes = items::Changes { amount: Some(to), missing_since: Some(None), ..place };
        let (name, text) = match (asset.is_stack(), from == to) {
            (true, true) => (EventType::ItemQuarantined, format!("is a stack of {to}")),
            (true, false) => {
                (EventType::ItemAmountChanged, format!("is a stack of {to}, and was {from}"))
            }
            (false, _) => {
                (EventType::ItemAmountChanged, format!("is a single one, and was {from}"))
            }
        };
        let after = items::ops::change(conn, item, &changes, name, &text, by)?;
        if let Some(assignment) = after.assignment_id {
            if asset.is_stack() {
                assignments::ops::block_for_missing(conn, assignment, by)?;
            } else {
                assignments::ops::unblock_stack(conn, assignment, by)?;
            }
        }
    }
    if asset.is_stack() {
        report(conn, bot, sync, asset, Some(item), by)?;
    }
    Ok(changed)
}

/// Where the item belongs with so many units. One that became a stack stays in its reservation, so
/// that the rest is not assigned as if it were whole.
fn place_of(conn: &mut Conn, item: &Item, asset: &SeenAsset) -> Result<items::Changes> {
    if asset.is_stack() {
        return Ok(items::Changes::to(ItemState::Quarantined));
    }
    if !matches!(item.state, ItemState::Quarantined | ItemState::Missing) {
        return Ok(items::Changes::to(item.state));
    }
    let home = items::returns::rightful_place(conn, item)?;
    let is_free = home.state == Some(ItemState::Available);
    Ok(if is_free { items::Changes { state: Some(asset.pool_state()), ..home } } else { home })
}

/// Tells of a stack: once as long as it is open, and again when its amount changes.
///
/// # Errors
/// Those of the database.
pub(super) fn report(
    conn: &mut Conn,
    bot: &Bot,
    sync: &Sync,
    asset: &SeenAsset,
    item: Option<&Item>,
    by: By<'_>,
) -> Result<()> {
    let key = asset.key();
    if store::is_ignored_stack(conn, bot.id, key, item.map(|item| item.id))? {
        return Ok(());
    }
    let open = store::open_about(conn, bot.id, key)?;
    let mut details = serde_json::to_value(asset)
        .map_err(|e| Error::Internal(format!("details of an asset: {e}")))?;
    if let Some(item) = item {
        let first = open.as_ref().map(Discrepancy::recorded_amount).filter(|first| *first > 0);
        details["recorded_amount"] = first.map_or(item.amount, i64::from).into();
    }
    let row = Discrepancy {
        sync_id: Some(sync.id),
        item_id: item.map(|item| item.id),
        details: Document(details),
        ..discrepancies::found(conn, bot, DiscrepancyKind::Stack, key, &asset.name, by.now)
    };
    let text = text_of(&row, asset, item);
    match open {
        None => discrepancies::report(conn, &row, &text, by),
        Some(open) => {
            let row = Discrepancy { id: open.id, ..row };
            store::restate(conn, &row)?;
            let name = EventType::SyncDiscrepancyChanged;
            discrepancies::tell(conn, &row, name, &text, by)
        }
    }
}

fn text_of(row: &Discrepancy, asset: &SeenAsset, item: Option<&Item>) -> String {
    let (kind, name, amount) = (row.kind, &row.item_name, asset.amount);
    match item {
        Some(item) => {
            let before = item.amount;
            format!("{kind}: {name} is {amount} units, and was {before}: nothing of it is given")
        }
        None => format!("{kind}: {name} is {amount} units: it stays out of the pool"),
    }
}

/// Closes what is told of a stack, since something else is to be told of its asset.
///
/// # Errors
/// Those of the database.
pub(super) fn give_way(conn: &mut Conn, bot: BotId, key: Key, by: By<'_>) -> Result<()> {
    match store::open_about(conn, bot, key)? {
        Some(row) if row.kind == DiscrepancyKind::Stack => {
            discrepancies::vanish(conn, &row, "", by)
        }
        _ => Ok(()),
    }
}
