//! The second step: what is given.

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{Item, ItemFilter, ItemState, ListItemsRequest};
use maud::{Markup, html};

use super::{Chosen, steps};
use crate::desk::Desk;
use crate::failure::Answer;
use crate::limits::{CALL, ROWS};
use crate::page::Page;
use crate::parts::field::Field;
use crate::parts::table::{Column, choosing, tick};
use crate::parts::{empty, money, picture};
use crate::words::count_of;

pub(super) async fn show(desk: &Desk, chosen: &Chosen, to: SteamId) -> Answer {
    let t = desk.t;
    let text = desk.ask.one("q");
    let filter = ItemFilter {
        states: vec![ItemState::Available as i32],
        text: text.to_owned(),
        tradable_now: true,
        ..Default::default()
    };
    let request = ListItemsRequest {
        org_id: desk.org_id(),
        page_size: ROWS,
        page_token: desk.ask.one("page").to_owned(),
        filter: Some(filter),
        order_by: "item_name".to_owned(),
    };
    let page = desk.client.items().list(request).timeout(CALL).pages().try_next().await?;
    let page = page.unwrap_or_default();
    let shown: Vec<&str> = page.items.iter().map(|item| item.id.as_str()).collect();
    let elsewhere = chosen.items.iter().filter(|id| !shown.contains(&id.as_str()));
    let next = page.next_page_token.as_str();
    let body = html! {
        (steps(desk, chosen, 1))
        (who(desk, to).await)
        // One form for all: what is ticked stays when one searches or turns the page.
        form.rows action="/assignments/new" {
            (desk.keep_org())
            input type="hidden" name="to" value=(to);
            @for id in elsewhere { input type="hidden" name="item" value=(id); }
            div.filters {
                (Field::new("q", t.part_of_name, text).kind("search").show())
                button type="submit" name="step" value="items" { (t.filter) }
            }
            @if page.items.is_empty() { (empty(t.no_free_items, None)) } @else {
                (table(desk, chosen, &page.items))
            }
            div.bar {
                p data-chosen data-one=(t.chosen_one) data-many=(t.chosen_many) {
                    (count_of(t.chosen_number, chosen.items.len()))
                }
                @if !next.is_empty() {
                    button type="submit" name="page" value=(next) { (t.next_page) }
                }
                button.main type="submit" name="step" value="confirm" { (t.go_on) }
            }
        }
        @if desk.may("items.reserve") { (any(desk, chosen)) }
    };
    Page::new(t.new_assignment, body).answer(desk)
}

async fn who(desk: &Desk, to: SteamId) -> Markup {
    let org = desk.org_to_write().unwrap_or_default();
    let names = desk.app.names().of(desk, [(org.clone(), to.steam_id64())]).await;
    html! { p { (desk.t.for_whom) " " bdi.strong { (names.of(&org, to.steam_id64())) } " " small.id { (to) } } }
}

fn table(desk: &Desk, chosen: &Chosen, items: &[Item]) -> Markup {
    let t = desk.t;
    let columns = [Column(t.item, ""), Column(t.rarity, "wide"), Column(t.value, "right")];
    choosing(
        desk,
        t.items,
        &columns,
        html! {
            @for item in items {
                tr {
                    (tick(desk, "item", &item.id, &item.item_name, chosen.items.contains(&item.id)))
                    td {
                        div.with-tile {
                            (picture(desk, item))
                            div { bdi.strong { (item.item_name) } br; small { (item.item_type) } }
                        }
                    }
                    td.wide { (item.item_rarity) }
                    td.right { (money(item.market_value.as_ref()).unwrap_or_default()) }
                }
            }
        },
    )
}

/// Any that match, without choosing them one by one.
fn any(desk: &Desk, chosen: &Chosen) -> Markup {
    let t = desk.t;
    html! {
        details.card {
            summary { (t.any_of) }
            (desk.form_as("filters", "/assignments/new/any", html! {
                (chosen.hidden())
                (Field::new("count", t.how_many, "1").kind("number").required().show())
                (Field::new("name", t.part_of_name, "").required().show())
                button type="submit" { (t.hold_and_go_on) }
            }))
            p.note { (t.any_note) }
        }
    }
}
