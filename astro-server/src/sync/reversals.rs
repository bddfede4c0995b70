//! Reversals that the trade history tells before the books know the trade: a winner, or a donor, who
//! accepts and reverses while the bot is away. They are kept, and applied once the trade is known.
use super::history::{self, SeenTrade};
use super::reconcile::Key;
use super::store::{self, ReversedTrade};
use crate::assignments::delivery;
use crate::bots::{self, Bot};
use crate::db::{Conn, Document};
use crate::items::ops::By;
use crate::kernel::{Error, Result, SteamId, Timestamp};
use crate::sync::limits::{REVERSALS_LOOKED_AT, TRADED_ASSETS_KEPT};
use std::collections::HashSet;

/// Keeps the reversal of a trade that the books do not know.
pub(super) fn keep(conn: &mut Conn, bot: &Bot, trade: &SeenTrade, now: Timestamp) -> Result<()> {
    let document = serde_json::to_value(trade)
        .map_err(|e| Error::Internal(format!("trade {}: {e}", trade.trade_id)))?;
    let row = ReversedTrade {
        bot_id: bot.id,
        trade_id: trade.trade_id.clone(),
        trade: Document(document),
        created_at: now,
    };
    store::keep_reversal(conn, &row)
}

fn read(row: ReversedTrade) -> Result<SeenTrade> {
    serde_json::from_value(row.trade.0)
        .map_err(|e| Error::Internal(format!("trade {}: {e}", row.trade_id)))
}

/// Whether the trade was reversed before the books knew it.
///
/// # Errors
/// Those of the database.
pub fn is_kept(conn: &mut Conn, bot: &Bot, trade_id: &str) -> Result<bool> {
    Ok(store::kept_reversal(conn, bot.id, trade_id)?.is_some())
}

/// The books know the trade now: what was kept of its reversal is applied.
///
/// # Errors
/// Those of the database.
pub fn trade_known(conn: &mut Conn, bot: &Bot, trade_id: &str, now: Timestamp) -> Result<()> {
    let Some(row) = store::kept_reversal(conn, bot.id, trade_id)? else { return Ok(()) };
    let source = bots::source(bot.id);
    history::take_back(conn, bot, &read(row)?, By { source: &source, now })?;
    bots::ops::note_trade(conn, bot.id, now)
}

/// Forgets reversals of so long ago that nobody will report their trade, at most `limit`; tells how
/// many.
///
/// # Errors
/// Those of the database.
pub fn forget(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<usize> {
    store::forget_reversals(conn, now.minus(TRADED_ASSETS_KEPT), limit)
}

/// Assets as which items came back whose delivery may be reported yet: no items of their own.
///
/// # Errors
/// Those of the database.
pub(super) fn awaited(conn: &mut Conn, bot: &Bot) -> Result<HashSet<Key>> {
    let kept = store::kept_reversals(conn, bot.id, REVERSALS_LOOKED_AT)?;
    if kept.is_empty() {
        return Ok(HashSet::new());
    }
    let open = delivery::open_attempts(conn, bot)?;
    let people: HashSet<SteamId> = open.into_iter().map(|attempt| attempt.user_id).collect();
    let trades: Result<Vec<SeenTrade>> = kept.into_iter().map(read).collect();
    let trades = trades?.into_iter().filter(|trade| people.contains(&trade.partner));
    let given = trades.flat_map(|trade| trade.given);
    Ok(given.filter_map(|moved| Some((moved.app, moved.returned?.0))).collect())
}
