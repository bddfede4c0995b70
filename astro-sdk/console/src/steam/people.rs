//! Donors and recipients.

pub(crate) mod one;

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{ListUsersRequest, User, UserFilter};
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};

use crate::csv;
use crate::desk::{Desk, Posted};
use crate::failure::Answer;
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::page::Page;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::Field;
use crate::parts::table::{Column, Tab, below, sheet, tabs};
use crate::parts::{empty, time};

/// What the address asks for.
fn request(desk: &Desk, page_size: i32) -> ListUsersRequest {
    let ask = &desk.ask;
    let text = match ask.one("q").parse::<SteamId>() {
        Ok(person) => person.to_string(),
        Err(_) => ask.one("q").to_owned(),
    };
    let oldest_first = ask.one("order") == "create_time";
    ListUsersRequest {
        org_id: desk.org_id(),
        page_size,
        page_token: ask.one("page").to_owned(),
        filter: Some(UserFilter { text, has_trade_url: ask.one("url") == "stored" }),
        order_by: if oldest_first { "create_time".to_owned() } else { String::new() },
    }
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let mut pages = desk.client.users().list(request(&desk, ROWS)).timeout(CALL).pages();
    let page = pages.try_next().await?.unwrap_or_default();
    let columns = [
        Column(t.person, ""),
        Column(t.trade_url, "wide"),
        Column(t.organisation, "wide"),
        Column(t.first_seen, "right"),
        Column(t.last_seen, "right wide"),
    ];
    let filtered = ["q", "url", "page"].iter().any(|name| !desk.ask.one(name).is_empty());
    let body = html! {
        (tabs(&desk, t.trade_url, "url", &both(t)))
        (search(&desk))
        @if page.users.is_empty() && filtered {
            (empty(t.nothing_matches, Some((desk.to("/people"), t.drop_filter))))
        } @else if page.users.is_empty() { (empty(t.no_people, None)) } @else {
            (sheet(t.people, &columns, html! {
                @for user in &page.users { (row(&desk, user)) }
            }))
        }
        (below(&desk, &page.next_page_token, Some("/people.csv")))
    };
    let (other, label) = match desk.ask.one("order") {
        "create_time" => ("", t.newest_first),
        _ => ("create_time", t.oldest_first),
    };
    let switch = html! { a.button href=(desk.here_with(&[("order", other)])) { (label) } };
    Page::new(t.people, body).actions(switch).by_sdk(ways(&desk)).answer(&desk)
}

fn both(t: &crate::words::Words) -> [Tab; 2] {
    [("", t.all), ("stored", t.has_url)].map(|(value, label)| Tab {
        label: html! { (label) },
        value: value.to_owned(),
        number: None,
    })
}

/// It is sent as a form's body and not in an address, since people paste trade URLs, which have a secret.
fn search(desk: &Desk) -> Markup {
    let (t, ask) = (desk.t, &desk.ask);
    desk.form_as(
        "filters",
        "/people/go",
        html! {
            input type="hidden" name="url" value=(ask.one("url"));
            input type="hidden" name="order" value=(ask.one("order"));
            (Field::new("who", t.person_or_name, ask.one("q")).kind("search")
                .note(t.recipient_note).show())
            button type="submit" { (t.search) }
        },
    )
}

fn row(desk: &Desk, user: &User) -> Markup {
    let t = desk.t;
    let number = user.steam_id.to_string();
    let name = if user.display_name.is_empty() { &number } else { &user.display_name };
    html! {
        tr {
            td {
                a.strong href=(address(desk, user)) { bdi { (name) } }
                @if *name != number { br; small.id { (number) } }
            }
            td.wide {
                @if user.has_trade_url { (t.trade_url_stored) }
                @else { span.muted { (t.trade_url_not_stored) } }
            }
            td.wide { (desk.org_name(&user.org_id)) }
            td.right { (time::ago(desk, user.first_seen_time.as_ref())) }
            td.right.wide { (time::ago(desk, user.last_seen_time.as_ref())) }
        }
    }
}

/// The person's page. It is of one organisation, which is told where none was chosen.
fn address(desk: &Desk, user: &User) -> String {
    let path = format!("/people/{}", user.steam_id);
    let slug = desk.caller.orgs.iter().find(|org| org.id == user.org_id).map(|org| &*org.slug);
    match slug.filter(|_| desk.org.is_none() && desk.is_admin()) {
        Some(slug) => desk.to_with(&path, &[("org", slug)]),
        None => desk.to(&path),
    }
}

fn ways(desk: &Desk) -> Markup {
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: "/api/v1/users",
            body: "",
            command: "users list",
            rust: "client.users().list(ListUsersRequest { … })",
            json: "",
        },
    )
}

/// Leads to a person told in any form, or to those whose names have the text.
pub(crate) async fn go(desk: Desk, form: Posted) -> Answer {
    let who = form.one("who");
    let person = who.parse::<SteamId>().ok();
    let to = match person.filter(|_| desk.org_to_write().is_ok()) {
        Some(person) => desk.to(&format!("/people/{person}")),
        None => {
            let text = person.map_or_else(|| who.to_owned(), |person| person.to_string());
            let asked = [("q", text.as_str()), ("url", form.one("url"))];
            let asked = asked.into_iter().chain([("order", form.one("order"))]);
            let asked: Vec<_> = asked.filter(|(_, value)| !value.is_empty()).collect();
            desk.to_with("/people", &asked)
        }
    };
    Ok(Redirect::to(&to).into_response())
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.users().list(request(&desk, CSV_PAGE)).timeout(CALL);
    let heads = [
        "steam_id",
        "org_id",
        "name",
        "trade_url",
        "profile",
        "country",
        "account_made",
        "first_seen",
        "last_seen",
    ];
    Ok(csv::answer("people", &heads, list, move |user: User| {
        vec![
            user.steam_id.to_string(),
            user.org_id,
            user.display_name,
            if user.has_trade_url { "stored" } else { "" }.to_owned(),
            user.profile_url,
            user.country_code,
            csv::time(user.account_create_time.as_ref()),
            csv::time(user.first_seen_time.as_ref()),
            csv::time(user.last_seen_time.as_ref()),
        ]
    }))
}
