//! Keys of client systems, bots and administrators.

use std::net::{IpAddr, SocketAddr};

use astro_sdk::v1::{
    ApiKey, ApiKeyKind, CreateApiKeyRequest, ListApiKeysRequest, RevokeApiKeyRequest,
};
use astro_sdk::{Client, Code};
use axum::extract::{ConnectInfo, Path};
use maud::{Markup, html};

use crate::csv;
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::page::{Page, done};
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::{Field, choice};
use crate::parts::table::{Column, below, sheet};
use crate::parts::{badge, time};
use crate::words::fill;

/// What a key that only looks may do.
const VIEWER: &[&str] = &[
    "items.read",
    "assignments.read",
    "donations.read",
    "events.read",
    "users.read",
    "bots.read",
    "sync.read",
    "orgs.read",
];

fn request(desk: &Desk, page_size: i32) -> ListApiKeysRequest {
    let page_token = desk.ask.one("page").to_owned();
    ListApiKeysRequest { org_id: desk.org_id(), page_size, page_token }
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let mut pages = desk.client.access().list_api_keys(request(&desk, ROWS)).timeout(CALL).pages();
    let page = pages.try_next().await?.unwrap_or_default();
    let columns = [
        Column(t.key, ""),
        Column(t.kind, "wide"),
        Column(t.scopes, "wide"),
        Column(t.last_used, "right"),
        Column(t.what_to_do, "right"),
    ];
    let body = html! {
        (sheet(t.keys, &columns, html! { @for key in &page.api_keys { (row(&desk, key)) } }))
        (below(&desk, &page.next_page_token, Some("/keys.csv")))
    };
    let new = html! {
        @if desk.may("keys.write") {
            a.button.main href=(desk.to("/keys/new")) data-new { (t.new_key) }
        }
    };
    let ways = Ways {
        verb: "GET",
        path: "/api/v1/api-keys",
        body: "",
        command: "keys list",
        rust: "client.access().list_api_keys(ListApiKeysRequest { … })",
        json: "",
    };
    Page::new(t.keys, body).actions(new).by_sdk(by_sdk(&desk, &ways)).answer(&desk)
}

/// Secrets are in no list, and so not in this one.
pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.access().list_api_keys(request(&desk, CSV_PAGE)).timeout(CALL);
    let heads = [
        "id",
        "kind",
        "name",
        "org_id",
        "bot_id",
        "scopes",
        "expires",
        "made",
        "last_used",
        "revoked",
    ];
    let words = crate::words::LANGUAGES[0].words;
    Ok(csv::answer("keys", &heads, list, move |key: ApiKey| {
        vec![
            key.id,
            badge::key_kind(words, key.kind).into_owned(),
            key.display_name,
            key.org_id,
            key.bot_id,
            key.scopes.join(" "),
            csv::time(key.expire_time.as_ref()),
            csv::time(key.create_time.as_ref()),
            csv::time(key.last_use_time.as_ref()),
            csv::time(key.revoke_time.as_ref()),
        ]
    }))
}

fn row(desk: &Desk, key: &ApiKey) -> Markup {
    let t = desk.t;
    let own = key.id == desk.caller.key.id;
    html! {
        tr {
            td {
                bdi.strong { (key.display_name) } br;
                @if own { span.number { (t.this_one) } " " }
                small.id { (key.id) }
                @if !key.org_id.is_empty() { " " small { (desk.org_name(&key.org_id)) } }
            }
            td.wide { (badge::key_kind(t, key.kind)) }
            td.wide { small { (key.scopes.join(", ")) } }
            td.right { (time::ago(desk, key.last_use_time.as_ref())) }
            td.right {
                @if key.revoke_time.is_some() {
                    span.badge.quiet.done { "– " (t.revoked) } br;
                    small { (time::ago(desk, key.revoke_time.as_ref())) }
                } @else if desk.may("keys.write") {
                    a.button.danger href=(desk.to(&format!("/keys/{}/revoke", key.id))) {
                        (t.revoke_more)
                    }
                }
            }
        }
    }
}

pub(crate) async fn ask(desk: Desk) -> Answer {
    let t = desk.t;
    let org = desk.org_to_write().unwrap_or_default();
    let presets = [("", t.preset_usual), ("viewer", t.preset_viewer), ("own", t.preset_own)];
    let mut kinds = vec![("client", t.client_key), ("bot", t.bot_key)];
    if desk.is_admin() {
        kinds.push(("admin", t.admin_key));
    }
    let form = desk.form_as(
        "card stack narrow",
        "/keys",
        html! {
            p { (t.organisation) ": " strong { (desk.org_name(&org)) } }
            (Field::new("name", t.name, "").note(t.key_name_note).required().show())
            (choice("kind", t.kind, "client", &kinds))
            (Field::new("bot", t.bot, "").note(t.key_bot_note).show())
            (choice("preset", t.scopes, "", &presets))
            (Field::new("scopes", t.scopes_own, "").note(t.scopes_note).show())
            // Password managers tell by it whose key is wanted.
            input.off type="text" value=(desk.caller.session.display_name) autocomplete="username"
                tabindex="-1" aria-hidden="true" readonly;
            label for="f-own" { (t.own_key) }
            input #f-own name="own" type="password" required autocomplete="current-password"
                aria-describedby="f-own-note";
            p.note #f-own-note { (t.own_key_note) }
            div.buttons {
                button.main type="submit" { (t.make_key) }
                a href=(desk.to("/keys")) { (t.leave_it) }
            }
        },
    );
    Page::new(t.new_key, form).answer(&desk)
}

/// A client with the key that the reader signed in with, told once more: what a session makes ends with
/// the session, and a key is for longer.
fn by_own_key(desk: &Desk, from: IpAddr, told: &str) -> Result<Client, Failure> {
    let readers = desk.app.readers();
    if readers.is_guessing(from, desk.now) {
        return Err(Failure::Guessing);
    }
    let is_own = told.split('_').nth(2) == Some(desk.caller.key.id.as_str());
    match desk.app.client(told).filter(|_| is_own) {
        Some(client) => Ok(client),
        None => {
            readers.guessed_wrong(from, desk.now);
            Err(Failure::Say(desk.t.own_key_wrong.to_owned()))
        }
    }
}

/// Makes a key. Its secret is on this page and nowhere else, so this form is not sent twice.
pub(crate) async fn create(
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    desk: Desk,
    form: Posted,
) -> Answer {
    let t = desk.t;
    let by = by_own_key(&desk, from.ip(), form.one("own"))?;
    let (kind, org_id) = match form.one("kind") {
        "admin" => (ApiKeyKind::Admin, String::new()),
        "bot" => (ApiKeyKind::Bot, desk.org_to_write()?),
        _ => (ApiKeyKind::Client, desk.org_to_write()?),
    };
    let scopes: Vec<String> = match form.one("preset") {
        "viewer" => VIEWER.iter().map(|scope| (*scope).to_owned()).collect(),
        "own" => form
            .one("scopes")
            .split([',', ' '])
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    if form.one("preset") == "own" && scopes.is_empty() {
        return Err(Failure::Say(t.scopes_missing.to_owned()));
    }
    let request = CreateApiKeyRequest {
        kind: kind as i32,
        display_name: form.one("name").to_owned(),
        org_id,
        bot_id: if kind == ApiKeyKind::Bot { form.one("bot").to_owned() } else { String::new() },
        scopes,
        ..Default::default()
    };
    let made = by.access().create_api_key(request).timeout(CALL).await;
    let answer = match made {
        Err(error) if error.code == Code::Unauthenticated => {
            desk.app.readers().guessed_wrong(from.ip(), desk.now);
            return Err(Failure::Say(t.own_key_wrong.to_owned()));
        }
        answered => answered?,
    };
    let key = answer.api_key.unwrap_or_default();
    let body = html! {
        section.callout.good {
            p { (t.key_once) }
            pre.secret data-copy tabindex="0" { code { (answer.secret) } }
        }
        p { a href=(desk.to("/keys")) { (t.back_to_list) } }
    };
    Page::new(fill(t.key_made, &[&key.display_name]), body).answer(&desk)
}

async fn find(desk: &Desk, id: &str) -> Result<ApiKey, Failure> {
    let request = ListApiKeysRequest { org_id: desk.org_id(), ..Default::default() };
    let mut keys = desk.client.access().list_api_keys(request).timeout(CALL);
    while let Some(key) = keys.try_next().await? {
        if key.id == id {
            return Ok(key);
        }
    }
    Err(Failure::NotFound)
}

/// The page that asks before a key is revoked.
pub(crate) async fn ask_revoke(desk: Desk, Path(id): Path<String>) -> Answer {
    let t = desk.t;
    let key = find(&desk, &id).await?;
    let form = desk.form_as(
        "card stack narrow",
        &format!("/keys/{id}/revoke"),
        html! {
            p { bdi.strong { (key.display_name) } " · " (badge::key_kind(t, key.kind)) }
            p { (t.last_used) ": " (time::at(key.last_use_time.as_ref())) }
            @if key.id == desk.caller.key.id { p.warn { "◆ " (t.revoke_own) } }
            p { (t.revoke_means) }
            div.buttons {
                button.danger type="submit" { (t.revoke) }
                a href=(desk.to("/keys")) { (t.leave_it) }
            }
        },
    );
    Page::new(t.revoke_title, form).answer(&desk)
}

pub(crate) async fn revoke(desk: Desk, Path(id): Path<String>, _: Posted) -> Answer {
    let request = RevokeApiKeyRequest { api_key_id: id };
    desk.client.access().revoke_api_key(request).timeout(CALL).await?;
    done(&desk, "/keys", "revoked")
}
