//! The control API of what people do with each other.

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Control, body, done};
use crate::ids::{AssetId, OfferId, SteamId};
use crate::scene::OfferRequest;
use crate::world::friends::Relationship;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/friends", post(befriend).delete(unfriend))
        .route("/invites", post(invite))
        .route("/relationships", get(relationship).post(set_relationship))
        .route("/donate", post(donate))
        .route("/offers", post(send_offer))
        .route("/offers/counter", post(counter))
        .route("/offers/roll-back", post(roll_back_escrow))
        .route("/invites/follow", post(follow_invite))
        .route("/trades/reverse", post(reverse_trades))
        .route("/trade-token", post(regenerate_trade_token))
        .route("/notifications/read", post(read_notifications))
}

fn pair(control: &Control, bytes: &Bytes) -> anyhow::Result<(SteamId, SteamId)> {
    let [one, other]: [String; 2] = body(bytes)?;
    Ok((control.steam.resolve(&one)?, control.steam.resolve(&other)?))
}

async fn befriend(State(control): State<Control>, bytes: Bytes) -> Answer {
    let (one, other) = pair(&control, &bytes)?;
    control.steam.befriend(one, other);
    done()
}

async fn unfriend(State(control): State<Control>, bytes: Bytes) -> Answer {
    let (one, other) = pair(&control, &bytes)?;
    control.steam.unfriend(one, other);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    from: String,
    to: String,
}

async fn invite(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Invitation { from, to } = body(&bytes)?;
    control.steam.invite(control.steam.resolve(&from)?, control.steam.resolve(&to)?)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Direction {
    one: String,
    other: String,
    #[serde(default)]
    relationship: Relationship,
}

async fn relationship(
    State(control): State<Control>,
    Query(Direction { one, other, .. }): Query<Direction>,
) -> Answer {
    let (one, other) = (control.steam.resolve(&one)?, control.steam.resolve(&other)?);
    Ok(Json(json!({ "relationship": control.steam.relationship(one, other) })))
}

async fn set_relationship(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Direction { one, other, relationship } = body(&bytes)?;
    let (one, other) = (control.steam.resolve(&one)?, control.steam.resolve(&other)?);
    control.steam.set_relationship(one, other, relationship);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Donation {
    from: String,
    to: String,
    assets: Vec<AssetId>,
    #[serde(default)]
    message: String,
}

async fn donate(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Donation { from, to, assets: give, message } = body(&bytes)?;
    let request = OfferRequest { from, to, give, ask: Vec::new(), message };
    Ok(Json(json!({ "offer": control.steam.send(&request)? })))
}

async fn send_offer(State(control): State<Control>, bytes: Bytes) -> Answer {
    let request: OfferRequest = body(&bytes)?;
    Ok(Json(json!({ "offer": control.steam.send(&request)? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CounterRequest {
    offer: OfferId,
    #[serde(default)]
    give: Vec<AssetId>,
    #[serde(default)]
    ask: Vec<AssetId>,
    #[serde(default)]
    message: String,
}

async fn counter(State(control): State<Control>, bytes: Bytes) -> Answer {
    let CounterRequest { offer, give, ask, message } = body(&bytes)?;
    Ok(Json(json!({ "offer": control.steam.counter(offer, &give, &ask, &message)? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfOffer {
    offer: OfferId,
}

async fn roll_back_escrow(State(control): State<Control>, bytes: Bytes) -> Answer {
    let OfOffer { offer } = body(&bytes)?;
    Ok(Json(json!({ "rolled_back": control.steam.roll_back_escrow(offer) })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    account: String,
    token: String,
}

async fn follow_invite(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Link { account, token } = body(&bytes)?;
    control.steam.follow_invite(control.steam.resolve(&account)?, &token)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfAccount {
    account: String,
}

async fn reverse_trades(State(control): State<Control>, bytes: Bytes) -> Answer {
    let OfAccount { account } = body(&bytes)?;
    let account = control.steam.resolve(&account)?;
    Ok(Json(json!({ "trades": control.steam.reverse_trades(account) })))
}

async fn regenerate_trade_token(State(control): State<Control>, bytes: Bytes) -> Answer {
    let OfAccount { account } = body(&bytes)?;
    let account = control.steam.resolve(&account)?;
    Ok(Json(json!({ "trade_token": control.steam.regenerate_trade_token(account) })))
}

async fn read_notifications(State(control): State<Control>, bytes: Bytes) -> Answer {
    let OfAccount { account } = body(&bytes)?;
    control.steam.read_notifications(control.steam.resolve(&account)?);
    done()
}
