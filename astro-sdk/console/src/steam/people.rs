//! Donors and recipients.

pub(crate) mod one;

use std::collections::BTreeMap;

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{ListAssignmentsRequest, ListDonationsRequest};
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};
use prost_types::Timestamp;

use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, COUNTED_MAX};
use crate::page::Page;
use crate::parts::field::Field;
use crate::parts::table::{Column, sheet};
use crate::parts::{empty, person, time};

/// What somebody did lately.
#[derive(Default)]
struct Lately {
    gave: usize,
    gets: usize,
    last: Option<Timestamp>,
}

impl Lately {
    fn seen(&mut self, at: Option<&Timestamp>) {
        let newer = match (&self.last, at) {
            (Some(last), Some(at)) => (at.seconds, at.nanos) > (last.seconds, last.nanos),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if newer {
            self.last = at.cloned();
        }
    }
}

/// People of the newest assignments and donations: the contract has no list of people.
pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let people = lately(&desk).await?;
    let mut people: Vec<_> = people.into_iter().collect();
    let stamp = |at: &Option<Timestamp>| at.as_ref().map(|at| (at.seconds, at.nanos));
    people.sort_by_key(|(_, did)| std::cmp::Reverse(stamp(&did.last)));
    let names = desk.app.names().of(&desk, people.iter().map(|(who, _)| who.clone())).await;
    let columns = [
        Column(t.person, ""),
        Column(t.gave, "right"),
        Column(t.gets, "right"),
        Column(t.last_seen, "right"),
    ];
    let table = sheet(
        t.people,
        &columns,
        html! {
            @for ((org, user), did) in &people {
                tr {
                    td { (person(&desk, &names, org, *user)) }
                    td.right { (did.gave) }
                    td.right { (did.gets) }
                    td.right { (time::ago(&desk, did.last.as_ref())) }
                }
            }
        },
    );
    let body = html! {
        (search(&desk))
        @if people.is_empty() { (empty(t.no_people, None)) } @else {
            p.note { (t.people_note) }
            (table)
        }
    };
    Page::new(t.people, body).answer(&desk)
}

fn search(desk: &Desk) -> Markup {
    let t = desk.t;
    desk.form_as(
        "filters",
        "/people/go",
        html! {
            (Field::new("who", t.person, "").note(t.recipient_note).required().show())
            button type="submit" { (t.show) }
        },
    )
}

async fn lately(desk: &Desk) -> Result<BTreeMap<(String, u64), Lately>, Failure> {
    let assignments = ListAssignmentsRequest {
        org_id: desk.org_id(),
        page_size: COUNTED_MAX,
        ..Default::default()
    };
    let donations = ListDonationsRequest {
        org_id: desk.org_id(),
        page_size: COUNTED_MAX,
        ..Default::default()
    };
    let mut people: BTreeMap<(String, u64), Lately> = BTreeMap::new();
    if desk.may("assignments.read") {
        let mut pages = desk.client.assignments().list(assignments).timeout(CALL).pages();
        for one in pages.try_next().await?.map(|page| page.assignments).unwrap_or_default() {
            let did = people.entry((one.org_id, one.user_id)).or_default();
            did.gets += one.items.len();
            did.seen(one.update_time.as_ref());
        }
    }
    if desk.may("donations.read") {
        let mut pages = desk.client.donations().list(donations).timeout(CALL).pages();
        for one in pages.try_next().await?.map(|page| page.donations).unwrap_or_default() {
            let did = people.entry((one.org_id, one.user_id)).or_default();
            did.gave += one.items.iter().filter(|item| !item.item_id.is_empty()).count();
            did.seen(one.update_time.as_ref());
        }
    }
    Ok(people)
}

/// Leads to a person told in any form.
pub(crate) async fn go(desk: Desk, form: Posted) -> Answer {
    let who: SteamId =
        form.one("who").parse().map_err(|_| Failure::Say(desk.t.no_person.to_owned()))?;
    Ok(Redirect::to(&desk.to(&format!("/people/{who}"))).into_response())
}
