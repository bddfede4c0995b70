//! Signing in and out.

use std::net::SocketAddr;

use astro_sdk::Code;
use astro_sdk::v1::{ApiKeyKind, GetCallerRequest};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, SET_COOKIE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use bytes::Bytes;
use maud::{Markup, html};

use crate::app::{App, is_away};
use crate::ask::{Asked, address, back};
use crate::desk::{Desk, Look, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, SESSION};
use crate::page;

/// The cookie's name; over https, one that browsers take from this host alone.
pub(crate) const COOKIE_HTTPS: &str = "__Host-astro";
pub(crate) const COOKIE: &str = "astro";

/// The page that asks for a key.
pub(crate) async fn form(look: Look, desk: Option<Desk>, query: axum::http::Uri) -> Response {
    let asked = Asked::parse(query.query().unwrap_or_default());
    let to = back(asked.one("back"));
    if desk.is_some() {
        return Redirect::to(to).into_response();
    }
    let ended = asked.has("ended").then_some(look.t().session_ended);
    sheet(StatusCode::OK, &look, to, ended)
}

impl<S: Sync> axum::extract::OptionalFromRequestParts<S> for Desk {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// Signs in with the key of a form.
pub(crate) async fn by_key(
    State(app): State<App>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    look: Look,
    body: Bytes,
) -> Response {
    let t = look.t();
    let asked = Asked::parse(&String::from_utf8_lossy(&body));
    let (key, to) = (asked.one("key"), back(asked.one("back")));
    if app.is_guessing(address.ip()) {
        return sheet(StatusCode::TOO_MANY_REQUESTS, &look, to, Some(t.too_many_wrong_keys));
    }
    match check(&app, key).await {
        Ok(()) => begin(&app, key, to),
        Err(Refused::Away) => {
            sheet(StatusCode::SERVICE_UNAVAILABLE, &look, to, Some(t.server_away_text))
        }
        Err(Refused::Bot) => sheet(StatusCode::FORBIDDEN, &look, to, Some(t.key_of_bot)),
        Err(Refused::Wrong) => {
            app.guessed_wrong(address.ip());
            sheet(StatusCode::UNAUTHORIZED, &look, to, Some(t.key_wrong))
        }
    }
}

/// Signs in by a link that works once.
pub(crate) async fn by_link(
    State(app): State<App>,
    Path(word): Path<String>,
    look: Look,
) -> Response {
    let t = look.t();
    let Some(key) = app.sessions().take_link(&word, app.now()) else {
        return sheet(StatusCode::GONE, &look, "/", Some(t.link_used));
    };
    match check(&app, &key).await {
        Ok(()) => begin(&app, &key, "/"),
        Err(_) => sheet(StatusCode::SERVICE_UNAVAILABLE, &look, "/", Some(t.server_away_text)),
    }
}

/// Ends the session, here and in the browser.
pub(crate) async fn out(State(app): State<App>, desk: Desk, _: Posted) -> Answer {
    app.sessions().end(&desk.session, app.now());
    app.forget(&desk.session);
    let mut response = Redirect::to("/sign-in").into_response();
    drop_cookie(&app, &mut response);
    Ok(response)
}

/// What a reader who is not signed in sees in place of a page: the way there and back.
pub(crate) fn ask(app: &App, look: &Look, is_get: bool, had_session: bool) -> Response {
    // A form cannot be sent again from there; the page that it was on can be asked for.
    let to = if is_get { look.here.as_str() } else { "/" };
    let ended = if had_session { "yes" } else { "" };
    let to = if to == "/" { "" } else { to };
    let way = address("/sign-in", &[("back", to), ("ended", ended)]);
    let mut response = Redirect::to(&way).into_response();
    if had_session {
        drop_cookie(app, &mut response);
    }
    response
}

enum Refused {
    Away,
    Bot,
    Wrong,
}

async fn check(app: &App, key: &str) -> Result<(), Refused> {
    let client = app.client(key).ok_or(Refused::Wrong)?;
    let call = client.access().get_caller(GetCallerRequest::default()).timeout(CALL);
    match call.await {
        Ok(answer) => match answer.api_key.map(|key| key.kind) {
            Some(kind) if kind == ApiKeyKind::Bot as i32 => Err(Refused::Bot),
            _ => Ok(()),
        },
        Err(error) if is_away(&error) => Err(Refused::Away),
        Err(error) if error.code == Code::PermissionDenied => Err(Refused::Bot),
        Err(_) => Err(Refused::Wrong),
    }
}

fn begin(app: &App, key: &str, to: &str) -> Response {
    let Some((_, sealed)) = app.sessions().begin(key, app.now()) else {
        return Failure::Say(String::new()).into_response();
    };
    let mut response = Redirect::to(to).into_response();
    set_cookie(app, &mut response, &sealed, SESSION.as_secs());
    response
}

fn drop_cookie(app: &App, response: &mut Response) {
    set_cookie(app, response, "", 0);
}

fn set_cookie(app: &App, response: &mut Response, value: &str, seconds: u64) {
    let (name, secure) = if app.is_secure() { (COOKIE_HTTPS, "; Secure") } else { (COOKIE, "") };
    let text =
        format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

fn sheet(status: StatusCode, look: &Look, to: &str, said: Option<&str>) -> Response {
    let page = page::bare(look, look.t().sign_in, sign_in(look, to, said));
    (status, Html(page.into_string())).into_response()
}

fn sign_in(look: &Look, to: &str, said: Option<&str>) -> Markup {
    let t = look.t();
    html! {
        form.card.stack method="post" action="/sign-in" {
            @if let Some(said) = said { p.said role="alert" { (said) } }
            input type="hidden" name="back" value=(to);
            // Password managers keep a key properly when it comes with a name.
            input.off type="text" name="name" value="Astro" autocomplete="username" tabindex="-1"
                aria-hidden="true" readonly;
            label for="key" { (t.api_key) }
            input #key type="password" name="key" required autocomplete="current-password"
                aria-describedby="key-note" autofocus;
            p.note #key-note { (t.key_note) }
            button.main type="submit" { (t.sign_in) }
        }
    }
}
