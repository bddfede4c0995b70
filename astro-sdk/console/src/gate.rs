//! What every request passes: which host was asked, where a form comes from, who asks; and the
//! headers that every answer carries.

mod headers;
mod sign_in;

use axum::Router;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use crate::app::App;
use crate::ask::Asked;
use crate::assets;
use crate::desk::{Desk, Look, cookie};
use crate::failure::{Answer, Failure};
use crate::limits::FORM_BYTES_MAX;
use crate::page;
use crate::readers::Reader;
use crate::session::Session;

pub(crate) use sign_in::{COOKIE, COOKIE_HTTPS};

/// The pages that belong to no part of the work.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::by_key))
        .route("/sign-in/{word}", get(sign_in::by_link))
        .route("/sign-out", post(sign_in::out))
        .route("/preferences", get(page::preferences::show).post(page::preferences::store))
        .route("/help", get(page::help::show))
        .route("/find", post(page::find::find))
        .route("/assets/{name}", get(assets::serve))
        .route("/healthz", get(|| async { "ok" }))
}

/// Puts the gates before the pages, the first one asked last in this list.
pub(crate) fn guard(pages: Router<App>, app: &App) -> Router<App> {
    pages
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn_with_state(app.clone(), dress))
        .layer(middleware::from_fn_with_state(app.clone(), own_forms))
        .layer(middleware::from_fn_with_state(app.clone(), own_host))
        .layer(middleware::from_fn_with_state(app.clone(), headers::put))
}

/// Answers an address that there is none of.
pub(crate) async fn nothing_here() -> Answer {
    Err(Failure::NotFound)
}

/// A name that is not the console's leads nowhere: whoever owns it could let it lead to a console on
/// somebody's own machine.
async fn own_host(State(app): State<App>, request: Request, next: Next) -> Response {
    let host = host(request.headers(), request.uri());
    let health = request.uri().path() == "/healthz";
    if health || host.as_deref().is_some_and(|host| app.is_own_host(host)) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "This is no name of this console.\n").into_response()
}

fn host(headers: &HeaderMap, uri: &axum::http::Uri) -> Option<String> {
    let told = headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    told.or_else(|| uri.authority().map(ToString::to_string))
}

/// A form of another site is refused, before anybody asks who sends it.
async fn own_forms(State(app): State<App>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let headers = request.headers();
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = match said("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => {
            let host = host(headers, request.uri()).unwrap_or_default();
            said(ORIGIN.as_str()).is_some_and(|origin| app.is_own_origin(origin, &host))
        }
    };
    if own {
        return next.run(request).await;
    }
    let look = Look::of(headers, String::new());
    page::failure(&look, None, &Failure::Forged)
}

/// Finds out who asks, and makes a page of what goes wrong.
async fn dress(State(app): State<App>, mut request: Request, next: Next) -> Response {
    // What was sent by a form is not asked for again.
    let here = request.uri().path_and_query().filter(|_| request.method() == Method::GET);
    let here = here.map_or("", |it| it.as_str()).to_owned();
    let headers = request.headers();
    let look = Look::of(headers, here);
    let (path, asked) = (request.uri().path().to_owned(), request.uri().query());
    let asked = Asked::parse(asked.unwrap_or_default());
    let name = if app.is_secure() { COOKIE_HTTPS } else { COOKIE };
    let secret = cookie(headers, name).map(str::to_owned);
    if secret.is_none() && comes_from_elsewhere(&request) {
        return again(&look);
    }
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip());
    let mut desk = None;
    if let Some(session) = secret.as_deref().filter(|_| needs_reader(&path)).and_then(Session::of) {
        match reader(&app, &look, session, from, path, asked).await {
            Ok(found) => desk = found,
            Err(failure) => return page::failure(&look, None, &failure),
        }
    }
    if let Some(desk) = &desk {
        request.extensions_mut().insert(desk.clone());
    }
    request.extensions_mut().insert(look.clone());
    let is_get = request.method() == Method::GET;
    let response = next.run(request).await;
    let Some(failure) = response.extensions().get::<Failure>() else { return response };
    match (failure, &desk) {
        (Failure::SignedOut, _) => {
            if let Some(desk) = &desk {
                app.readers().bury(&desk.session, app.now());
            }
            sign_in::ask(&app, &look, is_get, secret.is_some())
        }
        _ => page::failure(&look, desk.as_ref(), failure),
    }
}

fn needs_reader(path: &str) -> bool {
    !path.starts_with("/assets/") && path != "/healthz"
}

/// The reader of a cookie; none when its session has ended.
async fn reader(
    app: &App,
    look: &Look,
    session: Session,
    from: Option<IpAddr>,
    path: String,
    ask: Asked,
) -> Result<Option<Desk>, Failure> {
    let now = app.now();
    let Some(client) = app.client(session.secret()) else { return Ok(None) };
    let caller = match app.readers().find(&session, &client, from, now).await? {
        Reader::Known(caller) => caller,
        Reader::Nobody => return Ok(None),
        Reader::Guesser => return Err(Failure::Guessing),
    };
    let org = caller.orgs.iter().find(|org| org.slug == ask.one("org")).cloned();
    let t = look.t();
    let look = look.clone();
    Ok(Some(Desk { app: app.clone(), client, session, caller, look, t, ask, path, org, now }))
}

/// A link on another site was followed: the browser keeps the cookie back (`SameSite=Strict`).
fn comes_from_elsewhere(request: &Request) -> bool {
    let navigates = request.headers().get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    let elsewhere =
        request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    request.method() == Method::GET && navigates && elsewhere
}

/// The same page once more, asked for by a page of the console itself, which has the cookie.
fn again(look: &Look) -> Response {
    Html(page::refresh(look).into_string()).into_response()
}
