//! What was given and received: by time, or by what it was given for, by whom, to whom.

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{ListReportRowsRequest, ReportDimension, ReportRow};
use chrono::{NaiveDate, NaiveTime};
use maud::{Markup, html};
use prost_types::Timestamp;

use crate::csv;
use crate::desk::Desk;
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::page::Page;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::chart::{Bar, bars};
use crate::parts::field::Field;
use crate::parts::table::{Column, Tab, below, sheet, tabs};
use crate::parts::{empty, money, time};
use crate::words::{Words, spaced};

/// A report: its name in addresses, what its rows stand for, and what people call it.
struct Report {
    name: &'static str,
    dimension: ReportDimension,
    label: fn(&Words) -> &'static str,
}

/// The first one is shown when none is asked for.
const REPORTS: &[Report] = &[
    Report { name: "", dimension: ReportDimension::Day, label: |t| t.by_day },
    Report { name: "week", dimension: ReportDimension::Week, label: |t| t.by_week },
    Report { name: "month", dimension: ReportDimension::Month, label: |t| t.by_month },
    Report { name: "method", dimension: ReportDimension::Method, label: |t| t.kind },
    Report { name: "system", dimension: ReportDimension::System, label: |t| t.source },
    Report { name: "recipient", dimension: ReportDimension::Recipient, label: |t| t.recipient },
    Report { name: "donor", dimension: ReportDimension::Donor, label: |t| t.donor },
    Report { name: "game", dimension: ReportDimension::Game, label: |t| t.game },
    Report { name: "bot", dimension: ReportDimension::Bot, label: |t| t.bot },
];

fn asked(desk: &Desk) -> &'static Report {
    REPORTS.iter().find(|report| report.name == desk.ask.one("by")).unwrap_or(&REPORTS[0])
}

fn is_time(dimension: ReportDimension) -> bool {
    matches!(dimension, ReportDimension::Day | ReportDimension::Week | ReportDimension::Month)
}

/// What the address asks for.
fn request(desk: &Desk, page_size: i32) -> Result<ListReportRowsRequest, Failure> {
    let dimension = asked(desk).dimension;
    let mut request = ListReportRowsRequest {
        org_id: desk.org_id(),
        dimension: dimension.into(),
        start_time: day(desk, "from")?,
        end_time: day(desk, "until")?,
        page_size,
        page_token: desk.ask.one("page").to_owned(),
        ..Default::default()
    };
    // One thing by time: its report's name and its key.
    let of = REPORTS.iter().find(|report| report.name == desk.ask.one("of"));
    let of = of.filter(|report| !is_time(report.dimension) && is_time(dimension));
    if let Some(of) = of.filter(|_| !desk.ask.one("key").is_empty()) {
        request.of_dimension = of.dimension.into();
        request.of_key = desk.ask.one("key").to_owned();
    }
    Ok(request)
}

/// A day of a form.
fn day(desk: &Desk, name: &str) -> Result<Option<Timestamp>, Failure> {
    let text = desk.ask.one(name);
    if text.is_empty() {
        return Ok(None);
    }
    let day: NaiveDate = text.parse().map_err(|_| Failure::Say(desk.t.no_day.to_owned()))?;
    Ok(Some(time::timestamp(day.and_time(NaiveTime::MIN).and_utc())))
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let report = asked(&desk);
    let request = request(&desk, ROWS)?;
    let of_key = request.of_key.clone();
    let mut pages = desk.client.reports().list_rows(request).timeout(CALL).pages();
    let page = pages.try_next().await?.unwrap_or_default();
    let all: Vec<Tab> = REPORTS
        .iter()
        .map(|report| Tab {
            label: html! { ((report.label)(t)) },
            value: report.name.to_owned(),
            number: None,
        })
        .collect();
    let body = html! {
        (tabs(&desk, t.reports, "by", &all))
        form.filters role="search" aria-label=(t.filter) action="/reports" {
            (desk.keep_org())
            input type="hidden" name="by" value=(report.name);
            input type="hidden" name="of" value=(desk.ask.one("of"));
            input type="hidden" name="key" value=(desk.ask.one("key"));
            (Field::new("from", t.from_day, desk.ask.one("from")).kind("date").show())
            (Field::new("until", t.until_day, desk.ask.one("until")).kind("date").show())
            button type="submit" { (t.filter) }
        }
        @if !of_key.is_empty() {
            p {
                (t.of_one) " " bdi.strong { (of_key) } " "
                a href=(desk.here_with(&[("of", ""), ("key", "")])) { (t.drop_filter) }
            }
        }
        @if page.rows.is_empty() {
            (empty(t.nothing_counted, None))
        } @else {
            (charts(&desk, report, &page.rows))
            (sheet((report.label)(t), &columns(t, report), html! {
                // Charts go on to the right, tables begin with the newest.
                @if is_time(report.dimension) {
                    @for one in page.rows.iter().rev() { (row(&desk, report, one)) }
                } @else {
                    @for one in &page.rows { (row(&desk, report, one)) }
                }
            }))
        }
        p.note { (t.counts_note) }
        (below(&desk, &page.next_page_token, Some("/reports.csv")))
    };
    Page::new(t.reports, body).by_sdk(ways(&desk, report)).answer(&desk)
}

/// What was given and what came, as bars.
fn charts(desk: &Desk, report: &Report, rows: &[ReportRow]) -> Markup {
    let t = desk.t;
    let drawn = |value: fn(&ReportRow) -> i64| -> Vec<Bar> {
        let bar =
            |row: &ReportRow| Bar { label: name(row).to_owned(), value: value(row).unsigned_abs() };
        rows.iter().map(bar).collect()
    };
    html! {
        @if report.dimension != ReportDimension::Donor {
            (bars(desk, "given", t.items_given, &drawn(|row| row.items_given)))
        }
        @if !matches!(report.dimension, ReportDimension::Method | ReportDimension::System | ReportDimension::Recipient) {
            (bars(desk, "received", t.items_received, &drawn(|row| row.items_received + row.items_adopted)))
        }
    }
}

fn columns(t: &Words, report: &Report) -> [Column; 7] {
    [
        Column((report.label)(t), ""),
        Column(t.assignments, "right wide"),
        Column(t.delivered_share, "right"),
        Column(t.time_to_delivery, "right wide"),
        Column(t.items_given, "right"),
        Column(t.worth_given, "right wide"),
        Column(t.items_received, "right"),
    ]
}

/// What people call what the row stands for.
fn name(row: &ReportRow) -> &str {
    if row.display_name.is_empty() { &row.key } else { &row.display_name }
}

fn row(desk: &Desk, report: &Report, one: &ReportRow) -> Markup {
    let path = match report.dimension {
        ReportDimension::Recipient | ReportDimension::Donor => {
            let person: Option<SteamId> = one.key.parse().ok();
            person.map(|person| desk.to(&format!("/people/{}", person.steam_id64())))
        }
        ReportDimension::Bot => Some(desk.to(&format!("/bots/{}", one.key))),
        ReportDimension::Game => Some(desk.to_with("/items", &[("app", one.key.as_str())])),
        ReportDimension::Unspecified
        | ReportDimension::Day
        | ReportDimension::Week
        | ReportDimension::Month
        | ReportDimension::Method
        | ReportDimension::System => None,
    };
    let by_time = desk.there_with(
        "/reports",
        &[("by", "week"), ("of", report.name), ("key", &one.key), ("from", ""), ("until", "")],
    );
    html! {
        tr {
            td {
                @match path {
                    Some(path) => a.strong href=(path) { bdi { (name(one)) } },
                    None => bdi.strong.line[is_time(report.dimension)] { (name(one)) },
                }
                @if !one.display_name.is_empty() { br; small.id { (one.key) } }
                @if !is_time(report.dimension) { br; small { a href=(by_time) { (desk.t.by_week) } } }
            }
            td.right.wide { (number(one.assignments_created)) }
            td.right { (share(one)) }
            td.right.wide { @if one.assignments_delivered > 0 { (span(one.mean_delivery_seconds)) } }
            td.right { (number(one.items_given)) }
            td.right.wide { (worth(one)) }
            td.right { (number(one.items_received + one.items_adopted)) }
        }
    }
}

fn number(count: i64) -> String {
    spaced(count.unsigned_abs())
}

fn worth(row: &ReportRow) -> String {
    money(row.given_value.as_ref().filter(|value| value.minor_units != 0)).unwrap_or_default()
}

/// How many of those that came to an end were delivered.
fn share(row: &ReportRow) -> String {
    let lost = row.assignments_failed
        + row.assignments_cancelled
        + row.assignments_expired
        + row.assignments_reversed;
    match row.assignments_delivered + lost {
        0 => "–".to_owned(),
        all => format!("{} % ({})", row.assignments_delivered * 100 / all, number(all)),
    }
}

/// Seconds in the unit that people would say.
fn span(seconds: f64) -> String {
    match seconds {
        0.0..90.0 => format!("{seconds:.0} s"),
        90.0..5400.0 => format!("{:.0} min", seconds / 60.0),
        5400.0..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} d", seconds / 86_400.0),
    }
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let mut request = request(&desk, CSV_PAGE)?;
    // The order of keys does not move while the file is made.
    request.order_by = "key".to_owned();
    let list = desk.client.reports().list_rows(request).timeout(CALL);
    let heads = [
        "key",
        "name",
        "assignments_created",
        "assignments_delivered",
        "assignments_reversed",
        "assignments_failed",
        "assignments_cancelled",
        "assignments_expired",
        "mean_delivery_seconds",
        "items_given",
        "items_reversed",
        "given_usd",
        "donations_received",
        "donations_declined",
        "items_received",
        "items_adopted",
        "received_usd",
    ];
    let usd = |value: Option<astro_sdk::v1::Money>| {
        let cents = value.map_or(0, |value| value.minor_units);
        format!("{}.{:02}", cents / 100, cents.unsigned_abs() % 100)
    };
    Ok(csv::answer("report", &heads, list, move |row: ReportRow| {
        vec![
            row.key,
            row.display_name,
            row.assignments_created.to_string(),
            row.assignments_delivered.to_string(),
            row.assignments_reversed.to_string(),
            row.assignments_failed.to_string(),
            row.assignments_cancelled.to_string(),
            row.assignments_expired.to_string(),
            format!("{:.1}", row.mean_delivery_seconds),
            row.items_given.to_string(),
            row.items_reversed.to_string(),
            usd(row.given_value),
            row.donations_received.to_string(),
            row.donations_declined.to_string(),
            row.items_received.to_string(),
            row.items_adopted.to_string(),
            usd(row.received_value),
        ]
    }))
}

fn ways(desk: &Desk, report: &Report) -> Markup {
    let name = report.dimension.as_str_name().trim_start_matches("REPORT_DIMENSION_");
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: &format!("/api/v1/reports/rows?dimension={name}"),
            body: "",
            command: &format!("reports list-rows --dimension {}", name.to_lowercase()),
            rust: &format!(
                "client.reports().list_rows(ListReportRowsRequest {{\n    \
                 dimension: ReportDimension::{:?}.into(), ..Default::default()\n}})",
                report.dimension
            ),
            json: "",
        },
    )
}
