//! The account's trade history, and what the bell tells of it.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    Access, Purpose, Request, Signal, Steam, SteamError,
    econ::{api, response},
    objects::Trade,
    odd::Source,
    wire,
};

/// Trades in one page, the most that Steam gives to an access token.
const PAGE_SIZE: u32 = 100;
/// Pages that are read at most: a bot cannot make so many trades in the days that are read.
const PAGES_MAX: usize = 100;
/// The notification that a trade was reversed.
const TRADE_REVERSAL: i64 = 29;

/// Where a page of the history ends: time and id of its last trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    time: i64,
    trade: u64,
}

impl Steam {
    /// Reads all trades that began at `since` or later, Steam's time, newest first.
    ///
    /// # Errors
    /// Any failure: a part of the history is never taken for all of it.
    pub(crate) async fn history(&self, since: i64) -> Result<Vec<Trade>, SteamError> {
        let (mut trades, mut seen, mut odd_ones) = (Vec::new(), HashSet::new(), Vec::new());
        let mut from = None;
        for _ in 0..PAGES_MAX {
            let mut page =
                self.call(Purpose::Read, |access| page_request(access, from), response).await?;
            let more = wire::as_bool(&page["more"]);
            let listed = page["trades"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let last = listed.last().and_then(place);
            for value in listed {
                match Trade::read(&value) {
                    // Pages overlap when trades are made meanwhile.
                    Ok(trade) if trade.began_at >= since && seen.insert(trade.id) => {
                        let odd = trade.odd.as_ref();
                        odd_ones.extend(odd.map(|why| format!("trade {}: {why}", trade.id)));
                        trades.push(trade);
                    }
                    Ok(_) => {}
                    Err(why) => odd_ones.push(format!("trade {}: {why}", value["tradeid"])),
                }
            }
            let over = match last {
                Some(last) => !more || last.time < since,
                None => !more,
            };
            if over {
                self.set_aside.note(Source::History, odd_ones);
                return Ok(trades);
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

fn place(trade: &Value) -> Option<Place> {
    let time = wire::i64(trade["time_init"].clone()).ok()?;
    Some(Place { time, trade: wire::u64(trade["tradeid"].clone()).ok()? })
}

fn newest_reversal(value: &Value) -> Option<i64> {
    let notices = value["notifications"].as_array()?;
    let reversed = |notice: &&Value| {
        wire::i64(notice["notification_type"].clone()).is_ok_and(|kind| kind == TRADE_REVERSAL)
    };
    let time = |notice: &Value| wire::i64(notice["timestamp"].clone()).ok();
    notices.iter().filter(reversed).filter_map(time).max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_notices_of_reversed_trades_count_and_the_newest_of_them() {
        let notice = |kind: i64, time: i64| json!({"notification_type": kind, "timestamp": time});
        let bell = json!({"notifications": [notice(29, 10), notice(29, 30), notice(9, 50)]});
        assert_eq!(newest_reversal(&bell), Some(30));
        assert_eq!(newest_reversal(&json!({"notifications": [notice(9, 50)]})), None);
        assert_eq!(newest_reversal(&json!({})), None);
    }
}
