//! Signing in and out.

use std::net::SocketAddr;

use astro_sdk::v1::{CreateSessionRequest, EndSessionRequest};
use astro_sdk::{Code, Error};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, SET_COOKIE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use bytes::Bytes;
use maud::{Markup, html};

use crate::app::App;
use crate::ask::{Asked, address, back};
use crate::desk::{Desk, Look, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, NAME_CHARS_MAX, SESSION};
use crate::page;
use crate::session::is_session;

/// The cookie's name; over https, one that browsers take from this host alone.
pub(crate) const COOKIE_HTTPS: &str = "__Host-astro";
pub(crate) const COOKIE: &str = "astro";
/// Names of sessions whose reader told none, as all readers see them.
const NO_NAME: &str = "Web console";
const BY_LINK: &str = "Web console, by link";

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

/// Signs in with the key of a form: it makes a session, and is not kept.
pub(crate) async fn by_key(
    State(app): State<App>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    look: Look,
    body: Bytes,
) -> Response {
    let t = look.t();
    let asked = Asked::parse(&String::from_utf8_lossy(&body));
    let (key, name, to) = (asked.one("key"), asked.one("name"), back(asked.one("back")));
    if app.readers().is_guessing(address.ip(), app.now()) {
        return sheet(StatusCode::TOO_MANY_REQUESTS, &look, to, Some(t.too_many_wrong_keys));
    }
    match make(&app, key, name).await {
        Ok(secret) => begin(&app, &secret, to),
        Err(Refused::NoPerson) => sheet(StatusCode::FORBIDDEN, &look, to, Some(t.key_of_nobody)),
        Err(Refused::Wrong) => {
            app.readers().guessed_wrong(address.ip(), app.now());
            sheet(StatusCode::UNAUTHORIZED, &look, to, Some(t.key_wrong))
        }
        Err(Refused::Sdk(error)) => refusal(&look, to, error),
    }
}

/// Signs in by a link that works once.
pub(crate) async fn by_link(
    State(app): State<App>,
    Path(word): Path<String>,
    look: Look,
) -> Response {
    let t = look.t();
    let Some(key) = app.links().take(&word, app.now()) else {
        return sheet(StatusCode::GONE, &look, "/", Some(t.link_used));
    };
    match make(&app, &key, BY_LINK).await {
        Ok(secret) => begin(&app, &secret, "/"),
        Err(Refused::NoPerson | Refused::Wrong) => {
            sheet(StatusCode::UNAUTHORIZED, &look, "/", Some(t.key_wrong))
        }
        Err(Refused::Sdk(error)) => refusal(&look, "/", error),
    }
}

/// Ends the session, at the server and in the browser.
pub(crate) async fn out(State(app): State<App>, desk: Desk, _: Posted) -> Answer {
    let request = EndSessionRequest { session_id: desk.caller.session.id.clone() };
    let ended = desk.client.access().end_session(request).timeout(CALL).await;
    app.readers().bury(&desk.session, app.now());
    let mut response = match ended {
        // What is over already is as good.
        Err(error) if error.code != Code::Unauthenticated => {
            let said = Some(desk.t.signed_out_here);
            sheet(Failure::Sdk(error).status(), &desk.look, "/", said)
        }
        Ok(_) | Err(_) => Redirect::to("/sign-in").into_response(),
    };
    drop_cookie(&app, &mut response);
    Ok(response)
}

/// What a reader who is not signed in sees in place of a page: the way there and back.
pub(crate) fn ask(app: &App, look: &Look, is_get: bool, had_session: bool) -> Response {
    // A stream is no page to come back to: its page finds out itself, and still has its cookie then.
    if look.here.starts_with("/live/") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
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
    /// A bot's key, or the secret of a session.
    NoPerson,
    Wrong,
    Sdk(Error),
}

/// Makes a session by the key, for all that it may; answers its secret.
async fn make(app: &App, key: &str, name: &str) -> Result<String, Refused> {
    if is_session(key) {
        return Err(Refused::NoPerson);
    }
    let client = app.client(key).ok_or(Refused::Wrong)?;
    let name = if name.is_empty() { NO_NAME } else { name };
    let request = CreateSessionRequest {
        display_name: name.chars().take(NAME_CHARS_MAX).collect(),
        ..Default::default()
    };
    match client.access().create_session(request).timeout(CALL).await {
        Ok(answer) => Ok(answer.secret),
        Err(error) if error.code == Code::Unauthenticated => Err(Refused::Wrong),
        Err(error) => {
            let by = error.metadata.get("field").is_some_and(|field| field == "authorization");
            Err(if by { Refused::NoPerson } else { Refused::Sdk(error) })
        }
    }
}

fn begin(app: &App, secret: &str, to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    set_cookie(app, &mut response, secret, SESSION.as_secs());
    response
}

/// The form again, with what the server says.
fn refusal(look: &Look, to: &str, error: Error) -> Response {
    let failure = Failure::Sdk(error);
    let mut response = sheet(failure.status(), look, to, Some(&failure.text(look.t())));
    failure.mark(&mut response);
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
            label for="name" { (t.your_name) }
            input #name type="text" name="name" autocomplete="username" maxlength=(NAME_CHARS_MAX)
                aria-describedby="name-note";
            p.note #name-note { (t.your_name_note) }
            label for="key" { (t.api_key) }
            input #key type="password" name="key" required autocomplete="current-password"
                aria-describedby="key-note" autofocus;
            p.note #key-note { (t.key_note) }
            button.main type="submit" { (t.sign_in) }
        }
    }
}
