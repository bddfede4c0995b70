//! The other end of an escrow: the items go back.

use super::World;
use super::books::Asset;
use super::offer_state::OfferState;
use super::trades::TradeStatus;
use crate::clock::SimTime;
use crate::ids::OfferId;

impl World {
    /// Gives the items which Steam holds for an accepted offer back, under new numbers. False: it
    /// holds none.
    pub(crate) fn roll_back_escrow(&mut self, offer: OfferId, now: SimTime) -> bool {
        let trade = self.books.offer(offer).and_then(|offer| offer.trade);
        let Some(assets) = trade.and_then(|id| self.books.escrow.remove(&id)) else { return false };
        let trade = trade.and_then(|id| self.books.trades.get(&id).cloned());
        let Some(mut trade) = trade else { return false };
        let mut waiting = assets.into_iter();
        for moved in trade.given.iter_mut().chain(&mut trade.taken) {
            let Some(asset) = waiting.next() else {
                self.books.violation(format!("trade {} lost an asset", trade.id));
                continue;
            };
            let Asset { owner, context, .. } = asset;
            moved.returned_context = Some(context);
            moved.returned_asset_id = Some(self.books.settle(asset, owner, trade.id));
        }
        self.books.set_status(&mut trade, TradeStatus::EscrowRollback, now);
        trade.settled = true;
        self.books.trades.insert(trade.id, trade);
        self.finish(offer, OfferState::Canceled, now);
        self.books.check("an escrow's end");
        true
    }
}
