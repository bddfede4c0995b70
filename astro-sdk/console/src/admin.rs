//! What is the platform's and not one domain's: the log, organisations, keys, sessions.

pub(crate) mod events;
mod keys;
mod organisations;
mod sessions;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::{Part, Place};

/// The log and the settings.
pub(crate) static PART: Part = Part {
    group: |t| t.settings,
    places: &[
        Place { path: "/events", label: |t| t.events, scope: "events.read" },
        Place { path: "/organisations", label: |t| t.organisations, scope: "orgs.read" },
        Place { path: "/keys", label: |t| t.keys, scope: "keys.read" },
        Place { path: "/sessions", label: |t| t.sessions, scope: "keys.read" },
    ],
    routes,
};

fn routes() -> Router<App> {
    Router::new()
        .route("/events", get(events::list))
        .route("/events.csv", get(events::csv))
        .route("/organisations.csv", get(organisations::csv))
        .route("/organisations", get(organisations::list).post(organisations::create))
        .route("/organisations/new", get(organisations::ask))
        .route("/organisations/{id}", get(organisations::show).post(organisations::store))
        .route("/organisations/{id}/json", get(organisations::json))
        .route("/keys.csv", get(keys::csv))
        .route("/keys", get(keys::list).post(keys::create))
        .route("/keys/new", get(keys::ask))
        .route("/keys/{id}/revoke", get(keys::ask_revoke).post(keys::revoke))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}/end", post(sessions::end))
}
