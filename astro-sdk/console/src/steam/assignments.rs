//! Promises of items to people, and how far they are.

pub(crate) mod bulk;
pub(crate) mod one;
pub(crate) mod reassign;

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{
    Assignment, AssignmentFilter, AssignmentState, BlockedReason, ListAssignmentsRequest,
};
use maud::{Markup, html};

use crate::csv;
use crate::desk::Desk;
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::names::Known;
use crate::page::{Page, icon};
use crate::parts::badge::{self, ASSIGNMENT_STATES, BLOCKED_REASONS};
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::{Field, choice};
use crate::parts::table::{Column, Group, Tab, below, choosing, grouped, sheet, tabs, tick};
use crate::parts::{empty, time};
use crate::words::{count_of, spaced};

/// The name of a state in an address: `offered`.
fn word(state: AssignmentState) -> String {
    state.as_str_name().trim_start_matches("ASSIGNMENT_STATE_").to_lowercase()
}

/// The name of a reason in an address: `hold_too_long`.
pub(crate) fn reason_word(reason: BlockedReason) -> String {
    reason.as_str_name().trim_start_matches("BLOCKED_REASON_").to_lowercase()
}

/// Whether only what is blocked is asked for: a reason alone says that as well.
fn blocked_only(desk: &Desk) -> bool {
    let state = desk.ask.one("state");
    state == "blocked" || (state.is_empty() && !desk.ask.one("reason").is_empty())
}

/// What the address asks for.
pub(crate) fn filter(desk: &Desk) -> Result<AssignmentFilter, Failure> {
    let asked = desk.ask.one("state");
    let asked = if blocked_only(desk) { "blocked" } else { asked };
    let states = ASSIGNMENT_STATES.iter().filter(|state| word(**state) == asked);
    let reason = desk.ask.one("reason");
    let reasons = BLOCKED_REASONS.iter().filter(|one| reason_word(**one) == reason);
    let user = desk.ask.one("user");
    let user_id = match user.parse::<SteamId>() {
        Ok(id) => id.steam_id64(),
        Err(_) if user.is_empty() => 0,
        Err(_) => return Err(Failure::Say(desk.t.no_person.to_owned())),
    };
    Ok(AssignmentFilter {
        states: states.map(|state| *state as i32).collect(),
        user_id,
        external_id: desk.ask.one("external").to_owned(),
        assignment_types: desk.ask.all("type").into_iter().map(str::to_owned).collect(),
        blocked_reasons: reasons.map(|reason| *reason as i32).collect(),
        bot_ids: desk.ask.all("bot").into_iter().map(str::to_owned).collect(),
        trade_offer_id: desk.ask.one("offer").to_owned(),
        ..Default::default()
    })
}

fn request(desk: &Desk, page_size: i32) -> Result<ListAssignmentsRequest, Failure> {
    Ok(ListAssignmentsRequest {
        org_id: desk.org_id(),
        page_size,
        page_token: desk.ask.one("page").to_owned(),
        filter: Some(filter(desk)?),
        order_by: if desk.ask.one("order") == "oldest" { "create_time" } else { "" }.to_owned(),
    })
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let assignments = desk.client.assignments();
    let mut pages = assignments.list(request(&desk, ROWS)?).timeout(CALL).pages();
    let (page, counts, bots) =
        tokio::join!(pages.try_next(), counts(&desk), super::bots::choices(&desk));
    let page = page?.unwrap_or_default();
    let people = page.assignments.iter().map(|one| (one.org_id.clone(), one.user_id));
    let names = desk.app.names().of(&desk, people).await;
    let writes = desk.may("assignments.write");
    let columns = [
        Column(t.recipient, ""),
        Column(t.state, ""),
        Column(t.what_for, "wide"),
        Column(t.items, "right"),
        Column(t.source, "wide"),
        Column(t.changed, "right"),
    ];
    let rows = |of: &[Assignment]| html! { @for one in of { (row(&desk, one, &names)) } };
    let table = if blocked_only(&desk) {
        let groups = by_reason(&desk, page.assignments.clone(), rows);
        grouped(&desk, t.assignments, &columns, writes, &groups)
    } else if writes {
        choosing(&desk, t.assignments, &columns, rows(&page.assignments))
    } else {
        sheet(t.assignments, &columns, rows(&page.assignments))
    };
    let table = if page.assignments.is_empty() {
        nothing(&desk)
    } else if writes {
        desk.form_as("rows", "/assignments/retry", html! { (table) (bar(&desk)) })
    } else {
        table
    };
    let body = html! {
        (tabs(&desk, t.state, "state", &state_tabs(&desk, &counts)))
        (search(&desk, &bots))
        (table)
        (below(&desk, &page.next_page_token, Some("/assignments.csv")))
    };
    Page::new(t.assignments, body)
        .actions(new_button(&desk))
        .by_sdk(ways(&desk))
        .live(desk.there_with("/live/assignments", &[]))
        .answer(&desk)
}

/// What is blocked, by the reason; its remedy is said once.
fn by_reason(
    desk: &Desk,
    mut all: Vec<Assignment>,
    rows: impl Fn(&[Assignment]) -> Markup,
) -> Vec<Group> {
    let t = desk.t;
    let place = |reason: i32| BLOCKED_REASONS.iter().position(|one| *one as i32 == reason);
    // Newest first among equals, as they came; reasons of a newer server come last.
    all.sort_by_key(|one| (place(one.blocked_reason).unwrap_or(usize::MAX), one.blocked_reason));
    let of = |all: &[Assignment]| {
        let reason = all[0].blocked_reason;
        let (word, remedy) = badge::blocked(t, reason);
        let known = BLOCKED_REASONS.iter().find(|one| **one as i32 == reason);
        let only = known.filter(|_| desk.ask.one("reason").is_empty());
        let heading = html! {
            strong { "▲ " (word) } " " span.number { (all.len()) }
            @if let Some(reason) = only {
                " " a href=(desk.here_with(&[("state", "blocked"), ("reason", &reason_word(*reason))])) {
                    (t.only_these)
                }
            }
            p { (remedy) }
        };
        Group { heading, rows: rows(all) }
    };
    all.chunk_by(|a, b| a.blocked_reason == b.blocked_reason).map(of).collect()
}

/// How many there are in each state; nothing where the key may not read that.
async fn counts(desk: &Desk) -> Vec<(AssignmentState, String)> {
    let Ok(Some(now)) = super::overview::now(desk).await else { return Vec::new() };
    let states = ASSIGNMENT_STATES.iter().map(|state| {
        let alike = now.assignments.iter().filter(|count| count.state() == *state);
        (*state, spaced(alike.map(|count| count.count.unsigned_abs()).sum()))
    });
    states.collect()
}

fn state_tabs(desk: &Desk, counts: &[(AssignmentState, String)]) -> Vec<Tab> {
    let all = Tab { label: html! { (desk.t.all) }, value: String::new(), number: None };
    let states = ASSIGNMENT_STATES.iter().map(|state| Tab {
        label: html! { (badge::assignment(desk.t, *state as i32)) },
        value: word(*state),
        number: counts.iter().find(|(of, _)| of == state).map(|(_, number)| number.clone()),
    });
    std::iter::once(all).chain(states).collect()
}

fn search(desk: &Desk, bots: &[(String, String)]) -> Markup {
    let (t, ask) = (desk.t, &desk.ask);
    let reasons: Vec<_> = BLOCKED_REASONS
        .iter()
        .map(|reason| (reason_word(*reason), badge::blocked(t, *reason as i32).0))
        .collect();
    let mut why = vec![("", t.any_reason)];
    why.extend(reasons.iter().map(|(value, word)| (value.as_str(), word.as_ref())));
    let mut choices = vec![("", t.any_bot)];
    choices.extend(bots.iter().map(|(id, name)| (id.as_str(), name.as_str())));
    html! {
        form.filters role="search" aria-label=(t.filter) action="/assignments" {
            (desk.keep_org())
            input type="hidden" name="state" value=(desk.ask.one("state"));
            (Field::new("user", t.recipient, desk.ask.one("user")).show())
            (Field::new("external", t.external_id, desk.ask.one("external")).show())
            (Field::new("type", t.kind, ask.one("type")).show())
            (Field::new("offer", t.trade_offer, ask.one("offer")).show())
            @if bots.len() > 1 { (choice("bot", t.bot, ask.one("bot"), &choices)) }
            (choice("reason", t.reason, ask.one("reason"), &why))
            button type="submit" { (t.filter) }
        }
    }
}

fn nothing(desk: &Desk) -> Markup {
    let t = desk.t;
    let names = ["state", "user", "external", "type", "offer", "bot", "reason", "page"];
    if names.iter().any(|name| !desk.ask.one(name).is_empty()) {
        return empty(t.nothing_matches, Some((desk.to("/assignments"), t.drop_filter)));
    }
    let first =
        desk.may("assignments.write").then(|| (desk.to("/assignments/new"), t.assign_first));
    empty(t.no_assignments, first)
}

fn bar(desk: &Desk) -> Markup {
    let t = desk.t;
    html! {
        div.bar {
            p data-chosen data-one=(t.chosen_one) data-many=(t.chosen_many) { (t.choose_rows) }
            button type="submit" formaction=(desk.to("/assignments/retry")) { (t.retry) }
            button type="submit" formaction=(desk.to("/assignments/reassign")) { (t.reassign_more) }
            button.danger type="submit" formaction=(desk.to("/assignments/cancel")) {
                (t.cancel_more)
            }
        }
    }
}

pub(crate) fn new_button(desk: &Desk) -> Markup {
    html! {
        @if desk.may("assignments.write") {
            a.button.main href=(desk.to("/assignments/new")) data-new {
                (icon("M12 5v14M5 12h14")) " " (desk.t.new_assignment)
            }
        }
    }
}

/// A row; the same in the page and when it changes.
pub(crate) fn row(desk: &Desk, one: &Assignment, names: &Known) -> Markup {
    let t = desk.t;
    let name = names.of(&one.org_id, one.user_id);
    let (reason, _) = badge::blocked(t, one.blocked_reason);
    let path = desk.to(&format!("/assignments/{}", one.id));
    html! {
        tr id={ "row-" (one.id) } data-at=(changed(one)) {
            @if desk.may("assignments.write") { (tick(desk, "id", &one.id, &name, false)) }
            td {
                a.strong href=(path) { bdi { (&name) } }
                @if name != one.user_id.to_string() { br; small.id { (one.user_id) } }
                small.narrow-only { (one.assignment_reason) }
            }
            td {
                (badge::assignment(t, one.state))
                @if !reason.is_empty() { br; small { (reason) } }
            }
            td.wide { (one.assignment_reason) }
            td.right { (one.total_items_count) }
            td.wide {
                (if one.external_system.is_empty() { &one.assignment_type } else { &one.external_system })
                @if !one.external_id.is_empty() { br; small.id { (one.external_id) } }
            }
            td.right { (time::ago(desk, one.update_time.as_ref())) }
        }
    }
}

/// A mark by which a row knows whether it is old.
pub(crate) fn changed(one: &Assignment) -> String {
    one.update_time.as_ref().map(|at| format!("{}.{:09}", at.seconds, at.nanos)).unwrap_or_default()
}

fn ways(desk: &Desk) -> Markup {
    let state = desk.ask.one("state");
    let (query, flag) = if state.is_empty() {
        (String::new(), String::new())
    } else {
        let name = state.to_uppercase();
        (
            format!("?filter.states=ASSIGNMENT_STATE_{name}"),
            format!(" --state {}", state.replace('_', "-")),
        )
    };
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: &format!("/api/v1/assignments{query}"),
            body: "",
            command: &format!("assignments list{flag}"),
            rust: "client.assignments().list(ListAssignmentsRequest { … })",
            json: "",
        },
    )
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.assignments().list(request(&desk, CSV_PAGE)?).timeout(CALL);
    let heads = [
        "id",
        "org_id",
        "user_id",
        "state",
        "blocked_reason",
        "type",
        "reason",
        "external_system",
        "external_id",
        "items",
        "value",
        "attempts",
        "bot_id",
        "assigned",
        "delivered",
        "settled",
        "changed",
    ];
    let words = crate::words::LANGUAGES[0].words;
    Ok(csv::answer("assignments", &heads, list, move |one: Assignment| {
        vec![
            one.id,
            one.org_id,
            one.user_id.to_string(),
            badge::assignment(words, one.state).word.into_owned(),
            badge::blocked(words, one.blocked_reason).0.into_owned(),
            one.assignment_type,
            one.assignment_reason,
            one.external_system,
            one.external_id,
            one.total_items_count.to_string(),
            crate::parts::money(one.total_estimated_value.as_ref()).unwrap_or_default(),
            one.delivery_attempts.to_string(),
            one.bot_id,
            csv::time(one.assign_time.as_ref()),
            csv::time(one.deliver_time.as_ref()),
            csv::time(one.settle_time.as_ref()),
            csv::time(one.update_time.as_ref()),
        ]
    }))
}

/// How many items, in words.
pub(crate) fn items_in_words(desk: &Desk, number: usize) -> String {
    count_of(desk.t.items_counted, number)
}
