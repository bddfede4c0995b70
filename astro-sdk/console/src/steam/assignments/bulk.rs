//! Several assignments at once: asked before, with a result for each after.

use std::future::IntoFuture;

use astro_sdk::v1::{
    Assignment, CancelAssignmentRequest, GetAssignmentRequest, RetryAssignmentRequest,
};
use astro_sdk::{Code, Error};
use maud::{Markup, html};

use super::row;
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure, sentence};
use crate::limits::{CALL, CHOSEN_MAX};
use crate::page::{Page, done};
use crate::parts::badge;
use crate::parts::field::Field;
use crate::parts::table::{Column, sheet};
use crate::together::together;
use crate::words::{count_of, fill};

/// The page that asks before several are cancelled.
pub(crate) async fn ask(desk: Desk) -> Answer {
    let ids: Vec<String> = desk.ask.all("id").into_iter().map(str::to_owned).collect();
    confirm(&desk, ids).await
}

/// Asks, and once the answer is there, cancels.
pub(crate) async fn cancel(desk: Desk, form: Posted) -> Answer {
    let ids = chosen(&desk, &form)?;
    if form.one("sure") != "yes" {
        return confirm(&desk, ids).await;
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
    results_of(&desk, results, desk.t.cancelled_results, "cancelled").await
}

/// Tries the deliveries again.
pub(crate) async fn retry(desk: Desk, form: Posted) -> Answer {
    let ids = chosen(&desk, &form)?;
    let assignments = desk.client.assignments();
    let calls = ids.iter().map(|id| {
        let request_id = form.request_id(&format!("retry {id}"));
        let request = RetryAssignmentRequest { assignment_id: id.clone(), request_id };
        let call = assignments.retry(request).timeout(CALL);
        async move { (id.clone(), call.await.map(|answer| answer.assignment)) }
    });
    let results = together(calls.collect()).await;
    results_of(&desk, results, desk.t.retried_results, "retried").await
}

fn chosen(desk: &Desk, form: &Posted) -> Result<Vec<String>, Failure> {
    let ids: Vec<String> = form.all("id").into_iter().map(str::to_owned).collect();
    match ids.len() {
        0 => Err(Failure::Say(desk.t.choose_first.to_owned())),
        1..=CHOSEN_MAX => Ok(ids),
        _ => Err(Failure::Say(fill(desk.t.too_many_chosen, &[&CHOSEN_MAX]))),
    }
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

async fn confirm(desk: &Desk, ids: Vec<String>) -> Answer {
    let t = desk.t;
    if ids.is_empty() || ids.len() > CHOSEN_MAX {
        return Err(Failure::Say(t.choose_first.to_owned()));
    }
    let found = read(desk, &ids).await?;
    let people = found.iter().map(|one| (one.org_id.clone(), one.user_id));
    let names = desk.app.names().of(desk, people).await;
    let button = count_of(t.cancel_number, found.len());
    let form = desk.form_as(
        "card stack",
        "/assignments/cancel",
        html! {
            p { (t.cancel_means) }
            ul.plain {
                @for one in &found {
                    li {
                        input type="hidden" name="id" value=(one.id);
                        input type="hidden" name={ "etag-" (one.id) } value=(one.etag);
                        bdi.strong { (names.of(&one.org_id, one.user_id)) } " · "
                        (super::items_in_words(desk, one.items.len())) " · "
                        (badge::assignment(t, one.state))
                    }
                }
            }
            (Field::new("reason", t.note, "").note(t.note_is_kept).show())
            input type="hidden" name="sure" value="yes";
            div.buttons {
                button.danger type="submit" { (button) }
                a href=(desk.to("/assignments")) autofocus { (t.leave_them) }
            }
        },
    );
    Page::new(t.cancel_title, form).answer(desk)
}

type Outcome = (String, Result<Option<Assignment>, Error>);

/// What became of each. A single one leads back to its own page.
async fn results_of(desk: &Desk, results: Vec<Outcome>, title: &str, code: &str) -> Answer {
    if let [(id, Ok(_))] = results.as_slice() {
        return done(desk, &format!("/assignments/{id}"), code);
    }
    let good = results.iter().filter(|(_, outcome)| outcome.is_ok()).count();
    let bad = results.len() - good;
    let mut lines = Vec::new();
    for (id, outcome) in results {
        lines.push(line(desk, &id, outcome).await);
    }
    let t = desk.t;
    let body = html! {
        p.callout.bad[bad > 0] role="status" {
            (fill(title, &[&good, &(good + bad)]))
        }
        (sheet(title_of(t), &[Column(t.assignment, ""), Column(t.result, "")], html! {
            @for line in &lines { (line) }
        }))
        p { a href=(desk.to("/assignments")) { (t.back_to_list) } }
    };
    Page::new(title_of(t), body).answer(desk)
}

fn title_of(t: &crate::words::Words) -> &'static str {
    t.results
}

async fn line(desk: &Desk, id: &str, outcome: Result<Option<Assignment>, Error>) -> Markup {
    let t = desk.t;
    let path = desk.to(&format!("/assignments/{id}"));
    let (text, state) = match outcome {
        Ok(one) => (None, one.map(|one| one.state)),
        Err(error) => {
            // Another was faster: what it is now says more than that it was refused.
            let now = matches!(error.code, Code::Aborted | Code::FailedPrecondition);
            let request = GetAssignmentRequest { assignment_id: id.to_owned() };
            let call = desk.client.assignments().get(request).timeout(CALL);
            let state = if now { call.await.ok().and_then(|it| it.assignment) } else { None };
            (Some(sentence(&error, t)), state.map(|one| one.state))
        }
    };
    html! {
        tr {
            td { a href=(path) { code { (id) } } }
            td {
                @if let Some(text) = text { span.bad-text { "✕ " (text) } br; }
                @else { span.good-text { "✓ " (t.result_done) } " " }
                @if let Some(state) = state { (badge::assignment(t, state)) }
            }
        }
    }
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
