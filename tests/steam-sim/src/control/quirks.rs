//! The control API of Steam's temper.

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, post};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Control, body, done};
use crate::clock::SimTime;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/quirks", delete(clear_quirks))
        .route("/quirks/offers", post(quirk_offers))
        .route("/quirks/inventories", post(quirk_inventories))
        .route("/maintenance", post(maintain).delete(clear_maintenance))
        .route("/rate-limits", post(set_rate_limits).delete(clear_rate_limits))
        .route("/clock/skew", post(skew))
        .route("/proxy", post(close_proxy))
        .route("/logins/confirm", post(confirm_login))
        .route("/logins/rotate", post(rotate_client_ids))
}

async fn quirk_offers(State(control): State<Control>, bytes: Bytes) -> Answer {
    control.steam.quirk_offers(body(&bytes)?);
    done()
}

async fn quirk_inventories(State(control): State<Control>, bytes: Bytes) -> Answer {
    control.steam.quirk_inventories(body(&bytes)?);
    done()
}

async fn clear_quirks(State(control): State<Control>) -> Answer {
    control.steam.clear_quirks();
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Maintenance {
    from: Option<i64>,
    until: i64,
}

async fn maintain(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Maintenance { from, until } = body(&bytes)?;
    let time = |secs: i64| SimTime(secs.saturating_mul(1000));
    control.steam.maintain(from.map_or_else(|| control.steam.now(), time), time(until));
    done()
}

async fn clear_maintenance(State(control): State<Control>) -> Answer {
    control.steam.clear_maintenance();
    done()
}

async fn set_rate_limits(State(control): State<Control>, bytes: Bytes) -> Answer {
    control.steam.set_rate_limits(Some(body(&bytes)?));
    done()
}

async fn clear_rate_limits(State(control): State<Control>) -> Answer {
    control.steam.set_rate_limits(None);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proxy {
    closed: bool,
}

async fn close_proxy(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Proxy { closed } = body(&bytes)?;
    control.steam.close_proxy(closed);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skew {
    secs: i64,
}

async fn skew(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Skew { secs } = body(&bytes)?;
    control.steam.skew_query_time(secs);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfAccount {
    account: String,
}

async fn confirm_login(State(control): State<Control>, bytes: Bytes) -> Answer {
    let OfAccount { account } = body(&bytes)?;
    let confirmed = control.steam.confirm_login(control.steam.resolve(&account)?);
    Ok(axum::Json(json!({ "confirmed": confirmed })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    polls: u32,
}

async fn rotate_client_ids(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Rotation { polls } = body(&bytes)?;
    control.steam.rotate_client_ids(polls);
    done()
}
