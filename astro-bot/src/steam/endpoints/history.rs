//! The account's trade history, and what the bell tells of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::{Steam, api};
use crate::steam::{
    session::Access,
    traffic::Request,
    wire::{Purpose, Signal, Source, SteamError, Trade, TradeId, answer::response, loose},
};

/// Trades in one page, the most that Steam gives to an access token.
const PAGE_SIZE: u32 = 100;
/// Pages that are read at most: a bot cannot make so many trades in the days that are read.
const PAGES_MAX: usize = 100;
/// The notification that a trade was reversed.
const TRADE_REVERSAL: i64 = 29;

/// How far ahead of Steam's clock, as we know it, a trade may have begun: our own may be wrong, and
/// what lies further ahead was told by none.
const AHEAD_SECONDS: i64 = 86_400;

/// Where a page of the history ends: time and id of its last trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    time: i64,
    trade: u64,
}

/// What was read of the history so far.
#[derive(Debug, Default)]
struct Reading {
    trades: Vec<Trade>,
    seen: BTreeSet<TradeId>,
    odd: Vec<String>,
}

impl Reading {
    /// Takes the trades of a page that began at `since` or later. Pages overlap when trades are made
    /// meanwhile, and where one ends with a trade without a place.
    fn take(&mut self, listed: &[Value], since: i64) {
        for value in listed {
            let odd = match Trade::read(value) {
                // Nobody can say whether it is one of the days that are read.
                Ok(trade) if trade.began_at <= 0 => Some("it began at no time".to_owned()),
                Ok(trade) if trade.began_at >= since && self.seen.insert(trade.id) => {
                    let odd = trade.odd.clone();
                    self.trades.push(trade);
                    odd
                }
                Ok(_) => None,
                Err(why) => Some(why),
            };
            let odd = odd.map(|why| format!("trade {}: {why}", value["tradeid"]));
            self.odd.extend(odd.filter(|odd| !self.odd.contains(odd)));
        }
    }
}

impl Steam {
    /// Reads all trades that began at `since` or later, Steam's time, newest first.
    ///
    /// # Errors
    /// Any failure: a part of the history is never taken for all of it.
    pub(crate) async fn history(&self, since: i64) -> Result<Vec<Trade>, SteamError> {
        let mut reading = Reading::default();
        let mut from = None;
        for _ in 0..PAGES_MAX {
            let page =
                self.call(Purpose::Read, |access| page_request(access, from), response).await?;
            let more = loose::as_bool(&page["more"]);
            let listed = page["trades"].as_array().map(Vec::as_slice).unwrap_or_default();
            reading.take(listed, since);
            let last = last_place(listed, self.now().saturating_add(AHEAD_SECONDS));
            if !more || last.is_some_and(|last| last.time < since) {
                self.set_aside.note(Source::History, reading.odd);
                return Ok(reading.trades);
            }
            match last {
                Some(last) if from != Some(last) => from = Some(last),
                Some(_) | None => break,
            }
        }
        Err(Signal::Garbled("the trade history has no end".to_owned()).into())
    }

    /// When Steam last told of a reversed trade, Unix seconds, if it has. Steam may refuse this to
    /// access tokens, so the session is not blamed for a failure.
    ///
    /// # Errors
    /// Any failure.
    pub(crate) async fn last_reversal(&self) -> Result<Option<i64>, SteamError> {
        let access = self.session.access().await?;
        let request = api("ISteamNotificationService/GetSteamNotifications/v1", &access);
        Ok(newest_reversal(&self.once(request, response).await?))
    }
}

fn page_request(access: &Access, from: Option<Place>) -> Request {
    let request = api("IEconService/GetTradeHistory/v1", access)
        .query("max_trades", PAGE_SIZE)
        .query("include_failed", 1)
        .query("get_descriptions", 0)
        .query("navigating_back", 0);
    match from {
        Some(place) => {
            request.query("start_after_time", place.time).query("start_after_tradeid", place.trade)
        }
        None => request,
    }
}

/// Where to go on after a page: behind its last trade that has a place. What has none is listed
/// again behind that one, so nothing is left out.
fn last_place(listed: &[Value], latest: i64) -> Option<Place> {
    listed.iter().rev().find_map(|trade| place(trade, latest))
}

/// The place of a trade; none if its time is none, or after `latest`, Unix seconds.
fn place(trade: &Value, latest: i64) -> Option<Place> {
    let time = loose::i64(trade["time_init"].clone()).ok()?;
    let id = loose::id(trade["tradeid"].clone()).ok()?;
    (1..=latest).contains(&time).then_some(Place { time, trade: id })
}

fn newest_reversal(value: &Value) -> Option<i64> {
    let notices = value["notifications"].as_array()?;
    let reversed = |notice: &&Value| {
        loose::i64(notice["notification_type"].clone()).is_ok_and(|kind| kind == TRADE_REVERSAL)
    };
    let time = |notice: &Value| loose::i64(notice["timestamp"].clone()).ok();
    notices.iter().filter(reversed).filter_map(time).max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_ends_at_its_last_trade_that_has_a_place() {
        let trade = |id: &str, time: Value| json!({"tradeid": id, "time_init": time});
        let good = trade("8", json!("90"));
        let end = Some(Place { time: 90, trade: 8 });
        for odd in [json!(null), json!(""), json!(0), json!(-5), json!("x"), json!([]), json!(101)]
        {
            let last = last_place(&[good.clone(), trade("7", odd.clone())], 100);
            assert_eq!(last, end, "{odd}");
        }
        assert_eq!(last_place(&[good.clone(), json!({"tradeid": "7"})], 100), end);
        assert_eq!(last_place(&[good.clone(), trade("", json!(80))], 100), end);
        let next = last_place(&[good, trade("7", json!(80))], 100);
        assert_eq!(next, Some(Place { time: 80, trade: 7 }));
        assert_eq!(last_place(&[trade("7", json!(0))], 100), None);
    }

    #[test]
    fn a_trade_without_a_time_is_set_aside_once_and_told() {
        let timed = json!({"tradeid": "8", "status": 3, "time_init": 90});
        let timeless = json!({"tradeid": "7", "status": 3});
        let unreadable = json!({"tradeid": "6", "status": "x", "time_init": 90});
        let mut reading = Reading::default();
        reading.take(&[timed.clone(), timeless.clone()], 10);
        reading.take(&[timeless, timed, unreadable], 10);
        assert_eq!(reading.trades.iter().map(|trade| trade.id.0).collect::<Vec<_>>(), [8]);
        let [timeless, unreadable] = &*reading.odd else { panic!("{:?}", reading.odd) };
        assert_eq!(timeless, "trade \"7\": it began at no time");
        assert!(unreadable.starts_with("trade \"6\": \"x\" is no"), "{unreadable}");
    }

    #[test]
    fn only_notices_of_reversed_trades_count_and_the_newest_of_them() {
        let notice = |kind: i64, time: i64| json!({"notification_type": kind, "timestamp": time});
        let bell = json!({"notifications": [notice(29, 10), notice(29, 30), notice(9, 50)]});
        assert_eq!(newest_reversal(&bell), Some(30));
        assert_eq!(newest_reversal(&json!({"notifications": [notice(9, 50)]})), None);
        assert_eq!(newest_reversal(&json!({})), None);
    }
}
