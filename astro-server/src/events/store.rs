//! SQL on `system_events`.
use super::{Event, Filter, Position, Severity, TypePattern};
use crate::db::schema::system_events as t;
use crate::db::{Conn, Document};
use crate::kernel::{AssignmentId, BotId, EventId, ItemId, OrgId, Result, SteamId, Timestamp};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

#[derive(Insertable)]
#[diesel(table_name = t)]
pub(super) struct NewRow {
    pub(super) id: EventId,
    pub(super) org_id: Option<OrgId>,
    pub(super) event_type: &'static str,
    pub(super) event_category: String,
    pub(super) event_description: String,
    pub(super) user_id: Option<SteamId>,
    pub(super) item_id: Option<ItemId>,
    pub(super) assignment_id: Option<AssignmentId>,
    pub(super) bot_id: Option<BotId>,
    pub(super) external_system: Option<String>,
    pub(super) event_data: Document,
    pub(super) severity: Severity,
    pub(super) source: String,
    pub(super) created_at: Timestamp,
}

pub(super) fn insert(conn: &mut Conn, row: &NewRow) -> Result<()> {
    diesel::insert_into(t::table).values(row).execute(conn)?;
    Ok(())
}

/// Events after `after` that `filter` takes, in order, at most `limit`. On PostgreSQL only those
/// below the oldest transaction still running: nothing can appear among them any more.
pub(crate) fn page(
    conn: &mut Conn,
    filter: &Filter,
    after: Position,
    limit: i64,
) -> Result<Vec<Event>> {
    let mut query = t::table.select(t::all_columns).into_boxed();
    query = query.filter(t::tx.gt(after.tx).or(t::tx.eq(after.tx).and(t::seq.gt(after.seq))));
    if let Some(org) = filter.org {
        query = query.filter(t::org_id.eq(org));
    }
    if let Some(assignment) = filter.assignment {
        query = query.filter(t::assignment_id.eq(assignment));
    }
    if let Some(bot) = filter.bot {
        query = query.filter(t::bot_id.eq(bot));
    }
    if let Some((first, rest)) = filter.types.split_first() {
        let mut any: Box<dyn BoxableExpression<t::table, crate::db::MultiBackend, SqlType = Bool>> =
            matches(first);
        for pattern in rest {
            any = Box::new(any.or(matches(pattern)));
        }
        query = query.filter(any);
    }
    if matches!(conn, Conn::Postgres(_)) {
        query =
            query.filter(sql::<Bool>("tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"));
    }
    Ok(query.order((t::tx, t::seq)).limit(limit).load(conn)?)
}

fn matches(
    pattern: &TypePattern,
) -> Box<dyn BoxableExpression<t::table, crate::db::MultiBackend, SqlType = Bool>> {
    match pattern {
        TypePattern::Exact(name) => Box::new(t::event_type.eq(name.clone())),
        // Names hold no `%`; an underscore matches itself too, and `takes` decides in the feed.
        TypePattern::Family(family) => Box::new(t::event_type.like(format!("{family}%"))),
    }
}

/// The place after which new events will come.
pub(crate) fn end(conn: &mut Conn) -> Result<Position> {
    let mut query = t::table.select((t::tx, t::seq)).into_boxed();
    if matches!(conn, Conn::Postgres(_)) {
        query =
            query.filter(sql::<Bool>("tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"));
    }
    let last: Option<(i64, i64)> =
        query.order((t::tx.desc(), t::seq.desc())).first(conn).optional()?;
    Ok(last.map_or(Position::START, |(tx, seq)| Position { tx, seq }))
}

/// An item's events, newest first, before `before`.
pub(crate) fn of_item(
    conn: &mut Conn,
    item: ItemId,
    before: Option<Position>,
    limit: i64,
) -> Result<Vec<Event>> {
    let mut query = t::table.select(t::all_columns).filter(t::item_id.eq(item)).into_boxed();
    if let Some(before) = before {
        query =
            query.filter(t::tx.lt(before.tx).or(t::tx.eq(before.tx).and(t::seq.lt(before.seq))));
    }
    Ok(query.order((t::tx.desc(), t::seq.desc())).limit(limit).load(conn)?)
}
