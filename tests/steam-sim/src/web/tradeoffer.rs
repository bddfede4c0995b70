//! The community's trade pages: sending, accepting, declining and cancelling.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{eresult, logged_out, page, send_error};
use crate::core::Core;
use crate::http::{Call, Reply};
use crate::ids::{AssetId, OfferId, SteamId, number};
use crate::world::confirmations::Accepted;
use crate::world::offers::{End, NewOffer, Wanted};
use crate::world::refusals::Refusal;

#[derive(Deserialize)]
struct TradeJson {
    me: Side,
    them: Side,
}

#[derive(Deserialize)]
struct Side {
    #[serde(default)]
    assets: Vec<AssetJson>,
}

#[derive(Deserialize)]
struct AssetJson {
    #[serde(rename = "appid", deserialize_with = "number")]
    app: u64,
    #[serde(rename = "contextid", deserialize_with = "number")]
    context: u64,
    #[serde(rename = "assetid")]
    id: AssetId,
    #[serde(default = "one", deserialize_with = "number")]
    amount: u64,
}

fn one() -> u64 {
    1
}

#[derive(Default, Deserialize)]
struct CreateParams {
    trade_offer_access_token: Option<String>,
}

/// `POST /tradeoffer/new/send`.
pub(super) fn send(core: &Core, call: &Call) -> Reply {
    let Some(who) = core.account_of(call) else { return logged_out() };
    let to = SteamId(call.number("partner").unwrap_or(0));
    let trade = call.form_field("json_tradeoffer").unwrap_or_default();
    let Ok(trade) = serde_json::from_str::<TradeJson>(trade) else {
        return send_refused(core, to, &Refusal::Malformed);
    };
    // An answer to an offer needs no token: the other side has made itself known.
    let countered = call.form_field("tradeofferid_countered").filter(|id| !id.is_empty());
    let countered = countered.map(|id| OfferId(id.parse().unwrap_or(0)));
    let params = call.form_field("trade_offer_create_params").unwrap_or_default();
    let params: CreateParams = serde_json::from_str(params).unwrap_or_default();
    let new = NewOffer {
        from: who,
        to,
        message: call.form_field("tradeoffermessage").unwrap_or_default().to_owned(),
        give: wanted(&trade.me),
        ask: wanted(&trade.them),
        on_phone: true,
    };
    let sent = core.change(|world, now| {
        if let Some(countered) = countered {
            return world.counter(countered, new, now);
        }
        let token = params.trade_offer_access_token.as_deref();
        if !world.may_offer(who, to, token) {
            return Err(Refusal::NoAccess);
        }
        world.send_offer(new, now)
    });
    match sent {
        Ok(id) => sent_reply(core, id),
        Err(refusal) => send_refused(core, to, &refusal),
    }
}

fn wanted(side: &Side) -> Vec<Wanted> {
    let asset = |asset: &AssetJson| Wanted {
        // No app has so large a number, so an asset of it is simply not there.
        app: u32::try_from(asset.app).unwrap_or(u32::MAX),
        context: asset.context,
        id: asset.id,
        amount: asset.amount,
    };
    side.assets.iter().map(asset).collect()
}

fn sent_reply(core: &Core, id: OfferId) -> Reply {
    let confirm = core.read(|world| world.books.offer(id).is_some_and(|it| it.needs_confirmation));
    let mut body = json!({ "tradeofferid": id });
    if confirm {
        ask_for_phone(&mut body);
    }
    Reply::json(StatusCode::OK, &body)
}

fn ask_for_phone(body: &mut Value) {
    body["needs_mobile_confirmation"] = true.into();
    body["needs_email_confirmation"] = false.into();
    body["email_domain"] = "example.com".into();
}

fn send_refused(core: &Core, to: SteamId, refusal: &Refusal) -> Reply {
    let code = refusal.eresult();
    let limit = matches!(refusal, Refusal::TooManyInTotal | Refusal::TooManyWithPartner);
    if limit {
        let persona = core.read(|world| Some(world.accounts.get(to)?.persona.clone()));
        let name = persona.unwrap_or_default();
        return Reply::str_error(&format!(
            "You have sent too many trade offers, or have too many outstanding trade offers with \
             {name}. Please cancel some before sending more. ({code})"
        ));
    }
    let text = if let Refusal::TradeBan(name) = refusal {
        Some(format!("You cannot trade with {name} because they have a trade ban."))
    } else {
        why(refusal)
    };
    Reply::str_error(&text.unwrap_or_else(|| send_error(code)))
}

/// The text of a refusal for which Steam has words of its own, on sending and accepting alike.
fn why(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::NewDevice => Some(
            "You have logged in from a new device. In order to protect the items in your \
             inventory, you will be unable to trade from this device for 7 days."
                .to_owned(),
        ),
        Refusal::NotAvailable(name) => Some(format!(
            "{name} is not available to trade. More information will be shown to {name} if they \
             invite you to trade."
        )),
        Refusal::OwnInventoryFull(game) => Some(format!(
            "This trade would exceed the maximum number of items allowed in your {game} \
             inventory. (15)"
        )),
        Refusal::TheirInventoryFull(name) => {
            Some(format!("This trade is not possible because {name}'s inventory is full. (15)"))
        }
        Refusal::Malformed
        | Refusal::BadState
        | Refusal::NoAccess
        | Refusal::Banned
        | Refusal::TradeBan(_)
        | Refusal::TooManyInTotal
        | Refusal::ItemGone
        | Refusal::AlreadyAccepted
        | Refusal::Renamed
        | Refusal::Unknown
        | Refusal::TooManyWithPartner => None,
    }
}

/// `POST /tradeoffer/{id}/accept`.
pub(super) fn accept(core: &Core, call: &Call, id: &str) -> Reply {
    let Some(who) = core.account_of(call) else {
        return Reply::html(StatusCode::FORBIDDEN, page("Forbidden", ""));
    };
    let id = OfferId(id.parse().unwrap_or(0));
    let named = call.number("tradeofferid").map(OfferId);
    let partner = call.number("partner").map(SteamId);
    let accepted = core.change(|world, now| {
        // PyPI's aiosteampy names the acceptor as the partner, so either side is taken.
        let parties = world.books.offer(id).map(|offer| [offer.from, offer.to]);
        let wrong = parties.is_some_and(|parties| !parties.map(Some).contains(&partner));
        if named != Some(id) || wrong {
            return Err(Refusal::Malformed);
        }
        world.accept_offer(id, who, now)
    });
    match accepted {
        Ok(Accepted::Done(trade)) => Reply::json(StatusCode::OK, &json!({ "tradeid": trade })),
        Ok(Accepted::NeedsConfirmation) => {
            let mut body = json!({});
            ask_for_phone(&mut body);
            Reply::json(StatusCode::OK, &body)
        }
        Err(refusal) => Reply::str_error(&why(&refusal).unwrap_or_else(|| {
            let code = refusal.eresult();
            format!(
                "There was an error accepting this trade offer.  Please try again later. ({code})"
            )
        })),
    }
}

/// `POST /tradeoffer/{id}/decline`.
pub(super) fn decline(core: &Core, call: &Call, id: &str) -> Reply {
    end(core, call, id, End::Decline)
}

/// `POST /tradeoffer/{id}/cancel`.
pub(super) fn cancel(core: &Core, call: &Call, id: &str) -> Reply {
    end(core, call, id, End::Cancel)
}

fn end(core: &Core, call: &Call, id: &str, end: End) -> Reply {
    let Some(who) = core.account_of(call) else { return logged_out() };
    let id = OfferId(id.parse().unwrap_or(0));
    match core.change(|world, now| world.end_offer(id, who, end, now)) {
        Ok(()) => Reply::json(StatusCode::OK, &json!({ "tradeofferid": id })),
        Err(Refusal::Unknown) => {
            Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "success": eresult::NO_MATCH }))
        }
        Err(refusal) => Reply::str_error(&format!(
            "There was an error modifying this trade offer.  Please try again later. ({})",
            refusal.eresult()
        )),
    }
}

/// `POST /trade/new/acknowledge`: the note on trade protection, read once per account.
pub(super) fn acknowledge(core: &Core, call: &Call) -> Reply {
    match core.account_of(call) {
        Some(_) => Reply::json_text(StatusCode::OK, "{\"success\":1}"),
        None => logged_out(),
    }
}
