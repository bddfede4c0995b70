//! Assets that the books of two bots have. What a bot sees decides about its own books alone,
//! whatever another bot, of whichever organisation, says it has; but one of the two must be wrong,
//! and people are told.
use super::reconcile::Key;
use super::{Discrepancy, DiscrepancyKind, Trigger, discrepancies, ops};
use crate::bots::{self, Bot};
use crate::db::Conn;
use crate::items::ops::By;
use crate::items::{self, Item};
use crate::kernel::{AssetId, Result};
use std::collections::{HashMap, HashSet};

/// What such a difference is about, beside the asset.
const SUBJECT: &str = "other books";

fn by_app(keys: impl IntoIterator<Item = Key>) -> HashMap<i32, Vec<AssetId>> {
    let mut apps: HashMap<i32, Vec<AssetId>> = HashMap::new();
    for (app, asset) in keys {
        apps.entry(app).or_default().push(asset);
    }
    apps
}

/// Tells of those of the bot's assets that another bot's books have too. If that is a bot of the
/// same organisation, its inventory is asked for.
///
/// # Errors
/// Those of the database.
pub fn tell(
    conn: &mut Conn,
    bot: &Bot,
    keys: impl IntoIterator<Item = Key>,
    by: By<'_>,
) -> Result<()> {
    for (app, assets) in by_app(keys) {
        for other in items::ops::held_by_others(conn, bot.id, app, &assets)? {
            let Some(asset) = other.steam_asset_id else { continue };
            if let Some(item) = items::ops::holder(conn, bot.id, app, asset)? {
                report(conn, bot, &item, &other, by)?;
            }
        }
    }
    Ok(())
}

fn report(conn: &mut Conn, bot: &Bot, item: &Item, other: &Item, by: By<'_>) -> Result<()> {
    let (kind, asset) = (DiscrepancyKind::ClaimedTwice, item.steam_asset_id);
    let Some(asset) = asset else { return Ok(()) };
    let row = Discrepancy {
        item_id: Some(item.id),
        subject: SUBJECT.to_owned(),
        ..discrepancies::found(conn, bot, kind, (item.steam_app_id, asset), &item.item_name, by.now)
    };
    // Of another organisation nothing is told but that there is one.
    let whose = if other.org_id == bot.org {
        format!("the books of bot {}", other.bot_id)
    } else {
        "the books of another organisation's bot".to_owned()
    };
    let text = format!(
        "{kind}: {} is asset {} here and in {whose} too: one of the two inventories will show \
         which is right",
        item.item_name,
        asset.get()
    );
    discrepancies::report(conn, &row, &text, by)?;
    if other.org_id == bot.org {
        let holder = bots::ops::get(conn, other.bot_id)?;
        ops::start(conn, &holder, Trigger::Failure, by)?;
    }
    Ok(())
}

/// Of the open differences, the assets that another bot's books still have.
pub(super) fn claimed(conn: &mut Conn, bot: &Bot, open: &[Discrepancy]) -> Result<HashSet<Key>> {
    let rows = open.iter().filter(|row| row.kind == DiscrepancyKind::ClaimedTwice);
    let mut claimed = HashSet::new();
    for (app, assets) in by_app(rows.map(|row| (row.app_id, row.asset_id))) {
        let others = items::ops::held_by_others(conn, bot.id, app, &assets)?;
        claimed.extend(others.into_iter().filter_map(|item| Some((app, item.steam_asset_id?))));
    }
    Ok(claimed)
}
