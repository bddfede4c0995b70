//! What happens to items. Each change appends its event.
use super::{
    Booked, Changes, Filter, Item, ItemState, Order, Reservation, ReservationId, ReservationState,
    store,
};
use crate::auth::gate::Context;
use crate::db::{Conn, Document};
use crate::events::{self, Event, EventType, NewEvent};
use crate::kernel::page::Piece;
use crate::kernel::{
    AssetId, AssignmentId, BotId, Caller, Error, ItemId, Money, OrgId, Page, Reach, Result,
    SteamId, Timestamp,
};
use crate::orgs;
use serde_json::Value;
use std::time::Duration;

/// Who does something, and when.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// As the event log names it.
    pub source: &'a str,
    /// When.
    pub now: Timestamp,
}

/// The item, if the caller sees it.
///
/// # Errors
/// `ITEM_NOT_FOUND`.
pub fn visible(conn: &mut Conn, caller: &Caller, id: ItemId) -> Result<Item> {
    store::get(conn, id)?.filter(|item| caller.sees(item.org_id)).ok_or(super::ITEM.missing(id))
}

/// The next piece of a list of items.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    reach: Reach,
    filter: &Filter,
    order: Order,
    page: &Page,
) -> Result<Piece<Item>> {
    store::list(conn, reach, filter, order, page)
}

/// Makes `changes` and appends the event `name`. The state is compared and changed in one
/// statement; if somebody was faster, the transaction runs again.
///
/// # Errors
/// [`Error::Internal`] for a move that the table of states does not have.
pub fn change(
    conn: &mut Conn,
    item: &Item,
    changes: &Changes,
    name: EventType,
    text: &str,
    by: By<'_>,
) -> Result<Item> {
    let next = changes.state.unwrap_or(item.state);
    if next != item.state && !item.state.can_become(next) {
        let from = item.state;
        return Err(Error::Internal(format!("item {}: {from} cannot become {next}", item.id)));
    }
    let after = store::change(conn, item, changes, by.now)?;
    append(conn, Some(item), &after, name, text, by)?;
    Ok(after)
}

fn append(
    conn: &mut Conn,
    before: Option<&Item>,
    after: &Item,
    name: EventType,
    text: &str,
    by: By<'_>,
) -> Result<()> {
    let either = |get: fn(&Item) -> Option<String>| {
        get(after).or_else(|| before.and_then(get)).unwrap_or_default()
    };
    let assignment = after.assignment_id.or_else(|| before.and_then(|b| b.assignment_id));
    let offer = if before.is_none() || name == EventType::ItemReceived {
        after.received_trade_offer_id.clone().unwrap_or_default()
    } else {
        either(|item| item.delivery_trade_offer_id.clone())
    };
    let person = match after.state {
        ItemState::Pending | ItemState::Available if assignment.is_none() => {
            after.received_from_user_id
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
            after.assigned_to_user_id.or_else(|| before.and_then(|b| b.assigned_to_user_id))
        }
    };
    let mut event =
        NewEvent::new(after.org_id, name, by.source, format!("{} {text}", after.item_name))
            .item(after.id)
            .bot(after.bot_id)
            .user(person)
            .moved(before.map(|b| b.state.as_str()), after.state.as_str())
            .with("trade_offer_id", offer)
            .with("reservation_id", either(|item| item.reservation_id.map(|id| id.to_string())))
            .with("asset_id", after.steam_asset_id.map(|a| a.get().to_string()))
            .with("amount", after.amount);
    if let Some(before) = before.filter(|before| before.amount != after.amount) {
        event = event.with("amount_before", before.amount);
    }
    if let Some(id) = assignment {
        event = event.assignment(id, None);
    }
    events::append(conn, event, by.now)
}

/// Records new items, each with its event `name`.
///
/// # Errors
/// Those of the database.
pub fn record(
    conn: &mut Conn,
    items: &[Item],
    name: EventType,
    text: &str,
    by: By<'_>,
) -> Result<()> {
    store::insert(conn, items)?;
    items.iter().try_for_each(|item| append(conn, None, item, name, text, by))
}

/// What a client changes of an item.
#[derive(Debug, Clone)]
pub struct Update {
    /// Item.
    pub id: ItemId,
    /// Fails if set and different.
    pub etag: String,
    /// New labels.
    pub labels: Option<Value>,
    /// New metadata.
    pub custom_metadata: Option<Value>,
    /// New value; `Some(None)` clears it.
    pub market_value: Option<Option<Money>>,
}

/// Changes the fields that clients own.
///
/// # Errors
/// `ITEM_NOT_FOUND`, [`Error::Etag`].
pub fn update(conn: &mut Conn, context: &Context, update: Update) -> Result<Item> {
    let item = visible(conn, &context.caller, update.id)?;
    if !update.etag.is_empty() && update.etag != item.etag() {
        return Err(Error::Etag(item.etag()));
    }
    let changes = Changes {
        labels: update.labels.map(Document),
        custom_metadata: update.custom_metadata.map(Document),
        market_value: update.market_value.clone().map(|m| m.map(|m| m.minor_units)),
        market_currency: update.market_value.map(|m| m.map(|m| m.currency)),
        ..Changes::default()
    };
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    change(conn, &item, &changes, EventType::ItemUpdated, "was changed", by)
}

/// Which items to reserve.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// These.
    Ids(Vec<ItemId>),
    /// So many that match.
    Matching(Filter, usize),
}

/// Reserves items: all or none.
///
/// # Errors
/// `ITEM_NOT_FOUND`, `ITEM_NOT_AVAILABLE`, `NOT_ENOUGH_ITEMS`.
pub fn reserve(
    conn: &mut Conn,
    context: &Context,
    org_id: &str,
    wanted: &Wanted,
    ttl: Duration,
) -> Result<(Reservation, Vec<Item>)> {
    let org = orgs::ops::home(conn, &context.caller, org_id)?.id;
    let free = match wanted {
        Wanted::Ids(ids) => free_by_id(conn, org, ids, context.now)?,
        Wanted::Matching(filter, count) => {
            let found = store::next_free(conn, org, filter, context.now, *count)?;
            if found.len() < *count {
                return Err(super::not_enough(*count, found.len()));
            }
            found
        }
    };
    let reservation = Reservation {
        id: conn.id(context.now),
        org_id: org,
        state: ReservationState::Held,
        api_key_id: context.caller.principal.id().to_owned(),
        source: context.caller.source(),
        items_count: i32::try_from(free.len()).unwrap_or(i32::MAX),
        assignment_id: None,
        expires_at: context.now.plus(ttl),
        ended_at: None,
        created_at: context.now,
    };
    store::insert_reservation(conn, &reservation)?;
    let changes =
        Changes { reservation_id: Some(Some(reservation.id)), ..Changes::to(ItemState::Reserved) };
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    let items: Result<Vec<_>> = free
        .iter()
        .map(|item| change(conn, item, &changes, EventType::ItemReserved, "was reserved", by))
        .collect();
    Ok((reservation, items?))
}

fn free_by_id(conn: &mut Conn, org: OrgId, ids: &[ItemId], now: Timestamp) -> Result<Vec<Item>> {
    lock(conn, org, ids)?;
    ids.iter()
        .map(|&id| {
            let item = store::get(conn, id)?.filter(|item| item.org_id == org);
            let item = item.ok_or(super::ITEM.missing(id))?;
            item.must_be_free(now)?;
            Ok(item)
        })
        .collect()
}

/// Locks the items of `org` that a transaction is about to change, in the one order that all keep.
///
/// # Errors
/// Those of the database.
pub fn lock(conn: &mut Conn, org: OrgId, ids: &[ItemId]) -> Result<()> {
    store::lock(conn, org, ids)
}

/// Gives reserved items back.
///
/// # Errors
/// `RESERVATION_NOT_FOUND`, `RESERVATION_ENDED`.
pub fn release(
    conn: &mut Conn,
    context: &Context,
    id: ReservationId,
) -> Result<(Reservation, Vec<Item>)> {
    let reservation = held(conn, &context.caller, id)?;
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    let state = ReservationState::Released;
    let items = end(conn, &reservation, state, "was released", by)?;
    Ok((Reservation { state, ended_at: Some(context.now), ..reservation }, items))
}

fn held(conn: &mut Conn, caller: &Caller, id: ReservationId) -> Result<Reservation> {
    let found = store::reservation(conn, id)?.filter(|r| caller.sees(r.org_id));
    let reservation = found.ok_or(super::RESERVATION.missing(id))?;
    if reservation.state != ReservationState::Held {
        let state = reservation.state.to_string();
        return Err(super::reservation_ended(id, state));
    }
    Ok(reservation)
}

fn end(
    conn: &mut Conn,
    reservation: &Reservation,
    state: ReservationState,
    text: &str,
    by: By<'_>,
) -> Result<Vec<Item>> {
    if !store::end_reservation(conn, reservation.id, state, None, by.now)? {
        return Err(Error::Conflict(format!("reservation {} has ended", reservation.id)));
    }
    store::of_reservation(conn, reservation.id)?
        .iter()
        .filter(|item| item.state == ItemState::Reserved)
        .map(|item| change(conn, item, &Changes::freed(), EventType::ItemReleased, text, by))
        .collect()
}

/// Reservations whose time is over, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn overdue(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<Reservation>> {
    store::overdue_reservations(conn, now, limit)
}

/// Ends a reservation whose time is over.
///
/// # Errors
/// [`Error::Conflict`] when it ended otherwise in between.
pub fn expire(conn: &mut Conn, reservation: &Reservation, now: Timestamp) -> Result<()> {
    let by = By { source: events::SYSTEM, now };
    end(conn, reservation, ReservationState::Expired, "was released: its time is over", by)?;
    Ok(())
}

/// Reservations that a clock made which ran ahead, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn reservations_ahead(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<Reservation>> {
    store::reservations_ahead(conn, now, limit)
}

/// A reservation that was made by a clock which ran ahead holds for its own time from now on, and
/// not until that clock's time has come.
///
/// # Errors
/// Those of the database.
pub fn pull_back(conn: &mut Conn, reservation: &Reservation, now: Timestamp) -> Result<()> {
    let until = store::pull_back(conn, reservation, now)?;
    let (id, name) = (reservation.id, EventType::ItemReservationCorrected);
    let text = format!("Reservation {id} was made by a clock that ran ahead: ends at {until}");
    let event = NewEvent::new(reservation.org_id, name, events::SYSTEM, text)
        .with("reservation_id", id.to_string())
        .with("expire_time", until.to_string());
    events::append(conn, event, now)
}

/// Where an assignment's items come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Free items.
    Ids(Vec<ItemId>),
    /// A reservation, whole.
    Reservation(ReservationId),
}

/// The items of `source`, checked but not taken yet.
///
/// # Errors
/// `ITEM_NOT_FOUND`, `ITEM_NOT_AVAILABLE`, `RESERVATION_NOT_FOUND`,
/// `RESERVATION_ENDED`.
pub fn check(
    conn: &mut Conn,
    caller: &Caller,
    org: OrgId,
    source: &Source,
    now: Timestamp,
) -> Result<Vec<Item>> {
    match source {
        Source::Ids(ids) => free_by_id(conn, org, ids, now),
        Source::Reservation(id) => {
            let reservation = held(conn, caller, *id)?;
            if reservation.org_id != org {
                return Err(super::RESERVATION.missing(*id));
            }
            let items = store::of_reservation(conn, *id)?;
            match items.iter().find(|item| item.state != ItemState::Reserved || item.is_stack()) {
                Some(item) => Err(super::not_available(item.id, item.shown_state())),
                None => Ok(items),
            }
        }
    }
}

/// Takes checked items for an assignment.
///
/// # Errors
/// Those of [`change`].
pub fn assign(
    conn: &mut Conn,
    items: &[Item],
    source: &Source,
    assignment: AssignmentId,
    user: SteamId,
    by: By<'_>,
) -> Result<Vec<Item>> {
    if let Source::Reservation(id) = source
        && !store::end_reservation(conn, *id, ReservationState::Used, Some(assignment), by.now)?
    {
        return Err(Error::Conflict(format!("reservation {id} has ended")));
    }
    let changes = Changes {
        reservation_id: Some(None),
        assignment_id: Some(Some(assignment)),
        assigned_to_user_id: Some(Some(user)),
        assigned_at: Some(Some(by.now)),
        ..Changes::to(ItemState::Assigned)
    };
    items
        .iter()
        .map(|item| change(conn, item, &changes, EventType::ItemAssigned, "was assigned", by))
        .collect()
}

/// The items of an assignment, in the order of their ids.
///
/// # Errors
/// Those of the database.
pub fn of_assignment(conn: &mut Conn, id: AssignmentId) -> Result<Vec<Item>> {
    store::of_assignment(conn, id)
}

/// The items that several donations brought, each a bot and an offer to it.
///
/// # Errors
/// Those of the database.
pub fn of_donations(conn: &mut Conn, donations: &[(BotId, &str)]) -> Result<Vec<Item>> {
    store::of_donations(conn, donations)
}

/// The items that a donation brought.
///
/// # Errors
/// Those of the database.
pub fn of_donation(conn: &mut Conn, bot: BotId, offer: &str) -> Result<Vec<Item>> {
    store::of_donation(conn, bot, offer)
}

/// The item that has this asset in the bot's hands. What other bots' books have decides nothing.
///
/// # Errors
/// Those of the database.
pub fn holder(conn: &mut Conn, bot: BotId, app: i32, asset: AssetId) -> Result<Option<Item>> {
    store::holder(conn, bot, app, asset)
}

/// Items of other bots, of whichever organisation, whose books have one of these assets too: only
/// to tell people that two books differ.
///
/// # Errors
/// Those of the database.
pub fn held_by_others(
    conn: &mut Conn,
    bot: BotId,
    app: i32,
    assets: &[AssetId],
) -> Result<Vec<Item>> {
    store::held_by_others(conn, bot, app, assets)
}

/// The items that the books place with the bot.
///
/// # Errors
/// Those of the database.
pub fn of_bot(conn: &mut Conn, bot: BotId) -> Result<Vec<Booked>> {
    store::of_bot(conn, bot)
}

/// The item.
///
/// # Errors
/// `ITEM_NOT_FOUND`.
pub fn get(conn: &mut Conn, id: ItemId) -> Result<Item> {
    store::get(conn, id)?.ok_or(super::ITEM.missing(id))
}

/// How many items of the bot are in each state.
///
/// # Errors
/// Those of the database.
pub fn counts(conn: &mut Conn, bot: BotId) -> Result<Vec<(ItemState, i64)>> {
    store::counts(conn, bot)
}

/// The movements of an item, newest first, one more than the page's size.
///
/// # Errors
/// `ITEM_NOT_FOUND`, [`Error::PageToken`].
pub fn history(conn: &mut Conn, caller: &Caller, id: ItemId, page: &Page) -> Result<Vec<Event>> {
    visible(conn, caller, id)?;
    let before = match &page.after {
        None => i64::MAX,
        Some(cursor) => cursor.key.parse().map_err(|_| Error::PageToken)?,
    };
    events::of_item(conn, id, before, page.size + 1)
}
