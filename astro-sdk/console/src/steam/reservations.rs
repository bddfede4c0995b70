//! Holds on items for a while.

use std::collections::{BTreeSet, HashMap};

use astro_sdk::v1::{
    ItemFilter, ItemState, ListItemsRequest, ListReservationsRequest, ReleaseReservationRequest,
    Reservation, ReservationState,
};
use axum::extract::Path;
use maud::{Markup, html};

use crate::csv;
use crate::desk::{Desk, Posted};
use crate::failure::Answer;
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::page::{Page, done};
use crate::parts::badge;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::table::{Column, Tab, below, sheet, tabs};
use crate::parts::{empty, link, source, time};
use crate::together::together;
use crate::words::count;

/// Items of a reservation that a row names; its CSV line has all.
const NAMED: usize = 3;

fn request(desk: &Desk, page_size: i32) -> ListReservationsRequest {
    ListReservationsRequest {
        org_id: desk.org_id(),
        page_size,
        page_token: desk.ask.one("page").to_owned(),
        held_only: desk.ask.one("show") != "all",
    }
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let items = desk.client.items();
    let mut pages = items.list_reservations(request(&desk, ROWS)).timeout(CALL).pages();
    let page = pages.try_next().await?.unwrap_or_default();
    let names = names(&desk, &page.reservations).await;
    let columns = [
        Column(t.items, ""),
        Column(t.state, ""),
        Column(t.made_by, "wide"),
        Column(t.made, "right wide"),
        Column(t.ends, "right"),
        Column(t.what_to_do, ""),
    ];
    let both = [("", t.held_ones), ("all", t.all)].map(|(value, label)| Tab {
        label: html! { (label) },
        value: value.to_owned(),
        number: None,
    });
    let body = html! {
        (tabs(&desk, t.state, "show", &both))
        @if page.reservations.is_empty() {
            (empty(t.no_reservations, Some((desk.to("/items"), t.items))))
        } @else {
            (sheet(t.reservations, &columns, html! {
                @for one in &page.reservations { (row(&desk, one, &names)) }
            }))
        }
        (below(&desk, &page.next_page_token, Some("/reservations.csv")))
    };
    let ways = Ways {
        verb: "GET",
        path: "/api/v1/reservations?heldOnly=true",
        body: "",
        command: "reservations list --held",
        rust: "client.items().list_reservations(ListReservationsRequest { … })",
        json: "",
    };
    Page::new(t.reservations, body).by_sdk(by_sdk(&desk, &ways)).answer(&desk)
}

/// Names of the newest items that are reserved in these reservations' organisations; any other is
/// shown by its id.
async fn names(desk: &Desk, shown: &[Reservation]) -> HashMap<String, String> {
    let held = shown.iter().filter(|one| !one.item_ids.is_empty());
    let orgs: BTreeSet<&String> = held.map(|one| &one.org_id).collect();
    let asked = orgs.into_iter().map(|org_id| {
        let states = vec![ItemState::Reserved as i32];
        let request = ListItemsRequest {
            org_id: org_id.clone(),
            page_size: CSV_PAGE,
            filter: Some(ItemFilter { states, ..Default::default() }),
            ..Default::default()
        };
        let mut pages = desk.client.items().list(request).timeout(CALL).pages();
        async move { pages.try_next().await.ok().flatten().unwrap_or_default().items }
    });
    let items = together(asked.collect()).await.into_iter().flatten();
    items.map(|item| (item.id, item.item_name)).collect()
}

fn row(desk: &Desk, one: &Reservation, names: &HashMap<String, String>) -> Markup {
    let t = desk.t;
    let number = u64::try_from(one.items_count).unwrap_or_default();
    let end = one.end_time.as_ref().or(one.expire_time.as_ref());
    html! {
        tr {
            td {
                @if number > 0 { span.strong { (count(t.items_counted, number)) } br; }
                @for item in one.item_ids.iter().take(NAMED) {
                    @match names.get(item) {
                        Some(name) => a href=(desk.to(&format!("/items/{item}"))) { bdi { (name) } },
                        None => (link(desk, "items", item)),
                    }
                    " "
                }
                @if one.item_ids.len() > NAMED { "+ " (one.item_ids.len() - NAMED) }
            }
            td {
                (badge::reservation(t, one.state))
                @if !one.assignment_id.is_empty() {
                    br; (link(desk, "assignments", &one.assignment_id))
                }
            }
            td.wide { (source(desk, &one.source)) }
            td.right.wide { (time::ago(desk, one.create_time.as_ref())) }
            td.right { (time::ago(desk, end)) }
            td { @if one.state() == ReservationState::Held { (actions(desk, one)) } }
        }
    }
}

fn actions(desk: &Desk, one: &Reservation) -> Markup {
    let t = desk.t;
    let assign = desk.to_with("/assignments/new", &[("reservation", &one.id)]);
    html! {
        div.buttons {
            @if desk.may("assignments.write") { a.button href=(assign) { (t.assign_these) } }
            @if desk.may("items.reserve") {
                (desk.form_as("inline", &format!("/reservations/{}/release", one.id), html! {
                    input type="hidden" name="back" value="list";
                    button type="submit" { (t.release) }
                }))
            }
        }
    }
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.items().list_reservations(request(&desk, CSV_PAGE)).timeout(CALL);
    let heads = [
        "id",
        "org_id",
        "state",
        "source",
        "items",
        "item_ids",
        "assignment_id",
        "made",
        "expires",
        "ended",
    ];
    let words = crate::words::LANGUAGES[0].words;
    Ok(csv::answer("reservations", &heads, list, move |one: Reservation| {
        vec![
            one.id,
            one.org_id,
            badge::reservation(words, one.state).word.into_owned(),
            one.source,
            one.items_count.to_string(),
            one.item_ids.join(" "),
            one.assignment_id,
            csv::time(one.create_time.as_ref()),
            csv::time(one.expire_time.as_ref()),
            csv::time(one.end_time.as_ref()),
        ]
    }))
}

pub(crate) async fn release(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let request =
        ReleaseReservationRequest { reservation_id: id, request_id: form.request_id("release") };
    desk.client.items().release_reservation(request).timeout(CALL).await?;
    let to = match (form.one("back"), form.one("item")) {
        ("list", _) => "/reservations".to_owned(),
        (_, "") => "/items".to_owned(),
        (_, item) => format!("/items/{item}"),
    };
    done(&desk, &to, "released")
}
