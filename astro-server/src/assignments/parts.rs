//! Parts of an assignment: the items of each bot, delivered one bot after the other.
//!
//! An assignment has one open offer at a time. Several at once would gain little, since one trade
//! follows the other within seconds of the recipient's consent, while Steam lets a person have
//! five open offers of an account only, and every step that ends an assignment would have to wait
//! for all of them.
use super::{DeliveryStatus, store};
use crate::db::Conn;
use crate::items::{self, Item, ItemState};
use crate::kernel::{AssignmentId, BotId, Result};

/// The items that the recipient does not have yet, in the order of their ids.
pub(super) fn undelivered(conn: &mut Conn, id: AssignmentId) -> Result<Vec<Item>> {
    let mut items = items::ops::of_assignment(conn, id)?;
    items.retain(|item| item.state != ItemState::Delivered);
    Ok(items)
}

/// The part that this bot delivers.
pub(super) fn of_bot(conn: &mut Conn, id: AssignmentId, bot: BotId) -> Result<Vec<Item>> {
    let mut items = undelivered(conn, id)?;
    items.retain(|item| item.bot_id == bot);
    Ok(items)
}

/// Whether `items`, the bot's part, is all that was promised of it, ready for an offer.
pub(super) fn is_whole(
    conn: &mut Conn,
    id: AssignmentId,
    bot: BotId,
    items: &[Item],
) -> Result<bool> {
    let promised = store::items_of(conn, &[id])?;
    let pending = promised
        .iter()
        .filter(|row| row.bot_id == bot && row.delivery_status == DeliveryStatus::Pending)
        .count();
    let here = items.iter().all(|item| item.state == ItemState::Assigned && !item.is_stack());
    Ok(here && !items.is_empty() && items.len() == pending)
}
