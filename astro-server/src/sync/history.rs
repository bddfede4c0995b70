//! The account's trade history, as the bot sweeps it: the source of truth for what moved without
//! Astro.
use super::reconcile::Key;
use super::store::{self, TradedAsset};
use super::{Discrepancy, DiscrepancyKind, claims, discrepancies, reversals};
use crate::assignments::{self, reversal};
use crate::bots::{self, Bot};
use crate::db::Conn;
use crate::donations;
use crate::events::EventType;
use crate::items::asset::NewIds;
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::{AssetId, Result, SteamId, Timestamp};
use crate::sync::limits::TRADED_ASSETS_KEPT;
use serde::{Deserialize, Serialize};

/// What became of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TradeOutcome {
    /// The items are at their new owners.
    Complete,
    /// Reversed under trade protection: the items are at their first owners again.
    Reversed,
    /// It failed or Steam rolled it back.
    Undone,
}

/// An asset that changed hands, and perhaps came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Application.
    pub app: i32,
    /// Asset id before the trade.
    pub asset: AssetId,
    /// Asset id and context after it, as far as known.
    pub new: Option<(AssetId, AssetId)>,
    /// Asset id and context at its first owner again.
    pub returned: Option<(AssetId, AssetId)>,
}

/// One trade of the history. Kept as JSON where it waits for a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeenTrade {
    /// Trade id.
    pub trade_id: String,
    /// The other side.
    pub partner: SteamId,
    /// What became of it.
    pub outcome: TradeOutcome,
    /// What the bot gave.
    pub given: Vec<Moved>,
    /// What the bot got.
    pub received: Vec<Moved>,
}

/// Compares a trade of the history with the books. One that is seen again changes nothing.
///
/// # Errors
/// Those of the database.
pub fn seen(conn: &mut Conn, bot: &Bot, trade: &SeenTrade, by: By<'_>) -> Result<()> {
    let moved = match trade.outcome {
        TradeOutcome::Complete => compare(conn, bot, trade, by)?,
        TradeOutcome::Reversed | TradeOutcome::Undone => {
            take_back(conn, bot, trade, by)?;
            true
        }
    };
    if moved {
        bots::ops::note_trade(conn, bot.id, by.now)?;
    }
    Ok(())
}

/// The items are at their first owners again. Of a trade that the books do not know that is kept,
/// since the report of what they know it by may be on its way.
pub(super) fn take_back(conn: &mut Conn, bot: &Bot, trade: &SeenTrade, by: By<'_>) -> Result<()> {
    store::forget_trade(conn, bot.id, &trade.trade_id)?;
    store::forget_reversal(conn, bot.id, &trade.trade_id)?;
    let returned: NewIds = trade
        .given
        .iter()
        .filter_map(|moved| Some(((moved.app, moved.asset), moved.returned?)))
        .collect();
    if reversal::reversed(conn, bot, &trade.trade_id, &returned, by.now)? {
        let back = returned.iter().map(|((app, _), (asset, _))| (*app, *asset));
        return claims::tell(conn, bot, back, by);
    }
    let donated = donations::reversal::reversed(conn, bot, &trade.trade_id, by.now)?;
    if !donated {
        reversals::keep(conn, bot, trade, by.now)?;
    }
    for (app, (asset, _)) in trade.received.iter().filter_map(|m| Some((m.app, m.new?))) {
        let key = (app, asset);
        if donated {
            // It may have been missed before it was known why.
            if let Some(row) = store::open_about(conn, bot.id, key)? {
                discrepancies::vanish(conn, &row, "the donor took it back", by)?;
            }
        } else if held(conn, bot, key)?.is_some() {
            // What came in a trade that was no donation went away with it: if it is in the books,
            // the next runs miss it, and tell why.
            remember(conn, bot, key, true, trade, by)?;
        }
    }
    Ok(())
}

/// The items are at their new owners. Tells whether the inventory is to be read again.
fn compare(conn: &mut Conn, bot: &Bot, trade: &SeenTrade, by: By<'_>) -> Result<bool> {
    let mut moved = false;
    if !trade.given.is_empty() && !reversal::knows_trade(conn, bot, &trade.trade_id)? {
        for given in &trade.given {
            moved |= lost(conn, bot, trade, (given.app, given.asset), by)?;
        }
    }
    if !trade.received.is_empty()
        && !donations::ops::explains(conn, bot.id, &trade.trade_id, trade.partner)?
    {
        for (app, (asset, _)) in trade.received.iter().filter_map(|m| Some((m.app, m.new?))) {
            moved |= got(conn, bot, trade, (app, asset), by)?;
        }
    }
    Ok(moved)
}

/// The item of the bot that has this asset.
fn held(conn: &mut Conn, bot: &Bot, (app, asset): Key) -> Result<Option<Item>> {
    items::ops::holder(conn, bot.id, app, asset)
}

/// An asset left by a trade that no attempt made. Tells whether the books had it.
fn lost(conn: &mut Conn, bot: &Bot, trade: &SeenTrade, key: Key, by: By<'_>) -> Result<bool> {
    let Some(item) = held(conn, bot, key)? else {
        // An inventory that was read before may show it still.
        remember(conn, bot, key, true, trade, by)?;
        return Ok(false);
    };
    match item.state {
        ItemState::Available
        | ItemState::Reserved
        | ItemState::Assigned
        | ItemState::Quarantined => {
            let changes = items::Changes::to(ItemState::Missing);
            let text = format!("is gone, in trade {} with {}", trade.trade_id, trade.partner);
            items::ops::change(conn, &item, &changes, EventType::ItemMissing, &text, by)?;
            if let Some(assignment) = item.assignment_id {
                assignments::ops::block_for_missing(conn, assignment, by)?;
            }
            report(conn, bot, trade, &item, key, by)?;
            Ok(true)
        }
        // A run missed it first, and now it is known why.
        ItemState::Missing => {
            if let Some(row) = store::open_about(conn, bot.id, key)?
                && row.trade_id.is_none()
            {
                store::explain(conn, row.id, &trade.trade_id, trade.partner)?;
            }
            Ok(false)
        }
        // The attempt that has it out may be this trade, and its report on the way. If it was
        // another, the attempt fails, and the next runs miss the item.
        ItemState::Pending | ItemState::InOffer | ItemState::InEscrow => {
            remember(conn, bot, key, true, trade, by)?;
            Ok(false)
        }
        ItemState::Delivered | ItemState::Withdrawn => Ok(false),
    }
}

fn report(
    conn: &mut Conn,
    bot: &Bot,
    trade: &SeenTrade,
    item: &Item,
    key: Key,
    by: By<'_>,
) -> Result<()> {
    let kind = DiscrepancyKind::UnknownTrade;
    let row = Discrepancy {
        item_id: Some(item.id),
        assignment_id: item.assignment_id,
        trade_id: Some(trade.trade_id.clone()),
        user_id: Some(trade.partner),
        ..discrepancies::found(conn, bot, kind, key, &item.item_name, by.now)
    };
    let text = format!(
        "{kind}: {} left in trade {} with {}, which Astro did not make: check the account's API \
         keys and sessions",
        item.item_name, trade.trade_id, trade.partner
    );
    discrepancies::report(conn, &row, &text, by)
}

/// An asset came by a trade that was no donation. Tells whether a run has to look for it.
fn got(conn: &mut Conn, bot: &Bot, trade: &SeenTrade, key: Key, by: By<'_>) -> Result<bool> {
    let Some(item) = held(conn, bot, key)? else {
        let news = store::remembered(conn, bot.id, key, false)?.is_none();
        remember(conn, bot, key, false, trade, by)?;
        return Ok(news);
    };
    if item.received_via == "sync" && item.received_from_user_id.is_none() {
        let changes = items::Changes {
            received_via: Some("trade".to_owned()),
            received_from_user_id: Some(Some(trade.partner)),
            ..items::Changes::default()
        };
        let text = format!("came in trade {} with {}", trade.trade_id, trade.partner);
        items::ops::change(conn, &item, &changes, EventType::ItemCorrected, &text, by)?;
    }
    Ok(false)
}

fn remember(
    conn: &mut Conn,
    bot: &Bot,
    (app_id, asset_id): Key,
    given: bool,
    trade: &SeenTrade,
    by: By<'_>,
) -> Result<()> {
    let row = TradedAsset {
        bot_id: bot.id,
        app_id,
        asset_id,
        given,
        trade_id: trade.trade_id.clone(),
        partner_id: trade.partner,
        created_at: by.now,
    };
    store::remember(conn, &row)
}

/// Forgets what the history told so long ago that no run will need it, about `limit` rows at most;
/// tells how many.
///
/// # Errors
/// Those of the database.
pub fn forget(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<usize> {
    store::forget_before(conn, now.minus(TRADED_ASSETS_KEPT), limit)
}
