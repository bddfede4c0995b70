//! SQL on `system_events` and on `event_log`, `event_chain` and `event_queue`, which order them.
use super::chain::{Chain, Head};
use super::schema::{event_chain, event_log as l, event_queue as q, system_events as t};
use super::{Event, EventId, Filter, Position, Range, Severity, TypePattern};
use crate::db::types::sql as types;
use crate::db::{Document, Engine, Guid, MultiBackend, Prepare, each, within};
use crate::events::limits::LOG_PIECE;
use crate::kernel::{AssignmentId, BotId, ItemId, OrgId, Reach, Result, SteamId, Timestamp};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

#[derive(Insertable)]
#[diesel(table_name = t, treat_none_as_default_value = false)]
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
    pub(super) personal_salt: Guid,
    pub(super) personal_data: Option<Document>,
}

pub(super) fn insert(conn: &mut Engine, row: &NewRow) -> Result<()> {
    each!(conn, diesel::insert_into(t::table).values(row).execute(conn))?;
    Ok(())
}

/// The columns of an [`Event`], in its order.
macro_rules! columns {
    () => {
        (
            (l::position, l::hash),
            t::id,
            t::org_id,
            t::event_type,
            t::event_category,
            t::event_description,
            t::user_id,
            t::item_id,
            t::assignment_id,
            t::bot_id,
            t::external_system,
            t::event_data,
            t::severity,
            t::source,
            t::created_at,
            t::personal_data,
        )
    };
}

/// What was found in a piece of the log.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The events that the filter takes.
    pub(crate) events: Vec<Event>,
    /// Up to where it was looked through; none: to the end, or with [`Range::Before`] to the start.
    pub(crate) upto: Option<Position>,
}

/// Looks for at most `limit` events of `range` that `filter` takes, in so much of the log that
/// nobody waits long for the statement to end. For [`page`]'s order and whole result, go on.
pub(crate) fn piece(conn: &mut Engine, filter: &Filter, range: Range, limit: i64) -> Result<Piece> {
    let bound = if filter.is_walked() { bound(conn, filter.reach, range)? } else { None };
    let events = page_within(conn, filter, range, bound.map(|bound| bound.number), limit)?;
    let full = i64::try_from(events.len()).is_ok_and(|n| n >= limit);
    let last = events.last().map(|event| event.position);
    Ok(Piece { events, upto: last.filter(|_| full).or(bound) })
}

/// The last place of the piece that `range` begins with, of the organisation's part of the log if
/// there is one; none if the rest is no longer than a piece.
fn bound(conn: &mut Engine, reach: Reach, range: Range) -> Result<Option<Position>> {
    let number = match (reach, range) {
        // Positions have no gaps.
        (Reach::Commons, _) => None,
        (Reach::Platform, Range::After(after)) => Some(after.saturating_add(LOG_PIECE)),
        (Reach::Platform, Range::Before(before)) => {
            Some(before.min(end(conn)?.number.saturating_add(1)) - LOG_PIECE)
        }
        (Reach::Organization(org), range) => {
            let own = l::table.filter(l::org_id.eq(org)).select(l::position).into_boxed();
            let own = match range {
                Range::After(after) => own.filter(l::position.gt(after)).order(l::position.asc()),
                Range::Before(before) => {
                    own.filter(l::position.lt(before)).order(l::position.desc())
                }
            };
            own.offset(LOG_PIECE - 1).first(conn).optional()?
        }
    };
    number.map_or(Ok(None), |number| position(conn, number))
}

/// Events of `range` that `filter` takes, at most `limit`: oldest first after a position, newest
/// first before one.
pub(crate) fn page(
    conn: &mut Engine,
    filter: &Filter,
    range: Range,
    limit: i64,
) -> Result<Vec<Event>> {
    page_within(conn, filter, range, None, limit)
}

/// The same up to the position `bound`.
fn page_within(
    conn: &mut Engine,
    filter: &Filter,
    range: Range,
    bound: Option<i64>,
    limit: i64,
) -> Result<Vec<Event>> {
    let mut query =
        l::table.inner_join(t::table.on(t::seq.eq(l::seq))).select(columns!()).into_boxed();
    // A thing's few events are found by its index and sorted. What stands in the log's own indexes
    // is kept from planners then, who would walk the whole log, or the organisation's, for them.
    let of_a_thing = filter.names_a_thing();
    query = match of_a_thing {
        true => within!(query, t::org_id, filter.reach),
        false => within!(query, l::org_id, filter.reach),
    };
    if let Some(item) = filter.item {
        query = query.filter(t::item_id.eq(item));
    }
    if let Some(assignment) = filter.assignment {
        query = query.filter(t::assignment_id.eq(assignment));
    }
    if let Some(user) = filter.user {
        query = query.filter(t::user_id.eq(user));
    }
    if let Some(bot) = filter.bot {
        query = query.filter(t::bot_id.eq(bot));
    }
    if let Some(source) = &filter.source {
        query = query.filter(t::source.eq(source.clone()));
    }
    if !filter.severities.is_empty() {
        query = query.filter(t::severity.eq_any(filter.severities.clone()));
    }
    if let Some(from) = filter.from {
        query = query.filter(t::created_at.ge(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(t::created_at.lt(until));
    }
    if let Some((first, rest)) = filter.types.split_first() {
        let mut any = matches(first);
        for pattern in rest {
            any = Box::new(any.or(matches(pattern)));
        }
        query = query.filter(any);
    }
    query = match (range, bound) {
        (_, None) => query,
        (Range::After(_), Some(bound)) => query.filter(l::position.le(bound)),
        (Range::Before(_), Some(bound)) => query.filter(l::position.ge(bound)),
    };
    let place = l::position + 0_i64;
    query = match (of_a_thing, range) {
        (false, Range::After(after)) => {
            query.filter(l::position.gt(after)).order(l::position.asc())
        }
        (false, Range::Before(before)) => {
            query.filter(l::position.lt(before)).order(l::position.desc())
        }
        (true, Range::After(after)) => query.filter(place.gt(after)).order(place.asc()),
        (true, Range::Before(before)) => query.filter(place.lt(before)).order(place.desc()),
    };
    Ok(query.limit(limit).load(conn)?)
}

/// The log with its events.
type Placed =
    diesel::dsl::InnerJoinQuerySource<l::table, t::table, diesel::dsl::Eq<t::seq, l::seq>>;

fn matches(
    pattern: &TypePattern,
) -> Box<dyn BoxableExpression<Placed, MultiBackend, SqlType = Bool>> {
    match pattern {
        TypePattern::Exact(name) => Box::new(t::event_type.eq(name.name())),
        // Names hold no `%`; an underscore matches itself too, and `takes` decides in the feed.
        TypePattern::Family(family) => Box::new(t::event_type.like(format!("{family}%"))),
    }
}

/// The last position of the log.
pub(crate) fn end(conn: &mut Engine) -> Result<Position> {
    let last = last(conn)?;
    Ok(last.map_or(Position::START, |(number, hash)| Position::new(number, &hash)))
}

/// The last entry of the log.
fn last(conn: &mut Engine) -> Result<Option<(i64, Vec<u8>)>> {
    let last = l::table.select((l::position, l::hash)).order(l::position.desc());
    Ok(each!(conn, last.first(conn).optional())?)
}

/// The position with this number, if the log has it.
pub(super) fn position(conn: &mut Engine, number: i64) -> Result<Option<Position>> {
    let hash: Option<Vec<u8>> = l::table.find(number).select(l::hash).first(conn).optional()?;
    Ok(hash.map(|hash| Position::new(number, &hash)))
}

/// The position up to which a reader of the version before has read: it counted by transaction and
/// place in it.
pub(super) fn position_of_old(conn: &mut Engine, tx: i64, seq: i64) -> Result<Position> {
    let next: Option<i64> = t::table
        .inner_join(l::table.on(l::seq.eq(t::seq)))
        .filter(t::tx.gt(tx).or(t::tx.eq(tx).and(t::seq.gt(seq))))
        .select(l::position)
        .order(l::position.asc())
        .first(conn)
        .optional()?;
    match next {
        None => end(conn),
        Some(next) => Ok(position(conn, next - 1)?.unwrap_or(Position::START)),
    }
}

/// The log's id, which its tokens carry.
pub(crate) fn log_id(conn: &mut Engine) -> Result<Uuid> {
    let id: Guid = each!(conn, event_chain::table.select(event_chain::log_id).first(conn))?;
    Ok(id.0)
}

/// The chain as it ends now, with the ends of these organisations.
pub(super) fn chain(conn: &mut Engine, orgs: impl Iterator<Item = OrgId>) -> Result<Chain> {
    let log = log_id(conn)?;
    let last = last(conn)?;
    let head = last.map_or_else(|| Head::of_log(log), |(position, hash)| Head { position, hash });
    let mut heads = HashMap::new();
    for org in orgs.collect::<HashSet<_>>() {
        let last = l::table
            .filter(l::org_id.eq(org))
            .select((l::org_position, l::org_hash))
            .order(l::position.desc());
        let last: Option<(Option<i64>, Option<Vec<u8>>)> =
            each!(conn, last.first(conn).optional())?;
        if let Some((Some(position), Some(hash))) = last {
            heads.insert(org, Head { position, hash });
        }
    }
    Ok(Chain { log, head, orgs: heads })
}

/// What is hashed of an event: its row, read back.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct Content {
    pub(super) seq: i64,
    pub(super) id: EventId,
    pub(super) org_id: Option<OrgId>,
    pub(super) event_type: String,
    pub(super) event_category: String,
    pub(super) event_description: String,
    pub(super) user_id: Option<SteamId>,
    pub(super) item_id: Option<ItemId>,
    pub(super) assignment_id: Option<AssignmentId>,
    pub(super) bot_id: Option<BotId>,
    pub(super) external_system: Option<String>,
    pub(super) event_data: Document,
    pub(super) severity: String,
    pub(super) source: String,
    pub(super) created_at: Timestamp,
    pub(super) personal_salt: Option<Guid>,
    pub(super) personal_data: Option<Document>,
}

/// An event's row of the log.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, Queryable)]
#[diesel(table_name = l, treat_none_as_default_value = false)]
pub(crate) struct Link {
    pub(super) position: i64,
    pub(super) seq: i64,
    pub(super) org_id: Option<OrgId>,
    pub(super) org_position: Option<i64>,
    pub(super) personal: Option<Vec<u8>>,
    pub(super) leaf: Vec<u8>,
    pub(super) hash: Vec<u8>,
    pub(super) org_hash: Option<Vec<u8>>,
}

/// The columns of a [`Content`], in its order.
macro_rules! content {
    () => {
        (
            t::seq,
            t::id,
            t::org_id,
            t::event_type,
            t::event_category,
            t::event_description,
            t::user_id,
            t::item_id,
            t::assignment_id,
            t::bot_id,
            t::external_system,
            t::event_data,
            t::severity,
            t::source,
            t::created_at,
            t::personal_salt,
            t::personal_data,
        )
    };
}

/// SQLite: events that have no position yet, in order. Its one writer adds them in that order.
pub(super) fn unsealed(conn: &mut Engine, limit: i64) -> Result<Vec<Content>> {
    let last = l::table.select(diesel::dsl::max(l::seq));
    let last: Option<i64> = each!(conn, last.first(conn))?;
    let rows = t::table.filter(t::seq.gt(last.unwrap_or(0))).select(content!());
    Ok(each!(conn, rows.order(t::seq).limit(limit).load(conn))?)
}

/// The events of these rows.
pub(super) fn contents(conn: &mut Engine, seqs: Vec<i64>) -> Result<Vec<Content>> {
    Ok(t::table.filter(t::seq.eq_any(seqs)).select(content!()).load(conn)?)
}

/// A stretch of the log with what its events are now, for who checks it.
#[allow(clippy::type_complexity)] // one row of a left join
pub(super) fn links(
    conn: &mut Engine,
    after: i64,
    limit: i64,
) -> Result<Vec<(Link, Option<Content>)>> {
    Ok(l::table
        .left_join(t::table.on(t::seq.eq(l::seq)))
        .filter(l::position.gt(after))
        .order(l::position)
        .limit(limit)
        .select((l::all_columns, content!().nullable()))
        .load(conn)?)
}

/// Organisation and time of each event of a stretch of the log that has one.
pub(super) fn moments(conn: &mut Engine, after: i64, upto: i64) -> Result<Vec<(OrgId, Timestamp)>> {
    Ok(l::table
        .inner_join(t::table.on(t::seq.eq(l::seq)))
        .filter(l::position.gt(after))
        .filter(l::position.le(upto))
        .filter(l::org_id.is_not_null())
        .select((l::org_id.assume_not_null(), t::created_at))
        .load(conn)?)
}

/// How many events have neither a position nor a place in the queue.
pub(super) fn astray(conn: &mut Engine) -> Result<i64> {
    let placed = diesel::dsl::exists(l::table.filter(l::seq.eq(t::seq)));
    let lost = t::table.filter(diesel::dsl::not(placed));
    Ok(match conn {
        Engine::Postgres(conn) => {
            let queued = diesel::dsl::exists(q::table.filter(q::seq.eq(t::seq)));
            lost.filter(diesel::dsl::not(queued)).count().get_result(conn)?
        }
        Engine::Sqlite(conn) => lost.count().get_result(conn)?,
    })
}

/// Adds rows to the log.
pub(super) fn insert_links(conn: &mut Engine, links: &[Link]) -> Result<()> {
    match conn {
        Engine::Sqlite(conn) => {
            for link in links {
                diesel::insert_into(l::table).values(link).execute(conn)?;
            }
        }
        Engine::Postgres(conn) => {
            diesel::sql_query(
                "INSERT INTO event_log (position, seq, org_id, org_position, personal, leaf, hash, \
                 org_hash) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind::<Array<BigInt>, _>(each(links, |link| link.position))
            .bind::<Array<BigInt>, _>(each(links, |link| link.seq))
            .bind::<Array<Nullable<types::OrgId>>, _>(each(links, |link| link.org_id))
            .bind::<Array<Nullable<BigInt>>, _>(each(links, |link| link.org_position))
            .bind::<Array<Nullable<Binary>>, _>(each(links, |link| link.personal.clone()))
            .bind::<Array<Binary>, _>(each(links, |link| link.leaf.clone()))
            .bind::<Array<Binary>, _>(each(links, |link| link.hash.clone()))
            .bind::<Array<Nullable<Binary>>, _>(each(links, |link| link.org_hash.clone()))
            .prepared()
            .execute(conn)?;
        }
    }
    Ok(())
}

fn each<T>(links: &[Link], get: impl Fn(&Link) -> T) -> Vec<T> {
    links.iter().map(get).collect()
}

/// An entry of PostgreSQL's queue.
#[derive(Debug, Clone, Copy, Queryable)]
pub(super) struct Entry {
    pub(super) ticket: i64,
    pub(super) seq: i64,
    /// It has a position: the queue was filled by hand, or by a restore.
    pub(super) sealed: bool,
}

/// The sealer's statements, on PostgreSQL only.
pub(super) mod queue {
    use super::*;
    use crate::kernel::Error;
    use diesel::connection::SimpleConnection as _;

    fn postgres(conn: &mut Engine) -> Result<&mut PgConnection> {
        match conn {
            Engine::Postgres(conn) => Ok(conn),
            Engine::Sqlite(_) => Err(Error::Internal("SQLite has no queue of events".to_owned())),
        }
    }

    /// Whether anything is queued above the ticket `floor`. By the order it is a look at the index,
    /// not a walk over what was deleted.
    pub(in super::super) fn any(conn: &mut Engine, floor: i64) -> Result<bool> {
        let first = q::table.filter(q::ticket.gt(floor)).select(q::ticket).order(q::ticket);
        Ok(first.first::<i64>(postgres(conn)?).optional()?.is_some())
    }

    /// The last ticket that was drawn. Its sequence belongs to the identity column.
    pub(in super::super) fn last_drawn(conn: &mut Engine) -> Result<i64> {
        Ok(diesel::select(sql::<BigInt>(
            "(SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END
              FROM event_queue_ticket_seq)",
        ))
        .prepared()
        .get_result(postgres(conn)?)?)
    }

    /// The first transaction that has not begun.
    pub(in super::super) fn next_transaction(conn: &mut Engine) -> Result<i64> {
        Ok(diesel::select(sql::<BigInt>("pg_snapshot_xmax(pg_current_snapshot())::text::bigint"))
            .prepared()
            .get_result(postgres(conn)?)?)
    }

    /// The oldest transaction that has not ended.
    pub(in super::super) fn oldest_transaction(conn: &mut Engine) -> Result<i64> {
        Ok(diesel::select(sql::<BigInt>("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
            .prepared()
            .get_result(postgres(conn)?)?)
    }

    /// Takes the chain's row. Whether this server has it: another one that seals is not waited for,
    /// unless `wait`.
    pub(in super::super) fn lock(conn: &mut Engine, wait: bool) -> Result<bool> {
        // What is told must survive a crash, and who hangs must not keep the row.
        postgres(conn)?.batch_execute(
            "SET LOCAL synchronous_commit = on; SET LOCAL idle_in_transaction_session_timeout = '5s';
             SET LOCAL lock_timeout = '1s'",
        )?;
        let row = event_chain::table.select(event_chain::one);
        let found: Option<i32> = if wait {
            row.for_no_key_update().first(postgres(conn)?).optional()?
        } else {
            row.for_no_key_update().skip_locked().first(postgres(conn)?).optional()?
        };
        Ok(found.is_some())
    }

    /// The lowest entries above `floor`.
    pub(in super::super) fn entries(
        conn: &mut Engine,
        floor: i64,
        limit: i64,
    ) -> Result<Vec<Entry>> {
        Ok(q::table
            .left_join(l::table.on(l::seq.eq(q::seq)))
            .filter(q::ticket.gt(floor))
            .select((q::ticket, q::seq, l::position.nullable().is_not_null()))
            .order(q::ticket)
            .limit(limit)
            .load(postgres(conn)?)?)
    }

    /// Takes entries out of the queue.
    pub(in super::super) fn remove(conn: &mut Engine, tickets: Vec<i64>) -> Result<()> {
        diesel::delete(q::table.filter(q::ticket.eq_any(tickets))).execute(postgres(conn)?)?;
        Ok(())
    }
}
