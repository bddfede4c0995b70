//! `IEconService`: reading offers and trades, and ending offers.

use chrono::{DateTime, SecondsFormat};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{api_account, econ_json, eresult, refused, response};
use crate::core::Core;
use crate::entropy;
use crate::http::{Call, Reply};
use crate::ids::{OfferId, SteamId, TradeId};
use crate::world::World;
use crate::world::books::Books;
use crate::world::offer_state::OfferState;
use crate::world::offers::{End, Offer};
use crate::world::quirks::{OfferLie, Quirks};
use crate::world::refusals::Refusal;
use crate::world::trades::Trade;

/// Trades in one page of the history.
const TRADES_PER_PAGE_MAX: usize = 100;
const DAY_SECS: i64 = 86_400;

macro_rules! account_or_return {
    ($core:expr, $call:expr) => {
        match api_account($core, $call) {
            Ok(account) => account,
            Err(reply) => return *reply,
        }
    };
}

/// `GetTradeOffers`.
pub(super) fn trade_offers(core: &Core, call: &Call) -> Reply {
    let who = account_or_return!(core, call);
    let (sent, received) = (call.flag("get_sent_offers"), call.flag("get_received_offers"));
    let cursor: usize = call.number("cursor").unwrap_or(0);
    core.change(|world, _| {
        let World { books, quirks, .. } = world;
        let mut offers = selected(books, quirks, call, who);
        offers.retain(|offer| if offer.from == who { sent } else { received && offer.was_active });
        let lies = quirks.read(offers.iter().copied(), is_of_offers);
        offers.retain(|offer| !lies.has(offer.id, OfferLie::Hidden));
        offers.sort_by_key(|offer| std::cmp::Reverse(offer.id));
        let page_end = cursor.saturating_add(core.options.offers_per_page);
        let next_cursor = if page_end < offers.len() { page_end } else { 0 };
        let page = || offers.iter().skip(cursor).take(core.options.offers_per_page).copied();
        let list = |ours: bool| {
            let offers = page().filter(|offer| (offer.from == who) == ours);
            offers.map(|offer| econ_json::offer(books, offer, who, &lies)).collect()
        };
        let mut body = Map::new();
        econ_json::set_list(&mut body, "trade_offers_sent", list(true));
        econ_json::set_list(&mut body, "trade_offers_received", list(false));
        if call.flag("get_descriptions") {
            let classes = page().flat_map(Offer::items).map(|item| item.class);
            econ_json::set_list(&mut body, "descriptions", econ_json::descriptions(books, classes));
        }
        body.insert("next_cursor".to_owned(), next_cursor.into());
        response(Value::Object(body))
    })
}

/// Whether a lie is told where offers are read.
fn is_of_offers(lie: &OfferLie) -> bool {
    !matches!(lie, OfferLie::NoNewAssetIds | OfferLie::NoConfirmation)
}

/// What the filters ask for. Without a cutoff, `active_only` gives live offers alone.
fn selected<'a>(books: &'a Books, quirks: &Quirks, call: &Call, who: SteamId) -> Vec<&'a Offer> {
    if call.flag("active_only") {
        let cutoff: i64 = call.number("time_historical_cutoff").unwrap_or(i64::MAX);
        let mut offers = books.offers_since(who, cutoff);
        if quirks.may_lag() {
            let all = books.offers_since(who, 0).into_iter();
            let listed = |offer: &Offer| offer.state.is_live() || offer.updated >= cutoff;
            offers.extend(all.filter(|offer| !listed(offer) && quirks.keeps_alive(offer)));
        }
        return offers;
    }
    let mut offers = books.offers_since(who, 0);
    if call.flag("historical_only") {
        offers.retain(|offer| !offer.state.is_live());
    }
    offers
}

/// `GetTradeOffer`.
pub(super) fn trade_offer(core: &Core, call: &Call) -> Reply {
    let who = account_or_return!(core, call);
    let id = call.number("tradeofferid").map(OfferId);
    core.change(|world, _| {
        let World { books, quirks, .. } = world;
        let found = id.and_then(|id| books.offer(id));
        let visible = |offer: &&Offer| offer.from == who || offer.to == who && offer.was_active;
        let Some(offer) = found.filter(visible) else { return refused(eresult::NO_MATCH) };
        let told = |lie: &OfferLie| lie != &OfferLie::Hidden && is_of_offers(lie);
        let lies = quirks.read(std::iter::once(offer), told);
        let mut body = Map::new();
        body.insert("offer".to_owned(), econ_json::offer(books, offer, who, &lies));
        if call.flag("get_descriptions") {
            let classes = offer.items().map(|item| item.class);
            let descriptions = econ_json::descriptions(books, classes);
            econ_json::set_list(&mut body, "descriptions", descriptions);
        }
        response(Value::Object(body))
    })
}

/// `GetTradeOffersSummary`.
pub(super) fn summary(core: &Core, call: &Call) -> Reply {
    let who = account_or_return!(core, call);
    let visit: i64 = call.number("time_last_visit").unwrap_or(0);
    core.read(|world| {
        let offers = world.books.offers_since(who, 0);
        let count =
            |wanted: &dyn Fn(&Offer) -> bool| offers.iter().filter(|offer| wanted(offer)).count();
        let received = |offer: &Offer| offer.to == who && offer.was_active;
        let sent = |offer: &Offer| offer.from == who;
        let escrow = OfferState::InEscrow;
        response(json!({
            "pending_received_count": count(&|it| received(it) && it.state.is_live()),
            "new_received_count":
                count(&|it| received(it) && it.state.is_live() && it.created > visit),
            "updated_received_count": count(&|it| received(it) && it.updated > visit),
            "historical_received_count": count(&|it| received(it) && !it.state.is_live()),
            "pending_sent_count": count(&|it| sent(it) && it.state.is_live()),
            "newly_accepted_sent_count": count(&|it| {
                sent(it) && it.state == OfferState::Accepted && it.updated > visit
            }),
            "updated_sent_count": count(&|it| sent(it) && it.updated > visit),
            "historical_sent_count": count(&|it| sent(it) && !it.state.is_live()),
            "escrow_received_count": count(&|it| received(it) && it.state == escrow),
            "escrow_sent_count": count(&|it| sent(it) && it.state == escrow),
            "user_total_offers": offers.len(),
        }))
    })
}

/// `GetTradeStatus`.
pub(super) fn trade_status(core: &Core, call: &Call) -> Reply {
    let who = account_or_return!(core, call);
    let id = call.number("tradeid").map(TradeId);
    core.change(|world, _| {
        let World { books, quirks, .. } = world;
        let found = id.and_then(|id| books.trade(id));
        let trade = found.filter(|trade| trade.from == who || trade.to == who);
        let Some(trade) = trade else { return refused(eresult::NO_MATCH) };
        let offer = books.offer(trade.offer).into_iter();
        let lies = quirks.read(offer, |lie| lie == &OfferLie::NoNewAssetIds);
        let mut told = trade.clone();
        if lies.has(trade.offer, OfferLie::NoNewAssetIds) {
            told.given.iter_mut().chain(&mut told.taken).for_each(|it| it.new_asset_id = None);
        }
        let mut body = json!({ "trades": [econ_json::trade(&told, who)] });
        if call.flag("get_descriptions") {
            let classes = econ_json::classes_of(trade);
            body["descriptions"] = econ_json::descriptions(books, classes).into();
        }
        response(body)
    })
}

/// `GetTradeHistory`, newest first, or oldest first when navigating back.
pub(super) fn trade_history(core: &Core, call: &Call) -> Reply {
    let who = account_or_return!(core, call);
    let max = call.number("max_trades").unwrap_or(TRADES_PER_PAGE_MAX).min(TRADES_PER_PAGE_MAX);
    core.read(|world| {
        let ids = world.books.trade_index.get(&who).map(Vec::as_slice).unwrap_or_default();
        let page = history_page(ids, &world.books, call);
        let trades: Vec<&Trade> = page.iter().copied().take(max).collect();
        let mut body = json!({
            "more": page.len() > max,
            "trades": trades.iter().map(|trade| econ_json::trade(trade, who)).collect::<Value>(),
        });
        if call.flag("include_total") {
            body["total_trades"] = ids.len().into();
        }
        if call.flag("get_descriptions") {
            let classes = trades.iter().copied().flat_map(econ_json::classes_of);
            body["descriptions"] = econ_json::descriptions(&world.books, classes).into();
        }
        response(body)
    })
}

/// The trades beyond the place where the last page ended.
fn history_page<'a>(ids: &[TradeId], books: &'a Books, call: &Call) -> Vec<&'a Trade> {
    let time: i64 = call.number("start_after_time").unwrap_or(0);
    let start = TradeId(call.number("start_after_tradeid").unwrap_or(0));
    let trades = ids.iter().filter_map(|id| books.trade(*id));
    let beyond = |trade: &&Trade, back: bool| {
        let (here, place) = ((trade.created, trade.id), (time, start));
        // Without a trade id, all trades of that second lie beyond it on neither side.
        let here = if start.0 == 0 { (trade.created, TradeId(0)) } else { here };
        if back { here > place } else { here < place }
    };
    if call.flag("navigating_back") {
        return trades.filter(|trade| beyond(trade, true)).collect();
    }
    trades.rev().filter(|trade| time == 0 || beyond(trade, false)).collect()
}

/// `GetTradeHoldDurations`.
pub(super) fn hold_durations(core: &Core, call: &Call) -> Reply {
    let who = account_or_return!(core, call);
    let Some(partner) = call.number("steamid_target").map(SteamId) else {
        return refused(eresult::INVALID_PARAM);
    };
    let token = call.field("trade_offer_access_token");
    let now = core.clock.now().secs();
    core.read(|world| {
        if !world.may_offer(who, partner, token) {
            return refused(eresult::ACCESS_DENIED);
        }
        let (mine, theirs) = (hold_secs(world, who), hold_secs(world, partner));
        response(json!({
            "my_escrow": escrow(mine, now),
            "their_escrow": escrow(theirs, now),
            "both_escrow": escrow(mine.max(theirs), now),
        }))
    })
}

fn hold_secs(world: &World, who: SteamId) -> i64 {
    world.accounts.get(who).map_or(0, |account| i64::from(account.hold_days) * DAY_SECS)
}

fn escrow(duration: i64, now: i64) -> Value {
    let mut value = json!({ "escrow_end_duration_seconds": duration });
    let end = DateTime::from_timestamp(now + duration, 0).filter(|_| duration > 0);
    if let Some(end) = end {
        value["escrow_end_date"] = end.timestamp().into();
        value["escrow_end_date_rfc3339"] = end.to_rfc3339_opts(SecondsFormat::Secs, true).into();
    }
    value
}

/// `GetTradeOfferAccessToken`: the token of the own trade URL, or a new one.
pub(super) fn access_token(core: &Core, call: &Call) -> Reply {
    let who = account_or_return!(core, call);
    let renew = call.flag("generate_new_token");
    let token = core.change(|world, _| {
        let account = world.accounts.get_mut(who)?;
        if renew {
            account.trade_token = entropy::token();
        }
        Some(account.trade_token.clone())
    });
    response(json!({ "trade_offer_access_token": token }))
}

/// `CancelTradeOffer`.
pub(super) fn cancel(core: &Core, call: &Call) -> Reply {
    end(core, call, End::Cancel)
}

/// `DeclineTradeOffer`.
pub(super) fn decline(core: &Core, call: &Call) -> Reply {
    end(core, call, End::Decline)
}

fn end(core: &Core, call: &Call, end: End) -> Reply {
    let who = account_or_return!(core, call);
    let id = OfferId(call.number("tradeofferid").unwrap_or(0));
    match core.change(|world, now| world.end_offer(id, who, end, now)) {
        Ok(()) => Reply::json(StatusCode::OK, &json!({ "response": {} })).eresult(eresult::OK),
        Err(Refusal::Unknown) => refused(eresult::NO_MATCH),
        Err(refusal) => refused(refusal.eresult()),
    }
}
