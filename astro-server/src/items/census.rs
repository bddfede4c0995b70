//! Items, counted and looked up in numbers.
use super::{Item, ItemState, store};
use crate::db::Conn;
use crate::kernel::{BotId, ItemId, Result};
use std::collections::BTreeSet;

/// How many items of these bots there are of each bot, game and state.
///
/// # Errors
/// Those of the database.
pub fn counts_by_game(
    conn: &mut Conn,
    bots: &[BotId],
) -> Result<Vec<(BotId, i32, ItemState, i64)>> {
    store::counts_by_game(conn, bots)
}

/// The items of these ids that there are.
///
/// # Errors
/// Those of the database.
pub fn many(conn: &mut Conn, ids: BTreeSet<ItemId>) -> Result<Vec<Item>> {
    if ids.is_empty() { Ok(Vec::new()) } else { store::many(conn, ids) }
}
