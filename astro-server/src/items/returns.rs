//! Items that were away and are there again.
use super::asset::by_app;
use super::ops::{By, change};
use super::{Changes, Item, ItemState, ReservationState, store};
use crate::db::Conn;
use crate::events::EventType;
use crate::kernel::{AssetId, BotId, Result};
use std::collections::HashMap;

/// Where an item belongs that can be given again: in the assignment or the reservation that it was
/// promised to and that still waits for it, or in the pool.
///
/// # Errors
/// Those of the database.
pub fn rightful_place(conn: &mut Conn, item: &Item) -> Result<Changes> {
    if item.assignment_id.is_some() {
        return Ok(Changes::to(ItemState::Assigned));
    }
    if let Some(id) = item.reservation_id
        && store::reservation(conn, id)?.is_some_and(|r| r.state == ReservationState::Held)
    {
        return Ok(Changes::to(ItemState::Reserved));
    }
    Ok(Changes { reservation_id: Some(None), ..Changes::to(ItemState::Available) })
}

/// Makes `changes` of an item that came back as the asset `asset`, in the context `context`.
///
/// A sync may have found the asset before and taken it into the bot's books as an item of its own.
/// That record gives way, unless somebody has been promised the asset meanwhile: then the item is
/// [`lost`], so that one asset is never promised twice.
///
/// # Errors
/// Those of [`change`].
pub fn come_back(
    conn: &mut Conn,
    item: &Item,
    (asset, context): (AssetId, AssetId),
    changes: Changes,
    (name, text): (EventType, &str),
    by: By<'_>,
) -> Result<Item> {
    let place =
        Changes { steam_asset_id: Some(Some(asset)), steam_context_id: Some(context), ..changes };
    let double = store::holder(conn, item.bot_id, item.steam_app_id, asset)?;
    let double = double.filter(|held| held.id != item.id);
    let Some(double) = double else { return change(conn, item, &place, name, text, by) };
    let is_free = rightful_place(conn, &double)?.state == Some(ItemState::Available);
    match double.state {
        ItemState::Available | ItemState::Quarantined | ItemState::Missing if is_free => {
            let away = Changes::to(ItemState::Withdrawn);
            let why = "was another item that came back: one record is enough";
            change(conn, &double, &away, EventType::ItemWithdrawn, why, by)?;
            change(conn, item, &place, name, text, by)
        }
        ItemState::Pending
        | ItemState::Available
        | ItemState::Reserved
        | ItemState::Assigned
        | ItemState::InOffer
        | ItemState::InEscrow
        | ItemState::Delivered
        | ItemState::Missing
        | ItemState::Withdrawn
        | ItemState::Quarantined => {
            let why = "came back as an asset that is promised already as another item";
            lost(conn, item, place, (name, text), why, by)
        }
    }
}

/// Makes `changes` of an item that came back as an asset which nobody can be given as this item any
/// more: it is missing, without an asset.
///
/// # Errors
/// Those of [`change`].
pub fn lost(
    conn: &mut Conn,
    item: &Item,
    changes: Changes,
    (name, text): (EventType, &str),
    why: &str,
    by: By<'_>,
) -> Result<Item> {
    let changes = Changes { steam_asset_id: Some(None), ..changes };
    let after = change(conn, item, &changes, name, text, by)?;
    let missing = Changes { missing_since: Some(Some(by.now)), ..Changes::to(ItemState::Missing) };
    change(conn, &after, &missing, EventType::ItemMissing, why, by)
}

/// The items of the bot that have these assets, given by application and asset id, and else the newest
/// ones that were written off with them.
///
/// # Errors
/// Those of the database.
pub fn held_or_withdrawn(
    conn: &mut Conn,
    bot: BotId,
    keys: &[(i32, AssetId)],
) -> Result<HashMap<(i32, AssetId), Item>> {
    let mut found = HashMap::new();
    for (app, assets) in by_app(keys) {
        for item in store::held_or_withdrawn(conn, bot, app, &assets)? {
            let Some(asset) = item.steam_asset_id else { continue };
            let key = (app, asset);
            let held = |item: &Item| item.state != ItemState::Withdrawn;
            if !found.get(&key).is_some_and(held) {
                found.insert(key, item);
            }
        }
    }
    Ok(found)
}
