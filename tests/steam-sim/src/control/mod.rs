//! The control API: everything a test can do with the library, as JSON over plain HTTP.

mod index;
mod pictures;
mod quirks;
mod social;
mod stacks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::faults::{Fault, Matcher};
use crate::ids::SteamId;
use crate::scene::{GiveRequest, Scene};
use crate::steam::{AccountChange, Hold, Steam};
use crate::world::accounts::{Account, NewAccount};
use crate::world::books::{Asset, Books};
use crate::world::people::Behaviour;

/// An inventory of 100,000 assets takes about 40 MB.
const BODY_BYTES_MAX: usize = 256 << 20;
/// Answers to requests which wait for something.
const WAIT_SECS_MAX: f64 = 600.0;

#[derive(Clone)]
struct Control {
    steam: Steam,
    holds: Arc<Mutex<Vec<Hold>>>,
}

/// Serves the control API until `stop`.
pub(crate) async fn run(listener: TcpListener, steam: Steam, stop: CancellationToken) {
    let router = router(Control { steam, holds: Arc::default() });
    // Not a graceful end: a client which keeps its connection open must not keep the port.
    let serve = async { axum::serve(listener, router).await };
    drop(stop.run_until_cancelled(serve).await);
}

fn router(control: Control) -> Router {
    Router::new()
        .route("/", get(index::index))
        .route("/accounts", get(accounts).post(add_account))
        .route("/accounts/{account}", get(account).patch(change_account))
        .route("/scene", post(set_scene))
        .route("/items", post(give))
        .route("/inventory", post(load_inventory))
        .route("/behaviour", post(set_behaviour))
        .merge(social::routes())
        .merge(quirks::routes())
        .merge(stacks::routes())
        .merge(pictures::routes())
        .route("/tokens", post(mint_token))
        .route("/tokens/revoke", post(revoke_tokens))
        .route("/openid", post(openid_login))
        .route("/faults", post(inject).delete(clear_faults))
        .route("/holds", post(hold))
        .route("/holds/{number}", get(wait_until_held))
        .route("/holds/{number}/release", post(release))
        .route("/clock", get(clock))
        .route("/clock/advance", post(advance))
        .route("/books", get(books))
        .route("/journal", get(journal))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(control)
}

/// A refusal, as `{"error": …}` with status 400.
struct Refused(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "error": format!("{:#}", self.0) });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

type Answer = Result<Json<Value>, Refused>;

fn done() -> Answer {
    Ok(Json(json!({ "ok": true })))
}

fn body<'a, T: Deserialize<'a>>(bytes: &'a Bytes) -> anyhow::Result<T> {
    serde_json::from_slice(bytes).context("the request's body")
}

async fn accounts(State(control): State<Control>) -> Answer {
    let accounts = control.steam.accounts();
    Ok(Json(accounts.iter().map(account_json).collect::<Result<_, _>>()?))
}

fn account_json(account: &Account) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(account)?;
    value["trade_url"] = account.trade_url().into();
    value["device_id"] = account.device_id().into();
    Ok(value)
}

async fn add_account(State(control): State<Control>, bytes: Bytes) -> Answer {
    let new: NewAccount = body(&bytes)?;
    Ok(Json(account_json(&control.steam.add_account(new)?)?))
}

async fn account(State(control): State<Control>, Path(name): Path<String>) -> Answer {
    let id = control.steam.resolve(&name)?;
    let account = control.steam.account(id).context("the account is gone")?;
    let mut value = account_json(&account)?;
    value["login_code"] = control.steam.login_code(id)?.into();
    Ok(Json(value))
}

async fn change_account(
    State(control): State<Control>,
    Path(name): Path<String>,
    bytes: Bytes,
) -> Answer {
    let change: AccountChange = body(&bytes)?;
    let id = control.steam.resolve(&name)?;
    Ok(Json(account_json(&control.steam.change_account(id, change)?)?))
}

async fn set_scene(State(control): State<Control>, bytes: Bytes) -> Answer {
    let scene: Scene = body(&bytes)?;
    control.steam.set_scene(scene)?;
    done()
}

async fn give(State(control): State<Control>, bytes: Bytes) -> Answer {
    let request: GiveRequest = body(&bytes)?;
    Ok(Json(json!({ "assets": control.steam.give(&request)? })))
}

#[derive(Deserialize)]
struct Owner {
    owner: String,
}

async fn load_inventory(
    State(control): State<Control>,
    Query(Owner { owner }): Query<Owner>,
    bytes: Bytes,
) -> Answer {
    let owner = control.steam.resolve(&owner)?;
    let steam = control.steam.clone();
    let load = move || steam.load_inventory(owner, &bytes);
    let loaded = tokio::task::spawn_blocking(load).await??;
    Ok(Json(json!({ "loaded": loaded })))
}

#[derive(Deserialize)]
struct BehaviourRequest {
    account: String,
    #[serde(flatten)]
    behaviour: Behaviour,
}

async fn set_behaviour(State(control): State<Control>, bytes: Bytes) -> Answer {
    let BehaviourRequest { account, behaviour } = body(&bytes)?;
    control.steam.set_behaviour(control.steam.resolve(&account)?, behaviour)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    account: String,
    #[serde(default)]
    refresh: bool,
    #[serde(default)]
    sessions: bool,
}

async fn mint_token(State(control): State<Control>, bytes: Bytes) -> Answer {
    let request: TokenRequest = body(&bytes)?;
    let account = control.steam.resolve(&request.account)?;
    Ok(Json(json!({ "refresh_token": control.steam.mint_refresh_token(account) })))
}

async fn revoke_tokens(State(control): State<Control>, bytes: Bytes) -> Answer {
    let request: TokenRequest = body(&bytes)?;
    let account = control.steam.resolve(&request.account)?;
    if request.refresh {
        control.steam.revoke_refresh_tokens(account);
    }
    if request.sessions {
        control.steam.end_sessions(account);
    }
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenIdRequest {
    account: String,
    return_to: String,
}

async fn openid_login(State(control): State<Control>, bytes: Bytes) -> Answer {
    let OpenIdRequest { account, return_to } = body(&bytes)?;
    let account = control.steam.resolve(&account)?;
    Ok(Json(json!({ "url": control.steam.openid_login(account, &return_to)? })))
}

async fn inject(State(control): State<Control>, bytes: Bytes) -> Answer {
    let fault: Fault = body(&bytes)?;
    control.steam.inject(fault);
    done()
}

async fn clear_faults(State(control): State<Control>) -> Answer {
    control.steam.clear_faults();
    done()
}

async fn hold(State(control): State<Control>, bytes: Bytes) -> Answer {
    let matcher: Matcher = body(&bytes)?;
    let hold = control.steam.hold(matcher);
    let mut holds = control.holds.lock().unwrap_or_else(PoisonError::into_inner);
    holds.push(hold);
    Ok(Json(json!({ "hold": holds.len() - 1 })))
}

#[derive(Deserialize)]
struct Wait {
    #[serde(default)]
    wait_secs: f64,
}

async fn wait_until_held(
    State(control): State<Control>,
    Path(number): Path<usize>,
    Query(Wait { wait_secs }): Query<Wait>,
) -> Answer {
    let hold = hold_numbered(&control, number)?;
    let wait = Duration::from_secs_f64(wait_secs.clamp(0.0, WAIT_SECS_MAX));
    // Whether it was in time shows in the number.
    drop(tokio::time::timeout(wait, hold.wait_until_held()).await);
    Ok(Json(json!({ "held": hold.held() })))
}

async fn release(State(control): State<Control>, Path(number): Path<usize>) -> Answer {
    hold_numbered(&control, number)?.release();
    done()
}

fn hold_numbered(control: &Control, number: usize) -> anyhow::Result<Hold> {
    let holds = control.holds.lock().unwrap_or_else(PoisonError::into_inner);
    holds.get(number).cloned().context("there is no such hold")
}

async fn clock(State(control): State<Control>) -> Answer {
    Ok(Json(json!({ "unix_secs": control.steam.now().secs() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    secs: f64,
}

async fn advance(State(control): State<Control>, bytes: Bytes) -> Answer {
    let Advance { secs } = body(&bytes)?;
    control.steam.advance(Duration::try_from_secs_f64(secs)?);
    clock(State(control)).await
}

#[derive(Deserialize)]
struct OfAccount {
    account: Option<String>,
}

async fn books(State(control): State<Control>, Query(of): Query<OfAccount>) -> Answer {
    let only = of.account.map(|account| control.steam.resolve(&account)).transpose()?;
    Ok(Json(books_json(&control.steam.books(), only)))
}

fn books_json(books: &Books, only: Option<SteamId>) -> Value {
    let asset = |asset: &Asset| {
        let mut value = json!(asset);
        value["name"] = books.name_of(asset).into();
        value
    };
    let wanted = |id: &SteamId| only.is_none_or(|only| only == *id);
    let accounts = books.accounts().filter(|(id, _)| wanted(id)).map(|(id, name)| {
        let assets: Value = books.assets_of(id).into_iter().map(asset).collect();
        (id.to_string(), json!({ "name": name, "assets": assets }))
    });
    let mut by_message: BTreeMap<&str, usize> = BTreeMap::new();
    for offer in books.offers() {
        *by_message.entry(&offer.message).or_default() += 1;
    }
    json!({
        "accounts": accounts.collect::<serde_json::Map<_, _>>(),
        "escrow": books.escrowed().map(asset).collect::<Value>(),
        "offers": books.offers().map(|offer| json!(offer)).collect::<Value>(),
        "offers_by_message": by_message,
        "trades": books.trades().map(|trade| json!(trade)).collect::<Value>(),
        "violations": books.audit(),
    })
}

#[derive(Deserialize)]
struct JournalQuery {
    #[serde(default)]
    path: String,
    method: Option<String>,
    account: Option<String>,
    #[serde(default)]
    after: u64,
}

async fn journal(State(control): State<Control>, Query(query): Query<JournalQuery>) -> Answer {
    let account = query.account.map(|account| control.steam.resolve(&account)).transpose()?;
    let mut entries = control.steam.journal(&query.path);
    entries.retain(|entry| {
        entry.number > query.after
            && query.method.as_ref().is_none_or(|wanted| *wanted == entry.method)
            && account.is_none_or(|wanted| entry.account == Some(wanted))
    });
    Ok(Json(json!({ "entries": entries })))
}
