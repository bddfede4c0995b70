//! Trade offers that people sent to the bots, and what became of them.

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{
    Donation, DonationFilter, DonationState, GetDonationRequest, ListDonationsRequest,
};
use axum::extract::Path;
use maud::{Markup, html};

use crate::csv;
use crate::desk::Desk;
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::names::Known;
use crate::page::Page;
use crate::parts::badge::{self, DONATION_STATES};
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::Field;
use crate::parts::table::{Column, Tab, below, sheet, tabs};
use crate::parts::{empty, facts, id, link, person, time};

fn word(state: DonationState) -> String {
    state.as_str_name().trim_start_matches("DONATION_STATE_").to_lowercase()
}

/// What the address asks for.
pub(crate) fn filter(desk: &Desk) -> Result<DonationFilter, Failure> {
    let user = desk.ask.one("user");
    let user_id = match user.parse::<SteamId>() {
        Ok(id) => id.steam_id64(),
        Err(_) if user.is_empty() => 0,
        Err(_) => return Err(Failure::Say(desk.t.no_person.to_owned())),
    };
    let states = DONATION_STATES.iter().filter(|state| word(**state) == desk.ask.one("state"));
    Ok(DonationFilter {
        states: states.map(|state| *state as i32).collect(),
        user_id,
        bot_id: desk.ask.one("bot").to_owned(),
    })
}

fn request(desk: &Desk, page_size: i32) -> Result<ListDonationsRequest, Failure> {
    Ok(ListDonationsRequest {
        org_id: desk.org_id(),
        page_size,
        page_token: desk.ask.one("page").to_owned(),
        filter: Some(filter(desk)?),
    })
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let mut pages = desk.client.donations().list(request(&desk, ROWS)?).timeout(CALL).pages();
    let page = pages.try_next().await?.unwrap_or_default();
    let people = page.donations.iter().map(|one| (one.org_id.clone(), one.user_id));
    let names = desk.app.names().of(&desk, people).await;
    let columns = [
        Column(t.donor, ""),
        Column(t.state, ""),
        Column(t.what_happened, "wide"),
        Column(t.items, "right"),
        Column(t.worth_about, "right wide"),
        Column(t.came, "right"),
    ];
    let filtered = ["state", "user", "bot", "page"].iter().any(|it| !desk.ask.one(it).is_empty());
    let states = DONATION_STATES.iter().map(|state| Tab {
        label: html! { (badge::donation(t, *state as i32)) },
        value: word(*state),
        number: None,
    });
    let all = Tab { label: html! { (t.all) }, value: String::new(), number: None };
    let all: Vec<Tab> = std::iter::once(all).chain(states).collect();
    let body = html! {
        (tabs(&desk, t.state, "state", &all))
        form.filters role="search" aria-label=(t.filter) action="/donations" {
            (desk.keep_org())
            input type="hidden" name="state" value=(desk.ask.one("state"));
            (Field::new("user", t.donor, desk.ask.one("user")).show())
            button type="submit" { (t.filter) }
        }
        @if page.donations.is_empty() && filtered {
            (empty(t.nothing_matches, Some((desk.to("/donations"), t.drop_filter))))
        } @else if page.donations.is_empty() {
            (empty(t.no_donations, Some((desk.to("/bots"), t.bots))))
        } @else {
            (sheet(t.donations, &columns, html! {
                @for one in &page.donations { (row(&desk, one, &names)) }
            }))
        }
        (below(&desk, &page.next_page_token, Some("/donations.csv")))
    };
    Page::new(t.donations, body)
        .by_sdk(ways(&desk))
        .live(desk.there_with("/live/donations", &[]))
        .answer(&desk)
}

/// A row; the same in the page and when it changes.
pub(crate) fn row(desk: &Desk, one: &Donation, names: &Known) -> Markup {
    let t = desk.t;
    let declined = badge::declined(t, one.decline_reason);
    let worth = one.estimated_usd_cents;
    let name = names.of(&one.org_id, one.user_id);
    html! {
        tr id={ "row-" (one.id) } data-at=(changed(one)) {
            td {
                a.strong href=(desk.to(&format!("/donations/{}", one.id))) {
                    bdi { (&name) }
                }
                @if name != one.user_id.to_string() { br; small.id { (one.user_id) } }
            }
            td {
                (badge::donation(t, one.state))
                @if !declined.is_empty() { br; small { (declined) } }
            }
            td.wide { (one.status_message) }
            td.right { (one.items.len()) }
            td.right.wide { @if worth > 0 { (dollars(worth)) } }
            td.right { (time::ago(desk, one.create_time.as_ref())) }
        }
    }
}

fn dollars(cents: i64) -> String {
    format!("{}.{:02} USD", cents / 100, cents % 100)
}

/// A mark by which a row knows whether it is old.
pub(crate) fn changed(one: &Donation) -> String {
    one.update_time.as_ref().map(|at| format!("{}.{:09}", at.seconds, at.nanos)).unwrap_or_default()
}

async fn read(desk: &Desk, id: &str) -> Result<Donation, Failure> {
    let request = GetDonationRequest { donation_id: id.to_owned() };
    let answer = desk.client.donations().get(request).timeout(CALL).await?;
    answer.donation.ok_or(Failure::NotFound)
}

pub(crate) async fn show(desk: Desk, Path(id): Path<String>) -> Answer {
    let t = desk.t;
    let one = read(&desk, &id).await?;
    let names = desk.app.names().of(&desk, [(one.org_id.clone(), one.user_id)]).await;
    let name = names.of(&one.org_id, one.user_id);
    let body = html! {
        (about(&desk, &one, &names))
        h2 { (t.items) }
        (sheet(t.items, &[Column(t.item, ""), Column(t.game, "right"), Column(t.result, "")], html! {
            @for item in &one.items {
                tr {
                    td { bdi.strong { (item.market_hash_name) } }
                    td.right { (item.app_id) }
                    td {
                        @if item.item_id.is_empty() { span.muted { (t.not_taken) } }
                        @else { a href=(desk.to(&format!("/items/{}", item.item_id))) { (t.its_life) } }
                    }
                }
            }
        }))
    };
    Page::new(crate::words::fill(t.donation_of, &[&name]), body)
        .by_sdk(ways_one(&desk, &id))
        .live(desk.to(&format!("/live/donations/{id}")))
        .answer(&desk)
}

/// What changes while one looks at it.
pub(crate) fn about(desk: &Desk, one: &Donation, names: &Known) -> Markup {
    let t = desk.t;
    let worth = one.estimated_usd_cents;
    html! {
        section.card id={ "row-" (one.id) } data-at=(changed(one)) {
            p.state { (badge::donation(t, one.state)) " " span { (one.status_message) } }
            (facts(&[
                (t.donor, person(desk, names, &one.org_id, one.user_id)),
                (t.declined_because, html! { (badge::declined(t, one.decline_reason)) }),
                (t.message, html! { bdi { (one.message) } }),
                (t.worth_about, html! { @if worth > 0 { (dollars(worth)) } }),
                (t.bot, link(desk, "bots", &one.bot_id)),
                (t.trade_offer, id(&one.trade_offer_id)),
                (t.trade, id(&one.trade_id)),
                (t.came, time::at(one.create_time.as_ref())),
                (t.settles, time::at(one.settle_time.as_ref())),
                (t.organisation, html! { (desk.org_name(&one.org_id)) }),
                (t.id, id(&one.id)),
            ]))
        }
    }
}

fn ways(desk: &Desk) -> Markup {
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: "/api/v1/donations",
            body: "",
            command: "donations list",
            rust: "client.donations().list(ListDonationsRequest { … })",
            json: "",
        },
    )
}

fn ways_one(desk: &Desk, id: &str) -> Markup {
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: &format!("/api/v1/donations/{id}"),
            body: "",
            command: &format!("donations get {id}"),
            rust: "client.donations().get(GetDonationRequest { donation_id })",
            json: &format!("/donations/{id}/json"),
        },
    )
}

pub(crate) async fn json(desk: Desk, Path(id): Path<String>) -> Answer {
    Ok(crate::json::answer(&read(&desk, &id).await?))
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.donations().list(request(&desk, CSV_PAGE)?).timeout(CALL);
    let heads = [
        "id",
        "org_id",
        "bot_id",
        "user_id",
        "state",
        "decline_reason",
        "message",
        "items",
        "usd_cents",
        "trade_offer_id",
        "trade_id",
        "came",
        "changed",
    ];
    let words = crate::words::LANGUAGES[0].words;
    Ok(csv::answer("donations", &heads, list, move |one: Donation| {
        vec![
            one.id,
            one.org_id,
            one.bot_id,
            one.user_id.to_string(),
            badge::donation(words, one.state).word.into_owned(),
            badge::declined(words, one.decline_reason).into_owned(),
            one.message,
            one.items.len().to_string(),
            one.estimated_usd_cents.to_string(),
            one.trade_offer_id,
            one.trade_id,
            csv::time(one.create_time.as_ref()),
            csv::time(one.update_time.as_ref()),
        ]
    }))
}
