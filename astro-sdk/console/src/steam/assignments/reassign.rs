//! Passing what was not claimed on to another person.

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
    show(&desk, &id, "").await
}

async fn show(desk: &Desk, id: &str, wrong: &str) -> Answer {
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
            (Field::new("to", t.new_recipient, "").note(t.recipient_note).wrong(wrong).required().show())
            (Field::new("reason", t.note, "").note(t.note_is_kept).show())
            div.buttons {
                button.main type="submit" { (t.reassign) }
                a href=(desk.to(&format!("/assignments/{id}"))) { (t.leave_it) }
            }
        },
    );
    Page::new(t.reassign_title, form).answer(desk)
}

pub(crate) async fn store(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let told = form.one("to");
    let Ok(person) = told.parse::<SteamId>() else {
        return show(&desk, &id, desk.t.no_person).await;
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
    let answer = desk.client.assignments().reassign(request).timeout(CALL).await?;
    let next = answer.successor.map_or(id, |successor| successor.id);
    done(&desk, &format!("/assignments/{next}"), "reassigned")
}
