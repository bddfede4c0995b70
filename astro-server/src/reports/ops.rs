//! Counting the log, and telling what was counted.
use super::limits::{EVENTS_PIECE, HOURS};
use super::tally::{COUNTED, Facts, Place, Promise, Thing, tally};
use super::{Counts, Dimension, Span, Step, store};
use crate::db::Conn;
use crate::kernel::{OrgId, Reach, Result, Timestamp};
use crate::{assignments, events, items};
use std::collections::{BTreeMap, BTreeSet};

/// A piece of the log, counted.
#[derive(Debug)]
pub struct Piece {
    from: i64,
    upto: i64,
    days: BTreeMap<Place, Counts>,
    hours: BTreeMap<(OrgId, i32), i64>,
}

/// Counts the piece of the log that comes next; none when all of it is counted. Changes nothing.
///
/// # Errors
/// Those of the database.
pub fn next(conn: &mut Conn) -> Result<Option<Piece>> {
    let from = store::place(conn)?;
    let counted = COUNTED.map(|(name, _)| name);
    let (events, upto) = events::next(conn, &counted, from, EVENTS_PIECE)?;
    if upto <= from {
        return Ok(None);
    }
    let days = tally(&events, &facts(conn, &events)?);
    let mut hours = BTreeMap::new();
    for (org, at) in events::moments(conn, from, upto)? {
        *hours.entry((org, hour_of(at))).or_default() += 1;
    }
    Ok(Some(Piece { from, upto, days, hours }))
}

/// Keeps what was counted, once.
///
/// # Errors
/// Those of the database.
pub fn keep(conn: &mut Conn, piece: &Piece) -> Result<()> {
    // Another server has, which took this job over.
    if !store::advance(conn, piece.from, piece.upto)? {
        return Ok(());
    }
    for (place, counts) in &piece.days {
        store::add(conn, place, *counts)?;
    }
    for ((org, hour), events) in &piece.hours {
        store::add_hour(conn, *org, *hour, *events)?;
    }
    Ok(())
}

/// What the events are about, as it is now.
fn facts(conn: &mut Conn, events: &[events::Event]) -> Result<Facts> {
    let promises: BTreeSet<_> = events.iter().filter_map(|event| event.assignment_id).collect();
    let things: BTreeSet<_> = events.iter().filter_map(|event| event.item_id).collect();
    let mut facts = Facts::default();
    for row in assignments::census::many(conn, promises)? {
        let promise = Promise {
            method: row.assignment_type,
            system: row.external_system,
            user: row.user_id,
            bot: row.bot_id,
            assigned_at: row.assigned_at,
        };
        facts.promises.insert(row.id, promise);
    }
    for row in items::census::many(conn, things)? {
        let dollars = row.market_currency.as_deref() == Some("USD");
        let cents = row.market_value.filter(|_| dollars).unwrap_or(0);
        let (app, bot, donor) = (row.steam_app_id, row.bot_id, row.received_from_user_id);
        facts.things.insert(row.id, Thing { app, bot, donor, cents });
    }
    Ok(facts)
}

/// Events of the last hours, oldest first, the hour under way at the end.
///
/// # Errors
/// Those of the database.
pub fn hours(conn: &mut Conn, reach: Reach, now: Timestamp) -> Result<Vec<(Timestamp, i64)>> {
    let last = hour_of(now);
    let first = last - HOURS + 1;
    let mut found: BTreeMap<i32, i64> = (first..=last).map(|hour| (hour, 0)).collect();
    for (hour, events) in store::hours(conn, reach, first)? {
        found.entry(hour).and_modify(|sum| *sum += events);
    }
    let begin = |hour| Timestamp::from_micros("hour", i64::from(hour) * HOUR_MICROS);
    found.into_iter().map(|(hour, events)| Ok((begin(hour)?, events))).collect()
}

/// Counts of everything, of all days.
///
/// # Errors
/// Those of the database.
pub fn totals(conn: &mut Conn, reach: Reach) -> Result<Counts> {
    store::totals(conn, reach)
}

/// Counts of one thing, or of everything, by time: each step of the span, with its first day.
///
/// # Errors
/// Those of the database.
pub fn by_time(
    conn: &mut Conn,
    reach: Reach,
    step: Step,
    of: (Dimension, &str),
    span: &Span,
) -> Result<Vec<(i32, Counts)>> {
    let mut rows = BTreeMap::new();
    let mut begin = step.begin(*span.start());
    while begin <= *span.end() {
        rows.insert(begin, Counts::default());
        begin = step.next(begin);
    }
    for (day, counts) in store::by_day(conn, reach, of, span)? {
        *rows.entry(step.begin(day)).or_default() += counts;
    }
    Ok(rows.into_iter().collect())
}

/// Counts of each key, those with most items first, from place `skip` on; at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn most(
    conn: &mut Conn,
    reach: Reach,
    dimension: Dimension,
    span: &Span,
    (limit, skip): (i64, i64),
) -> Result<Vec<(String, Counts)>> {
    store::most(conn, reach, dimension, span, (limit, skip))
}

/// Counts of each key after `after`, in the order of keys; at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn by_key(
    conn: &mut Conn,
    reach: Reach,
    dimension: Dimension,
    span: &Span,
    (limit, after): (i64, &str),
) -> Result<Vec<(String, Counts)>> {
    store::by_key(conn, reach, dimension, span, (limit, after))
}

const HOUR_MICROS: i64 = 3_600_000_000;

/// The hour of a moment, from 1970 on.
fn hour_of(at: Timestamp) -> i32 {
    i32::try_from(at.micros().div_euclid(HOUR_MICROS)).unwrap_or(0)
}
