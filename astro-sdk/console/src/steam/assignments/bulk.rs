//! Several assignments at once: asked before, with a result for each after.

use std::future::IntoFuture;

use astro_sdk::steam::{SteamId, TradeUrl};
use astro_sdk::v1::{
    Assignment, CancelAssignmentRequest, GetAssignmentRequest, ReassignAssignmentRequest,
    RetryAssignmentRequest,
};
use astro_sdk::{Code, Error};
use maud::{Markup, html};

use super::row;
use crate::ask::Asked;
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure, sentence};
use crate::limits::{CALL, CHOSEN_MAX, ENDED_BY_CLICK};
use crate::page::{Page, done};
use crate::parts::badge;
use crate::parts::field::Field;
use crate::parts::link;
use crate::parts::results::{Line, results};
use crate::together::together;
use crate::words::{Words, count_of, fill};

/// What is done to all that were chosen, once somebody said that they are sure.
#[derive(Clone, Copy)]
struct Deed {
    path: &'static str,
    title: fn(&Words) -> &'static str,
    means: fn(&Words) -> &'static str,
    /// What its button says, with the number.
    button: fn(&Words) -> &'static str,
    /// Whether it wants to know to whom.
    to: bool,
}

const CANCEL: Deed = Deed {
    path: "/assignments/cancel",
    title: |t| t.cancel_title,
    means: |t| t.cancel_means,
    button: |t| t.cancel_number,
    to: false,
};

const REASSIGN: Deed = Deed {
    path: "/assignments/reassign",
    title: |t| t.reassign_title,
    means: |t| t.reassign_means,
    button: |t| t.reassign_number,
    to: true,
};

/// What is wrong with a form that was sent: its number, and its person.
#[derive(Default)]
struct Wrong {
    number: String,
    to: String,
}

/// The page that asks before several are cancelled.
pub(crate) async fn ask(desk: Desk) -> Answer {
    let ids: Vec<String> = desk.ask.all("id").into_iter().map(str::to_owned).collect();
    confirm(&desk, CANCEL, ids, &desk.ask.clone(), &Wrong::default()).await
}

/// Asks, and once the answer is there, cancels.
pub(crate) async fn cancel(desk: Desk, form: Posted) -> Answer {
    let ids = form.chosen(desk.t)?;
    if form.one("sure") != "yes" {
        return confirm(&desk, CANCEL, ids, &form, &Wrong::default()).await;
    }
    if let Some(number) = miscounted(&desk, &form, ids.len()) {
        return confirm(&desk, CANCEL, ids, &form, &Wrong { number, ..Wrong::default() }).await;
    }
    let assignments = desk.client.assignments();
    let calls = ids.iter().map(|id| {
        let request = CancelAssignmentRequest {
            assignment_id: id.clone(),
            reason: form.one("reason").to_owned(),
            etag: form.one(&format!("etag-{id}")).to_owned(),
            request_id: form.request_id(&format!("cancel {id}")),
        };
        let call = assignments.cancel(request).timeout(CALL);
        async move { (id.clone(), call.await.map(|answer| answer.assignment)) }
    });
    let results = together(calls.collect()).await;
    results_of(&desk, &form, results, desk.t.cancelled_results, "cancelled").await
}

/// Asks to whom, and once the answer is there, passes all of them on.
pub(crate) async fn reassign(desk: Desk, form: Posted) -> Answer {
    let ids = form.chosen(desk.t)?;
    if form.one("sure") != "yes" {
        return confirm(&desk, REASSIGN, ids, &form, &Wrong::default()).await;
    }
    let number = miscounted(&desk, &form, ids.len()).unwrap_or_default();
    let told = form.one("to");
    let Ok(person) = told.parse::<SteamId>() else {
        let wrong = Wrong { number, to: desk.t.no_person.to_owned() };
        return confirm(&desk, REASSIGN, ids, &form, &wrong).await;
    };
    if !number.is_empty() {
        return confirm(&desk, REASSIGN, ids, &form, &Wrong { number, to: String::new() }).await;
    }
    let trade_url = told.parse::<TradeUrl>().map(|_| told.to_owned()).unwrap_or_default();
    let assignments = desk.client.assignments();
    let calls = ids.iter().map(|id| {
        let request = ReassignAssignmentRequest {
            assignment_id: id.clone(),
            user_id: person.steam_id64(),
            trade_url: trade_url.clone(),
            reason: form.one("reason").to_owned(),
            etag: form.one(&format!("etag-{id}")).to_owned(),
            request_id: form.request_id(&format!("reassign {id}")),
            ..Default::default()
        };
        let call = assignments.reassign(request).timeout(CALL);
        async move { (id.clone(), call.await.map(|answer| answer.assignment)) }
    });
    let results = together(calls.collect()).await;
    results_of(&desk, &form, results, desk.t.reassigned_results, "reassigned").await
}

/// Tries the deliveries again.
pub(crate) async fn retry(desk: Desk, form: Posted) -> Answer {
    let ids = form.chosen(desk.t)?;
    let assignments = desk.client.assignments();
    let calls = ids.iter().map(|id| {
        let request_id = form.request_id(&format!("retry {id}"));
        let request = RetryAssignmentRequest { assignment_id: id.clone(), request_id };
        let call = assignments.retry(request).timeout(CALL);
        async move { (id.clone(), call.await.map(|answer| answer.assignment)) }
    });
    let results = together(calls.collect()).await;
    results_of(&desk, &form, results, desk.t.retried_results, "retried").await
}

/// What is said to who ends so many without having typed how many they are.
fn miscounted(desk: &Desk, form: &Asked, number: usize) -> Option<String> {
    let typed = form.one("number").parse() == Ok(number);
    (number > ENDED_BY_CLICK && !typed).then(|| fill(desk.t.type_number_wrong, &[&number]))
}

async fn read(desk: &Desk, ids: &[String]) -> Result<Vec<Assignment>, Error> {
    let assignments = desk.client.assignments();
    let calls = ids.iter().map(|id| {
        let call = assignments.get(GetAssignmentRequest { assignment_id: id.clone() });
        call.timeout(CALL).into_future()
    });
    let found = together(calls.collect()).await;
    let found: Result<Vec<_>, Error> = found.into_iter().collect();
    Ok(found?.into_iter().filter_map(|answer| answer.assignment).collect())
}

async fn confirm(
    desk: &Desk,
    deed: Deed,
    ids: Vec<String>,
    written: &Asked,
    wrong: &Wrong,
) -> Answer {
    let t = desk.t;
    if ids.is_empty() || ids.len() > CHOSEN_MAX {
        return Err(Failure::Say(t.choose_first.to_owned()));
    }
    let found = read(desk, &ids).await?;
    let number = found.len();
    // A trade URL has a secret, which is not shown again.
    let to = Some(written.one("to")).filter(|to| !to.contains("token=")).unwrap_or_default();
    let typed = fill(t.type_number, &[&number]);
    let form = desk.form_as(
        "card stack",
        deed.path,
        html! {
            p { ((deed.means)(t)) }
            (those(desk, &found).await)
            @if deed.to {
                (Field::new("to", t.new_recipient, to).note(t.recipient_note).wrong(&wrong.to)
                    .required().show())
            }
            (Field::new("reason", t.note, written.one("reason")).note(t.note_is_kept).show())
            @if number > ENDED_BY_CLICK {
                (Field::new("number", &typed, "").note(t.type_number_note).wrong(&wrong.number)
                    .required().show())
            }
            input type="hidden" name="sure" value="yes";
            div.buttons {
                button.danger type="submit" { (count_of((deed.button)(t), number)) }
                a href=(desk.to("/assignments")) autofocus { (t.leave_them) }
            }
        },
    );
    Page::new((deed.title)(t), form).answer(desk)
}

/// What was chosen, and how it was when it was looked at.
async fn those(desk: &Desk, found: &[Assignment]) -> Markup {
    let people = found.iter().map(|one| (one.org_id.clone(), one.user_id));
    let names = desk.app.names().of(desk, people).await;
    html! {
        ul.plain {
            @for one in found {
                li {
                    input type="hidden" name="id" value=(one.id);
                    input type="hidden" name={ "etag-" (one.id) } value=(one.etag);
                    input type="hidden" name={ "state-" (one.id) } value=(one.state);
                    bdi.strong { (names.of(&one.org_id, one.user_id)) } " · "
                    (super::items_in_words(desk, one.items.len())) " · "
                    (badge::assignment(desk.t, one.state))
                }
            }
        }
    }
}

type Outcome = (String, Result<Option<Assignment>, Error>);

/// What became of each. A single one leads back to its own page.
async fn results_of(
    desk: &Desk,
    form: &Asked,
    outcomes: Vec<Outcome>,
    title: &str,
    code: &str,
) -> Answer {
    if let [(id, Ok(_))] = outcomes.as_slice() {
        return done(desk, &format!("/assignments/{id}"), code);
    }
    let t = desk.t;
    let calls = outcomes.into_iter().map(|(id, outcome)| line(desk, form, id, outcome));
    let lines = together(calls.collect()).await;
    let body = html! {
        (results(desk, title, t.assignment, &lines))
        p { a href=(desk.to("/assignments")) { (t.back_to_list) } }
    };
    Page::new(t.results, body).answer(desk)
}

async fn line(
    desk: &Desk,
    form: &Asked,
    id: String,
    outcome: Result<Option<Assignment>, Error>,
) -> Line {
    let t = desk.t;
    let (wrong, changed, now) = match outcome {
        Ok(one) => (None, false, one),
        Err(error) => {
            // Another was faster: what it is now says more than that it was refused.
            let faster = matches!(error.code, Code::Aborted | Code::FailedPrecondition);
            let request = GetAssignmentRequest { assignment_id: id.clone() };
            let call = desk.client.assignments().get(request).timeout(CALL);
            let now = if faster { call.await.ok().and_then(|it| it.assignment) } else { None };
            (Some(sentence(&error, t)), error.code == Code::Aborted, now)
        }
    };
    let saw = form.one(&format!("state-{id}")).parse::<i32>().ok().filter(|_| changed);
    let now = html! {
        @if let Some(now) = now {
            @if let Some(saw) = saw {
                (t.you_saw) " " (badge::assignment(t, saw)) ", " (t.now_it_is) " "
            }
            (badge::assignment(t, now.state))
            @if !now.successor_id.is_empty() { " → " (link(desk, "assignments", &now.successor_id)) }
        }
    };
    let path = desk.to(&format!("/assignments/{id}"));
    Line { what: html! { a href=(path) { code { (id) } } }, wrong, now }
}

/// A row as it is now, for a page that shows it.
pub(crate) async fn fresh(desk: &Desk, id: &str) -> Option<(Assignment, Markup)> {
    let request = GetAssignmentRequest { assignment_id: id.to_owned() };
    let answer = desk.client.assignments().get(request).timeout(CALL).await.ok()?;
    let one = answer.assignment?;
    let names = desk.app.names().of(desk, [(one.org_id.clone(), one.user_id)]).await;
    let row = row(desk, &one, &names);
    Some((one, row))
}
