//! Several items at once, with a result for each.

use std::collections::BTreeMap;
use std::future::IntoFuture;

use astro_sdk::v1::{
    GetItemRequest, Item, ItemState, ReleaseReservationRequest, Reservation, ReserveItemsRequest,
    UpdateItemRequest,
};
use astro_sdk::{Code, Error};
use maud::{Markup, html};

use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure, sentence};
use crate::limits::CALL;
use crate::page::{Page, done};
use crate::parts::results::{Line, results};
use crate::parts::{badge, facts, id, time};
use crate::together::together;
use crate::words::fill;

/// Each of them as it is now.
async fn read(desk: &Desk, ids: &[String]) -> Vec<(String, Result<Item, Error>)> {
    let items = desk.client.items();
    let calls = ids
        .iter()
        .map(|id| items.get(GetItemRequest { item_id: id.clone() }).timeout(CALL).into_future());
    let found = together(calls.collect()).await;
    let found = found.into_iter().map(|answer| answer.map(|it| it.item.unwrap_or_default()));
    ids.iter().cloned().zip(found).collect()
}

/// The item as a result tells of it.
fn line(desk: &Desk, id: &str, item: Option<&Item>, wrong: Option<String>) -> Line {
    let name = item.map_or(id, |item| item.item_name.as_str());
    let path = desk.to(&format!("/items/{id}"));
    let now = item.map(|item| badge::item(desk.t, item.state));
    Line {
        what: html! { a.strong href=(path) { bdi { (name) } } },
        wrong,
        now: html! { @if let Some(now) = now { (now) } },
    }
}

fn told(desk: &Desk, above: Markup, title: &str, lines: &[Line]) -> Answer {
    let t = desk.t;
    let body = html! {
        (above)
        (results(desk, title, t.item, lines))
        p { a href=(desk.to("/items")) { (t.back_to_list) } }
    };
    Page::new(t.results, body).answer(desk)
}

/// Puts one label on all that were chosen, beside those that they have.
pub(crate) async fn label(desk: Desk, form: Posted) -> Answer {
    let t = desk.t;
    let ids = form.chosen(desk.t)?;
    let (name, value) = (form.one("label"), form.one("value"));
    if name.is_empty() {
        return Err(Failure::Say(t.choose_and_name.to_owned()));
    }
    let found = read(&desk, &ids).await;
    let calls = found.into_iter().map(|(id, item)| label_one(&desk, &form, id, item, name, value));
    let lines = together(calls.collect()).await;
    if lines.iter().all(|line| line.wrong.is_none()) {
        return done(&desk, "/items", &format!("labelled.{}", lines.len()));
    }
    told(&desk, html! {}, t.labelled_results, &lines)
}

async fn label_one(
    desk: &Desk,
    form: &Posted,
    id: String,
    item: Result<Item, Error>,
    name: &str,
    value: &str,
) -> Line {
    let mut item = match item {
        Ok(item) => item,
        Err(error) => return line(desk, &id, None, Some(sentence(&error, desk.t))),
    };
    item.labels.insert(name.to_owned(), value.to_owned());
    let request = UpdateItemRequest {
        item: Some(item.clone()),
        update_mask: Some(prost_types::FieldMask { paths: vec!["labels".to_owned()] }),
        request_id: form.request_id(&format!("label {id}")),
    };
    let stored = desk.client.items().update(request).timeout(CALL).await;
    line(desk, &id, Some(&item), stored.err().map(|error| sentence(&error, desk.t)))
}

/// Holds what of the chosen is free, all of it in one reservation; the page says how to use the hold
/// and how to end it.
pub(crate) async fn hold(desk: Desk, form: Posted) -> Answer {
    let t = desk.t;
    let ids = form.chosen(desk.t)?;
    let found = read(&desk, &ids).await;
    let org = found.iter().find_map(|(_, item)| item.as_ref().ok().map(|it| it.org_id.clone()));
    let org = org.unwrap_or_default();
    let mut refused = BTreeMap::new();
    // All of them first: the same form sent again has the same answer.
    let held = match reserve(&desk, &form, &org, &ids).await {
        Err(error) if names_one(&error, &ids) => {
            refused = not_free(&desk, &found);
            reserve_rest(&desk, &form, &org, &ids, &mut refused).await?
        }
        answer => Some(answer?),
    };
    let lines: Vec<Line> = found
        .iter()
        .map(|(id, item)| {
            let now = held.as_ref().and_then(|(_, items)| items.iter().find(|it| it.id == *id));
            line(&desk, id, now.or(item.as_ref().ok()), refused.get(id).cloned())
        })
        .collect();
    let above = held.map(|(reservation, _)| how_to_use(&desk, &reservation)).unwrap_or_default();
    told(&desk, above, t.held_results, &lines)
}

/// What is wrong with those that are seen to be taken.
fn not_free(desk: &Desk, found: &[(String, Result<Item, Error>)]) -> BTreeMap<String, String> {
    let wrong = |item: &Result<Item, Error>| match item {
        Ok(item) if item.state == ItemState::Available as i32 => None,
        Ok(item) => Some(fill(desk.t.it_is_now, &[&badge::item(desk.t, item.state).word])),
        Err(error) => Some(sentence(error, desk.t)),
    };
    found.iter().filter_map(|(id, item)| Some((id.clone(), wrong(item)?))).collect()
}

/// Whether the server says which of them cannot be held.
fn names_one(error: &Error, ids: &[String]) -> bool {
    matches!(error.code, Code::FailedPrecondition | Code::NotFound)
        && error.metadata.get("item_id").is_some_and(|id| ids.contains(id))
}

/// Reserves the rest of them. The server takes all or none: what it names as not free is left out, and
/// the others are asked for again.
async fn reserve_rest(
    desk: &Desk,
    form: &Posted,
    org: &str,
    ids: &[String],
    refused: &mut BTreeMap<String, String>,
) -> Result<Option<Held>, Failure> {
    loop {
        let rest: Vec<String> =
            ids.iter().filter(|id| !refused.contains_key(*id)).cloned().collect();
        if rest.is_empty() {
            return Ok(None);
        }
        match reserve(desk, form, org, &rest).await {
            Err(error) if names_one(&error, &rest) => {
                let id = error.metadata.get("item_id").cloned().unwrap_or_default();
                refused.insert(id, sentence(&error, desk.t));
            }
            answer => return Ok(Some(answer?)),
        }
    }
}

/// A reservation, and what it holds.
type Held = (Reservation, Vec<Item>);

async fn reserve(desk: &Desk, form: &Posted, org: &str, ids: &[String]) -> Result<Held, Error> {
    let request = ReserveItemsRequest {
        org_id: org.to_owned(),
        item_ids: ids.to_vec(),
        ttl_seconds: form.one("ttl").parse().unwrap_or_default(),
        // Another set is another request.
        request_id: form.request_id(&format!("hold {}", ids.join(" "))),
        ..Default::default()
    };
    let answer = desk.client.items().reserve(request).timeout(CALL).await?;
    Ok((answer.reservation.unwrap_or_default(), answer.items))
}

fn how_to_use(desk: &Desk, reservation: &Reservation) -> Markup {
    let t = desk.t;
    let assign = desk.to_with("/assignments/new", &[("reservation", &reservation.id)]);
    html! {
        section.card {
            h2 { (t.held_title) }
            (facts(&[
                (t.reservation, id(&reservation.id)),
                (t.expires, time::at(reservation.expire_time.as_ref())),
            ]))
            div.buttons {
                @if desk.may("assignments.write") { a.button.main href=(assign) { (t.assign_these) } }
                (desk.form_as(
                    "inline",
                    &format!("/reservations/{}/release", reservation.id),
                    html! { button type="submit" { (t.release) } },
                ))
            }
        }
    }
}

/// Ends the reservations of all that were chosen; each frees all that it holds.
pub(crate) async fn release(desk: Desk, form: Posted) -> Answer {
    let t = desk.t;
    let ids = form.chosen(desk.t)?;
    let found = read(&desk, &ids).await;
    let reservations = found.iter().filter_map(|(_, item)| item.as_ref().ok());
    let mut reservations: Vec<String> =
        reservations.map(|item| item.reservation_id.clone()).collect();
    reservations.retain(|id| !id.is_empty());
    reservations.sort();
    reservations.dedup();
    let items = desk.client.items();
    let calls = reservations.into_iter().map(|id| {
        let request_id = form.request_id(&format!("release {id}"));
        let request = ReleaseReservationRequest { reservation_id: id.clone(), request_id };
        let call = items.release_reservation(request).timeout(CALL);
        async move { (id, call.await) }
    });
    let ended: BTreeMap<String, Option<Error>> = together(calls.collect())
        .await
        .into_iter()
        .map(|(id, answer)| (id, answer.err()))
        .collect();
    let now = read(&desk, &ids).await;
    let lines: Vec<Line> = found
        .into_iter()
        .zip(now)
        .map(|((id, before), (_, now))| {
            let wrong = match before {
                Err(error) => Some(sentence(&error, t)),
                Ok(item) => match ended.get(&item.reservation_id) {
                    None => Some(t.not_held.to_owned()),
                    Some(error) => error.as_ref().map(|error| sentence(error, t)),
                },
            };
            line(&desk, &id, now.as_ref().ok(), wrong)
        })
        .collect();
    told(&desk, html! {}, t.released_results, &lines)
}
