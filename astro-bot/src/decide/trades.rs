//! What the server knows of the account's trade history.

use std::collections::BTreeMap;

use crate::frames::{self, Event, TradeSeen};

/// Trades in one event, as the protocol says.
const TRADES_AT_ONCE: usize = 100;

/// The trades that were told in this session, as they were then.
#[derive(Debug, Default)]
pub(super) struct Trades {
    told: BTreeMap<String, TradeSeen>,
}

impl Trades {
    /// A new session: all is told afresh.
    pub(super) fn forget(&mut self) {
        self.told.clear();
    }

    /// Tells what is new or changed in a reading of the history. What is not in it any more is too
    /// old to change.
    pub(super) fn on_swept(&mut self, trades: Vec<TradeSeen>) -> Vec<Event> {
        let fresh: Vec<TradeSeen> = trades
            .iter()
            .filter(|trade| self.told.get(&trade.trade_id) != Some(trade))
            .cloned()
            .collect();
        self.told = trades.into_iter().map(|trade| (trade.trade_id.clone(), trade)).collect();
        fresh.chunks(TRADES_AT_ONCE).map(|trades| frames::trades_seen(trades.to_vec())).collect()
    }
}
