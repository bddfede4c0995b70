//! A new assignment in three steps: to whom, what, and yes. What was chosen stands in the address, so
//! that back, reload and a bookmark work without a session of its own. A trade URL never stands there:
//! it has a secret, and is stored when it is given.

mod confirm;
mod pick;

use astro_sdk::steam::{SteamId, TradeUrl};
use astro_sdk::v1::{
    CreateAssignmentRequest, GetItemRequest, ItemFilter, ReserveItemsRequest, SetTradeUrlRequest,
};
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};

use crate::ask::Asked;
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure, sentence};
use crate::limits::{CALL, CHOSEN_MAX};
use crate::page::{Page, done};
use crate::parts::field::Field;

/// What was chosen so far.
struct Chosen {
    to: Option<SteamId>,
    items: Vec<String>,
    reservation: String,
}

impl Chosen {
    fn of(asked: &Asked) -> Self {
        let mut items: Vec<String> = asked.all("item").into_iter().map(str::to_owned).collect();
        items.truncate(CHOSEN_MAX);
        let reservation = asked.one("reservation").to_owned();
        Self { to: asked.one("to").parse().ok(), items, reservation }
    }

    fn has_items(&self) -> bool {
        !self.items.is_empty() || !self.reservation.is_empty()
    }

    /// As parameters of the next address.
    fn told(&self) -> Vec<(&'static str, String)> {
        let to = self.to.map(|to| to.to_string()).unwrap_or_default();
        let mut told = vec![("to", to), ("reservation", self.reservation.clone())];
        told.extend(self.items.iter().map(|item| ("item", item.clone())));
        told
    }

    /// As hidden fields of a form.
    fn hidden(&self) -> Markup {
        html! {
            @for (name, value) in self.told() {
                @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
            }
        }
    }
}

pub(crate) async fn show(desk: Desk) -> Answer {
    let chosen = Chosen::of(&desk.ask);
    match (chosen.to, desk.ask.one("step")) {
        (None, _) | (_, "recipient") => Ok(recipient_page(&desk, &chosen, "", "").show(&desk)),
        (Some(_), "confirm") if chosen.has_items() => confirm::show(&desk, &chosen, "").await,
        (Some(_), "") if chosen.has_items() => confirm::show(&desk, &chosen, "").await,
        (Some(to), _) => pick::show(&desk, &chosen, to).await,
    }
}

/// Where one is among the steps; done ones can be gone back to.
fn steps(desk: &Desk, chosen: &Chosen, here: usize) -> Markup {
    let t = desk.t;
    let to = |step: &'static str| {
        let mut told = chosen.told();
        told.push(("step", step.to_owned()));
        desk.to_with("/assignments/new", &told)
    };
    let all =
        [(t.step_recipient, "recipient"), (t.step_items, "items"), (t.step_confirm, "confirm")];
    html! {
        ol.steps aria-label=(t.steps) {
            @for (at, (label, step)) in all.into_iter().enumerate() {
                li aria-current=[(at == here).then_some("step")] {
                    span.number { (at + 1) } " "
                    @if at < here { a href=(to(step)) { (label) } } @else { (label) }
                }
            }
        }
    }
}

fn recipient_page(desk: &Desk, chosen: &Chosen, written: &str, wrong: &str) -> Page {
    let t = desk.t;
    let form = desk.form_as(
        "card stack narrow",
        "/assignments/new/recipient",
        html! {
            (Chosen { to: None, items: chosen.items.clone(), reservation: chosen.reservation.clone() }
                .hidden())
            (Field::new("who", t.recipient, written).note(t.recipient_note).wrong(wrong).required()
                .show())
            div.buttons {
                button.main type="submit" { (t.go_on) }
                a href=(desk.to("/assignments")) { (t.leave_it) }
            }
        },
    );
    Page::new(t.new_assignment, html! { (steps(desk, chosen, 0)) (form) })
}

/// Takes the recipient in any form that a person has it.
pub(crate) async fn recipient(desk: Desk, form: Posted) -> Answer {
    let t = desk.t;
    let mut chosen = Chosen::of(&form);
    let told = form.one("who");
    let Ok(person) = told.parse::<SteamId>() else {
        // A trade URL has a secret, which is not shown again.
        let written = if told.contains("token=") { "" } else { told };
        return Ok(recipient_page(&desk, &chosen, written, t.no_person).show(&desk));
    };
    if told.parse::<TradeUrl>().is_ok() {
        let request = SetTradeUrlRequest {
            org_id: org(&desk, &chosen).await?,
            user_id: person.steam_id64(),
            trade_url: told.to_owned(),
            request_id: form.request_id("trade url"),
        };
        if let Err(error) = desk.client.users().set_trade_url(request).timeout(CALL).await {
            let said = sentence(&error, t);
            return Ok(recipient_page(&desk, &chosen, "", &said).show(&desk));
        }
    }
    chosen.to = Some(person);
    let mut told = chosen.told();
    told.push(("step", if chosen.has_items() { "confirm" } else { "items" }.to_owned()));
    Ok(Redirect::to(&desk.to_with("/assignments/new", &told)).into_response())
}

/// The organisation that it is in: that of the first item, or the chosen one.
async fn org(desk: &Desk, chosen: &Chosen) -> Result<String, Failure> {
    match chosen.items.first().filter(|_| desk.is_admin() && desk.org.is_none()) {
        Some(id) => {
            let request = GetItemRequest { item_id: id.clone() };
            let answer = desk.client.items().get(request).timeout(CALL).await?;
            Ok(answer.item.map(|item| item.org_id).unwrap_or_default())
        }
        None => desk.org_to_write(),
    }
}

/// Holds any of what matches, for the time that it takes to confirm.
pub(crate) async fn any(desk: Desk, form: Posted) -> Answer {
    let mut chosen = Chosen::of(&form);
    let text = form.one("name");
    if text.is_empty() {
        return Err(Failure::Say(desk.t.choose_and_name.to_owned()));
    }
    let filter = ItemFilter { text: text.to_owned(), ..Default::default() };
    let request = ReserveItemsRequest {
        org_id: desk.org_to_write()?,
        filter: Some(filter),
        count: form.one("count").parse().unwrap_or_default(),
        request_id: form.request_id("any"),
        ..Default::default()
    };
    let answer = desk.client.items().reserve(request).timeout(CALL).await?;
    chosen.items = Vec::new();
    chosen.reservation = answer.reservation.map(|held| held.id).unwrap_or_default();
    let mut told = chosen.told();
    told.push(("step", "confirm".to_owned()));
    Ok(Redirect::to(&desk.to_with("/assignments/new", &told)).into_response())
}

/// What the last step's form asks for.
fn request(
    org_id: String,
    chosen: &Chosen,
    asked: &Asked,
    runner_ups: Vec<u64>,
) -> CreateAssignmentRequest {
    let days: i32 = asked.one("days").parse().unwrap_or_default();
    CreateAssignmentRequest {
        org_id,
        user_id: chosen.to.map(SteamId::steam_id64).unwrap_or_default(),
        item_ids: if chosen.reservation.is_empty() { chosen.items.clone() } else { Vec::new() },
        reservation_id: chosen.reservation.clone(),
        assignment_type: asked.one("type").to_owned(),
        assignment_reason: asked.one("reason").to_owned(),
        external_system: "console".to_owned(),
        ttl_seconds: days.saturating_mul(86_400),
        runner_up_user_ids: runner_ups,
        ..Default::default()
    }
}

/// The people of a text, one a line or with commas between.
fn people(text: &str) -> Option<Vec<u64>> {
    let parts = text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.parse::<SteamId>().ok().map(SteamId::steam_id64)).collect()
}

/// Makes it. The same form sent again leads to the same assignment.
pub(crate) async fn create(desk: Desk, form: Posted) -> Answer {
    let t = desk.t;
    let chosen = Chosen::of(&form);
    let Some(runner_ups) = people(form.one("runners")) else {
        return confirm::show_with(&desk, &chosen, &form, t.no_person).await;
    };
    let mut request = request(org(&desk, &chosen).await?, &chosen, &form, runner_ups);
    request.request_id = form.request_id("create");
    match desk.client.assignments().create(request).timeout(CALL).await {
        Ok(answer) => {
            let one = answer.assignment.unwrap_or_default();
            let number = one.items.len();
            done(&desk, &format!("/assignments/{}", one.id), &format!("assigned.{number}"))
        }
        Err(error) => {
            // What was chosen stays, so that only what is wrong must be changed.
            let said = sentence(&error, t);
            if let failure @ Failure::SignedOut = Failure::from(error) {
                return Err(failure);
            }
            confirm::show_with(&desk, &chosen, &form, &said).await
        }
    }
}
