//! SQL on `items` and `reservations`.
use super::schema::{items as t, reservations};
use super::{
    Booked, Changes, Filter, Item, ItemState, Order, Reservation, ReservationId, ReservationState,
};
use crate::db::seek::{piece, piece_by_age};
use crate::db::{Engine, MultiBackend, Prepare, each, has_part, none_of, one_of, within};
use crate::kernel::limits::CLOCKS_APART;
use crate::kernel::page::{Cursor, Piece};
use crate::kernel::{
    AssetId, AssignmentId, BotId, Error, ItemId, OrgId, Page, Reach, Result, Timestamp,
};
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Free items looked at beyond those wanted.
const SPARE: i64 = 500;
/// Rows of one INSERT: PostgreSQL takes 65,535 values in a statement, SQLite 32,766.
const INSERT_ROWS: usize = 500;

pub(super) fn insert(conn: &mut Engine, rows: &[Item]) -> Result<()> {
    for rows in rows.chunks(INSERT_ROWS) {
        each!(conn, diesel::insert_into(t::table).values(rows).execute(conn))?;
    }
    Ok(())
}

pub(super) fn get(conn: &mut Engine, id: ItemId) -> Result<Option<Item>> {
    Ok(each!(conn, t::table.find(id).first(conn).optional())?)
}

/// Changes the item if nobody changed it since it was read; then the transaction runs again.
pub(super) fn change(
    conn: &mut Engine,
    item: &Item,
    changes: &Changes,
    now: Timestamp,
) -> Result<Item> {
    let mut rows: Vec<Item> = diesel::update(
        t::table.find(item.id).filter(t::state.eq(item.state)).filter(t::version.eq(item.version)),
    )
    .set((changes, t::version.eq(item.version + 1), t::updated_at.eq(now)))
    .returning(t::all_columns)
    .prepared()
    .get_results(conn)?;
    rows.pop().ok_or_else(|| Error::Conflict(format!("item {} was changed", item.id)))
}

type Query = t::BoxedQuery<'static, MultiBackend>;

fn filtered(reach: Reach, filter: &Filter) -> Query {
    let mut query = within!(t::table.into_boxed(), t::org_id, reach);
    // One value leads to a place in an index that is in the list's order; several do not.
    query = match filter.states.as_slice() {
        [] => query,
        [state] => query.filter(t::state.eq(*state)),
        states => query.filter(t::state.eq_any(states.to_vec())),
    };
    query = match filter.apps.as_slice() {
        [] => query,
        [app] => query.filter(t::steam_app_id.eq(*app)),
        apps => query.filter(t::steam_app_id.eq_any(apps.to_vec())),
    };
    query = match filter.market_hash_names.as_slice() {
        [] => query,
        [name] => query.filter(t::market_hash_name.eq(name.clone())),
        names => query.filter(t::market_hash_name.eq_any(names.to_vec())),
    };
    query = match filter.bots.as_slice() {
        [] => query,
        [bot] => query.filter(t::bot_id.eq(*bot)),
        bots => query.filter(t::bot_id.eq_any(bots.to_vec())),
    };
    if let Some(donor) = filter.donor {
        query = query.filter(t::received_from_user_id.eq(donor));
    }
    if let Some(recipient) = filter.recipient {
        query = query.filter(t::assigned_to_user_id.eq(recipient));
    }
    if let Some(at) = filter.tradable_at {
        query = query.filter(t::tradable_at.is_null().or(t::tradable_at.le(at)));
    }
    if !filter.text.is_empty() {
        query = query.filter(has_part("item_name", &filter.text));
    }
    query
}

/// The next piece of the list.
pub(super) fn list(
    conn: &mut Engine,
    reach: Reach,
    filter: &Filter,
    order: Order,
    page: &Page,
) -> Result<Piece<Item>> {
    let led = filter.led(reach, order);
    let led = (led != *filter).then(|| filtered(reach, &led));
    let query = filtered(reach, filter);
    let by_name = |(name, id): (String, ItemId)| Cursor { key: name, id: id.0 };
    match order {
        Order::Newest => piece_by_age!(conn, page, false, t, ItemId, led, query),
        Order::Oldest => piece_by_age!(conn, page, true, t, ItemId, led, query),
        Order::Name | Order::NameDescending => piece!(
            conn, page, order == Order::Name, t(item_name: String, id: ItemId),
            |cursor| (cursor.key.clone(), ItemId(cursor.id)), by_name, led, query
        ),
    }
}

/// Locks items of `org`, always in the order of their ids, so that no two transactions wait for
/// each other. SQLite has one writer at a time.
pub(super) fn lock(conn: &mut Engine, org: OrgId, ids: &[ItemId]) -> Result<()> {
    if let Engine::Postgres(pg) = conn {
        let rows = t::table.filter(t::id.eq_any(ids)).filter(t::org_id.eq(org));
        rows.order(t::id).select(t::id).for_no_key_update().load::<ItemId>(pg)?;
    }
    Ok(())
}

/// The oldest free items that match, locked until the end of the transaction: `count`, or fewer
/// when there are no more.
pub(super) fn next_free(
    conn: &mut Engine,
    org: OrgId,
    filter: &Filter,
    now: Timestamp,
    count: usize,
) -> Result<Vec<Item>> {
    let filter = Filter { tradable_at: Some(now), ..filter.clone() };
    let limit = i64::try_from(count).unwrap_or(i64::MAX - SPARE);
    let free = |limit| {
        filtered(Reach::Organization(org), &filter)
            .filter(one_of(t::state, &[ItemState::Available]))
            .filter(t::amount.eq(1))
            .order((t::created_at.asc(), t::id.asc()))
            .limit(limit)
    };
    if matches!(conn, Engine::Sqlite(_)) {
        // The only writer: what it reads stays free. A list of values has a text for each length.
        let lists = [filter.apps.len(), filter.market_hash_names.len(), filter.bots.len()];
        let is_usual = lists.iter().all(|values| *values <= 1);
        let free = free(limit);
        return Ok(if is_usual { free.prepared().load(conn)? } else { free.load(conn)? });
    }
    loop {
        // Others take the oldest at the same time, so there is more to choose from than is wanted.
        let ids: Vec<ItemId> = free(limit + SPARE).select(t::id).prepared().load(conn)?;
        let found =
            || t::table.filter(t::id.eq_any(&ids)).filter(t::state.eq(ItemState::Available));
        let oldest = || found().order((t::created_at.asc(), t::id.asc())).limit(limit);
        let pg = match conn {
            Engine::Postgres(pg) if ids.len() >= count => pg,
            Engine::Postgres(_) | Engine::Sqlite(_) => return Ok(oldest().load(conn)?),
        };
        let first = all_or_none(pg, count, |pg| {
            let rows = oldest().select(t::all_columns).for_no_key_update().skip_locked();
            Ok(rows.load(pg)?)
        })?;
        if let Some(found) = first {
            return Ok(found);
        }
        // Others hold what is left, and may give it back: whether they do is waited for.
        let rest = all_or_none(pg, count, |pg| {
            let rows = found().order(t::id).limit(limit).select(t::all_columns);
            Ok(rows.for_no_key_update().load(pg)?)
        })?;
        if let Some(found) = rest {
            return Ok(found);
        }
    }
}

/// Locks `count` items, or lets go of the fewer that it found: who waits for more must hold none.
#[allow(clippy::disallowed_methods)] // a savepoint, on PostgreSQL alone
fn all_or_none(
    pg: &mut PgConnection,
    count: usize,
    take: impl FnOnce(&mut PgConnection) -> Result<Vec<Item>>,
) -> Result<Option<Vec<Item>>> {
    let taken = pg.transaction(|pg| {
        let found = take(pg)?;
        let few = super::not_enough(count, found.len());
        if found.len() < count { Err(few) } else { Ok(found) }
    });
    match taken {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.reason() == super::NOT_ENOUGH_ITEMS => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn of_reservation(conn: &mut Engine, id: ReservationId) -> Result<Vec<Item>> {
    Ok(t::table.filter(t::reservation_id.eq(id)).order(t::id).load(conn)?)
}

pub(super) fn of_assignment(conn: &mut Engine, id: AssignmentId) -> Result<Vec<Item>> {
    Ok(t::table.filter(t::assignment_id.eq(id)).order(t::id).load(conn)?)
}

/// States of items that are in no bot's hands any more.
const GONE: [ItemState; 2] = [ItemState::Delivered, ItemState::Withdrawn];

/// The item that has this asset in the bot's hands: at most one, by the index `items_asset`.
pub(super) fn holder(
    conn: &mut Engine,
    bot: BotId,
    app: i32,
    asset: AssetId,
) -> Result<Option<Item>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::steam_app_id.eq(app))
        .filter(t::steam_asset_id.eq(asset))
        .filter(none_of(t::state, &GONE))
        .limit(1)
        .prepared()
        .get_result(conn)
        .optional()?)
}

/// Items of other bots that have one of these assets, as far as their own inventories show.
pub(super) fn held_by_others(
    conn: &mut Engine,
    bot: BotId,
    app: i32,
    assets: &[AssetId],
) -> Result<Vec<Item>> {
    Ok(t::table
        .filter(t::bot_id.ne(bot))
        .filter(t::steam_app_id.eq(app))
        .filter(t::steam_asset_id.eq_any(assets))
        .filter(none_of(t::state, &GONE))
        .filter(t::state.ne(ItemState::Missing))
        .order(t::id)
        .load(conn)?)
}

/// Items that the books place with the bot, in any state but delivered and withdrawn.
pub(super) fn of_bot(conn: &mut Engine, bot: BotId) -> Result<Vec<Booked>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(none_of(t::state, &GONE))
        .order(t::id)
        .select(Booked::as_select())
        .prepared()
        .load(conn)?)
}

/// Items of the bot that have one of these assets or were written off with it, oldest first.
pub(super) fn held_or_withdrawn(
    conn: &mut Engine,
    bot: BotId,
    app: i32,
    assets: &[AssetId],
) -> Result<Vec<Item>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::steam_app_id.eq(app))
        .filter(t::steam_asset_id.eq_any(assets))
        .filter(t::state.ne(ItemState::Delivered))
        .order((t::created_at, t::id))
        .load(conn)?)
}

/// Items that came with these offers to bots.
pub(super) fn of_donations(conn: &mut Engine, offers: &[(BotId, &str)]) -> Result<Vec<Item>> {
    let bots: BTreeSet<BotId> = offers.iter().map(|(bot, _)| *bot).collect();
    let offers: BTreeSet<&str> = offers.iter().map(|(_, offer)| *offer).collect();
    Ok(t::table
        .filter(t::bot_id.eq_any(bots))
        .filter(t::received_trade_offer_id.eq_any(offers))
        .order(t::id)
        .load(conn)?)
}

/// Items that came with this offer: unlike several offers, one is a statement that is kept prepared.
pub(super) fn of_donation(conn: &mut Engine, bot: BotId, offer: &str) -> Result<Vec<Item>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::received_trade_offer_id.eq(offer))
        .order(t::id)
        .load(conn)?)
}

/// How many items of the bot are in each state.
pub(super) fn counts(conn: &mut Engine, bot: BotId) -> Result<Vec<(ItemState, i64)>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .group_by(t::state)
        .select((t::state, diesel::dsl::count_star()))
        .load(conn)?)
}

/// How many items of these bots there are of each bot, game and state: by an index alone.
pub(super) fn counts_by_game(
    conn: &mut Engine,
    bots: &[BotId],
) -> Result<Vec<(BotId, i32, ItemState, i64)>> {
    let alike = (t::bot_id, t::state, t::steam_app_id);
    Ok(t::table
        .filter(t::bot_id.eq_any(bots))
        .group_by(alike)
        .select((t::bot_id, t::steam_app_id, t::state, diesel::dsl::count_star()))
        .order(alike)
        .load(conn)?)
}

/// The items of these ids that there are.
pub(super) fn many(conn: &mut Engine, ids: BTreeSet<ItemId>) -> Result<Vec<Item>> {
    if let Engine::Postgres(conn) = conn {
        return Ok(t::table.filter(t::id.eq_any(ids)).load(conn)?);
    }
    // There is no way to go for a statement, and a list of each length would be another one.
    ids.into_iter().filter_map(|id| get(conn, id).transpose()).collect()
}

pub(super) fn insert_reservation(conn: &mut Engine, row: &Reservation) -> Result<()> {
    each!(conn, diesel::insert_into(reservations::table).values(row).execute(conn))?;
    Ok(())
}

pub(super) fn reservation(conn: &mut Engine, id: ReservationId) -> Result<Option<Reservation>> {
    Ok(each!(conn, reservations::table.find(id).first(conn).optional())?)
}

/// The next piece of the list of reservations, newest first.
pub(super) fn list_reservations(
    conn: &mut Engine,
    reach: Reach,
    held_only: bool,
    page: &Page,
) -> Result<Piece<Reservation>> {
    let mut query = within!(reservations::table.into_boxed(), reservations::org_id, reach);
    if held_only {
        query = query.filter(one_of(reservations::state, &[ReservationState::Held]));
    }
    // An index leads to all that can be asked for.
    piece_by_age!(conn, page, false, reservations, ReservationId, None, query)
}

/// Which items these reservations hold, in no order.
pub(super) fn held_items(
    conn: &mut Engine,
    ids: &[ReservationId],
) -> Result<Vec<(Option<ReservationId>, ItemId)>> {
    Ok(t::table
        .filter(t::reservation_id.eq_any(ids))
        .select((t::reservation_id, t::id))
        .load(conn)?)
}

/// Ends a reservation that holds; tells whether it did until now.
pub(super) fn end_reservation(
    conn: &mut Engine,
    id: ReservationId,
    state: ReservationState,
    taken_by: Option<AssignmentId>,
    now: Timestamp,
) -> Result<bool> {
    let changed = diesel::update(
        reservations::table.find(id).filter(reservations::state.eq(ReservationState::Held)),
    )
    .set((
        reservations::state.eq(state),
        reservations::assignment_id.eq(taken_by),
        reservations::ended_at.eq(now),
    ))
    .prepared()
    .execute(conn)?;
    Ok(changed == 1)
}

/// Reservations that a clock made which ran ahead.
pub(super) fn reservations_ahead(
    conn: &mut Engine,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Reservation>> {
    let latest = now.plus(CLOCKS_APART);
    Ok(reservations::table
        .filter(one_of(reservations::state, &[ReservationState::Held]))
        .filter(reservations::expires_at.gt(latest))
        .filter(reservations::created_at.gt(latest))
        .order(reservations::expires_at)
        .limit(limit)
        .load(conn)?)
}

/// Makes it one that was made now, and that holds as long as it was to; tells until when.
pub(super) fn pull_back(conn: &mut Engine, row: &Reservation, now: Timestamp) -> Result<Timestamp> {
    let expires_at = now.plus(row.expires_at.since(row.created_at));
    let held =
        reservations::table.find(row.id).filter(reservations::state.eq(ReservationState::Held));
    diesel::update(held)
        .set((reservations::created_at.eq(now), reservations::expires_at.eq(expires_at)))
        .prepared()
        .execute(conn)?;
    Ok(expires_at)
}

pub(super) fn overdue_reservations(
    conn: &mut Engine,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Reservation>> {
    Ok(reservations::table
        .filter(one_of(reservations::state, &[ReservationState::Held]))
        .filter(reservations::expires_at.le(now))
        .order(reservations::expires_at)
        .limit(limit)
        .load(conn)?)
}
