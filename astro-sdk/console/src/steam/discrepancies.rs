//! Differences between Steam and the books, each with what a person can do about it.

use astro_sdk::v1::{
    Discrepancy, DiscrepancyResolution, ListDiscrepanciesRequest, ResolveDiscrepancyRequest,
};
use axum::extract::Path;
use maud::{Markup, html};

use super::syncs::{bot_name, bot_names};
use crate::csv;
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::page::{Page, done};
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::Field;
use crate::parts::table::{Column, Tab, below, sheet, tabs};
use crate::parts::{badge, empty, time};

fn request(desk: &Desk, page_size: i32) -> ListDiscrepanciesRequest {
    ListDiscrepanciesRequest {
        org_id: desk.org_id(),
        open_only: desk.ask.one("show") != "all",
        page_size,
        page_token: desk.ask.one("page").to_owned(),
    }
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let syncs = desk.client.syncs();
    let mut pages = syncs.list_discrepancies(request(&desk, ROWS)).timeout(CALL).pages();
    let (page, names) = tokio::join!(pages.try_next(), bot_names(&desk));
    let page = page?.unwrap_or_default();
    let columns = [
        Column(t.difference, ""),
        Column(t.bot, "wide"),
        Column(t.found, "right wide"),
        Column(t.what_to_do, ""),
    ];
    let both = [("", t.open_ones), ("all", t.all)];
    let both = both.map(|(value, label)| Tab {
        label: html! { (label) },
        value: value.to_owned(),
        number: None,
    });
    let body = html! {
        (tabs(&desk, t.state, "show", &both))
        @if page.discrepancies.is_empty() { (empty(t.no_discrepancies, None)) } @else {
            (sheet(t.discrepancies, &columns, html! {
                @for one in &page.discrepancies { (row(&desk, one, &names)) }
            }))
        }
        (below(&desk, &page.next_page_token, Some("/discrepancies.csv")))
    };
    let ways = Ways {
        verb: "GET",
        path: "/api/v1/discrepancies?openOnly=true",
        body: "",
        command: "discrepancies list --open",
        rust: "client.syncs().list_discrepancies(ListDiscrepanciesRequest { … })",
        json: "",
    };
    Page::new(t.discrepancies, body).by_sdk(by_sdk(&desk, &ways)).answer(&desk)
}

fn row(desk: &Desk, one: &Discrepancy, names: &[(String, String)]) -> Markup {
    let t = desk.t;
    html! {
        tr id={ "row-" (one.id) } data-at=(one.resolution) {
            td {
                span.strong { (badge::discrepancy(t, one.kind)) }
                br;
                @if one.item_id.is_empty() { bdi { (one.item_name) } } @else {
                    a href=(desk.to(&format!("/items/{}", one.item_id))) { bdi { (one.item_name) } }
                }
                br; small { (about(desk, one)) }
            }
            td.wide {
                a href=(desk.to(&format!("/bots/{}", one.bot_id))) {
                    bdi { (bot_name(names, &one.bot_id)) }
                }
            }
            td.right.wide { (time::ago(desk, one.create_time.as_ref())) }
            td { (remedies(desk, one)) }
        }
    }
}

fn about(desk: &Desk, one: &Discrepancy) -> Markup {
    let t = desk.t;
    html! {
        @if one.asset_id > 0 { (t.asset_id) " " code { (one.asset_id) } " " }
        @if !one.trade_id.is_empty() { (t.trade) " " code { (one.trade_id) } " " }
        @if !one.trade_offer_id.is_empty() { (t.trade_offer) " " code { (one.trade_offer_id) } " " }
        @if one.user_id != 0 {
            a href=(desk.to(&format!("/people/{}", one.user_id))) { (one.user_id) } " "
        }
        @if !one.assignment_id.is_empty() {
            a href=(desk.to(&format!("/assignments/{}", one.assignment_id))) { (t.assignment) }
        }
    }
}

/// Whether a note must say why: these cannot be undone.
fn wants_note(resolution: i32) -> bool {
    [DiscrepancyResolution::WriteOff, DiscrepancyResolution::CancelOffer]
        .iter()
        .any(|one| *one as i32 == resolution)
}

fn remedies(desk: &Desk, one: &Discrepancy) -> Markup {
    let t = desk.t;
    if one.remedies.is_empty() || !desk.may("sync.write") {
        let (word, _) = badge::resolution(t, one.resolution);
        return html! { (word) @if !one.note.is_empty() { br; small { (one.note) } } };
    }
    let note = format!("note-{}", one.id);
    html! {
        details.remedies {
            summary { (t.resolve_more) }
            (desk.form_as("stack", &format!("/discrepancies/{}/resolve", one.id), html! {
                (Field::new(&note, t.note, "").note(t.note_wanted).show())
                div.buttons {
                    @for remedy in &one.remedies {
                        button.danger[wants_note(*remedy)] type="submit" name="do" value=(remedy) {
                            (badge::resolution(t, *remedy).1)
                        }
                    }
                }
            }))
        }
    }
}

pub(crate) async fn resolve(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let resolution: i32 = form.one("do").parse().map_err(|_| Failure::NotFound)?;
    let note = form.one(&format!("note-{id}"));
    if wants_note(resolution) && note.is_empty() {
        return Err(Failure::Say(desk.t.note_missing.to_owned()));
    }
    let request = ResolveDiscrepancyRequest {
        discrepancy_id: id.clone(),
        resolution,
        note: note.to_owned(),
        request_id: form.request_id(&format!("resolve {resolution}")),
    };
    desk.client.syncs().resolve_discrepancy(request).timeout(CALL).await?;
    done(&desk, "/discrepancies", "resolved")
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.syncs().list_discrepancies(request(&desk, CSV_PAGE)).timeout(CALL);
    let heads = [
        "id",
        "org_id",
        "bot_id",
        "kind",
        "name",
        "item_id",
        "app_id",
        "asset_id",
        "trade_id",
        "trade_offer_id",
        "user_id",
        "resolution",
        "note",
        "found",
        "resolved",
    ];
    let words = crate::words::LANGUAGES[0].words;
    Ok(csv::answer("discrepancies", &heads, list, move |one: Discrepancy| {
        vec![
            one.id,
            one.org_id,
            one.bot_id,
            badge::discrepancy(words, one.kind).into_owned(),
            one.item_name,
            one.item_id,
            one.app_id.to_string(),
            one.asset_id.to_string(),
            one.trade_id,
            one.trade_offer_id,
            one.user_id.to_string(),
            badge::resolution(words, one.resolution).0.into_owned(),
            one.note,
            csv::time(one.create_time.as_ref()),
            csv::time(one.resolve_time.as_ref()),
        ]
    }))
}
