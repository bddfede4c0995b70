//! SQL on `donations`.
use super::{Donation, DonationState};
use crate::db::schema::donations as t;
use crate::db::{Conn, each};
use crate::kernel::{BotId, Error, Result, Timestamp};
use diesel::prelude::*;

/// States in which the bot has something to do.
const OPEN: [DonationState; 3] =
    [DonationState::Accepting, DonationState::Declining, DonationState::Accepted];

/// Records the donation; tells whether it is new.
pub(super) fn insert(conn: &mut Conn, row: &Donation) -> Result<bool> {
    let inserted = each!(
        conn,
        diesel::insert_into(t::table).values(row).on_conflict_do_nothing().execute(conn)
    )?;
    Ok(inserted == 1)
}

pub(super) fn of_offer(conn: &mut Conn, bot: BotId, offer: &str) -> Result<Option<Donation>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::trade_offer_id.eq(offer))
        .first(conn)
        .optional()?)
}

pub(super) fn open(conn: &mut Conn, bot: BotId) -> Result<Vec<Donation>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::state.eq_any(OPEN))
        .order((t::created_at, t::id))
        .load(conn)?)
}

/// Moves the donation on if it is where it was read.
pub(super) fn set_state(
    conn: &mut Conn,
    donation: &Donation,
    state: DonationState,
    trade: Option<&str>,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let changed = diesel::update(t::table.find(donation.id).filter(t::state.eq(donation.state)))
        .set((
            t::state.eq(state),
            t::trade_id.eq(trade),
            t::reason.eq(reason),
            t::updated_at.eq(now),
        ))
        .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Conflict(format!("donation {} was changed", donation.id)))
    }
}

/// Donations of the bot that are open, or changed since `since`.
pub(super) fn open_or_since(
    conn: &mut Conn,
    bot: BotId,
    since: Timestamp,
) -> Result<Vec<Donation>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::state.eq_any(OPEN).or(t::updated_at.ge(since)))
        .load(conn)?)
}
