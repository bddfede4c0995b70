//! What the bots hold, and held.

pub(crate) mod bulk;
pub(crate) mod one;

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{Item, ItemFilter, ItemState, ListItemsRequest};
use maud::{Markup, html};

use crate::csv;
use crate::desk::Desk;
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::page::Page;
use crate::parts::badge::{self, ITEM_STATES};
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::{Field, choice};
use crate::parts::table::{Column, Tab, below, choosing, sheet, tabs, tick};
use crate::parts::{empty, money, picture, time};

fn word(state: ItemState) -> String {
    state.as_str_name().trim_start_matches("ITEM_STATE_").to_lowercase()
}

/// What the address asks for.
pub(crate) fn filter(desk: &Desk) -> Result<ItemFilter, Failure> {
    let ask = &desk.ask;
    let person = |name: &str| match (ask.one(name), ask.one(name).parse::<SteamId>()) {
        ("", _) => Ok(0),
        (_, Ok(id)) => Ok(id.steam_id64()),
        (_, Err(_)) => Err(Failure::Say(desk.t.no_person.to_owned())),
    };
    let states = ITEM_STATES.iter().filter(|state| word(**state) == ask.one("state"));
    let apps = ask.all("app").into_iter().map(|app| app.parse::<u32>());
    Ok(ItemFilter {
        states: states.map(|state| *state as i32).collect(),
        app_ids: apps
            .collect::<Result<_, _>>()
            .map_err(|_| Failure::Say(desk.t.no_app.to_owned()))?,
        bot_ids: ask.all("bot").into_iter().map(str::to_owned).collect(),
        received_from_user_id: person("donor")?,
        assigned_to_user_id: person("recipient")?,
        text: ask.one("q").to_owned(),
        tradable_now: ask.one("tradable") == "yes",
        market_hash_names: ask.all("market").into_iter().map(str::to_owned).collect(),
    })
}

fn request(desk: &Desk, page_size: i32) -> Result<ListItemsRequest, Failure> {
    let order = ["create_time", "item_name", "item_name desc"];
    let order = order.iter().find(|order| **order == desk.ask.one("order"));
    Ok(ListItemsRequest {
        org_id: desk.org_id(),
        page_size,
        page_token: desk.ask.one("page").to_owned(),
        filter: Some(filter(desk)?),
        order_by: order.map(|order| (*order).to_owned()).unwrap_or_default(),
    })
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let mut pages = desk.client.items().list(request(&desk, ROWS)?).timeout(CALL).pages();
    let (page, bots) = tokio::join!(pages.try_next(), super::bots::choices(&desk));
    let page = page?.unwrap_or_default();
    let grid = desk.ask.one("as") == "tiles";
    let acts = ["items.write", "items.reserve", "assignments.write"].iter().any(|it| desk.may(it));
    let columns = [
        Column(t.item, ""),
        Column(t.state, ""),
        Column(t.rarity, "wide"),
        Column(t.value, "right wide"),
        Column(t.labels, "wide"),
        Column(t.changed, "right"),
    ];
    let rows = html! { @for item in &page.items { (row(&desk, item)) } };
    let list = if page.items.is_empty() {
        nothing(&desk)
    } else if grid {
        html! { ul.tiles { @for item in &page.items { (card(&desk, item)) } } }
    } else if acts {
        let table = choosing(&desk, t.items, &columns, rows);
        desk.form_as("rows", "/items/label", html! { (table) (bar(&desk)) })
    } else {
        sheet(t.items, &columns, rows)
    };
    let (other, label) = if grid { ("", t.as_a_table) } else { ("tiles", t.as_tiles) };
    let body = html! {
        (tabs(&desk, t.state, "state", &state_tabs(&desk)))
        (search(&desk, &bots))
        (list)
        (below(&desk, &page.next_page_token, Some("/items.csv")))
    };
    let switch = html! { a.button href=(desk.here_with(&[("as", other)])) { (label) } };
    Page::new(t.items, body)
        .actions(switch)
        .by_sdk(ways(&desk))
        .live(desk.there_with("/live/items", &[]))
        .answer(&desk)
}

fn state_tabs(desk: &Desk) -> Vec<Tab> {
    let all = Tab { label: html! { (desk.t.all) }, value: String::new(), number: None };
    let states = ITEM_STATES.iter().map(|state| Tab {
        label: html! { (badge::item(desk.t, *state as i32)) },
        value: word(*state),
        number: None,
    });
    std::iter::once(all).chain(states).collect()
}

fn search(desk: &Desk, bots: &[(String, String)]) -> Markup {
    let (t, ask) = (desk.t, &desk.ask);
    let mut choices = vec![("", t.any_bot)];
    choices.extend(bots.iter().map(|(id, name)| (id.as_str(), name.as_str())));
    let orders = [
        ("", t.newest_first),
        ("create_time", t.oldest_first),
        ("item_name", t.by_name),
        ("item_name desc", t.by_name_down),
    ];
    let tradable = [("", t.any_time), ("yes", t.tradable_only)];
    html! {
        form.filters role="search" aria-label=(t.filter) action="/items" {
            (desk.keep_org())
            input type="hidden" name="state" value=(ask.one("state"));
            input type="hidden" name="as" value=(ask.one("as"));
            (Field::new("q", t.part_of_name, ask.one("q")).kind("search").show())
            (Field::new("app", t.game, ask.one("app")).show())
            @if bots.len() > 1 { (choice("bot", t.bot, ask.one("bot"), &choices)) }
            (Field::new("donor", t.donor, ask.one("donor")).show())
            (Field::new("recipient", t.recipient, ask.one("recipient")).show())
            (Field::new("market", t.exact_name, ask.one("market")).show())
            (choice("tradable", t.trade, ask.one("tradable"), &tradable))
            (choice("order", t.order, ask.one("order"), &orders))
            button type="submit" { (t.filter) }
        }
    }
}

fn nothing(desk: &Desk) -> Markup {
    let t = desk.t;
    let names = ["state", "q", "app", "bot", "donor", "recipient", "market", "tradable", "page"];
    if names.iter().any(|name| !desk.ask.one(name).is_empty()) {
        return empty(t.nothing_matches, Some((desk.to("/items"), t.drop_filter)));
    }
    empty(t.no_items, Some((desk.to("/bots"), t.bots)))
}

fn bar(desk: &Desk) -> Markup {
    let t = desk.t;
    html! {
        div.bar {
            p data-chosen data-one=(t.chosen_one) data-many=(t.chosen_many) { (t.choose_rows) }
            @if desk.may("items.write") {
                input name="label" aria-label=(t.label_name) placeholder=(t.label_name) maxlength="64";
                input name="value" aria-label=(t.label_value) placeholder=(t.label_value)
                    maxlength="256";
                button type="submit" { (t.set_label) }
            }
            @if desk.may("items.reserve") {
                select name="ttl" aria-label=(t.hold_for) {
                    option value="900" { (t.minutes_15) }
                    option value="3600" { (t.hour_1) }
                    option value="86400" { (t.day_1) }
                }
                button type="submit" formaction=(desk.to("/items/hold")) { (t.hold) }
                button type="submit" formaction=(desk.to("/items/release")) { (t.release) }
            }
        }
    }
}

/// A row; the same in the page and when it changes.
pub(crate) fn row(desk: &Desk, item: &Item) -> Markup {
    let t = desk.t;
    let acts = ["items.write", "items.reserve", "assignments.write"].iter().any(|it| desk.may(it));
    let path = desk.to(&format!("/items/{}", item.id));
    let app = item.asset.as_ref().map(|asset| asset.app_id).unwrap_or_default();
    html! {
        tr id={ "row-" (item.id) } data-at=(changed(item)) {
            @if acts { (tick(desk, "id", &item.id, &item.item_name, false)) }
            td {
                div.with-tile {
                    (picture(desk, item))
                    div {
                        a.strong href=(path) { bdi { (item.item_name) } }
                        br; small {
                            @if !item.item_type.is_empty() { (item.item_type) " · " }
                            (t.game) " " (app)
                        }
                    }
                }
            }
            td { (badge::item(t, item.state)) }
            td.wide { (item.item_rarity) }
            td.right.wide { (money(item.market_value.as_ref()).unwrap_or_default()) }
            td.wide { (labels(item)) }
            td.right { (time::ago(desk, item.update_time.as_ref())) }
        }
    }
}

pub(crate) fn labels(item: &Item) -> Markup {
    let mut labels: Vec<_> = item.labels.iter().collect();
    labels.sort();
    html! {
        @for (name, value) in labels {
            span.label { bdi { (name) } @if !value.is_empty() { ": " bdi { (value) } } } " "
        }
    }
}

fn card(desk: &Desk, item: &Item) -> Markup {
    html! {
        li id={ "row-" (item.id) } data-at=(changed(item)) {
            a href=(desk.to(&format!("/items/{}", item.id))) {
                (picture(desk, item))
                strong { bdi { (item.item_name) } }
            }
            (badge::item(desk.t, item.state))
        }
    }
}

/// A mark by which a row knows whether it is old.
pub(crate) fn changed(item: &Item) -> String {
    item.update_time
        .as_ref()
        .map(|at| format!("{}.{:09}", at.seconds, at.nanos))
        .unwrap_or_default()
}

fn ways(desk: &Desk) -> Markup {
    let (text, state) = (desk.ask.one("q"), desk.ask.one("state"));
    let mut query = Vec::new();
    let mut flags = String::new();
    if !text.is_empty() {
        query.push(("filter.text", text.to_owned()));
        flags.push_str(&format!(" --text '{}'", text.replace('\'', "'\\''")));
    }
    if !state.is_empty() {
        query.push(("filter.states", format!("ITEM_STATE_{}", state.to_uppercase())));
        flags.push_str(&format!(" --state {}", state.replace('_', "-")));
    }
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: &crate::ask::address("/api/v1/items", &query),
            body: "",
            command: &format!("items list{flags}"),
            rust: "client.items().list(ListItemsRequest { … })",
            json: "",
        },
    )
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.items().list(request(&desk, CSV_PAGE)?).timeout(CALL);
    let heads = [
        "id",
        "org_id",
        "bot_id",
        "state",
        "name",
        "market_hash_name",
        "type",
        "rarity",
        "value",
        "app_id",
        "asset_id",
        "received_from",
        "assigned_to",
        "received",
        "delivered",
        "labels",
    ];
    let words = crate::words::LANGUAGES[0].words;
    Ok(csv::answer("items", &heads, list, move |item: Item| {
        let asset = item.asset.clone().unwrap_or_default();
        let mut labels: Vec<_> =
            item.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        labels.sort();
        vec![
            item.id,
            item.org_id,
            item.bot_id,
            badge::item(words, item.state).word.into_owned(),
            item.item_name,
            item.market_hash_name,
            item.item_type,
            item.item_rarity,
            money(item.market_value.as_ref()).unwrap_or_default(),
            asset.app_id.to_string(),
            asset.asset_id.to_string(),
            item.received_from_user_id.to_string(),
            item.assigned_to_user_id.to_string(),
            csv::time(item.receive_time.as_ref()),
            csv::time(item.deliver_time.as_ref()),
            labels.join(" "),
        ]
    }))
}
