//! Offers that the account sent and no attempt of this session explains.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    frames::{self, Event},
    steam::{Offer, OfferId, OffersPage},
};

/// Readings of the offers in a session, until an offer counts as strange: before, the order that
/// explains it may still be on its way.
const POLLS_OF_GRACE: u32 = 2;

/// What was told of strange offers in this session.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    polls: u32,
    /// Told as open.
    open: BTreeMap<OfferId, Offer>,
    /// Being withdrawn as the server asked.
    withdrawn: BTreeSet<OfferId>,
}

impl Strangers {
    /// A new session; what is being withdrawn goes on.
    pub(super) fn forget(&mut self) {
        self.polls = 0;
        self.open.clear();
    }

    /// Whether an order to withdraw this offer is new.
    pub(super) fn withdraw(&mut self, id: OfferId) -> bool {
        self.withdrawn.insert(id)
    }

    /// A withdrawal is over; the event, if it tells how the offer is now.
    pub(super) fn on_withdrawn(&mut self, id: OfferId, offer: Option<&Offer>) -> Option<Event> {
        self.withdrawn.remove(&id);
        let known = self.open.remove(&id);
        offer.or(known.as_ref()).map(|offer| frames::strange_offer(offer, false))
    }

    /// What is new in a reading. `explained` knows the offers of attempts.
    pub(super) fn on_polled(
        &mut self,
        page: &OffersPage,
        explained: impl Fn(&Offer) -> bool,
    ) -> Vec<Event> {
        self.polls = self.polls.saturating_add(1);
        let mut events = Vec::new();
        if self.polls > POLLS_OF_GRACE {
            for offer in page.sent.iter().filter(|offer| offer.is_open() && !explained(offer)) {
                if !self.withdrawn.contains(&offer.id) && !self.open.contains_key(&offer.id) {
                    self.open.insert(offer.id, offer.clone());
                    events.push(frames::strange_offer(offer, true));
                }
            }
        }
        events.extend(self.gone(page));
        events
    }

    fn gone(&mut self, page: &OffersPage) -> Vec<Event> {
        let listed: BTreeMap<OfferId, bool> =
            page.sent.iter().map(|offer| (offer.id, offer.is_open())).collect();
        let is_gone = |offer: &Offer| match listed.get(&offer.id) {
            Some(open) => !open,
            None => page.is_whole(),
        };
        let mut events = Vec::new();
        self.open.retain(|id, offer| {
            // Its withdrawal tells its end.
            let stays = self.withdrawn.contains(id) || !is_gone(offer);
            if !stays {
                events.push(frames::strange_offer(offer, false));
            }
            stays
        });
        events
    }
}
