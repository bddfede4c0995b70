//! Who is signed in, and since when.

use std::collections::HashMap;

use astro_sdk::v1::{ApiKey, EndSessionRequest, ListApiKeysRequest, ListSessionsRequest, Session};
use axum::extract::Path;
use maud::{Markup, html};

use crate::desk::{Desk, Posted};
use crate::failure::Answer;
use crate::limits::{CALL, ROWS};
use crate::page::{Page, done};
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::table::{Column, below, sheet};
use crate::parts::time;

/// Names of keys by their ids.
type Keys = HashMap<String, String>;

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let request = ListSessionsRequest {
        org_id: desk.org_id(),
        page_size: ROWS,
        page_token: desk.ask.one("page").to_owned(),
    };
    let mut pages = desk.client.access().list_sessions(request).timeout(CALL).pages();
    let (page, keys) = tokio::try_join!(pages.try_next(), keys(&desk))?;
    let page = page.unwrap_or_default();
    let columns = [
        Column(t.who, ""),
        Column(t.key, "wide"),
        Column(t.signed_in, "right wide"),
        Column(t.last_used, "right wide"),
        Column(t.ends, "right"),
        Column(t.what_to_do, "right"),
    ];
    let body = html! {
        p.muted { (t.sessions_note) }
        (sheet(t.sessions, &columns, html! {
            @for session in &page.sessions { (row(&desk, &keys, session)) }
        }))
        (below(&desk, &page.next_page_token, None))
    };
    let ways = Ways {
        verb: "GET",
        path: "/api/v1/sessions",
        body: "",
        command: "sessions list",
        rust: "client.access().list_sessions(ListSessionsRequest { … })",
        json: "",
    };
    Page::new(t.sessions, body).by_sdk(by_sdk(&desk, &ways)).answer(&desk)
}

/// The newest keys; one that is not among them is shown by its id.
async fn keys(desk: &Desk) -> Result<Keys, astro_sdk::Error> {
    let request =
        ListApiKeysRequest { org_id: desk.org_id(), page_size: 500, ..Default::default() };
    let mut pages = desk.client.access().list_api_keys(request).timeout(CALL).pages();
    let page = pages.try_next().await?.unwrap_or_default();
    let named = |key: ApiKey| (key.id, key.display_name);
    Ok(page.api_keys.into_iter().map(named).collect())
}

fn row(desk: &Desk, keys: &Keys, session: &Session) -> Markup {
    let t = desk.t;
    let own = session.id == desk.caller.session.id;
    let name = Some(session.display_name.as_str()).filter(|name| !name.is_empty());
    let last = time::moment(session.expire_time.as_ref());
    let over = session.end_time.is_some() || last.is_some_and(|last| last <= desk.now);
    let end = session.end_time.as_ref().or(session.expire_time.as_ref());
    html! {
        tr {
            td {
                bdi.strong { (name.unwrap_or(t.nobody_named)) } br;
                @if own { span.number { (t.this_one) } " " }
                small.id { (session.id) }
                @if !session.org_id.is_empty() { " " small { (desk.org_name(&session.org_id)) } }
            }
            td.wide {
                bdi { (keys.get(&session.api_key_id).unwrap_or(&session.api_key_id)) } br;
                small.id { (session.api_key_id) }
            }
            td.right.wide { (time::ago(desk, session.create_time.as_ref())) }
            td.right.wide { (time::ago(desk, session.last_use_time.as_ref())) }
            td.right {
                @if over { span.badge.quiet.done { "– " (t.ended) } br; }
                (time::ago(desk, end))
            }
            td.right {
                @if !over && (own || desk.may("keys.write")) {
                    (desk.form_as("inline", &format!("/sessions/{}/end", session.id), html! {
                        button.danger type="submit"
                            aria-label={ (t.end_it) ": " (name.unwrap_or(&session.id)) } { (t.end_it) }
                    }))
                }
            }
        }
    }
}

pub(crate) async fn end(desk: Desk, Path(id): Path<String>, _: Posted) -> Answer {
    let request = EndSessionRequest { session_id: id };
    desk.client.access().end_session(request).timeout(CALL).await?;
    done(&desk, "/sessions", "ended")
}
