//! The third step: all of it once more, checked by the server without changing anything.

use astro_sdk::v1::{
    Assignment, DeliveryWarning, DeliveryWarningKind, GetItemRequest, GetUserRequest, Item, User,
};
use maud::{Markup, html};

use super::{Chosen, org, request, steps};
use crate::ask::Asked;
use crate::desk::Desk;
use crate::failure::{Answer, Failure, sentence};
use crate::limits::CALL;
use crate::page::Page;
use crate::parts::badge;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::{Field, area};
use crate::parts::{money, picture};
use crate::together::together;
use crate::words::{count_of, fill};

pub(super) async fn show(desk: &Desk, chosen: &Chosen, wrong: &str) -> Answer {
    show_with(desk, chosen, &desk.ask.clone(), wrong).await
}

/// The page with what was written into its form.
pub(super) async fn show_with(
    desk: &Desk,
    chosen: &Chosen,
    written: &Asked,
    wrong: &str,
) -> Answer {
    let t = desk.t;
    let org_id = org(desk, chosen).await?;
    let mut check = request(org_id.clone(), chosen, written, Vec::new());
    check.validate_only = true;
    let assignments = desk.client.assignments();
    let (checked, person, items) = tokio::join!(
        async { assignments.create(check).timeout(CALL).await },
        user(desk, &org_id, chosen),
        items(desk, chosen),
    );
    let (planned, warnings, refused) = match checked {
        Ok(answer) => (answer.assignment, answer.warnings, String::new()),
        Err(error) => {
            let said = sentence(&error, t);
            if let failure @ Failure::SignedOut = Failure::from(error) {
                return Err(failure);
            }
            (None, Vec::new(), said)
        }
    };
    let number = planned.as_ref().map_or(items.len(), |planned| planned.items.len());
    let body = html! {
        (steps(desk, chosen, 2))
        @if !wrong.is_empty() { p.callout.bad role="alert" { (wrong) } }
        @else if !refused.is_empty() { p.callout.bad role="alert" { (refused) } }
        (summary(desk, chosen, person.as_ref(), planned.as_ref(), &items))
        (in_the_way(desk, chosen, &warnings))
        (form(desk, chosen, written, number, refused.is_empty()))
    };
    Page::new(t.new_assignment, body).by_sdk(ways(desk, chosen)).answer(desk)
}

async fn user(desk: &Desk, org_id: &str, chosen: &Chosen) -> Option<User> {
    let user_id = chosen.to?.steam_id64();
    let request = GetUserRequest { org_id: org_id.to_owned(), user_id };
    if !desk.may("users.read") {
        return None;
    }
    desk.client.users().get(request).timeout(CALL).await.ok()?.user
}

async fn items(desk: &Desk, chosen: &Chosen) -> Vec<Item> {
    let items = desk.client.items();
    let calls = chosen.items.iter().map(|id| {
        let call = items.get(GetItemRequest { item_id: id.clone() }).timeout(CALL);
        async move { call.await.ok()?.item }
    });
    together(calls.collect()).await.into_iter().flatten().collect()
}

fn summary(
    desk: &Desk,
    chosen: &Chosen,
    person: Option<&User>,
    planned: Option<&Assignment>,
    items: &[Item],
) -> Markup {
    let t = desk.t;
    let number = chosen.to.map(|to| to.to_string()).unwrap_or_default();
    let name = person.map(|it| it.display_name.as_str()).filter(|name| !name.is_empty());
    let value = planned.and_then(|planned| money(planned.total_estimated_value.as_ref()));
    let bots: std::collections::BTreeSet<&str> =
        items.iter().map(|item| item.bot_id.as_str()).collect();
    let has_url = person.is_some_and(|person| person.has_trade_url);
    html! {
        section.card {
            h2 { bdi { (name.unwrap_or(&number)) } " " small.id { (number) } }
            @if has_url { p.good-text { "✓ " (t.has_trade_url) } }
            @if bots.len() > 1 { p { (count_of(t.in_parts, bots.len())) } }
            ul.chosen {
                @for item in items {
                    li {
                        (picture(desk, item)) " "
                        bdi { (item.item_name) } " "
                        small { (money(item.market_value.as_ref()).unwrap_or_default()) }
                    }
                }
                @if items.is_empty() && let Some(planned) = planned {
                    @for item in &planned.items { li { bdi { (item.item_name_at_assignment) } } }
                }
            }
            @if let Some(value) = value { p { (fill(t.worth, &[&value])) } }
        }
    }
}

/// What would keep the delivery from going out now, and where each is mended.
fn in_the_way(desk: &Desk, chosen: &Chosen, warnings: &[DeliveryWarning]) -> Markup {
    let t = desk.t;
    if warnings.is_empty() {
        return html! {};
    }
    html! {
        section.callout {
            h2 { "◆ " (t.in_the_way) }
            ul.plain {
                @for warning in warnings {
                    li {
                        (badge::warning(t, warning.kind))
                        @if has_facts(warning) { br; small { (fill(t.server_says, &[&warning.message])) } }
                        @if let Some((href, label)) = remedy(desk, chosen, warning) {
                            br; a href=(href) { (label) }
                        }
                    }
                }
            }
            p.note { (t.in_the_way_note) }
        }
    }
}

/// Whether the server's own words tell more than the page's: a time, or what a bot says.
fn has_facts(warning: &DeliveryWarning) -> bool {
    match warning.kind() {
        DeliveryWarningKind::BotNeedsOperator
        | DeliveryWarningKind::ItemNotTradable
        | DeliveryWarningKind::RecipientTradeBanned
        | DeliveryWarningKind::HoldTooLong
        | DeliveryWarningKind::RecipientInventoryFull
        | DeliveryWarningKind::RecipientInventoryPrivate
        | DeliveryWarningKind::RecipientCannotReceive => true,
        // Of a newer server: its words are all there is.
        DeliveryWarningKind::Unspecified => true,
        DeliveryWarningKind::TradeUrlNeeded
        | DeliveryWarningKind::BotPaused
        | DeliveryWarningKind::BotNotConnected
        | DeliveryWarningKind::SeveralTrades
        | DeliveryWarningKind::RecipientOffersFull
        | DeliveryWarningKind::BotOffersFull => false,
    }
}

/// Where a warning's remedy is, and what its link says.
fn remedy(
    desk: &Desk,
    chosen: &Chosen,
    warning: &DeliveryWarning,
) -> Option<(String, &'static str)> {
    let t = desk.t;
    let to = chosen.to.map(|to| to.to_string()).unwrap_or_default();
    let assignments = |state: &str, name: &str, value: &str| {
        desk.to_with("/assignments", &[("state", state), (name, value)])
    };
    let mut items = chosen.told();
    items.push(("step", "items".to_owned()));
    let place = match warning.kind() {
        DeliveryWarningKind::Unspecified => return None,
        DeliveryWarningKind::TradeUrlNeeded if desk.may("users.write") => {
            let mut here = chosen.told();
            here.push(("step", "confirm".to_owned()));
            let back = desk.to_with("/assignments/new", &here);
            let asked = [("open", "trade-url"), ("back", &back)];
            (desk.to_with(&format!("/people/{to}"), &asked), t.to_trade_url)
        }
        DeliveryWarningKind::TradeUrlNeeded => return None,
        DeliveryWarningKind::BotPaused
        | DeliveryWarningKind::BotNotConnected
        | DeliveryWarningKind::BotNeedsOperator => {
            (desk.to(&format!("/bots/{}", warning.bot_id)), t.to_bot)
        }
        DeliveryWarningKind::SeveralTrades | DeliveryWarningKind::ItemNotTradable => {
            (desk.to_with("/assignments/new", &items), t.to_other_items)
        }
        DeliveryWarningKind::RecipientOffersFull => {
            (assignments("offered", "user", &to), t.to_offers)
        }
        DeliveryWarningKind::BotOffersFull => {
            (assignments("offered", "bot", &warning.bot_id), t.to_offers)
        }
        DeliveryWarningKind::RecipientTradeBanned
        | DeliveryWarningKind::HoldTooLong
        | DeliveryWarningKind::RecipientInventoryFull
        | DeliveryWarningKind::RecipientInventoryPrivate
        | DeliveryWarningKind::RecipientCannotReceive => {
            (assignments("blocked", "user", &to), t.to_blocked)
        }
    };
    Some(place)
}

fn form(desk: &Desk, chosen: &Chosen, written: &Asked, number: usize, may: bool) -> Markup {
    let t = desk.t;
    desk.form_as(
        "card stack narrow",
        "/assignments/new/create",
        html! {
            (chosen.hidden())
            (Field::new("reason", t.reason_shown, written.one("reason")).note(t.reason_note).show())
            details {
                summary { (t.more_settings) }
                div.stack {
            (Field::new("type", t.kind, written.one("type")).note(t.kind_note).show())
            (Field::new("days", t.days_to_claim, written.one("days")).kind("number")
                .note(t.days_note).show())
            (area("runners", t.runner_ups, written.one("runners"), t.runners_note))
                }
            }
            div.buttons {
                button.main type="submit" disabled[!may] { (count_of(t.assign_number, number)) }
                a href=(desk.to("/assignments")) { (t.leave_it) }
            }
        },
    )
}

fn ways(desk: &Desk, chosen: &Chosen) -> Markup {
    let to = chosen.to.map(|to| to.to_string()).unwrap_or_default();
    let body = if chosen.reservation.is_empty() {
        serde_json::json!({ "userId": to, "itemIds": chosen.items })
    } else {
        serde_json::json!({ "userId": to, "reservationId": chosen.reservation })
    };
    let flags: Vec<String> = chosen.items.iter().map(|item| format!("--item {item}")).collect();
    let what = if chosen.reservation.is_empty() {
        flags.join(" ")
    } else {
        format!("--reservation {}", chosen.reservation)
    };
    by_sdk(
        desk,
        &Ways {
            verb: "POST",
            path: "/api/v1/assignments",
            body: &body.to_string(),
            command: &format!("assignments create --user {to} {what}"),
            rust: "client.assignments().create(CreateAssignmentRequest { user_id, item_ids, … })",
            json: "",
        },
    )
}
