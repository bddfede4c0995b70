//! `/mobileconf`: the list on an account's phone, and its two buttons.

use http::StatusCode;
use serde_json::{Value, json};

use crate::core::Core;
use crate::guard;
use crate::http::{Call, Reply};
use crate::ids::{ConfirmationId, SteamId};
use crate::world::World;
use crate::world::confirmations::{Confirmation, Press};
use crate::world::offers::OfferItem;
use crate::world::quirks::OfferLie;

/// How far a phone's clock may be off, in either direction.
const SKEW_SECS: i64 = 60;
/// The type of a confirmation which is about a trade.
const TRADE: u8 = 2;

/// `GET /mobileconf/getlist`.
pub(super) fn list(core: &Core, call: &Call) -> Reply {
    let who = match signed(core, call, &["list", "conf", "getlist"]) {
        Ok(who) => who,
        Err(reply) => return *reply,
    };
    let list: Option<Value> = core.change(|world, now| {
        let too_soon = !world.confirmations.may_list(who, now);
        if core.options.confirmation_rate_limit && too_soon {
            return None;
        }
        let World { confirmations, books, quirks, .. } = world;
        let offers = confirmations.of(who).filter_map(|waiting| books.offer(waiting.offer));
        let lies = quirks.read(offers, |lie| lie == &OfferLie::NoConfirmation);
        let shown = |waiting: &&Confirmation| !lies.has(waiting.offer, OfferLie::NoConfirmation);
        let shown = world.confirmations.of(who).filter(shown);
        Some(shown.map(|confirmation| entry(world, confirmation)).collect())
    });
    let Some(list) = list else {
        let detail = "There was a problem loading the confirmations page. Please try again later.";
        let body = json!({ "success": false, "message": "Oh nooooooes!", "detail": detail });
        return Reply::json(StatusCode::OK, &body);
    };
    Reply::json(StatusCode::OK, &json!({ "success": true, "conf": list }))
}

/// `GET /mobileconf/details/{id}`: a page which names the offer.
pub(super) fn details(core: &Core, call: &Call, id: &str) -> Reply {
    let tag = format!("details{id}");
    let who = match signed(core, call, &["details", "conf", &tag]) {
        Ok(who) => who,
        Err(reply) => return *reply,
    };
    let offer = core.read(|world| {
        let mut waiting = world.confirmations.of(who);
        waiting.find(|it| it.id.to_string() == id).map(|it| it.offer)
    });
    let Some(offer) = offer else { return not_there() };
    let html = format!("<div class=\"tradeoffer\" id=\"tradeofferid_{offer}\"></div>");
    Reply::json(StatusCode::OK, &json!({ "success": true, "html": html }))
}

/// `GET /mobileconf/ajaxop`.
pub(super) fn act(core: &Core, call: &Call) -> Reply {
    act_on(core, call, ["cid", "ck"])
}

/// `POST /mobileconf/multiajaxop`: nothing happens unless all of them are there.
pub(super) fn act_on_many(core: &Core, call: &Call) -> Reply {
    act_on(core, call, ["cid[]", "ck[]"])
}

fn act_on(core: &Core, call: &Call, fields: [&str; 2]) -> Reply {
    let (press, tags) = match call.field("op") {
        Some("allow") => (Press::Allow, ["allow", "accept", "conf"]),
        Some("cancel") => (Press::Cancel, ["cancel", "reject", "conf"]),
        _ => return failed("Unknown operation"),
    };
    let who = match signed(core, call, &tags) {
        Ok(who) => who,
        Err(reply) => return *reply,
    };
    let [ids, nonces] = fields.map(|field| call.list(field));
    let pairs = ids
        .iter()
        .zip(&nonces)
        .map(|(id, nonce)| Some((id.parse::<ConfirmationId>().ok()?, nonce.parse::<u64>().ok()?)));
    let Some(pairs) = pairs.collect::<Option<Vec<_>>>() else { return not_there() };
    if pairs.is_empty() || ids.len() != nonces.len() {
        return not_there();
    }
    let done = core.change(|world, now| {
        let known = |&(id, nonce): &(_, u64)| world.confirmations.find(who, id, nonce).is_some();
        let all_known = pairs.iter().all(known);
        all_known && pairs.iter().all(|(id, _)| world.confirm(*id, press, now).is_ok())
    });
    if done { Reply::json(StatusCode::OK, &json!({ "success": true })) } else { not_there() }
}

/// The account whose session and whose phone's key the call carries.
fn signed(core: &Core, call: &Call, tags: &[&str]) -> Result<SteamId, Box<Reply>> {
    let Some(who) = core.account_of(call) else {
        let body = json!({ "success": false, "needauth": true });
        return Err(Box::new(Reply::json(StatusCode::OK, &body)));
    };
    let now = core.clock.now().secs();
    let time: i64 = call.number("t").unwrap_or(0);
    let tag = call.field("tag").unwrap_or_default();
    let secret = core.read(|world| Some(world.accounts.get(who)?.identity_secret.clone()));
    let right = secret.and_then(|secret| guard::confirmation_key(&secret, time, tag).ok());
    let genuine = right.as_deref() == call.field("k")
        && (now - time).abs() <= SKEW_SECS
        && tags.contains(&tag)
        && call.number("a") == Some(who.0)
        && call.field("p").is_some_and(|device| !device.is_empty());
    if genuine {
        return Ok(who);
    }
    Err(Box::new(Reply::json(
        StatusCode::OK,
        &json!({
            "success": false,
            "message": "Invalid authenticator",
            "detail": "It looks like your Steam Guard Mobile Authenticator is providing incorrect \
                       Steam Guard codes. This could be caused by an inaccurate clock or bad \
                       timezone settings on your device.",
        }),
    )))
}

fn not_there() -> Reply {
    failed("There was a problem performing this action. Please try again later.")
}

fn failed(message: &str) -> Reply {
    Reply::json(StatusCode::OK, &json!({ "success": false, "message": message }))
}

fn entry(world: &World, confirmation: &Confirmation) -> Value {
    let owner = confirmation.owner;
    let offer = world.books.offer(confirmation.offer);
    let (given, received) = offer.map_or((Value::Null, Value::Null), |offer| {
        let (mine, theirs) =
            if offer.from == owner { (&offer.give, &offer.ask) } else { (&offer.ask, &offer.give) };
        (names(world, "give up your", mine), names(world, "receive", theirs))
    });
    let partner = offer.and_then(|offer| world.accounts.get(offer.partner_of(owner)));
    json!({
        "type": TRADE,
        "type_name": "Trade Offer",
        "id": confirmation.id,
        "creator_id": confirmation.offer,
        "nonce": confirmation.nonce.to_string(),
        "creation_time": confirmation.created,
        "cancel": "Cancel",
        "accept": "Accept",
        "icon": "",
        "multi": false,
        "headline": partner.map(|partner| partner.persona.as_str()),
        "summary": [given, received],
        "warn": null,
    })
}

fn names(world: &World, verb: &str, items: &[OfferItem]) -> Value {
    let name = |item: &OfferItem| {
        world.books.class(item.class).map(|class| class.market_hash_name().to_owned())
    };
    let names: Vec<_> = items.iter().filter_map(name).collect();
    if names.is_empty() && verb != "receive" {
        return json!("You will give up nothing");
    }
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    json!(format!("You will {verb} {names}"))
}
