//! The log: everything that happened, newest first, and live.

use std::collections::BTreeSet;

use astro_sdk::EventType;
use astro_sdk::steam::SteamId;
use astro_sdk::v1::{Event, EventSeverity, ListEventsRequest};
use chrono::NaiveDateTime;
use maud::{Markup, html};
use prost_types::Timestamp;

use crate::csv;
use crate::desk::Desk;
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::page::Page;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::{Field, choice};
use crate::parts::table::{Column, below, sheet};
use crate::parts::{badge, empty, source, time};

/// Families of events, as the contract has them.
fn families() -> BTreeSet<&'static str> {
    EventType::ALL.iter().filter_map(|kind| kind.name().split('.').next()).collect()
}

/// What the address asks for.
pub(crate) fn request(desk: &Desk, page_size: i32) -> Result<ListEventsRequest, Failure> {
    let ask = &desk.ask;
    let user_id = match (ask.one("user"), ask.one("user").parse::<SteamId>()) {
        ("", _) => 0,
        (_, Ok(id)) => id.steam_id64(),
        (_, Err(_)) => return Err(Failure::Say(desk.t.no_person.to_owned())),
    };
    let severities = match ask.one("severity") {
        "warning" => vec![EventSeverity::Warning as i32, EventSeverity::Error as i32],
        "error" => vec![EventSeverity::Error as i32],
        _ => Vec::new(),
    };
    Ok(ListEventsRequest {
        org_id: desk.org_id(),
        types: types(desk),
        resume_token: ask.one("page").to_owned(),
        page_size,
        assignment_id: ask.one("assignment").to_owned(),
        item_id: ask.one("item").to_owned(),
        bot_id: ask.one("bot").to_owned(),
        user_id,
        source: ask.one("source").to_owned(),
        severities,
        start_time: moment(desk, "from")?,
        end_time: moment(desk, "until")?,
        newest_first: true,
        ..Default::default()
    })
}

/// Families or types that are asked for.
pub(crate) fn types(desk: &Desk) -> Vec<String> {
    let kind = desk.ask.one("type");
    match kind {
        "" => Vec::new(),
        family if families().contains(family) => vec![format!("{family}.*")],
        other => vec![other.to_owned()],
    }
}

/// A time of a form, which is UTC.
fn moment(desk: &Desk, name: &str) -> Result<Option<Timestamp>, Failure> {
    let text = desk.ask.one(name);
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let parsed = parsed.ok_or_else(|| Failure::Say(desk.t.no_time.to_owned()))?;
    Ok(Some(time::timestamp(parsed.and_utc())))
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let request = request(&desk, ROWS)?;
    let page = desk.client.events().list(request).timeout(CALL).pages().try_next().await?;
    let page = page.unwrap_or_default();
    let full = i32::try_from(page.events.len()).is_ok_and(|found| found >= ROWS);
    let next = if full { page.resume_token.as_str() } else { "" };
    let columns = [
        Column(t.what_happened, ""),
        Column(t.severity, "wide"),
        Column(t.source, "wide"),
        Column(t.when, "right"),
    ];
    let body = html! {
        (search(&desk))
        @if page.events.is_empty() {
            (empty(t.nothing_matches, Some((desk.to("/events"), t.drop_filter))))
        } @else {
            (sheet(t.events, &columns, html! {
                @for event in &page.events { (row(&desk, event)) }
            }))
        }
        (below(&desk, next, Some("/events.csv")))
    };
    // Older pages stand still.
    let live = !desk.ask.has("page") && !desk.ask.has("until");
    let pause = html! {
        @if live {
            button type="button" hidden data-pause=(t.pause_stream) data-go-on=(t.resume_stream) {
                (t.pause_stream)
            }
        }
    };
    let page = Page::new(t.events, body).actions(pause).by_sdk(ways(&desk));
    let page = if live { page.live(desk.there_with("/live/events", &[])) } else { page };
    page.answer(&desk)
}

fn search(desk: &Desk) -> Markup {
    let (t, ask) = (desk.t, &desk.ask);
    let mut kinds = vec![("", t.all)];
    kinds.extend(families().into_iter().map(|family| (family, family)));
    let severities = [("", t.all), ("warning", t.severity_warning_up), ("error", t.severity_error)];
    html! {
        form.filters role="search" aria-label=(t.filter) action="/events" {
            (desk.keep_org())
            (choice("type", t.kind, ask.one("type"), &kinds))
            (choice("severity", t.severity, ask.one("severity"), &severities))
            (Field::new("user", t.person, ask.one("user")).show())
            details open[["item", "assignment", "bot", "source", "from", "until"].iter()
                .any(|name| !ask.one(name).is_empty())] {
                summary { (t.more_filters) }
                div.filters {
                    (Field::new("item", t.item, ask.one("item")).show())
                    (Field::new("assignment", t.assignment, ask.one("assignment")).show())
                    (Field::new("bot", t.bot, ask.one("bot")).show())
                    (Field::new("source", t.source, ask.one("source")).show())
                    (Field::new("from", t.from_utc, ask.one("from")).kind("datetime-local").show())
                    (Field::new("until", t.until_utc, ask.one("until")).kind("datetime-local").show())
                }
            }
            button type="submit" { (t.filter) }
        }
    }
}

/// A row; the same in the page and when it happens.
pub(crate) fn row(desk: &Desk, event: &Event) -> Markup {
    let t = desk.t;
    html! {
        tr id={ "row-" (event.id) } data-at="once" {
            td {
                span { (event.event_description) }
                br; small {
                    code { (event.event_type) }
                    @if event.user_id != 0 {
                        " · " a href=(desk.to(&format!("/people/{}", event.user_id))) { (event.user_id) }
                    }
                    @for (id, kind, name) in [
                        (&event.item_id, "items", t.item),
                        (&event.assignment_id, "assignments", t.assignment),
                        (&event.bot_id, "bots", t.bot),
                    ] {
                        @if !id.is_empty() {
                            " · " a href=(desk.to(&format!("/{kind}/{id}"))) { (name) }
                        }
                    }
                }
            }
            td.wide { (badge::severity(t, event.severity)) }
            td.wide { small { (source(desk, &event.source)) } }
            td.right { (time::ago(desk, event.create_time.as_ref())) }
        }
    }
}

/// Whether the page of this address would show the event.
pub(crate) fn fits(desk: &Desk, event: &Event) -> bool {
    let Ok(asked) = request(desk, ROWS) else { return false };
    let same = |asked: &str, told: &str| asked.is_empty() || asked == told;
    let type_fits = asked.types.is_empty()
        || asked.types.iter().any(|kind| match kind.strip_suffix(".*") {
            Some(family) => event.event_category == family,
            None => *kind == event.event_type,
        });
    type_fits
        && same(&asked.assignment_id, &event.assignment_id)
        && same(&asked.item_id, &event.item_id)
        && same(&asked.bot_id, &event.bot_id)
        && same(&asked.source, &event.source)
        && (asked.user_id == 0 || asked.user_id == event.user_id)
        && (asked.severities.is_empty() || asked.severities.contains(&event.severity))
}

fn ways(desk: &Desk) -> Markup {
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: "/api/v1/events?newestFirst=true",
            body: "",
            command: "events tail",
            rust: "client.events().watch(WatchEventsRequest { … })",
            json: "",
        },
    )
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.events().list(request(&desk, CSV_PAGE)?).timeout(CALL);
    let heads = [
        "time",
        "type",
        "severity",
        "description",
        "source",
        "org_id",
        "user_id",
        "item_id",
        "assignment_id",
        "bot_id",
        "external_system",
        "id",
    ];
    let words = crate::words::LANGUAGES[0].words;
    Ok(csv::answer("events", &heads, list, move |event: Event| {
        vec![
            csv::time(event.create_time.as_ref()),
            event.event_type,
            badge::severity(words, event.severity).word.into_owned(),
            event.event_description,
            event.source,
            event.org_id,
            event.user_id.to_string(),
            event.item_id,
            event.assignment_id,
            event.bot_id,
            event.external_system,
            event.id,
        ]
    }))
}
