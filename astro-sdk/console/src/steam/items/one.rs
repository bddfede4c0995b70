//! One item and its whole life.

use astro_sdk::Code;
use astro_sdk::v1::{
    GetItemRequest, Item, ItemHistoryEntry, ItemState, ListItemHistoryRequest, Money,
    UpdateItemRequest,
};
use axum::extract::Path;
use maud::{Markup, html};

use super::{changed, labels};
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, ROWS};
use crate::names::Known;
use crate::page::{Page, done};
use crate::parts::badge;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::{Field, area};
use crate::parts::table::{Column, sheet};
use crate::parts::{facts, id, link, money, person, picture, source, time};

async fn read(desk: &Desk, id: &str) -> Result<Item, Failure> {
    let request = GetItemRequest { item_id: id.to_owned() };
    let answer = desk.client.items().get(request).timeout(CALL).await?;
    answer.item.ok_or(Failure::NotFound)
}

pub(crate) async fn show(desk: Desk, Path(id): Path<String>) -> Answer {
    let item = read(&desk, &id).await?;
    page(&desk, &item, None).await
}

/// The item's page; with what was written, if somebody changed the item before that was stored.
async fn page(desk: &Desk, item: &Item, written: Option<&Written>) -> Answer {
    let part = part(desk, item).await;
    let body = html! {
        @if let Some(written) = written { (both(desk, item, written)) }
        (part)
        @if desk.may("items.write") { (settings(desk, item, written)) }
    };
    Page::new(item.item_name.clone(), body)
        .actions(actions(desk, item))
        .by_sdk(ways(desk, &item.id))
        .live(desk.to(&format!("/live/items/{}", item.id)))
        .answer(desk)
}

/// What the form for labels and value has.
struct Written {
    labels: String,
    value: String,
    currency: String,
}

impl Written {
    /// As it is stored.
    fn of(item: &Item) -> Self {
        let money = item.market_value.clone().unwrap_or_default();
        let units = money.minor_units;
        let (value, currency) = if money.currency_code.is_empty() {
            (String::new(), "USD".to_owned())
        } else {
            (format!("{}.{:02}", units / 100, units.abs() % 100), money.currency_code)
        };
        let mut lines: Vec<String> =
            item.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.sort();
        Self { labels: lines.join("\n"), value, currency }
    }
}

/// What was written and what is stored now, beside each other.
fn both(desk: &Desk, item: &Item, written: &Written) -> Markup {
    let t = desk.t;
    let now = Written::of(item);
    let columns = [Column("", ""), Column(t.yours, ""), Column(t.theirs, "")];
    let lines = [
        (t.labels, &written.labels, &now.labels),
        (t.value, &written.value, &now.value),
        (t.currency, &written.currency, &now.currency),
    ];
    html! {
        section.callout.bad role="alert" {
            h2 { (t.changed_meanwhile) }
            p { (t.look_again) }
            (sheet(t.changed_meanwhile, &columns, html! {
                @for (name, yours, theirs) in lines {
                    tr { th scope="row" { (name) } td { bdi { (yours) } } td { bdi { (theirs) } } }
                }
            }))
        }
    }
}

/// All that changes while one looks at it.
pub(crate) async fn part(desk: &Desk, item: &Item) -> Markup {
    let t = desk.t;
    let history = history(desk, &item.id).await;
    let people = [item.received_from_user_id, item.assigned_to_user_id];
    let people = people.into_iter().chain(history.iter().map(|entry| entry.user_id));
    let people = people.map(|user| (item.org_id.clone(), user));
    let names = desk.app.names().of(desk, people).await;
    html! {
        div id={ "row-" (item.id) } data-at=(changed(item)) {
            section.card {
                p.state {
                    (picture(desk, item)) " " (badge::item(t, item.state))
                }
                (facts_of(desk, item, &names))
            }
            h2 { (t.life) }
            (life(desk, item, &history, &names))
        }
    }
}

async fn history(desk: &Desk, id: &str) -> Vec<ItemHistoryEntry> {
    let request =
        ListItemHistoryRequest { item_id: id.to_owned(), page_size: ROWS, ..Default::default() };
    let page = desk.client.items().list_history(request).timeout(CALL).pages().try_next().await;
    page.ok().flatten().map(|page| page.entries).unwrap_or_default()
}

fn actions(desk: &Desk, item: &Item) -> Markup {
    let t = desk.t;
    let free = item.state == ItemState::Available as i32;
    html! {
        @if free && desk.may("assignments.write") {
            a.button.main href=(desk.to_with("/assignments/new", &[("item", &item.id)])) {
                (t.assign_this)
            }
        }
        @if !item.reservation_id.is_empty() && desk.may("items.reserve") {
            (desk.form_as(
                "inline",
                &format!("/reservations/{}/release", item.reservation_id),
                html! {
                    input type="hidden" name="item" value=(item.id);
                    button type="submit" { (t.release) }
                },
            ))
        }
    }
}

fn facts_of(desk: &Desk, item: &Item, names: &Known) -> Markup {
    let t = desk.t;
    let asset = item.asset.clone().unwrap_or_default();
    let number = |number: u64| html! { @if number > 0 { code { (number) } } };
    let somebody = |user: u64| {
        if user == 0 {
            html! {}
        } else {
            person(desk, names, &item.org_id, user)
        }
    };
    facts(&[
        (t.name_on_market, html! { bdi { (item.market_hash_name) } }),
        (t.kind, html! { (item.item_type) }),
        (t.rarity, html! { (item.item_rarity) }),
        (t.value, html! { (money(item.market_value.as_ref()).unwrap_or_default()) }),
        (t.labels, labels(item)),
        (t.donor, somebody(item.received_from_user_id)),
        (t.received, time::at(item.receive_time.as_ref())),
        (t.recipient, somebody(item.assigned_to_user_id)),
        (t.delivered, time::at(item.deliver_time.as_ref())),
        (t.assignment, link(desk, "assignments", &item.assignment_id)),
        (t.reservation, id(&item.reservation_id)),
        (t.tradable_from, time::at(item.tradable_time.as_ref())),
        (t.bot, link(desk, "bots", &item.bot_id)),
        (t.game, number(u64::from(asset.app_id))),
        (t.asset_id, number(asset.asset_id)),
        (t.organisation, html! { (desk.org_name(&item.org_id)) }),
        (t.id, id(&item.id)),
    ])
}

fn life(desk: &Desk, item: &Item, history: &[ItemHistoryEntry], names: &Known) -> Markup {
    let t = desk.t;
    html! {
        ol.timeline {
            @for entry in history {
                li {
                    div {
                        (badge::item(t, entry.to_state)) " "
                        span { (entry.description) }
                        @if entry.user_id != 0 {
                            " · " a href=(desk.to(&format!("/people/{}", entry.user_id))) {
                                bdi { (names.of(&item.org_id, entry.user_id)) }
                            }
                        }
                        br; small {
                            code { (entry.event_type) } " · " (source(desk, &entry.source))
                            @if !entry.assignment_id.is_empty() {
                                " · " a href=(desk.to(&format!("/assignments/{}", entry.assignment_id))) {
                                    (t.assignment)
                                }
                            }
                            @if !entry.trade_offer_id.is_empty() {
                                " · " (t.trade_offer) " " code { (entry.trade_offer_id) }
                            }
                        }
                    }
                    (time::ago(desk, entry.event_time.as_ref()))
                }
            }
        }
    }
}

fn settings(desk: &Desk, item: &Item, written: Option<&Written>) -> Markup {
    let t = desk.t;
    let stored = Written::of(item);
    let Written { labels, value, currency } = written.unwrap_or(&stored);
    let form = html! {
        input type="hidden" name="etag" value=(item.etag);
        (area("labels", t.labels, labels, t.labels_note))
        (Field::new("value", t.value, value).show())
        (Field::new("currency", t.currency, currency).show())
        div.buttons { button type="submit" { (t.save) } }
    };
    html! {
        details.card open[written.is_some()] {
            summary { (t.change_item) }
            (desk.form_as("stack", &format!("/items/{}/value", item.id), form))
        }
    }
}

/// Stores labels and value as they stand in the form, unless somebody changed the item meanwhile.
pub(crate) async fn value(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let lines = form.one("labels").lines().map(str::trim).filter(|line| !line.is_empty());
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        (name.trim().to_owned(), value.trim().to_owned())
    };
    let market_value = match form.one("value") {
        "" => None,
        text => Some(Money {
            currency_code: form.one("currency").to_uppercase(),
            minor_units: minor_units(text).ok_or(Failure::Say(desk.t.no_amount.to_owned()))?,
            ..Default::default()
        }),
    };
    let item = Item {
        id: id.clone(),
        etag: form.one("etag").to_owned(),
        labels: lines.map(pair).collect(),
        market_value,
        ..Default::default()
    };
    let paths = vec!["labels".to_owned(), "market_value".to_owned()];
    let request = UpdateItemRequest {
        item: Some(item),
        update_mask: Some(prost_types::FieldMask { paths }),
        request_id: form.request_id("item"),
    };
    match desk.client.items().update(request).timeout(CALL).await {
        Err(error) if error.code == Code::Aborted => {
            let written = Written {
                labels: form.one("labels").to_owned(),
                value: form.one("value").to_owned(),
                currency: form.one("currency").to_owned(),
            };
            page(&desk, &read(&desk, &id).await?, Some(&written)).await
        }
        answer => {
            answer?;
            done(&desk, &format!("/items/{id}"), "stored")
        }
    }
}

/// `12`, `12.5` or `12,50` in hundredths.
fn minor_units(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)
}

fn ways(desk: &Desk, id: &str) -> Markup {
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: &format!("/api/v1/items/{id}"),
            body: "",
            command: &format!("items get {id}"),
            rust: "client.items().get(GetItemRequest { item_id })",
            json: &format!("/items/{id}/json"),
        },
    )
}

pub(crate) async fn json(desk: Desk, Path(id): Path<String>) -> Answer {
    Ok(crate::json::answer(&read(&desk, &id).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, units) in [
            ("12", Some(1200)),
            ("12.5", Some(1250)),
            ("0,07", Some(7)),
            ("1.234", None),
            ("x", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(minor_units(text), units, "{text}");
        }
    }
}
