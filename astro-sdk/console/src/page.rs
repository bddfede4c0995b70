//! The frame of every page: head, navigation, search, and what is said once after a form.

pub(crate) mod find;
pub(crate) mod help;
pub(crate) mod preferences;

use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::PARTS;
use crate::assets::ADDRESSES;
use crate::desk::{Desk, Look};
use crate::failure::{Answer, Failure};
use crate::words::count;

/// A page that is about to be shown.
pub(crate) struct Page {
    title: String,
    actions: Markup,
    body: Markup,
    by_sdk: Markup,
    live: Option<String>,
}

impl Page {
    pub(crate) fn new(title: impl Into<String>, body: Markup) -> Self {
        let (actions, by_sdk) = (html! {}, html! {});
        Self { title: title.into(), actions, body, by_sdk, live: None }
    }

    /// What stands beside the heading.
    pub(crate) fn actions(mut self, actions: Markup) -> Self {
        self.actions = actions;
        self
    }

    /// How a program does the same.
    pub(crate) fn by_sdk(mut self, by_sdk: Markup) -> Self {
        self.by_sdk = by_sdk;
        self
    }

    /// Where its changes come from.
    pub(crate) fn live(mut self, address: String) -> Self {
        self.live = Some(address);
        self
    }

    /// The page as an answer.
    pub(crate) fn show(self, desk: &Desk) -> Response {
        Html(framed(desk, &self).into_string()).into_response()
    }

    /// The same where handlers answer.
    pub(crate) fn answer(self, desk: &Desk) -> Answer {
        Ok(self.show(desk))
    }
}

/// Leads on after a form, with a code for what is said there: one of a closed list, so that nobody
/// can send a link that says something of theirs.
pub(crate) fn done(desk: &Desk, path: &str, code: &str) -> Answer {
    let to = desk.to_with(path, &[("done", code)]);
    Ok(Redirect::to(&to).into_response())
}

fn head(look: &Look, title: &str, extra: Markup) -> Markup {
    html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        title { (title) " · Astro" }
        link rel="icon" href=(ADDRESSES.icon);
        link rel="stylesheet" href=(ADDRESSES.style);
        script type="module" src=(ADDRESSES.script) data-keys=[look.keys.then_some("on")]
            data-copied=(look.t().copied) {}
        (extra)
    }
}

fn document(look: &Look, head: Markup, body: Markup) -> Markup {
    let theme = (!look.theme.is_empty()).then_some(look.theme);
    html! {
        (DOCTYPE)
        html lang=(look.language.code) data-theme=[theme] {
            head { (head) }
            body { (body) }
        }
    }
}

fn framed(desk: &Desk, page: &Page) -> Markup {
    let t = desk.t;
    let body = html! {
        a.skip href="#main" { (t.to_content) }
        (top(desk))
        nav #menu popover="auto" aria-label=(t.pages) { (navigation(desk)) }
        main #main data-live=[page.live.as_deref()] tabindex="-1" {
            div.heading {
                h1 { (page.title) }
                div.actions { (page.actions) }
            }
            p.more role="status" hidden data-one=(t.one_more) data-many=(t.many_more) {}
            (said(desk))
            (page.body)
            (page.by_sdk)
        }
    };
    document(&desk.look, head(&desk.look, &page.title, html! {}), body)
}

fn top(desk: &Desk) -> Markup {
    let t = desk.t;
    html! {
        header.top {
            button.icon.burger popovertarget="menu" aria-label=(t.menu) {
                (icon("M4 7h16M4 12h16M4 17h16"))
            }
            a.brand href=(desk.to("/")) aria-label=(t.brand) {
                img src=(ADDRESSES.icon) alt="" width="20" height="20";
                span { "Astro" }
            }
            (organisation(desk))
            form.search role="search" method="post" action=(desk.to("/find")) {
                (desk.seal())
                input type="search" name="q" placeholder=(t.search_hint) aria-label=(t.search);
            }
            span.lamp #lamp hidden data-live=(t.live) data-waits=(t.connecting) { (t.connecting) }
            a.icon href=(desk.to("/preferences")) aria-label=(t.preferences) {
                (icon("M12 3a9 9 0 1 0 9 9 7 7 0 0 1-9-9z"))
            }
            form.inline method="post" action="/sign-out" {
                (desk.seal())
                button.icon type="submit" aria-label=(t.sign_out) {
                    (icon("M9 4H5v16h4M14 8l4 4-4 4M18 12H9"))
                }
            }
        }
    }
}

/// Which organisation is looked at; the platform's administrator may choose.
fn organisation(desk: &Desk) -> Markup {
    let chosen = desk.org.as_ref().map_or("", |org| org.slug.as_str());
    html! {
        @if desk.is_admin() && desk.caller.orgs.len() > 1 {
            form.inline.orgs action=(desk.path) {
                select name="org" aria-label=(desk.t.organisation) data-submits {
                    option value="" { (desk.t.all_organisations) }
                    @for org in &desk.caller.orgs {
                        option value=(org.slug) selected[org.slug == chosen] {
                            (org.display_name)
                        }
                    }
                }
                noscript { button type="submit" { (desk.t.show) } }
            }
        } @else if let Some(org) = desk.caller.orgs.first() {
            span.orgs { (org.display_name) }
        }
    }
}

fn navigation(desk: &Desk) -> Markup {
    let is_here = |path: &str| {
        let rest = desk.path.strip_prefix(path);
        if path == "/" {
            desk.path == "/"
        } else {
            rest.is_some_and(|r| r.is_empty() || r.starts_with('/'))
        }
    };
    html! {
        @for part in PARTS {
            @let places: Vec<_> =
                part.places.iter().filter(|place| desk.may(place.scope)).collect();
            @if !places.is_empty() {
                h2 { ((part.group)(desk.t)) }
                ul {
                    @for place in places {
                        li {
                            a href=(desk.to(place.path))
                                aria-current=[is_here(place.path).then_some("page")]
                            { ((place.label)(desk.t)) }
                        }
                    }
                }
            }
        }
        ul.last { li { a href=(desk.to("/help")) { (desk.t.help) } } }
        p.who {
            bdi { (desk.caller.session.display_name) } br;
            (desk.t.key) " " bdi { (desk.caller.key.display_name) }
            br; "Astro " (desk.caller.server_version)
        }
    }
}

/// What a form did, by the code in the address.
fn said(desk: &Desk) -> Markup {
    let t = desk.t;
    let code = desk.ask.one("done");
    let (word, number) = code.split_once('.').unwrap_or((code, "1"));
    let number: u64 = number.parse().unwrap_or(1).min(1_000);
    let text = match word {
        "assigned" => count(t.done_assigned, number),
        "retried" => count(t.done_retried, number),
        "cancelled" => count(t.done_cancelled, number),
        "reassigned" => t.done_reassigned.to_owned(),
        "labelled" => count(t.done_labelled, number),
        "stored" => t.done_stored.to_owned(),
        "released" => t.done_released.to_owned(),
        "paused" => t.done_paused.to_owned(),
        "resumed" => t.done_resumed.to_owned(),
        "sync" => t.done_sync.to_owned(),
        "resolved" => t.done_resolved.to_owned(),
        "revoked" => t.done_revoked.to_owned(),
        "ended" => t.done_ended.to_owned(),
        "created" => t.done_created.to_owned(),
        "denied" => t.done_denied.to_owned(),
        "allowed" => t.done_allowed.to_owned(),
        _ => return html! {},
    };
    html! { p.toast role="status" { (text) } }
}

/// A page without navigation, for who is not signed in.
pub(crate) fn bare(look: &Look, title: &str, body: Markup) -> Markup {
    let body = html! {
        main.bare #main {
            div.brand { img src=(ADDRESSES.icon) alt="" width="28" height="28"; span { "Astro" } }
            h1 { (title) }
            (body)
        }
    };
    document(look, head(look, title, html! {}), body)
}

/// A page that asks for itself once more.
pub(crate) fn refresh(look: &Look) -> Markup {
    let extra = html! { meta http-equiv="refresh" content="0"; };
    let body = html! { main { p { a href=(look.here) { (look.t().go_on) } } } };
    document(look, html! { meta charset="utf-8"; title { "Astro" } (extra) }, body)
}

/// The page of a failure. One that passes is asked for again by itself.
pub(crate) fn failure(look: &Look, desk: Option<&Desk>, failure: &Failure) -> Response {
    let t = look.t();
    let title = failure.title(t);
    let body = html! {
        p.callout.bad role="alert" { (failure.text(t)) }
        (failure.details(t))
        @if let Some(seconds) = failure.retry_after() {
            p.note { (crate::words::fill(t.again_by_itself, &[&seconds])) }
        }
        p {
            @if !look.here.is_empty() { a href=(look.here) { (t.try_again) } " · " }
            a href="/" { (t.overview) }
        }
    };
    let again = failure.retry_after().filter(|_| !look.here.is_empty());
    let extra = html! {
        @if let Some(seconds) = again { meta http-equiv="refresh" content=(seconds); }
    };
    let page = match desk {
        Some(desk) => framed(desk, &Page::new(title, html! { (body) })),
        None => bare(look, title, body),
    };
    // Into the head, which both frames make alike.
    let page = page.into_string().replacen("</head>", &format!("{}</head>", extra.0), 1);
    let mut response = (failure.status(), Html(page)).into_response();
    failure.mark(&mut response);
    response
}

/// A line drawing of 24 by 24.
pub(crate) fn icon(path: &'static str) -> Markup {
    html! {
        svg width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor"
            stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"
        { (PreEscaped(format!("<path d=\"{path}\"/>"))) }
    }
}
