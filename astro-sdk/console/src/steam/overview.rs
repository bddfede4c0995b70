//! The first page: what needs a person, then how everything is. It is made of the first pages of lists,
//! so that it costs the same however much there is; what it counts is told as "at least".

use std::collections::BTreeMap;

use astro_sdk::Error;
use astro_sdk::v1::{
    Assignment, AssignmentFilter, AssignmentState, Bot, Discrepancy, Event, Item, ItemFilter,
    ItemState, ListAssignmentsRequest, ListBotsRequest, ListDiscrepanciesRequest,
    ListEventsRequest, ListItemsRequest, ListSyncsRequest, Sync, SyncState,
};
use chrono::{DurationRound, TimeDelta};
use maud::{Markup, html};

use super::assignments::new_button;
use super::syncs::percent;
use crate::desk::Desk;
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, COUNTED_MAX, EVENTS_DRAWN, ROWS};
use crate::names::Known;
use crate::page::Page;
use crate::parts::badge;
use crate::parts::chart::{Bar, bars};
use crate::parts::table::{Column, at_least, sheet};
use crate::parts::{figure, time};
use crate::words::{count, count_of, fill};

/// What waits for a person, before the rest is a link.
const NEEDS_SHOWN: usize = 8;
/// A login that ends within so many days is told of.
const LOGIN_DAYS: i64 = 7;
/// Hours of the chart.
const HOURS: i64 = 24;

/// What the page is made of: entries, and whether there are more.
#[derive(Default)]
struct Seen {
    pool: (Vec<Item>, bool),
    busy: (Vec<Assignment>, bool),
    blocked: (Vec<Assignment>, bool),
    bots: Vec<Bot>,
    differences: (Vec<Discrepancy>, bool),
    syncs: Vec<Sync>,
    events: Vec<Event>,
}

pub(crate) async fn show(desk: Desk) -> Answer {
    let t = desk.t;
    let seen = read(&desk).await?;
    let people = seen.blocked.0.iter().map(|one| (one.org_id.clone(), one.user_id));
    let names = desk.app.names().of(&desk, people.take(NEEDS_SHOWN)).await;
    let body = html! {
        (figures(&desk, &seen))
        h2 { (t.needs_you) }
        (needs(&desk, &seen, &names))
        @if !seen.bots.is_empty() { h2 { (t.bots) } (bots(&desk, &seen.bots)) }
        @if desk.may("events.read") {
            h2 { (t.events_an_hour) }
            (hours(&desk, &seen.events))
        }
    };
    Page::new(t.overview, body)
        .actions(new_button(&desk))
        .live(desk.to("/live/overview"))
        .answer(&desk)
}

async fn read(desk: &Desk) -> Result<Seen, Failure> {
    let (pool, busy, blocked, bots, differences, syncs, events) = tokio::try_join!(
        pool(desk),
        assignments(desk, BUSY),
        assignments(desk, &[AssignmentState::Blocked]),
        all_bots(desk),
        differences(desk),
        syncs(desk),
        events(desk),
    )?;
    Ok(Seen { pool, busy, blocked, bots, differences, syncs, events })
}

const BUSY: &[AssignmentState] = &[
    AssignmentState::Queued,
    AssignmentState::Delivering,
    AssignmentState::Offered,
    AssignmentState::Held,
];

async fn pool(desk: &Desk) -> Result<(Vec<Item>, bool), Error> {
    if !desk.may("items.read") {
        return Ok(Default::default());
    }
    let filter = ItemFilter { states: vec![ItemState::Available as i32], ..Default::default() };
    let request = ListItemsRequest {
        org_id: desk.org_id(),
        page_size: COUNTED_MAX,
        filter: Some(filter),
        ..Default::default()
    };
    let page = desk.client.items().list(request).timeout(CALL).pages().try_next().await?;
    let page = page.unwrap_or_default();
    Ok((page.items, !page.next_page_token.is_empty()))
}

async fn assignments(
    desk: &Desk,
    states: &[AssignmentState],
) -> Result<(Vec<Assignment>, bool), Error> {
    if !desk.may("assignments.read") {
        return Ok(Default::default());
    }
    let states = states.iter().map(|state| *state as i32).collect();
    let request = ListAssignmentsRequest {
        org_id: desk.org_id(),
        page_size: COUNTED_MAX,
        filter: Some(AssignmentFilter { states, ..Default::default() }),
        ..Default::default()
    };
    let page = desk.client.assignments().list(request).timeout(CALL).pages().try_next().await?;
    let page = page.unwrap_or_default();
    Ok((page.assignments, !page.next_page_token.is_empty()))
}

async fn all_bots(desk: &Desk) -> Result<Vec<Bot>, Error> {
    if !desk.may("bots.read") {
        return Ok(Vec::new());
    }
    let request = ListBotsRequest { org_id: desk.org_id(), page_size: ROWS, ..Default::default() };
    let page = desk.client.bots().list(request).timeout(CALL).pages().try_next().await?;
    Ok(page.map(|page| page.bots).unwrap_or_default())
}

async fn differences(desk: &Desk) -> Result<(Vec<Discrepancy>, bool), Error> {
    if !desk.may("sync.read") {
        return Ok(Default::default());
    }
    let request = ListDiscrepanciesRequest {
        org_id: desk.org_id(),
        open_only: true,
        page_size: COUNTED_MAX,
        ..Default::default()
    };
    let mut pages = desk.client.syncs().list_discrepancies(request).timeout(CALL).pages();
    let page = pages.try_next().await?.unwrap_or_default();
    Ok((page.discrepancies, !page.next_page_token.is_empty()))
}

async fn syncs(desk: &Desk) -> Result<Vec<Sync>, Error> {
    if !desk.may("sync.read") {
        return Ok(Vec::new());
    }
    let request = ListSyncsRequest { org_id: desk.org_id(), page_size: ROWS, ..Default::default() };
    let page = desk.client.syncs().list(request).timeout(CALL).pages().try_next().await?;
    Ok(page.map(|page| page.syncs).unwrap_or_default())
}

async fn events(desk: &Desk) -> Result<Vec<Event>, Error> {
    if !desk.may("events.read") {
        return Ok(Vec::new());
    }
    let request = ListEventsRequest {
        org_id: desk.org_id(),
        page_size: EVENTS_DRAWN,
        newest_first: true,
        start_time: Some(time::timestamp(desk.now - TimeDelta::hours(HOURS))),
        ..Default::default()
    };
    let page = desk.client.events().list(request).timeout(CALL).pages().try_next().await?;
    Ok(page.map(|page| page.events).unwrap_or_default())
}

fn figures(desk: &Desk, seen: &Seen) -> Markup {
    let t = desk.t;
    let (pool, blocked) = (&seen.pool, &seen.blocked);
    let offered =
        seen.busy.0.iter().filter(|it| it.state == AssignmentState::Offered as i32).count();
    let state = |state: &str| desk.to_with("/assignments", &[("state", state)]);
    let done = seen.syncs.iter().find(|run| run.state == SyncState::Succeeded as i32);
    let accuracy = done.map_or_else(|| "–".to_owned(), |run| percent(run.accuracy_percent));
    let open = at_least(seen.differences.0.len(), seen.differences.1);
    let available = desk.to_with("/items", &[("state", "available")]);
    html! {
        div.figures {
            @if desk.may("items.read") {
                (figure(&available, t.pool, &at_least(pool.0.len(), pool.1), t.items_free, false))
            }
            @if desk.may("assignments.read") {
                (figure(&desk.to("/assignments"), t.under_way,
                    &at_least(seen.busy.0.len(), seen.busy.1), &count_of(t.offers_wait, offered), false))
                (figure(&state("blocked"), t.state_blocked, &at_least(blocked.0.len(), blocked.1),
                    t.need_a_person, !blocked.0.is_empty()))
            }
            @if desk.may("sync.read") {
                (figure(&desk.to("/discrepancies"), t.accuracy, &accuracy,
                    &fill(t.open_differences_number, &[&open]), !seen.differences.0.is_empty()))
            }
        }
    }
}

fn needs(desk: &Desk, seen: &Seen, names: &Known) -> Markup {
    let t = desk.t;
    let troubled: Vec<&Bot> = seen.bots.iter().filter(|bot| is_troubled(bot)).collect();
    let soon = desk.now + TimeDelta::days(LOGIN_DAYS);
    let ending = seen.bots.iter().filter(|bot| {
        time::moment(bot.steam_token_expire_time.as_ref()).is_some_and(|end| end < soon)
    });
    let differences = seen.differences.0.len();
    html! {
        ul.needs {
            @for bot in &troubled {
                li {
                    (badge::bot(t, bot))
                    a.strong href=(desk.to(&format!("/bots/{}", bot.id))) { bdi { (bot.display_name) } }
                    p { (bot.steam_status_detail) }
                }
            }
            @for bot in ending {
                li {
                    span.badge.wait { "◷ " (t.login) }
                    a.strong href=(desk.to(&format!("/bots/{}", bot.id))) { bdi { (bot.display_name) } }
                    p { (t.login_ends) " " (time::ago(desk, bot.steam_token_expire_time.as_ref())) }
                }
            }
            @if differences > 0 {
                li {
                    span.badge.bad { "▲ " (t.sync) }
                    a.strong href=(desk.to("/discrepancies")) {
                        (count_of(t.differences_open, differences))
                    }
                    p { (t.differences_text) }
                }
            }
            @for one in seen.blocked.0.iter().take(NEEDS_SHOWN) { (blocked(desk, one, names)) }
        }
        @if seen.blocked.0.len() > NEEDS_SHOWN {
            p {
                a href=(desk.to_with("/assignments", &[("state", "blocked")])) {
                    (count_of(t.more_blocked, seen.blocked.0.len() - NEEDS_SHOWN))
                }
            }
        }
        @if troubled.is_empty() && differences == 0 && seen.blocked.0.is_empty() {
            p.callout.good { "✓ " (t.needs_nothing) }
        }
    }
}

/// Whether a bot wants a person, and not only time.
fn is_troubled(bot: &Bot) -> bool {
    !bot.paused && (bot.steam_status == "needs_operator" || !bot.connected)
}

fn blocked(desk: &Desk, one: &Assignment, names: &Known) -> Markup {
    let t = desk.t;
    let (reason, remedy) = badge::blocked(t, one.blocked_reason);
    html! {
        li {
            (badge::assignment(t, one.state))
            a.strong href=(desk.to(&format!("/assignments/{}", one.id))) {
                bdi { (names.of(&one.org_id, one.user_id)) } ": " (reason)
            }
            (time::ago(desk, one.update_time.as_ref()))
            p { (remedy) }
        }
    }
}

fn bots(desk: &Desk, bots: &[Bot]) -> Markup {
    let t = desk.t;
    let columns = [Column(t.bot, ""), Column(t.state, ""), Column(t.last_heard, "right")];
    sheet(
        t.bots,
        &columns,
        html! {
            @for bot in bots {
                tr id={ "row-" (bot.id) } data-at=(super::bots::changed(bot)) {
                    td {
                        a.strong href=(desk.to(&format!("/bots/{}", bot.id))) {
                            bdi { (bot.display_name) }
                        }
                    }
                    td { (badge::bot(t, bot)) }
                    td.right { (time::ago(desk, bot.last_seen_time.as_ref())) }
                }
            }
        },
    )
}

fn hours(desk: &Desk, events: &[Event]) -> Markup {
    let hour =
        |at: chrono::DateTime<chrono::Utc>| at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at);
    let mut found: BTreeMap<_, u64> = BTreeMap::new();
    for event in events {
        if let Some(at) = time::moment(event.create_time.as_ref()) {
            *found.entry(hour(at)).or_default() += 1;
        }
    }
    let now = hour(desk.now);
    let drawn: Vec<Bar> = (0..HOURS)
        .rev()
        .map(|back| {
            let at = now - TimeDelta::hours(back);
            let value = found.get(&at).copied().unwrap_or_default();
            Bar { label: at.format("%H:%M UTC").to_string(), value }
        })
        .collect();
    let full = i32::try_from(events.len()).is_ok_and(|seen| seen >= EVENTS_DRAWN);
    html! {
        (bars(desk, "hours", desk.t.events_an_hour, &drawn))
        @if full { p.note { (count(desk.t.newest_events_only, u64::from(EVENTS_DRAWN.unsigned_abs()))) } }
    }
}
