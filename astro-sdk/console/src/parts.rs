//! What pages are made of. Nothing here reads anything.

pub(crate) mod badge;
pub(crate) mod by_sdk;
pub(crate) mod chart;
pub(crate) mod field;
pub(crate) mod results;
pub(crate) mod table;
pub(crate) mod time;

use astro_sdk::v1::{Item, Money, User};
use maud::{Markup, html};

use crate::desk::Desk;
use crate::images;
use crate::names::Known;
use crate::words::spaced;

/// Lines of a name and a value.
pub(crate) fn facts(lines: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in lines.iter().filter(|(_, value)| !value.0.is_empty()) {
                dt { (name) } dd { (value) }
            }
        }
    }
}

/// An id that can be copied.
pub(crate) fn id(text: &str) -> Markup {
    html! { @if !text.is_empty() { code.id data-copy { (text) } } }
}

/// A link to a thing by its id, of which the last piece is shown.
pub(crate) fn link(desk: &Desk, kind: &str, id: &str) -> Markup {
    // The end of an id tells more than its beginning, which is the time.
    let short = id.rsplit('-').next().unwrap_or(id);
    html! {
        @if !id.is_empty() {
            a href=(desk.to(&format!("/{kind}/{id}"))) title=(id) { code { "…" (short) } }
        }
    }
}

/// A person: the name, which may be anything, and the number beneath.
pub(crate) fn person(desk: &Desk, names: &Known, org: &str, user: u64) -> Markup {
    let name = names.of(org, user);
    let number = user.to_string();
    html! {
        @if user == 0 { span.muted { "–" } } @else {
            a.strong href=(desk.to(&format!("/people/{user}"))) { bdi { (name) } }
            @if name != number { br; small.id { (number) } }
        }
    }
}

/// Who caused something: `key:…`, `session:…`, `bot:…` or `system`.
pub(crate) fn source(desk: &Desk, source: &str) -> Markup {
    html! {
        @match source.split_once(':') {
            Some(("bot", id)) => a href=(desk.to(&format!("/bots/{id}"))) { (desk.t.bot) },
            Some(("key", id)) => { (desk.t.key) " " code { (id) } },
            Some(("session", id)) => {
                @if id == desk.caller.session.id {
                    bdi { (desk.caller.session.display_name) }
                } @else { (desk.t.session) " " code { (id) } }
            },
            _ => (desk.t.system),
        }
    }
}

/// An amount of money. Minor units are hundredths, as Steam's are.
pub(crate) fn money(money: Option<&Money>) -> Option<String> {
    let money = money?;
    let (sign, units) =
        (if money.minor_units < 0 { "-" } else { "" }, money.minor_units.unsigned_abs());
    let whole = spaced(units / 100);
    Some(format!("{sign}{whole}.{:02} {}", units % 100, money.currency_code))
}

/// The little square that stands for an item: its initials on the colour of its rarity.
pub(crate) fn tile(name: &str, rarity: &str) -> Markup {
    let shade =
        rarity.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    html! { span.tile.{ "shade" (shade % 6) } aria-hidden="true" { (initials(name)) } }
}

/// The first letters of a name's first two words.
pub(crate) fn initials(name: &str) -> String {
    let letters =
        name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    letters.take(2).collect()
}

/// The picture of an item, or the tile that stands for it. Its name stands beside it.
pub(crate) fn picture(desk: &Desk, item: &Item) -> Markup {
    if desk.app.images().is_none() || images::icon(item).is_none() {
        return tile(&item.item_name, &item.item_rarity);
    }
    let from = format!("/images/item/{}", item.id);
    html! { img.tile src=(from) alt="" width="36" height="36" loading="lazy"; }
}

/// The picture of a person, if there is one.
pub(crate) fn face(desk: &Desk, org: &str, user: &User) -> Markup {
    let shown = desk.app.images().is_some() && images::avatar(user).is_some();
    let from = format!("/images/person/{org}/{}", user.steam_id);
    html! { @if shown { img.tile src=(from) alt="" width="36" height="36" loading="lazy"; } }
}

/// Why there is nothing, and what to do first.
pub(crate) fn empty(text: &str, first: Option<(String, &str)>) -> Markup {
    html! {
        div.empty {
            p { (text) }
            @if let Some((href, label)) = first { p { a href=(href) { (label) } } }
        }
    }
}

/// A number on the overview, and what it means.
pub(crate) fn figure(href: &str, label: &str, number: &str, note: &str, bad: bool) -> Markup {
    html! {
        a.figure href=(href) {
            span.label { (label) }
            strong.bad[bad] { (number) }
            small { (note) }
        }
    }
}
