//! SQL on `inventory_sync_log` and `discrepancies`.
use super::reconcile::Key;
use super::{Discrepancy, Resolution, Sync, SyncState};
use crate::db::schema::{discrepancies as d, inventory_sync_log as t};
use crate::db::{Conn, Document, each};
use crate::kernel::{AssetId, BotId, DiscrepancyId, Error, OrgId, Page, Result, SyncId, Timestamp};
use diesel::prelude::*;
use std::collections::HashSet;

/// Records a run unless the bot has an open one; tells whether it was recorded.
pub(super) fn insert(conn: &mut Conn, row: &Sync) -> Result<bool> {
    let inserted = each!(
        conn,
        diesel::insert_into(t::table).values(row).on_conflict_do_nothing().execute(conn)
    )?;
    Ok(inserted == 1)
}

pub(super) fn get(conn: &mut Conn, id: SyncId) -> Result<Option<Sync>> {
    Ok(t::table.find(id).first(conn).optional()?)
}

pub(super) fn open(conn: &mut Conn, bot: BotId) -> Result<Option<Sync>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::sync_status.eq_any([SyncState::Pending, SyncState::Running]))
        .first(conn)
        .optional()?)
}

pub(super) fn last_asked(conn: &mut Conn, bot: BotId) -> Result<Option<Timestamp>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .order(t::created_at.desc())
        .select(t::created_at)
        .first(conn)
        .optional()?)
}

/// What a run's end records; `None` leaves a column as it is.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = crate::db::schema::inventory_sync_log)]
pub(super) struct Progress {
    pub(super) sync_status: Option<SyncState>,
    pub(super) sync_started_at: Option<Timestamp>,
    pub(super) sync_completed_at: Option<Timestamp>,
    pub(super) steam_inventory_count: Option<i32>,
    pub(super) database_available_count: Option<i32>,
    pub(super) database_assigned_count: Option<i32>,
    pub(super) database_delivered_count: Option<i32>,
    pub(super) database_total_count: Option<i32>,
    pub(super) items_added_count: Option<i32>,
    pub(super) items_removed_count: Option<i32>,
    pub(super) items_updated_count: Option<i32>,
    pub(super) discrepancies_found: Option<i32>,
    pub(super) error_message: Option<String>,
    pub(super) error_details: Option<Document>,
    pub(super) sync_duration_ms: Option<i32>,
}

/// Moves the run on if it is where it was read.
pub(super) fn progress(conn: &mut Conn, sync: &Sync, progress: &Progress) -> Result<()> {
    let changed =
        diesel::update(t::table.find(sync.id).filter(t::sync_status.eq(sync.sync_status)))
            .set(progress)
            .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Conflict(format!("sync {} was changed", sync.id)))
    }
}

pub(super) fn list(
    conn: &mut Conn,
    org: Option<OrgId>,
    bot: Option<BotId>,
    page: &Page,
) -> Result<Vec<Sync>> {
    let mut query = t::table.into_boxed();
    if let Some(org) = org {
        query = query.filter(t::org_id.eq(org));
    }
    if let Some(bot) = bot {
        query = query.filter(t::bot_id.eq(bot));
    }
    if let Some(after) = &page.after {
        let (at, id) = (after.time()?, SyncId(after.id));
        query = query.filter(t::created_at.lt(at).or(t::created_at.eq(at).and(t::id.lt(id))));
    }
    Ok(query.order((t::created_at.desc(), t::id.desc())).limit(page.size + 1).load(conn)?)
}

/// Records a difference unless it is open already; tells whether it was recorded.
pub(super) fn insert_discrepancy(conn: &mut Conn, row: &Discrepancy) -> Result<bool> {
    let inserted = each!(
        conn,
        diesel::insert_into(d::table).values(row).on_conflict_do_nothing().execute(conn)
    )?;
    Ok(inserted == 1)
}

pub(super) fn discrepancy(conn: &mut Conn, id: DiscrepancyId) -> Result<Option<Discrepancy>> {
    Ok(d::table.find(id).first(conn).optional()?)
}

pub(super) fn open_discrepancies(conn: &mut Conn, bot: BotId) -> Result<Vec<Discrepancy>> {
    Ok(d::table
        .filter(d::bot_id.eq(bot))
        .filter(d::resolution.is_null())
        .order(d::created_at)
        .load(conn)?)
}

/// Resolves the difference if it is open.
pub(super) fn resolve(
    conn: &mut Conn,
    id: DiscrepancyId,
    resolution: Resolution,
    note: &str,
    now: Timestamp,
) -> Result<bool> {
    let changed = diesel::update(d::table.find(id).filter(d::resolution.is_null()))
        .set((d::resolution.eq(resolution), d::note.eq(note), d::resolved_at.eq(now)))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Differences that a person decided to leave alone.
pub(super) fn ignored(conn: &mut Conn, bot: BotId) -> Result<HashSet<Key>> {
    let rows: Vec<(i32, AssetId)> = d::table
        .filter(d::bot_id.eq(bot))
        .filter(d::resolution.eq(Resolution::Ignore))
        .select((d::app_id, d::asset_id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

pub(super) fn list_discrepancies(
    conn: &mut Conn,
    org: Option<OrgId>,
    open_only: bool,
    page: &Page,
) -> Result<Vec<Discrepancy>> {
    let mut query = d::table.into_boxed();
    if let Some(org) = org {
        query = query.filter(d::org_id.eq(org));
    }
    if open_only {
        query = query.filter(d::resolution.is_null());
    }
    if let Some(after) = &page.after {
        let (at, id) = (after.time()?, DiscrepancyId(after.id));
        query = query.filter(d::created_at.lt(at).or(d::created_at.eq(at).and(d::id.lt(id))));
    }
    Ok(query.order((d::created_at.desc(), d::id.desc())).limit(page.size + 1).load(conn)?)
}
