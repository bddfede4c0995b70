//! Passing what was not claimed on to another person.

use astro_sdk::Code;
use astro_sdk::steam::{SteamId, TradeUrl};
use astro_sdk::v1::{GetAssignmentRequest, ReassignAssignmentRequest};
use axum::extract::Path;
use maud::html;

use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::CALL;
use crate::page::{Page, done};
use crate::parts::badge;
use crate::parts::field::Field;

pub(crate) async fn ask(desk: Desk, Path(id): Path<String>) -> Answer {
    show(&desk, &id, &Written::default()).await
}

/// What was written into the form before, and what came of it.
#[derive(Default)]
struct Written<'a> {
    to: &'a str,
    reason: &'a str,
    /// What is wrong with the person.
    wrong: &'a str,
    /// The state that was seen, of what somebody changed meanwhile.
    saw: Option<i32>,
}

async fn show(desk: &Desk, id: &str, written: &Written<'_>) -> Answer {
    let t = desk.t;
    let request = GetAssignmentRequest { assignment_id: id.to_owned() };
    let answer = desk.client.assignments().get(request).timeout(CALL).await?;
    let one = answer.assignment.ok_or(Failure::NotFound)?;
    let names = desk.app.names().of(desk, [(one.org_id.clone(), one.user_id)]).await;
    let form = desk.form_as(
        "card stack narrow",
        &format!("/assignments/{id}/reassign"),
        html! {
            p {
                bdi.strong { (names.of(&one.org_id, one.user_id)) } " · "
                (super::items_in_words(desk, one.items.len())) " · "
                (badge::assignment(t, one.state))
            }
            p { (t.reassign_means) }
            input type="hidden" name="etag" value=(one.etag);
            input type="hidden" name="state" value=(one.state);
            (Field::new("to", t.new_recipient, written.to).note(t.recipient_note)
                .wrong(written.wrong).required().show())
            (Field::new("reason", t.note, written.reason).note(t.note_is_kept).show())
            div.buttons {
                button.main type="submit" { (t.reassign) }
                a href=(desk.to(&format!("/assignments/{id}"))) { (t.leave_it) }
            }
        },
    );
    let body = html! {
        @if let Some(saw) = written.saw {
            p.callout.bad role="alert" {
                (t.look_again) " " (t.you_saw) " " (badge::assignment(t, saw)) ", " (t.now_it_is) " "
                (badge::assignment(t, one.state))
            }
        }
        (form)
    };
    Page::new(t.reassign_title, body).answer(desk)
}

pub(crate) async fn store(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let told = form.one("to");
    // A trade URL has a secret, which is not shown again.
    let to = if told.contains("token=") { "" } else { told };
    let written = Written { to, reason: form.one("reason"), ..Written::default() };
    let Ok(person) = told.parse::<SteamId>() else {
        return show(&desk, &id, &Written { wrong: desk.t.no_person, ..written }).await;
    };
    let trade_url = told.parse::<TradeUrl>().map(|_| told.to_owned()).unwrap_or_default();
    let request = ReassignAssignmentRequest {
        assignment_id: id.clone(),
        user_id: person.steam_id64(),
        trade_url,
        reason: form.one("reason").to_owned(),
        etag: form.one("etag").to_owned(),
        request_id: form.request_id(&format!("reassign {id}")),
        ..Default::default()
    };
    let answer = match desk.client.assignments().reassign(request).timeout(CALL).await {
        Err(error) if error.code == Code::Aborted => {
            let saw = form.one("state").parse().ok();
            return show(&desk, &id, &Written { saw, ..written }).await;
        }
        answer => answer?,
    };
    let next = answer.successor.map_or(id, |successor| successor.id);
    done(&desk, &format!("/assignments/{next}"), "reassigned")
}
