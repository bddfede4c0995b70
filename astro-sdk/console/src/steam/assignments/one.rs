//! One assignment: what it is, what blocks it, its items, and all that happened.

use astro_sdk::v1::{
    Assignment, AssignmentState, Event, GetAssignmentRequest, ListEventsRequest, SetTradeUrlRequest,
};
use axum::extract::Path;
use maud::{Markup, html};

use super::changed;
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::CALL;
use crate::names::Known;
use crate::page::{Page, done};
use crate::parts::badge;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::Field;
use crate::parts::table::{Column, sheet};
use crate::parts::{facts, id, link, money, person, source, time};

/// Events of one assignment that a page shows.
const EVENTS: i32 = 200;

/// Whether nothing can be done any more.
fn is_over(one: &Assignment) -> bool {
    [
        AssignmentState::Delivered,
        AssignmentState::Settled,
        AssignmentState::Reversed,
        AssignmentState::Failed,
        AssignmentState::Cancelled,
        AssignmentState::Expired,
    ]
    .iter()
    .any(|state| *state as i32 == one.state)
}

async fn read(desk: &Desk, id: &str) -> Result<Assignment, Failure> {
    let request = GetAssignmentRequest { assignment_id: id.to_owned() };
    let answer = desk.client.assignments().get(request).timeout(CALL).await?;
    answer.assignment.ok_or(Failure::NotFound)
}

async fn events(desk: &Desk, id: &str) -> Vec<Event> {
    if !desk.may("events.read") {
        return Vec::new();
    }
    let request = ListEventsRequest {
        assignment_id: id.to_owned(),
        page_size: EVENTS,
        newest_first: true,
        ..Default::default()
    };
    let page = desk.client.events().list(request).timeout(CALL).pages().try_next().await;
    page.ok().flatten().map(|page| page.events).unwrap_or_default()
}

pub(crate) async fn show(desk: Desk, Path(id): Path<String>) -> Answer {
    let t = desk.t;
    let one = read(&desk, &id).await?;
    let part = part(&desk, &one).await;
    let names = desk.app.names().of(&desk, [(one.org_id.clone(), one.user_id)]).await;
    let name = names.of(&one.org_id, one.user_id);
    let body = html! { (part) };
    Page::new(crate::words::fill(t.assignment_for, &[&name]), body)
        .actions(actions(&desk, &one))
        .by_sdk(ways(&desk, &id))
        .live(desk.to(&format!("/live/assignments/{id}")))
        .answer(&desk)
}

/// All that changes while one looks at it.
pub(crate) async fn part(desk: &Desk, one: &Assignment) -> Markup {
    let t = desk.t;
    let people = one.runner_up_user_ids.iter().chain([&one.user_id]);
    let people = people.map(|user| (one.org_id.clone(), *user));
    let (names, events) = tokio::join!(desk.app.names().of(desk, people), events(desk, &one.id));
    html! {
        div id={ "row-" (one.id) } data-at=(changed(one)) {
            (remedy(desk, one))
            section.card {
                p.state { (badge::assignment(t, one.state)) " " span { (one.status_message) } }
                (facts_of(desk, one, &names))
            }
            h2 { (t.items) }
            (items(desk, one))
            @if !events.is_empty() {
                h2 { (t.timeline) }
                (timeline(desk, &events))
            }
        }
    }
}

fn actions(desk: &Desk, one: &Assignment) -> Markup {
    let t = desk.t;
    if !desk.may("assignments.write") || is_over(one) {
        return html! {};
    }
    html! {
        (desk.form_as("inline", "/assignments/retry", html! {
            input type="hidden" name="id" value=(one.id);
            button type="submit" { (t.retry) }
        }))
        a.button href=(desk.to(&format!("/assignments/{}/reassign", one.id))) { (t.reassign_more) }
        a.button.danger href=(desk.to_with("/assignments/cancel", &[("id", &one.id)])) {
            (t.cancel_more)
        }
    }
}

/// Why it does not go on, and the form that mends it.
fn remedy(desk: &Desk, one: &Assignment) -> Markup {
    let t = desk.t;
    let (reason, remedy) = badge::blocked(t, one.blocked_reason);
    if reason.is_empty() || one.state != AssignmentState::Blocked as i32 {
        return html! {};
    }
    let stores = badge::wants_trade_url(one.blocked_reason) && desk.may("users.write");
    html! {
        section.callout.bad {
            h2 { "▲ " (reason) }
            p { (remedy) }
            @if stores {
                (desk.form_as("stack", &format!("/assignments/{}/trade-url", one.id), html! {
                    (Field::new("url", t.trade_url, "").note(t.trade_url_note).required().show())
                    button.main type="submit" { (t.store_trade_url) }
                }))
            }
        }
    }
}

fn facts_of(desk: &Desk, one: &Assignment, names: &Known) -> Markup {
    let t = desk.t;
    let value = money(one.total_estimated_value.as_ref());
    let runners = html! {
        @for (at, user) in one.runner_up_user_ids.iter().enumerate() {
            @if at > 0 { ", " }
            a href=(desk.to(&format!("/people/{user}"))) { bdi { (names.of(&one.org_id, *user)) } }
        }
    };
    let attempts =
        if one.delivery_attempts > 0 { one.delivery_attempts.to_string() } else { String::new() };
    facts(&[
        (t.recipient, person(desk, names, &one.org_id, one.user_id)),
        (t.what_for, html! { (one.assignment_reason) }),
        (t.kind, html! { (one.assignment_type) }),
        (t.source, html! { (one.external_system) }),
        (t.external_id, id(&one.external_id)),
        (t.value, html! { (value.unwrap_or_default()) }),
        (t.attempts, html! { (attempts) }),
        (t.trade_offer, id(&one.delivery_trade_offer_id)),
        (t.last_error, html! { (one.delivery_error_message) }),
        (t.bot, link(desk, "bots", &one.bot_id)),
        (t.runner_ups, runners),
        (t.came_from, link(desk, "assignments", &one.predecessor_id)),
        (t.passed_on_to, link(desk, "assignments", &one.successor_id)),
        (t.assigned, time::at(one.assign_time.as_ref())),
        (t.expires, time::at(one.expire_time.as_ref().filter(|_| !is_over(one)))),
        (t.delivered, time::at(one.deliver_time.as_ref())),
        (t.settles, time::at(one.settle_time.as_ref())),
        (t.ended, time::at(one.cancel_time.as_ref().or(one.fail_time.as_ref()))),
        (t.reversed, time::at(one.reverse_time.as_ref())),
        (t.id, id(&one.id)),
    ])
}

fn items(desk: &Desk, one: &Assignment) -> Markup {
    let t = desk.t;
    let progress = |status: &str| match status {
        "pending" => t.progress_pending.to_owned(),
        "delivered" => t.progress_delivered.to_owned(),
        "returned" => t.progress_returned.to_owned(),
        "reversed" => t.progress_reversed.to_owned(),
        other => other.to_owned(),
    };
    let columns =
        [Column(t.item, ""), Column(t.state, ""), Column(t.value, "right"), Column(t.bot, "wide")];
    sheet(
        t.items,
        &columns,
        html! {
            @for item in &one.items {
                tr {
                    td {
                        a.strong href=(desk.to(&format!("/items/{}", item.item_id))) {
                            bdi { (item.item_name_at_assignment) }
                        }
                    }
                    td { (progress(&item.delivery_status)) }
                    td.right { (money(item.item_value_at_assignment.as_ref()).unwrap_or_default()) }
                    td.wide { (link(desk, "bots", &item.bot_id)) }
                }
            }
        },
    )
}

/// What happened, newest first, each attempt marked by its number.
fn timeline(desk: &Desk, events: &[Event]) -> Markup {
    html! {
        ol.timeline {
            @for event in events {
                li class=(tone(event)) {
                    div {
                        strong { (event.event_description) }
                        @if let Some(attempt) = attempt(event) {
                            " " span.number { (desk.t.attempt) " " (attempt) }
                        }
                        br; small {
                            code { (event.event_type) } " · " (source(desk, &event.source))
                        }
                    }
                    (time::ago(desk, event.create_time.as_ref()))
                }
            }
        }
    }
}

fn tone(event: &Event) -> &'static str {
    match event.severity {
        2 => "wait",
        3 => "bad",
        _ => "quiet",
    }
}

/// The attempt that an event tells of.
fn attempt(event: &Event) -> Option<String> {
    use prost_types::value::Kind;
    let facts = &event.event_data.as_ref()?.fields;
    let value = facts.get("attempt").or_else(|| facts.get("attempt_number"))?;
    match value.kind.as_ref()? {
        Kind::NumberValue(number) => Some(format!("{number}")),
        Kind::StringValue(text) => Some(text.clone()),
        Kind::NullValue(_) | Kind::BoolValue(_) | Kind::StructValue(_) | Kind::ListValue(_) => None,
    }
}

fn ways(desk: &Desk, id: &str) -> Markup {
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: &format!("/api/v1/assignments/{id}"),
            body: "",
            command: &format!("assignments get {id}"),
            rust: "client.assignments().get(GetAssignmentRequest { assignment_id })",
            json: &format!("/assignments/{id}/json"),
        },
    )
}

pub(crate) async fn json(desk: Desk, Path(id): Path<String>) -> Answer {
    Ok(crate::json::answer(&read(&desk, &id).await?))
}

/// Stores the recipient's trade URL; what waits for it goes on by itself.
pub(crate) async fn trade_url(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let one = read(&desk, &id).await?;
    let request = SetTradeUrlRequest {
        org_id: one.org_id,
        user_id: one.user_id,
        trade_url: form.one("url").to_owned(),
        request_id: form.request_id("trade url"),
    };
    desk.client.users().set_trade_url(request).timeout(CALL).await?;
    done(&desk, &format!("/assignments/{id}"), "stored")
}
