//! How a reader likes pages: language, colours, keys.

use axum::extract::State;
use axum::http::header::{HeaderValue, SET_COOKIE};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use crate::app::App;
use crate::desk::{Desk, Posted};
use crate::failure::Answer;
use crate::page::Page;
use crate::words::LANGUAGES;

/// A year; nothing secret is in these.
const SECONDS: u64 = 31_536_000;

pub(crate) async fn show(desk: Desk) -> Answer {
    let t = desk.t;
    let look = &desk.look;
    let themes = [("", t.theme_system), ("light", t.theme_light), ("dark", t.theme_dark)];
    let body = desk.form_as(
        "card stack narrow",
        "/preferences",
        html! {
            label for="language" { (t.language) }
            select #language name="language" {
                @for language in LANGUAGES {
                    option value=(language.code) lang=(language.code)
                        selected[language.code == look.language.code] { (language.name) }
                }
            }
            label for="theme" { (t.theme) }
            select #theme name="theme" {
                @for (value, name) in themes {
                    option value=(value) selected[value == look.theme] { (name) }
                }
            }
            label.check {
                input type="checkbox" name="keys" value="on" checked[look.keys];
                span { (t.single_keys) }
            }
            button.main type="submit" { (t.save) }
        },
    );
    Page::new(t.preferences, body).answer(&desk)
}

pub(crate) async fn store(State(app): State<App>, desk: Desk, form: Posted) -> Answer {
    let to = desk.to_with("/preferences", &[("done", "stored")]);
    let mut response = Redirect::to(&to).into_response();
    let language = LANGUAGES.iter().find(|language| language.code == form.one("language"));
    let theme = match form.one("theme") {
        "light" => "light",
        "dark" => "dark",
        _ => "system",
    };
    let keys = if form.one("keys") == "on" { "on" } else { "off" };
    let language = language.map_or(LANGUAGES[0].code, |language| language.code);
    for (name, value) in [("language", language), ("theme", theme), ("keys", keys)] {
        keep(&app, &mut response, name, value);
    }
    Ok(response)
}

fn keep(app: &App, response: &mut Response, name: &str, value: &str) {
    let secure = if app.is_secure() { "; Secure" } else { "" };
    let text = format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={SECONDS}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}
