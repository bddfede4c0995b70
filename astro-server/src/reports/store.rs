//! SQL on `report_days`, `report_hours` and `report_place`.
use super::schema::{report_days as d, report_hours as h, report_place as p};
use super::tally::Place;
use super::{Counts, Dimension, Span};
use crate::db::{Engine, MultiBackend, Prepare, each, within};
use crate::kernel::{OrgId, Reach, Result};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::upsert::excluded;

#[derive(Insertable)]
#[diesel(table_name = d)]
struct Row<'a> {
    org_id: OrgId,
    dimension: Dimension,
    key: &'a str,
    day: i32,
    #[diesel(embed)]
    counts: Counts,
}

/// The sums of all counts, in the order of [`Counts`]. A sum of 64 bits is a longer number on
/// PostgreSQL, which nobody's counts need.
macro_rules! sums {
    () => {
        (
            sql::<BigInt>("CAST(SUM(created) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(delivered) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(settled) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(reversed) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(failed) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(cancelled) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(expired) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(delivery_seconds) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(items_given) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(items_reversed) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(given_cents) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(donations) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(donations_declined) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(items_received) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(items_adopted) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(received_cents) AS BIGINT)"),
        )
    };
}

/// Up to where the log is counted.
pub(super) fn place(conn: &mut Engine) -> Result<i64> {
    Ok(p::table.find(1).select(p::position).first(conn)?)
}

/// The log is counted from `from` on up to `upto`; false if somebody else has counted there.
pub(super) fn advance(conn: &mut Engine, from: i64, upto: i64) -> Result<bool> {
    let moved = diesel::update(p::table.find(1).filter(p::position.eq(from)))
        .set(p::position.eq(upto))
        .prepared()
        .execute(conn)?;
    Ok(moved == 1)
}

/// Adds counts to a place.
pub(super) fn add(conn: &mut Engine, place: &Place, counts: Counts) -> Result<()> {
    let (org_id, dimension, key, day) = place;
    let row = Row { org_id: *org_id, dimension: *dimension, key, day: *day, counts };
    each!(
        conn,
        diesel::insert_into(d::table)
            .values(&row)
            .on_conflict((d::org_id, d::dimension, d::day, d::key))
            .do_update()
            .set((
                d::created.eq(d::created + excluded(d::created)),
                d::delivered.eq(d::delivered + excluded(d::delivered)),
                d::settled.eq(d::settled + excluded(d::settled)),
                d::reversed.eq(d::reversed + excluded(d::reversed)),
                d::failed.eq(d::failed + excluded(d::failed)),
                d::cancelled.eq(d::cancelled + excluded(d::cancelled)),
                d::expired.eq(d::expired + excluded(d::expired)),
                d::delivery_seconds.eq(d::delivery_seconds + excluded(d::delivery_seconds)),
                d::items_given.eq(d::items_given + excluded(d::items_given)),
                d::items_reversed.eq(d::items_reversed + excluded(d::items_reversed)),
                d::given_cents.eq(d::given_cents + excluded(d::given_cents)),
                d::donations.eq(d::donations + excluded(d::donations)),
                d::donations_declined.eq(d::donations_declined + excluded(d::donations_declined)),
                d::items_received.eq(d::items_received + excluded(d::items_received)),
                d::items_adopted.eq(d::items_adopted + excluded(d::items_adopted)),
                d::received_cents.eq(d::received_cents + excluded(d::received_cents)),
            ))
            .prepared()
            .execute(conn)
    )?;
    Ok(())
}

/// Adds events to an hour.
pub(super) fn add_hour(conn: &mut Engine, org: OrgId, hour: i32, events: i64) -> Result<()> {
    each!(
        conn,
        diesel::insert_into(h::table)
            .values((h::org_id.eq(org), h::hour.eq(hour), h::events.eq(events)))
            .on_conflict((h::org_id, h::hour))
            .do_update()
            .set(h::events.eq(h::events + excluded(h::events)))
            .prepared()
            .execute(conn)
    )?;
    Ok(())
}

/// Events of the hours from `first` on, of which some can have more than one row.
pub(super) fn hours(conn: &mut Engine, reach: Reach, first: i32) -> Result<Vec<(i32, i64)>> {
    let hours = h::table.select((h::hour, h::events)).into_boxed::<MultiBackend>();
    Ok(within!(hours, h::org_id, reach).filter(h::hour.ge(first)).load(conn)?)
}

/// Counts by key, those with most items first, from place `skip` on.
pub(super) fn most(
    conn: &mut Engine,
    reach: Reach,
    dimension: Dimension,
    span: &Span,
    (limit, skip): (i64, i64),
) -> Result<Vec<(String, Counts)>> {
    // Written so, no index has an order that would save a sort: planners would walk all days of one,
    // and not only those that are asked for.
    let key = || sql::<Text>("report_days.key || ''");
    let rows = d::table.group_by(key()).select((key(), sums!())).into_boxed::<MultiBackend>();
    let rows = within!(rows, d::org_id, reach)
        .filter(d::dimension.eq(dimension))
        .filter(d::day.between(*span.start(), *span.end()));
    let items = sql::<BigInt>("SUM(items_given + items_received + items_adopted)").desc();
    Ok(rows.order((items, key().asc())).limit(limit).offset(skip).load(conn)?)
}

/// Counts by key, in its order, after the key `after`.
pub(super) fn by_key(
    conn: &mut Engine,
    reach: Reach,
    dimension: Dimension,
    span: &Span,
    (limit, after): (i64, &str),
) -> Result<Vec<(String, Counts)>> {
    let rows = d::table.group_by(d::key).select((d::key, sums!())).into_boxed::<MultiBackend>();
    let rows = within!(rows, d::org_id, reach)
        .filter(d::dimension.eq(dimension))
        .filter(d::key.gt(after.to_owned()))
        .filter(d::day.between(*span.start(), *span.end()));
    Ok(rows.order(d::key.asc()).limit(limit).load(conn)?)
}

/// Counts of one key by day.
pub(super) fn by_day(
    conn: &mut Engine,
    reach: Reach,
    (dimension, key): (Dimension, &str),
    span: &Span,
) -> Result<Vec<(i32, Counts)>> {
    let rows = d::table.group_by(d::day).select((d::day, sums!())).into_boxed::<MultiBackend>();
    let rows = within!(rows, d::org_id, reach)
        .filter(d::dimension.eq(dimension))
        .filter(d::key.eq(key.to_owned()))
        .filter(d::day.between(*span.start(), *span.end()));
    Ok(rows.order(d::day.asc()).load(conn)?)
}

/// Counts of everything, of all days.
pub(super) fn totals(conn: &mut Engine, reach: Reach) -> Result<Counts> {
    let rows = d::table.group_by(d::dimension).select(sums!()).into_boxed::<MultiBackend>();
    let rows = within!(rows, d::org_id, reach)
        .filter(d::dimension.eq(Dimension::All))
        .filter(d::key.eq(""));
    Ok(rows.first(conn).optional()?.unwrap_or_default())
}
