//! The wire of reports.
use super::limits::{KEY_CHARS_MAX, SPAN_DAYS_MAX};
use super::overview::{Kept, Overview};
use super::{Counts, Dimension, Span, Step, begin_of, date, day_of, ops};
use crate::auth::Gate;
use crate::auth::gate::Context;
use crate::db::Conn;
use crate::edge::unary;
use crate::kernel::page::Cursor;
use crate::kernel::{Error, Page, Reach, Result, SteamId, limits};
use crate::wire;
use crate::{assignments, bots, items, orgs, users};
use astro_sdk::v1::report_service_server::ReportService;
use astro_sdk::v1::{
    self, GetOverviewRequest, GetOverviewResponse, ListReportRowsRequest, ListReportRowsResponse,
    ReportDimension, ReportRow,
};
use std::collections::HashMap;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// Serves reports.
#[derive(Debug, Clone)]
pub struct Reports {
    gate: Gate,
    kept: Kept,
}

impl Reports {
    /// Serves what `gate` lets in.
    pub fn new(gate: Gate) -> Self {
        Self { gate, kept: Kept::default() }
    }
}

#[tonic::async_trait]
impl ReportService for Reports {
    async fn get_overview(
        &self,
        request: Request<GetOverviewRequest>,
    ) -> Result<Response<GetOverviewResponse>, Status> {
        let kept = self.kept.clone();
        let get = move |conn: &mut Conn, context: &Context, request: GetOverviewRequest| {
            let reach = orgs::ops::narrowed(conn, &context.caller, &request.org_id)?;
            Ok(encode_overview(&*kept.get(conn, reach, context.now)?))
        };
        unary(request, |call| self.gate.read(call, get)).await
    }

    async fn list_report_rows(
        &self,
        request: Request<ListReportRowsRequest>,
    ) -> Result<Response<ListReportRowsResponse>, Status> {
        unary(request, |call| self.gate.read(call, list)).await
    }
}

fn encode_overview(overview: &Overview) -> GetOverviewResponse {
    let items = overview.items.iter().map(|&(bot, app_id, state, count)| v1::ItemCount {
        bot_id: bot.to_string(),
        app_id,
        state: items::wire::encode_state(state).into(),
        count,
    });
    let open = overview.open.iter().map(|open| v1::AssignmentCount {
        state: assignments::wire::encode_state(open.state).into(),
        blocked_reason: assignments::wire::encode_reason(open.blocked_reason).into(),
        count: open.count,
        oldest_create_time: Some(wire::timestamp(open.oldest)),
    });
    let over = overview.over.iter().filter(|(_, count)| *count > 0);
    let over = over.map(|&(state, count)| v1::AssignmentCount {
        state: assignments::wire::encode_state(state).into(),
        count,
        ..v1::AssignmentCount::default()
    });
    let accuracies = overview.accuracies.iter().map(|&(bot, ppm, at)| v1::BotAccuracy {
        bot_id: bot.to_string(),
        accuracy_percent: f64::from(ppm) / 10_000.0,
        complete_time: wire::optional_timestamp(at),
    });
    let hours = overview
        .hours
        .iter()
        .map(|&(at, count)| v1::HourCount { start_time: Some(wire::timestamp(at)), count });
    GetOverviewResponse {
        count_time: Some(wire::timestamp(overview.at)),
        items: items.collect(),
        assignments: open.chain(over).collect(),
        open_discrepancies: overview.discrepancies,
        accuracies: accuracies.collect(),
        events: hours.collect(),
    }
}

/// What rows stand for.
#[derive(Debug, Clone, Copy)]
enum By {
    Time(Step),
    Key(Dimension),
}

fn list(
    conn: &mut Conn,
    context: &Context,
    q: ListReportRowsRequest,
) -> Result<ListReportRowsResponse> {
    let by = parse_dimension("dimension", q.dimension)?;
    let by = by.ok_or_else(|| Error::invalid("dimension", "is required"))?;
    let of = parse_of(by, &q)?;
    let by_key = parse_order(by, &q.order_by)?;
    let span = parse_span(by, context, &q)?;
    let reach = orgs::ops::narrowed(conn, &context.caller, &q.org_id)?;
    let list = format!("{by:?} {of:?} {by_key} {:?} {:?}", q.start_time, q.end_time);
    let query: [&[u8]; 3] = [b"ListReportRows", &reach.to_bytes(), list.as_bytes()];
    let page = Page::parse(&context.sealer, q.page_size, &q.page_token, &query)?;
    let found = match by {
        By::Time(step) => times(conn, reach, step, &of, &span, &page)?,
        By::Key(dimension) if by_key => keys(conn, reach, dimension, &span, &page)?,
        By::Key(dimension) => most(conn, reach, dimension, &span, &page)?,
    };
    let names = match by {
        By::Key(dimension) => names(conn, reach, dimension, &found)?,
        By::Time(_) => HashMap::new(),
    };
    let cursor = |row: &Found| row.cursor.clone();
    let encode = |row: Found| Ok(encode_row(row, &names));
    let (rows, next_page_token) = page.fill(&context.sealer, found, cursor, encode)?;
    Ok(ListReportRowsResponse { rows, next_page_token })
}

/// A row that was found, and its place in the list.
struct Found {
    cursor: Cursor,
    key: String,
    day: Option<i32>,
    counts: Counts,
}

fn times(
    conn: &mut Conn,
    reach: Reach,
    step: Step,
    (dimension, key): &(Dimension, String),
    span: &Span,
    page: &Page,
) -> Result<Vec<Found>> {
    let after = page.after.as_ref().map(number).transpose()?;
    let rows = ops::by_time(conn, reach, step, (*dimension, key), span)?.into_iter();
    let rest = rows.filter(|(day, _)| after.is_none_or(|after| i64::from(*day) > after));
    let found = rest.map(|(day, counts)| Found {
        cursor: place(day.to_string()),
        key: date(day).to_string(),
        day: Some(day),
        counts,
    });
    Ok(found.collect())
}

fn keys(
    conn: &mut Conn,
    reach: Reach,
    dimension: Dimension,
    span: &Span,
    page: &Page,
) -> Result<Vec<Found>> {
    let after = page.after.as_ref().map_or("", |cursor| cursor.key.as_str());
    let rows = ops::by_key(conn, reach, dimension, span, (page.size + 1, after))?.into_iter();
    let found =
        rows.map(|(key, counts)| Found { cursor: place(key.clone()), key, day: None, counts });
    Ok(found.collect())
}

fn most(
    conn: &mut Conn,
    reach: Reach,
    dimension: Dimension,
    span: &Span,
    page: &Page,
) -> Result<Vec<Found>> {
    let skip = page.after.as_ref().map_or(Ok(0), number)?;
    let rows = ops::most(conn, reach, dimension, span, (page.size + 1, skip))?.into_iter();
    let found = rows.zip(skip + 1..).map(|((key, counts), rank)| Found {
        cursor: place(rank.to_string()),
        key,
        day: None,
        counts,
    });
    Ok(found.collect())
}

fn place(key: String) -> Cursor {
    Cursor { key, id: Uuid::nil() }
}

fn number(cursor: &Cursor) -> Result<i64> {
    cursor.key.parse().map_err(|_| Error::PageToken)
}

/// Names of what the rows stand for, where it has one.
fn names(
    conn: &mut Conn,
    reach: Reach,
    dimension: Dimension,
    rows: &[Found],
) -> Result<HashMap<String, String>> {
    match dimension {
        Dimension::Recipient | Dimension::Donor => {
            let numbers = rows.iter().filter_map(|row| row.key.parse().ok());
            let people: Vec<SteamId> =
                numbers.filter_map(|number| SteamId::parse("key", number).ok()).collect();
            let names = users::ops::names(conn, reach, &people)?.into_iter();
            Ok(names.map(|(user, name)| (user.to_string(), name)).collect())
        }
        Dimension::Bot => {
            let names = bots::ops::names(conn, reach)?.into_iter();
            Ok(names.map(|(bot, name)| (bot.to_string(), name)).collect())
        }
        Dimension::All | Dimension::Method | Dimension::System | Dimension::Game => {
            Ok(HashMap::new())
        }
    }
}

fn encode_row(row: Found, names: &HashMap<String, String>) -> ReportRow {
    let counts = row.counts;
    // Counts of years are far below 2^53.
    #[allow(clippy::cast_precision_loss)]
    let mean = match counts.delivered {
        0 => 0.0,
        delivered => counts.delivery_seconds as f64 / delivered as f64,
    };
    let dollars = |cents| v1::Money {
        currency_code: "USD".to_owned(),
        minor_units: cents,
        ..Default::default()
    };
    ReportRow {
        display_name: names.get(&row.key).cloned().unwrap_or_default(),
        key: row.key,
        start_time: row.day.map(|day| wire::timestamp(begin_of(day))),
        assignments_created: counts.created,
        assignments_delivered: counts.delivered,
        assignments_reversed: counts.reversed,
        assignments_failed: counts.failed,
        assignments_cancelled: counts.cancelled,
        assignments_expired: counts.expired,
        mean_delivery_seconds: mean,
        items_given: counts.items_given,
        items_reversed: counts.items_reversed,
        given_value: Some(dollars(counts.given_cents)),
        donations_received: counts.donations,
        donations_declined: counts.donations_declined,
        items_received: counts.items_received,
        items_adopted: counts.items_adopted,
        received_value: Some(dollars(counts.received_cents)),
    }
}

fn parse_dimension(field: &'static str, n: i32) -> Result<Option<By>> {
    let by = match ReportDimension::try_from(n) {
        Ok(ReportDimension::Unspecified) => return Ok(None),
        Ok(ReportDimension::Day) => By::Time(Step::Day),
        Ok(ReportDimension::Week) => By::Time(Step::Week),
        Ok(ReportDimension::Month) => By::Time(Step::Month),
        Ok(ReportDimension::Method) => By::Key(Dimension::Method),
        Ok(ReportDimension::System) => By::Key(Dimension::System),
        Ok(ReportDimension::Recipient) => By::Key(Dimension::Recipient),
        Ok(ReportDimension::Donor) => By::Key(Dimension::Donor),
        Ok(ReportDimension::Game) => By::Key(Dimension::Game),
        Ok(ReportDimension::Bot) => By::Key(Dimension::Bot),
        Err(_) => return Err(Error::invalid(field, format!("{n} is no dimension of a report"))),
    };
    Ok(Some(by))
}

/// What rows by time are counted of: one thing, or everything.
fn parse_of(by: By, q: &ListReportRowsRequest) -> Result<(Dimension, String)> {
    let of = parse_dimension("of_dimension", q.of_dimension)?;
    limits::text("of_key", &q.of_key, KEY_CHARS_MAX)?;
    match (by, of) {
        (_, None) if q.of_key.is_empty() => Ok((Dimension::All, String::new())),
        (_, None) => Err(Error::invalid("of_dimension", "is required with of_key")),
        (By::Key(_), Some(_)) => {
            Err(Error::invalid("of_dimension", "goes with the dimensions DAY, WEEK and MONTH"))
        }
        (By::Time(_), Some(By::Time(_))) => {
            Err(Error::invalid("of_dimension", "must not be a time itself"))
        }
        (By::Time(_), Some(By::Key(_))) if q.of_key.is_empty() => {
            Err(Error::invalid("of_key", "is required with of_dimension"))
        }
        (By::Time(_), Some(By::Key(dimension))) => Ok((dimension, q.of_key.clone())),
    }
}

/// Whether rows come in the order of their keys.
fn parse_order(by: By, text: &str) -> Result<bool> {
    match (by, text) {
        (By::Key(_), "" | "items desc") => Ok(false),
        (By::Key(_) | By::Time(_), "key") | (By::Time(_), "") => Ok(true),
        (By::Time(_), _) => {
            Err(Error::invalid("order_by", "must be empty or key: times come in their order"))
        }
        (By::Key(_), _) => Err(Error::invalid("order_by", "must be \"items desc\" or \"key\"")),
    }
}

fn parse_span(by: By, context: &Context, q: &ListReportRowsRequest) -> Result<Span> {
    let start = wire::parse_timestamp("start_time", q.start_time)?;
    let end = wire::parse_timestamp("end_time", q.end_time)?;
    let last = day_of(end.unwrap_or(context.now));
    let step = match by {
        By::Time(step) => step,
        By::Key(_) => Step::Day,
    };
    let first = start.map_or(step.usual_first(last), day_of);
    if first > last {
        return Err(Error::invalid("start_time", "must not be after end_time"));
    }
    if last - first >= SPAN_DAYS_MAX {
        let problem = format!("must be less than {SPAN_DAYS_MAX} days before end_time");
        return Err(Error::invalid("start_time", problem));
    }
    Ok(first..=last)
}
