//! SQL on `bots`.
use super::schema::bots as t;
use super::{Bot, SteamStatus};
use crate::db::seek::{Side, beside};
use crate::db::{Engine, MultiBackend, Prepare, each, within};
use crate::kernel::{BotId, OrgId, Page, Reach, Result, SteamId, Timestamp};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DbError};

#[derive(Insertable)]
#[diesel(table_name = t, treat_none_as_default_value = false)]
struct NewRow<'a> {
    id: BotId,
    org_id: OrgId,
    steam_id: SteamId,
    display_name: &'a str,
    paused: bool,
    lease_epoch: i64,
    event_seq: i64,
    steam_status: SteamStatus,
    steam_status_detail: &'a str,
    steam_token_warned: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// A bot to register.
pub(super) struct NewBot<'a> {
    pub(super) id: BotId,
    pub(super) org: OrgId,
    pub(super) steam_id: SteamId,
    pub(super) display_name: &'a str,
}

pub(super) fn insert(conn: &mut Engine, new: &NewBot<'_>, now: Timestamp) -> Result<()> {
    let row = NewRow {
        id: new.id,
        org_id: new.org,
        steam_id: new.steam_id,
        display_name: new.display_name,
        paused: false,
        lease_epoch: 0,
        event_seq: 0,
        steam_status: SteamStatus::Unknown,
        steam_status_detail: "",
        steam_token_warned: false,
        created_at: now,
        updated_at: now,
    };
    match diesel::insert_into(t::table).values(row).execute(conn) {
        Ok(_) => Ok(()),
        Err(DbError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(super::registered_already(new.steam_id))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn get(conn: &mut Engine, id: BotId) -> Result<Option<Bot>> {
    Ok(each!(conn, t::table.find(id).first(conn).optional())?)
}

pub(super) fn of_steam_id(conn: &mut Engine, steam_id: SteamId) -> Result<Option<Bot>> {
    Ok(each!(conn, t::table.filter(t::steam_id.eq(steam_id)).first(conn).optional())?)
}

pub(super) fn all_ids(conn: &mut Engine) -> Result<Vec<(OrgId, BotId)>> {
    Ok(t::table.select((t::org_id, t::id)).order(t::id).load(conn)?)
}

/// The bots within reach, with their names.
pub(super) fn names(conn: &mut Engine, reach: Reach) -> Result<Vec<(BotId, String)>> {
    let bots = t::table.select((t::id, t::display_name)).into_boxed::<MultiBackend>();
    Ok(within!(bots, t::org_id, reach).order(t::id).load(conn)?)
}

/// Bots, newest first, one more than the page has.
pub(super) fn list(conn: &mut Engine, reach: Reach, page: &Page) -> Result<Vec<Bot>> {
    let mut query = within!(t::table.into_boxed(), t::org_id, reach);
    if let Some(after) = &page.after {
        query = query.filter(beside(
            (t::created_at, t::id),
            Side::Before,
            (after.time()?, BotId(after.id)),
        ));
    }
    Ok(query.order((t::created_at.desc(), t::id.desc())).limit(page.size + 1).load(conn)?)
}

/// Tells whether it was otherwise before.
pub(super) fn set_paused(
    conn: &mut Engine,
    id: BotId,
    paused: bool,
    now: Timestamp,
) -> Result<bool> {
    let other = t::table.find(id).filter(t::paused.ne(paused));
    let changed = diesel::update(other)
        .set((t::paused.eq(paused), t::updated_at.eq(now)))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}

/// Deletes the bot; false while anything else refers to it.
pub(super) fn delete(conn: &mut Engine, id: BotId) -> Result<bool> {
    match diesel::delete(t::table.find(id)).execute(conn) {
        Ok(_) => Ok(true),
        Err(DbError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A lease to write.
pub(super) struct Lease<'a> {
    pub(super) worker_id: &'a str,
    pub(super) expires_at: Timestamp,
}

/// Begins the next epoch unless the session went on since `before` was read; tells whether it did.
/// The count of its events is compared too: it is what the worker is told as committed.
pub(super) fn begin_epoch(
    conn: &mut Engine,
    before: &Bot,
    lease: &Lease<'_>,
    now: Timestamp,
) -> Result<bool> {
    let same = t::table
        .find(before.id)
        .filter(t::lease_epoch.eq(before.lease_epoch).and(t::event_seq.eq(before.event_seq)));
    let changed = diesel::update(same)
        .set((
            t::lease_epoch.eq(before.lease_epoch + 1),
            t::lease_holder.eq(lease.worker_id),
            t::lease_expires_at.eq(lease.expires_at),
            t::event_seq.eq(0),
            t::last_seen_at.eq(now),
            t::updated_at.eq(now),
        ))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}

/// Tells whether the epoch is the current one and its session open.
pub(super) fn extend_lease(
    conn: &mut Engine,
    id: BotId,
    epoch: i64,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let open =
        t::table.find(id).filter(t::lease_epoch.eq(epoch).and(t::lease_holder.is_not_null()));
    let changed = diesel::update(open)
        .set((t::lease_expires_at.eq(expires_at), t::last_seen_at.eq(now)))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}

/// Frees the lease; tells whether the epoch was the current one and its session open.
pub(super) fn free_lease(conn: &mut Engine, id: BotId, epoch: i64, now: Timestamp) -> Result<bool> {
    let open =
        t::table.find(id).filter(t::lease_epoch.eq(epoch).and(t::lease_holder.is_not_null()));
    let changed = diesel::update(open)
        .set((
            t::lease_holder.eq(None::<String>),
            t::lease_expires_at.eq(None::<Timestamp>),
            t::updated_at.eq(now),
        ))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}

/// Counts the event `seq`; tells whether it was the next one of the current epoch.
pub(super) fn count_event(conn: &mut Engine, id: BotId, epoch: i64, seq: i64) -> Result<bool> {
    let next = t::table.find(id).filter(t::lease_epoch.eq(epoch).and(t::event_seq.eq(seq - 1)));
    Ok(diesel::update(next).set(t::event_seq.eq(seq)).prepared().execute(conn)? == 1)
}

/// Writes the status unless it changed since `before` was read; tells whether it did.
pub(super) fn set_steam_status(
    conn: &mut Engine,
    before: &Bot,
    status: SteamStatus,
    detail: &str,
    now: Timestamp,
) -> Result<bool> {
    let same = t::table.find(before.id).filter(
        t::steam_status
            .eq(before.steam_status)
            .and(t::steam_status_detail.eq(&before.steam_status_detail)),
    );
    let changed = diesel::update(same)
        .set((t::steam_status.eq(status), t::steam_status_detail.eq(detail), t::updated_at.eq(now)))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}

/// Keeps when the refresh token ends; people are to be told anew.
pub(super) fn set_token(conn: &mut Engine, id: BotId, end: Option<Timestamp>) -> Result<()> {
    diesel::update(t::table.find(id))
        .set((t::steam_token_expires_at.eq(end), t::steam_token_warned.eq(false)))
        .prepared()
        .execute(conn)?;
    Ok(())
}

/// Notes that people were told of the token's end; tells whether they were not before.
pub(super) fn set_token_warned(conn: &mut Engine, bot: &Bot) -> Result<bool> {
    let same = t::table.find(bot.id).filter(
        t::steam_token_warned
            .eq(false)
            .and(t::steam_token_expires_at.eq(bot.steam_token_expires_at)),
    );
    Ok(diesel::update(same).set(t::steam_token_warned.eq(true)).prepared().execute(conn)? == 1)
}

/// Bots whose token ends before `end`, which people were not told yet.
pub(super) fn unwarned(conn: &mut Engine, end: Timestamp, limit: i64) -> Result<Vec<Bot>> {
    Ok(t::table
        .filter(t::steam_token_expires_at.le(end))
        .filter(t::steam_token_warned.eq(false))
        .order(t::id)
        .limit(limit)
        .load(conn)?)
}

pub(super) fn set_traded(conn: &mut Engine, id: BotId, now: Timestamp) -> Result<()> {
    diesel::update(t::table.find(id)).set(t::traded_at.eq(now)).prepared().execute(conn)?;
    Ok(())
}
