//! What waits on an account's phone.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::World;
use super::notifications::NotificationKind;
use super::offer_state::OfferState;
use super::refusals::Refusal;
use crate::clock::SimTime;
use crate::entropy;
use crate::ids::{ConfirmationId, OfferId, SteamId};

/// Steam takes offence at a phone which lists its confirmations more often.
const LIST_INTERVAL: Duration = Duration::from_secs(10);

/// What happens when the phone allows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Send,
    Accept,
}

#[derive(Clone, Debug)]
pub(crate) struct Confirmation {
    pub id: ConfirmationId,
    pub nonce: u64,
    pub owner: SteamId,
    pub offer: OfferId,
    pub purpose: Purpose,
    pub created: i64,
}

#[derive(Default)]
pub(crate) struct Confirmations {
    waiting: BTreeMap<ConfirmationId, Confirmation>,
    listed: HashMap<SteamId, SimTime>,
}

impl Confirmations {
    /// Whether the last list of this account is long enough ago; if so, this is the last one.
    pub(crate) fn may_list(&mut self, owner: SteamId, now: SimTime) -> bool {
        let soon = self.listed.get(&owner).is_some_and(|last| now < *last + LIST_INTERVAL);
        if !soon {
            self.listed.insert(owner, now);
        }
        !soon
    }

    pub(crate) fn of(&self, owner: SteamId) -> impl Iterator<Item = &Confirmation> + Clone {
        self.waiting.values().filter(move |confirmation| confirmation.owner == owner)
    }

    /// The confirmation of this id, for its owner who knows its nonce.
    pub(crate) fn find(&self, owner: SteamId, id: ConfirmationId, nonce: u64) -> Option<OfferId> {
        let found = self.waiting.get(&id)?;
        (found.owner == owner && found.nonce == nonce).then_some(found.offer)
    }

    pub(crate) fn add_send(&mut self, offer: OfferId, owner: SteamId, now: SimTime) {
        self.add(offer, owner, Purpose::Send, now);
    }

    /// A second accept of one offer waits for the same confirmation.
    pub(crate) fn add_accept(&mut self, offer: OfferId, owner: SteamId, now: SimTime) {
        if !self.of(owner).any(|waiting| waiting.offer == offer) {
            self.add(offer, owner, Purpose::Accept, now);
        }
    }

    pub(crate) fn drop_offer(&mut self, offer: OfferId) {
        self.waiting.retain(|_, waiting| waiting.offer != offer);
    }

    fn add(&mut self, offer: OfferId, owner: SteamId, purpose: Purpose, now: SimTime) {
        let (id, nonce) = (ConfirmationId::fresh(), entropy::number());
        let created = now.secs();
        self.waiting.insert(id, Confirmation { id, nonce, owner, offer, purpose, created });
    }
}

/// What the phone's owner pressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Press {
    Allow,
    Cancel,
}

impl World {
    /// Carries out a confirmation.
    ///
    /// # Errors
    /// When there is none such, or its offer cannot go on.
    pub(crate) fn confirm(
        &mut self,
        id: ConfirmationId,
        press: Press,
        now: SimTime,
    ) -> Result<(), Refusal> {
        let Some(found) = self.confirmations.waiting.remove(&id) else {
            return Err(Refusal::Unknown);
        };
        let offer = self.books.offer(found.offer).ok_or(Refusal::Unknown)?;
        match (press, found.purpose) {
            (Press::Allow, Purpose::Send) if self.books.can_happen(offer) => {
                self.activate(found.offer, now);
                Ok(())
            }
            (Press::Allow, Purpose::Send) => {
                self.finish(found.offer, OfferState::InvalidItems, now);
                Err(Refusal::ItemGone)
            }
            (Press::Cancel, Purpose::Send) => {
                self.finish(found.offer, OfferState::CanceledBySecondFactor, now);
                Ok(())
            }
            (Press::Allow, Purpose::Accept) => self.execute(found.offer, now).map(drop),
            // The offer stays active: its recipient may try again.
            (Press::Cancel, Purpose::Accept) => Ok(()),
        }
    }

    /// The recipient accepts over HTTPS: a gift arrives at once, anything else waits for the phone.
    ///
    /// # Errors
    /// When the offer is not theirs to accept.
    pub(crate) fn accept_offer(
        &mut self,
        id: OfferId,
        who: SteamId,
        now: SimTime,
    ) -> Result<Accepted, Refusal> {
        let offer = self.books.offer(id).ok_or(Refusal::Unknown)?;
        if offer.to != who || !offer.was_active {
            return Err(Refusal::Unknown);
        }
        if offer.state == OfferState::Active && !offer.ask.is_empty() {
            if !self.books.can_happen(offer) {
                self.finish(id, OfferState::InvalidItems, now);
                return Err(Refusal::ItemGone);
            }
            self.check_accept(offer, now)?;
            self.confirmations.add_accept(id, who, now);
            // By this npm's steam-tradeoffer-manager knows that its accept waits for the phone.
            if let Some(offer) = self.books.offers.get_mut(&id) {
                offer.needs_confirmation = true;
            }
            self.tell_of_offer(who, NotificationKind::MobileConfirmation, id, now);
            return Ok(Accepted::NeedsConfirmation);
        }
        self.execute(id, now).map(Accepted::Done)
    }
}

/// What an accept led to.
pub(crate) enum Accepted {
    Done(crate::ids::TradeId),
    NeedsConfirmation,
}
