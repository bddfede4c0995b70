//! The Web API about trade offers and trades.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

use super::client::{Steam, api};
use crate::steam::{
    session::Access,
    traffic::Request,
    wire::{
        Answer, CLASS, Description, Offer, OfferId, OffersPage, Purpose, Signal, SteamError,
        SteamId, Trade, TradeId, Unread, answer::response, loose,
    },
};

/// Pages of trade offers that are read at most. Steam allows about 30 open sent offers, but any
/// number of received ones.
const OFFER_PAGES_MAX: usize = 50;

/// Which trade offers to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OffersQuery {
    /// Besides the active ones, those that changed since then; Steam's time, Unix seconds.
    pub(crate) changed_since: i64,
    /// Received offers too, with descriptions.
    pub(crate) received: bool,
}

/// How long a trade would be held, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) ours: u64,
    pub(crate) theirs: u64,
}

impl Steam {
    /// Reads trade offers, all pages. Offers that Steam garbles are counted, not fatal.
    ///
    /// # Errors
    /// If not even the first page can be read.
    pub(crate) async fn offers(&self, query: OffersQuery) -> Result<OffersPage, SteamError> {
        let mut whole = OffersPage::default();
        let mut seen = BTreeSet::new();
        let mut cursor = 0;
        for page in 0..OFFER_PAGES_MAX {
            let read =
                self.call(Purpose::Read, |access| query.page(access, cursor), response).await;
            let value = match read {
                Ok(value) => value,
                Err(signal) if page == 0 => return Err(signal.into()),
                Err(signal) => {
                    tracing::warn!("Could not read all trade offers: {signal}");
                    return Ok(whole);
                }
            };
            cursor = collect(&mut whole, &mut seen, value);
            if cursor == 0 {
                whole.complete = true;
                break;
            }
        }
        Ok(whole)
    }

    /// Reads one offer; none if Steam does not know it.
    ///
    /// # Errors
    /// Any failure but "unknown"; a garbled offer is one.
    pub(crate) async fn offer(&self, id: OfferId) -> Result<Option<Offer>, SteamError> {
        let request = |access: &Access| {
            api("IEconService/GetTradeOffer/v1", access).query("tradeofferid", id)
        };
        match self.call(Purpose::Read, request, response).await {
            Ok(value) if value["offer"].is_null() => Ok(None),
            Ok(value) => match Offer::read(&value["offer"]) {
                Ok(offer) => Ok(Some(offer)),
                Err(why) => Err(Signal::Garbled(format!("offer {id}: {why}")).into()),
            },
            Err(Signal::EResult { code: 42, .. }) => Ok(None),
            Err(signal) => Err(signal.into()),
        }
    }

    /// Reads one trade; none if Steam does not know it yet.
    ///
    /// # Errors
    /// Any failure but "unknown"; a trade that cannot be read is one.
    pub(crate) async fn trade(&self, id: TradeId) -> Result<Option<Trade>, SteamError> {
        let request =
            |access: &Access| api("IEconService/GetTradeStatus/v1", access).query("tradeid", id);
        match self.call(Purpose::Read, request, response).await {
            Ok(value) => Ok(first_trade(id, &value)?),
            Err(Signal::EResult { code: 42, .. }) => Ok(None),
            Err(signal) => Err(signal.into()),
        }
    }

    /// How long a trade with this person would be held.
    ///
    /// # Errors
    /// A read that failed; `Permanent` with result 15 if the token is wrong.
    pub(crate) async fn hold(&self, who: SteamId, token: Option<&str>) -> Result<Hold, SteamError> {
        let request = |access: &Access| {
            let request =
                api("IEconService/GetTradeHoldDurations/v1", access).query("steamid_target", who);
            match token {
                Some(token) => request.query("trade_offer_access_token", token),
                None => request,
            }
        };
        let read = |answer: &Answer| {
            let value = response(answer)?;
            let seconds = |whose: &str| {
                let escrow: Escrow = serde_json::from_value(value[whose].clone()).ok()?;
                Some(escrow.escrow_end_duration_seconds)
            };
            let theirs = seconds("their_escrow")
                .ok_or_else(|| Signal::Garbled("no hold durations".to_owned()))?;
            Ok(Hold { ours: seconds("my_escrow").unwrap_or(0), theirs })
        };
        Ok(self.call(Purpose::Read, request, read).await?)
    }
}

#[derive(Deserialize)]
struct Escrow {
    #[serde(deserialize_with = "loose::u64")]
    escrow_end_duration_seconds: u64,
}

impl OffersQuery {
    fn page(self, access: &Access, cursor: u64) -> Request {
        let request = api("IEconService/GetTradeOffers/v1", access)
            .query("get_sent_offers", 1)
            .query("get_received_offers", u8::from(self.received))
            .query("get_descriptions", u8::from(self.received))
            .query("active_only", 1)
            .query("time_historical_cutoff", self.changed_since);
        if cursor == 0 { request } else { request.query("cursor", cursor) }
    }
}

/// The trade that was asked for, if Steam tells one.
fn first_trade(id: TradeId, answer: &Value) -> Result<Option<Trade>, Signal> {
    let trade = answer.pointer("/trades/0").map(Trade::read).transpose();
    trade.map_err(|why| Signal::Garbled(format!("trade {id}: {why}")))
}

/// Adds one page; returns the cursor of the next, 0 if there is none.
fn collect(whole: &mut OffersPage, seen: &mut BTreeSet<OfferId>, mut page: Value) -> u64 {
    for (list, offers) in
        [("trade_offers_sent", &mut whole.sent), ("trade_offers_received", &mut whole.received)]
    {
        for value in page[list].as_array_mut().map(std::mem::take).unwrap_or_default() {
            match Offer::read(&value) {
                Ok(offer) if seen.insert(offer.id) => {
                    let odd = offer.odd.as_ref();
                    whole.set_aside.extend(odd.map(|why| format!("offer {}: {why}", offer.id)));
                    offers.push(offer);
                }
                Ok(_) => {}
                Err(why) => {
                    whole.skipped += 1;
                    // A glitch passes by itself.
                    if why != Unread::Glitched {
                        whole.set_aside.push(format!("offer {}: {why}", value["tradeofferid"]));
                    }
                }
            }
        }
    }
    let described = page["descriptions"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let (described, odd) = loose::entries::<Description>(described, CLASS);
    whole.descriptions.extend(described);
    whole.set_aside.extend(odd.into_iter().map(|odd| format!("description: {}", odd.why)));
    loose::u64(page["next_cursor"].take()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trade_that_cannot_be_read_is_not_one_that_steam_does_not_know() {
        let first = |answer: Value| first_trade(TradeId(7), &answer);
        assert_eq!(first(json!({})), Ok(None));
        assert_eq!(first(json!({"trades": []})), Ok(None));
        let good = first(json!({"trades": [{"tradeid": "7", "status": 3}]}));
        assert_eq!(good.unwrap().unwrap().id, TradeId(7));
        for odd in [json!({"tradeid": "7", "status": "x"}), json!({"status": 3}), json!(null)] {
            let Err(Signal::Garbled(why)) = first(json!({"trades": [odd]})) else {
                panic!("{odd}")
            };
            assert!(why.starts_with("trade 7: "), "{why}");
        }
    }

    #[test]
    fn a_glitched_offer_is_counted_and_the_others_are_kept() {
        let good = json!({
            "tradeofferid": "1", "accountid_other": 5, "trade_offer_state": 2,
            "items_to_give": [{"appid": 440, "contextid": "2", "assetid": "9"}],
        });
        let page = json!({
            "trade_offers_sent": [good, {"tradeofferid": "2", "trade_offer_state": 2}],
            "next_cursor": "7",
        });
        let (mut whole, mut seen) = (OffersPage::default(), BTreeSet::new());
        assert_eq!(collect(&mut whole, &mut seen, page.clone()), 7);
        assert_eq!((whole.sent.len(), whole.skipped), (1, 1));
        // Pages overlap when offers change meanwhile.
        collect(&mut whole, &mut seen, page);
        assert_eq!(whole.sent.len(), 1);
        assert!(!whole.is_whole());
    }
}
