//! Offers and trades in the JSON of `IEconService`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::ids::SteamId;
use crate::world::books::Books;
use crate::world::class::ClassKey;
use crate::world::offers::{Offer, OfferItem};
use crate::world::quirks::{Lies, OfferLie};
use crate::world::trades::{Moved, Trade};

/// `EConfirmationMethod`: the phone.
const MOBILE: u8 = 2;
/// `EResult` of an offer without trouble.
const OK: u8 = 1;

/// One offer as `viewer` is told of it.
pub(super) fn offer(books: &Books, offer: &Offer, viewer: SteamId, lies: &Lies) -> Value {
    let mut value = true_offer(books, offer, viewer);
    let mut remove = |fields: &[&str]| {
        for field in fields {
            value.as_object_mut().and_then(|value| value.remove(*field));
        }
    };
    let mut changed = Map::new();
    let mut set = |field: &str, new: Value| drop(changed.insert(field.to_owned(), new));
    for lie in lies.about(offer.id) {
        match lie {
            OfferLie::Glitched => {
                remove(&["items_to_give", "items_to_receive"]);
                set("accountid_other", 0.into());
            }
            OfferLie::State { state, trade } => {
                set("trade_offer_state", (*state).into());
                remove(if *trade { &[] } else { &["tradeid"] });
            }
            OfferLie::Lagging => {
                if let Some((state, updated)) = offer.before {
                    set("trade_offer_state", state.number().into());
                    set("time_updated", updated.into());
                    if state.is_live() {
                        set("escrow_end_date", 0.into());
                        remove(&["tradeid", "settlement_date"]);
                    }
                }
            }
            OfferLie::NoEscrowEnd => set("escrow_end_date", 0.into()),
            OfferLie::Hidden | OfferLie::NoNewAssetIds | OfferLie::NoConfirmation => {}
        }
    }
    if let Some(value) = value.as_object_mut() {
        value.extend(changed);
    }
    value
}

/// One offer as it is, seen by `viewer`.
fn true_offer(books: &Books, offer: &Offer, viewer: SteamId) -> Value {
    let ours = offer.from == viewer;
    let partner = offer.partner_of(viewer);
    let (mine, theirs) = if ours { (&offer.give, &offer.ask) } else { (&offer.ask, &offer.give) };
    let mut value = json!({
        "tradeofferid": offer.id,
        "accountid_other": partner.account_id(),
        "message": offer.message,
        "expiration_time": offer.expires,
        "trade_offer_state": offer.state.number(),
        "is_our_offer": ours,
        "time_created": offer.created,
        "time_updated": offer.updated,
        "from_real_time_trade": false,
        "escrow_end_date": offer.escrow_end,
        "confirmation_method": if offer.needs_confirmation { MOBILE } else { 0 },
        "eresult": OK,
        "delay_settlement": offer.delay_settlement,
    });
    // Steam leaves lists out when they are empty.
    for (field, owner, items) in
        [("items_to_give", viewer, mine), ("items_to_receive", partner, theirs)]
    {
        if !items.is_empty() {
            let items = items.iter().map(|item| offer_item(books, owner, item));
            value[field] = items.collect();
        }
    }
    if let Some(trade) = offer.trade {
        value["tradeid"] = json!(trade);
    }
    if let Some(end) = offer.trade.and_then(|trade| books.trade(trade)?.settles) {
        value["settlement_date"] = end.into();
    }
    value
}

fn offer_item(books: &Books, owner: SteamId, item: &OfferItem) -> Value {
    json!({
        "appid": item.key.app,
        "contextid": item.context.to_string(),
        "assetid": item.key.id,
        "classid": item.class.class_id.to_string(),
        "instanceid": item.class.instance_id.to_string(),
        "amount": item.amount.to_string(),
        "missing": books.is_missing(owner, item),
        "est_usd": "0",
    })
}

/// One trade, seen by `viewer`.
pub(super) fn trade(trade: &Trade, viewer: SteamId) -> Value {
    let sent = trade.from == viewer;
    let (given, received, other) = if sent {
        (&trade.given, &trade.taken, trade.to)
    } else {
        (&trade.taken, &trade.given, trade.from)
    };
    let mut value = json!({
        "tradeid": trade.id,
        "steamid_other": other,
        "time_init": trade.created,
        "time_mod": trade.modified,
        "status": trade.status,
    });
    if let Some(end) = trade.settles {
        value["time_settlement"] = end.into();
    }
    if let Some(reversal) = trade.reversed_by {
        value["rollback_trade"] = json!(reversal);
    }
    for (field, assets) in [("assets_received", received), ("assets_given", given)] {
        if !assets.is_empty() {
            value[field] = assets.iter().map(moved).collect();
        }
    }
    value
}

fn moved(moved: &Moved) -> Value {
    let item = &moved.item;
    let mut value = json!({
        "appid": item.key.app,
        "contextid": item.context.to_string(),
        "assetid": item.key.id,
        "amount": item.amount.to_string(),
        "classid": item.class.class_id.to_string(),
        "instanceid": item.class.instance_id.to_string(),
    });
    for (asset, context, id, place) in [
        ("new_assetid", "new_contextid", moved.new_asset_id, moved.new_context),
        (
            "rollback_new_assetid",
            "rollback_new_contextid",
            moved.returned_asset_id,
            moved.returned_context,
        ),
    ] {
        if let (Some(id), Some(place)) = (id, place) {
            value[asset] = json!(id);
            value[context] = json!(place.to_string());
        }
    }
    value
}

/// The descriptions of these classes, each once.
pub(super) fn descriptions(books: &Books, classes: impl Iterator<Item = ClassKey>) -> Vec<Value> {
    let classes: BTreeSet<_> = classes.collect();
    classes.into_iter().filter_map(|key| Some(books.class(key)?.for_offers())).collect()
}

/// The classes a trade's assets have.
pub(super) fn classes_of(trade: &Trade) -> impl Iterator<Item = ClassKey> + '_ {
    trade.moved().map(|moved| moved.item.class)
}

/// Sets a list, unless it is empty: then Steam leaves it out.
pub(super) fn set_list(body: &mut Map<String, Value>, field: &str, list: Vec<Value>) {
    if !list.is_empty() {
        body.insert(field.to_owned(), Value::Array(list));
    }
}
