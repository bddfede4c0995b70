//! The control API of stacks.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Control, body, done};
use crate::ids::AssetId;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/stacks/amount", post(set_amount))
        .route("/stacks/split", post(split))
        .route("/stacks/merge", post(merge))
        .route("/stacks/arrivals", post(merge_arrivals))
        .route("/stacks/give", post(give_part))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    owner: String,
    asset: AssetId,
    amount: u64,
}

async fn set_amount(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Part { owner, asset, amount } = body(&bytes)?;
    control.steam.set_amount(control.steam.resolve(&owner)?, asset, amount)?;
    done()
}

async fn split(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Part { owner, asset, amount } = body(&bytes)?;
    let part = control.steam.split(control.steam.resolve(&owner)?, asset, amount)?;
    Ok(Json(json!({ "asset": part })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Merger {
    owner: String,
    into: AssetId,
    from: AssetId,
}

async fn merge(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Merger { owner, into, from } = body(&bytes)?;
    control.steam.merge(control.steam.resolve(&owner)?, into, from)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrivals {
    app: u32,
    merge: bool,
}

async fn merge_arrivals(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Arrivals { app, merge } = body(&bytes)?;
    control.steam.merge_arrivals(app, merge);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gift {
    from: String,
    to: String,
    asset: AssetId,
    amount: u64,
    #[serde(default)]
    message: String,
}

async fn give_part(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Gift { from, to, asset, amount, message } = body(&bytes)?;
    let (from, to) = (control.steam.resolve(&from)?, control.steam.resolve(&to)?);
    let offer = control.steam.give_part(from, to, (asset, amount), &message)?;
    Ok(Json(json!({ "offer": offer })))
}
