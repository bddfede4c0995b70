//! SQL on `donations`.
use super::rules::Given;
use super::schema::donations as t;
use super::{Donation, DonationId, DonationState, Filter};
use crate::db::seek::piece_by_age;
use crate::db::{Engine, MultiBackend, Prepare, each, one_of, within};
use crate::kernel::page::Piece;
use crate::kernel::{BotId, Error, OrgId, Page, Reach, Result, SteamId, Timestamp};
use diesel::prelude::*;

/// States in which the bot has something to do.
const OPEN: [DonationState; 3] =
    [DonationState::Accepting, DonationState::Declining, DonationState::Accepted];

/// States of what was taken, or is about to be.
const TAKEN: [DonationState; 3] =
    [DonationState::Accepting, DonationState::Accepted, DonationState::Received];

/// Records the donation; tells whether it is new.
pub(super) fn insert(conn: &mut Engine, row: &Donation) -> Result<bool> {
    let inserted = each!(
        conn,
        diesel::insert_into(t::table).values(row).on_conflict_do_nothing().execute(conn)
    )?;
    Ok(inserted == 1)
}

pub(super) fn get(conn: &mut Engine, id: DonationId) -> Result<Option<Donation>> {
    Ok(t::table.find(id).first(conn).optional()?)
}

pub(super) fn of_offer(conn: &mut Engine, bot: BotId, offer: &str) -> Result<Option<Donation>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::trade_offer_id.eq(offer))
        .first(conn)
        .optional()?)
}

pub(super) fn of_trade(conn: &mut Engine, bot: BotId, trade: &str) -> Result<Option<Donation>> {
    Ok(t::table.filter(t::bot_id.eq(bot)).filter(t::trade_id.eq(trade)).first(conn).optional()?)
}

pub(super) fn open(conn: &mut Engine, bot: BotId) -> Result<Vec<Donation>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(one_of(t::state, &OPEN))
        .order((t::created_at, t::id))
        .prepared()
        .load(conn)?)
}

/// Deletes the donations of which nothing came; tells whether there were no others.
pub(super) fn clear(conn: &mut Engine, bot: BotId) -> Result<bool> {
    let of_bot = t::table.filter(t::bot_id.eq(bot));
    let taken = of_bot.filter(one_of(t::state, &TAKEN)).select(t::id);
    if taken.first::<DonationId>(conn).optional()?.is_some() {
        return Ok(false);
    }
    diesel::delete(of_bot).execute(conn)?;
    Ok(true)
}

/// What the donor gave since `since`.
pub(super) fn given_since(
    conn: &mut Engine,
    org: OrgId,
    donor: SteamId,
    since: Timestamp,
) -> Result<Given> {
    let rows: Vec<(i32, i64)> = t::table
        .filter(t::org_id.eq(org))
        .filter(t::donor_id.eq(donor))
        .filter(t::created_at.gt(since))
        .filter(t::state.eq_any(TAKEN))
        .select((t::items_count, t::estimated_usd_cents))
        .load(conn)?;
    Ok(rows.into_iter().fold(Given::default(), |sum, (items, cents)| Given {
        items: sum.items + i64::from(items),
        cents: sum.cents.saturating_add(cents),
    }))
}

/// Writes what `before` has become if it is where it was read.
pub(super) fn change(
    conn: &mut Engine,
    before: &Donation,
    after: &Donation,
    now: Timestamp,
) -> Result<()> {
    let changed = diesel::update(t::table.find(before.id).filter(t::state.eq(before.state)))
        .set((
            t::state.eq(after.state),
            t::decline_reason.eq(after.decline_reason),
            t::reason.eq(&after.status_message),
            t::trade_id.eq(&after.trade_id),
            t::settles_at.eq(after.settles_at),
            t::updated_at.eq(now),
        ))
        .prepared()
        .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Conflict(format!("donation {} was changed", before.id)))
    }
}

/// Donations of the bot that are open, or changed since `since`.
pub(super) fn open_or_since(
    conn: &mut Engine,
    bot: BotId,
    since: Timestamp,
) -> Result<Vec<Donation>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(one_of(t::state, &OPEN).or(t::updated_at.ge(since)))
        .prepared()
        .load(conn)?)
}

fn filtered(reach: Reach, filter: &Filter) -> t::BoxedQuery<'static, MultiBackend> {
    let mut query = within!(t::table.into_boxed(), t::org_id, reach);
    if !filter.states.is_empty() {
        query = query.filter(t::state.eq_any(filter.states.clone()));
    }
    if let Some(donor) = filter.donor {
        query = query.filter(t::donor_id.eq(donor));
    }
    if let Some(bot) = filter.bot {
        query = query.filter(t::bot_id.eq(bot));
    }
    query
}

/// The next piece of the list.
pub(super) fn list(
    conn: &mut Engine,
    reach: Reach,
    filter: &Filter,
    page: &Page,
) -> Result<Piece<Donation>> {
    let led = filter.led(reach);
    let led = (led != *filter).then(|| filtered(reach, &led));
    piece_by_age!(conn, page, false, t, DonationId, led, filtered(reach, filter))
}
