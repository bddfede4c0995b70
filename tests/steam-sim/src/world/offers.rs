//! Trade offers: the rules by which they are made, become active and end.

use std::collections::BTreeSet;

use serde::Serialize;

use super::World;
use super::books::{Asset, AssetKey, Books, InventoryKey};
use super::class::ClassKey;
use super::notifications::NotificationKind;
use super::offer_state::OfferState;
use super::people::Task;
use super::refusals::{Deal, Refusal};
use crate::clock::SimTime;
use crate::ids::{AssetId, OfferId, SteamId, TradeId};

/// Steam's limit on live offers to one partner.
pub const OFFERS_PER_PARTNER_MAX: usize = 5;
/// Steam's limit on live offers which one account has sent.
pub const OFFERS_SENT_MAX: usize = 30;
/// Characters of `tradeoffermessage`.
pub const MESSAGE_CHARS_MAX: usize = 128;
/// An offer nobody answers expires after 14 days.
pub const OFFER_LIFETIME_SECS: i64 = 1_209_600;

/// Some of one asset, as an offer names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct OfferItem {
    /// App and number of the asset when the offer was made.
    pub key: AssetKey,
    /// The context it lay in.
    pub context: u64,
    /// How many of the stack.
    pub amount: u64,
    /// Its description.
    pub class: ClassKey,
}

/// A trade offer.
#[derive(Clone, Debug, Serialize)]
pub struct Offer {
    /// Its `tradeofferid`.
    pub id: OfferId,
    /// Who sent it.
    pub from: SteamId,
    /// Who may answer it.
    pub to: SteamId,
    /// The text the sender wrote.
    pub message: String,
    /// What the sender gives.
    pub give: Vec<OfferItem>,
    /// What the sender wants of the recipient.
    pub ask: Vec<OfferItem>,
    /// Where it stands.
    pub state: OfferState,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds of the last change of state.
    pub updated: i64,
    /// Unix seconds.
    pub expires: i64,
    /// Unix seconds at which Steam lets the items go; 0 without escrow.
    pub escrow_end: i64,
    /// The trade it became.
    pub trade: Option<TradeId>,
    /// Whether the recipient was ever able to see it.
    pub was_active: bool,
    /// Whether somebody has or had to confirm it on the phone.
    pub needs_confirmation: bool,
    /// Whether its items are protected for some days after they have arrived.
    pub delay_settlement: bool,
    /// Its state before the last change, and since when (Unix seconds) it was in that.
    #[serde(skip)]
    pub(crate) before: Option<(OfferState, i64)>,
}

impl Offer {
    /// All items of both sides.
    pub fn items(&self) -> impl Iterator<Item = &OfferItem> {
        self.give.iter().chain(&self.ask)
    }

    pub(crate) fn partner_of(&self, account: SteamId) -> SteamId {
        if self.from == account { self.to } else { self.from }
    }
}

/// An account's offers, by what polls ask for.
#[derive(Clone, Default, Debug)]
pub(crate) struct OfferIndex {
    pub live: BTreeSet<OfferId>,
    pub by_update: BTreeSet<(i64, OfferId)>,
}

/// An asset which somebody wants in an offer.
pub(crate) struct Wanted {
    pub app: u32,
    pub context: u64,
    pub id: AssetId,
    pub amount: u64,
}

impl Wanted {
    /// All of a stack.
    pub(crate) fn whole(asset: &Asset) -> Self {
        let Asset { key, context, amount, .. } = asset;
        Self { app: key.app, context: *context, id: key.id, amount: *amount }
    }
}

/// An offer somebody wants to send.
pub(crate) struct NewOffer {
    pub from: SteamId,
    pub to: SteamId,
    pub message: String,
    pub give: Vec<Wanted>,
    pub ask: Vec<Wanted>,
    /// Whether a phone must confirm it: people of the simulator press the button themselves.
    pub on_phone: bool,
}

impl World {
    /// Makes an offer, which becomes active at once unless a phone must confirm it.
    ///
    /// # Errors
    /// The reason Steam would give.
    pub(crate) fn send_offer(&mut self, new: NewOffer, now: SimTime) -> Result<OfferId, Refusal> {
        let too_long = new.message.chars().count() > MESSAGE_CHARS_MAX;
        if too_long || new.from == new.to || new.give.is_empty() && new.ask.is_empty() {
            return Err(Refusal::Malformed);
        }
        self.check_parties(new.from, new.to, now)?;
        if self.accounts.get(new.to).is_some_and(|partner| partner.inventory_private) {
            return Err(Refusal::NoAccess);
        }
        if self.protection.mixes(new.give.iter().chain(&new.ask).map(|wanted| wanted.app)) {
            return Err(Refusal::ItemGone);
        }
        let give = self.books.wanted_items(new.from, &new.give)?;
        let ask = self.books.wanted_items(new.to, &new.ask)?;
        self.books.check_limits(new.from, new.to)?;
        self.check_room(&Deal { who: new.from, partner: new.to, give: &give, ask: &ask })?;
        let needs_confirmation = new.on_phone && !give.is_empty();
        let offer = Offer {
            id: OfferId::fresh(),
            from: new.from,
            to: new.to,
            message: new.message,
            give,
            ask,
            state: OfferState::NeedsConfirmation,
            created: now.secs(),
            updated: now.secs(),
            expires: now.secs() + OFFER_LIFETIME_SECS,
            escrow_end: 0,
            trade: None,
            was_active: false,
            needs_confirmation,
            delay_settlement: false,
            before: None,
        };
        let delay_settlement = self.protection.settles(offer.items(), now).is_some();
        let offer = Offer { delay_settlement, ..offer };
        let id = offer.id;
        self.agenda.at(SimTime(offer.expires * 1000), Task::Expire(id));
        self.books.add_offer(offer);
        if needs_confirmation {
            self.confirmations.add_send(id, new.from, now);
            self.tell_of_offer(new.from, NotificationKind::MobileConfirmation, id, now);
        } else {
            self.activate(id, now);
        }
        Ok(id)
    }

    /// Shows a sent offer to its recipient, who may answer from now on.
    pub(crate) fn activate(&mut self, id: OfferId, now: SimTime) {
        self.books.set_state(id, OfferState::Active, now);
        if let Some(offer) = self.books.offers.get_mut(&id) {
            offer.was_active = true;
            let to = offer.to;
            self.tell_of_offer(to, NotificationKind::TradeOffer, id, now);
            self.plan_answer(to, id, now);
        }
    }

    pub(super) fn tell_of_offer(
        &mut self,
        who: SteamId,
        kind: NotificationKind,
        offer: OfferId,
        now: SimTime,
    ) {
        let about = serde_json::json!({ "tradeoffer_id": offer });
        self.notifications.add(who, kind, about, now);
    }

    /// Answers an offer with another one, which ends it.
    ///
    /// # Errors
    /// When it is not theirs to answer, or over, or the new offer is refused.
    pub(crate) fn counter(
        &mut self,
        countered: OfferId,
        new: NewOffer,
        now: SimTime,
    ) -> Result<OfferId, Refusal> {
        let offer = self.books.offers.get(&countered).ok_or(Refusal::Unknown)?;
        if offer.to != new.from || offer.from != new.to || !offer.was_active {
            return Err(Refusal::Unknown);
        }
        if offer.state != OfferState::Active {
            return Err(Refusal::BadState);
        }
        let id = self.send_offer(new, now)?;
        self.finish(countered, OfferState::Countered, now);
        Ok(id)
    }

    /// The recipient, or `who` for the sender, ends a live offer.
    ///
    /// # Errors
    /// When it is not theirs to end in this way, or over.
    pub(crate) fn end_offer(
        &mut self,
        id: OfferId,
        who: SteamId,
        end: End,
        now: SimTime,
    ) -> Result<(), Refusal> {
        let offer = self.books.offers.get(&id).ok_or(Refusal::Unknown)?;
        let (owner, state) = match end {
            End::Cancel => (offer.from, OfferState::Canceled),
            End::Decline => (offer.to, OfferState::Declined),
        };
        let visible = offer.was_active || end == End::Cancel;
        if owner != who || !visible {
            return Err(Refusal::Unknown);
        }
        if !offer.state.is_live() {
            return Err(Refusal::BadState);
        }
        self.finish(id, state, now);
        Ok(())
    }

    /// Ends an offer and forgets the confirmations which wait for it.
    pub(crate) fn finish(&mut self, id: OfferId, state: OfferState, now: SimTime) {
        self.books.set_state(id, state, now);
        self.confirmations.drop_offer(id);
    }
}

/// The two ways to end an offer without a trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Cancel,
    Decline,
}

impl Books {
    /// The offer of this id.
    pub fn offer(&self, id: OfferId) -> Option<&Offer> {
        self.offers.get(&id)
    }

    /// All offers, oldest first.
    pub fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.offers.values()
    }

    /// The offers an account sent, oldest first.
    pub fn offers_from(&self, account: SteamId) -> impl Iterator<Item = &Offer> {
        self.offers().filter(move |offer| offer.from == account)
    }

    /// How many offers carry `marker` in their message. A promise kept exactly once has one offer
    /// in state [`OfferState::Accepted`].
    pub fn offers_marked<'a>(&'a self, marker: &'a str) -> impl Iterator<Item = &'a Offer> {
        self.offers().filter(move |offer| offer.message.contains(marker))
    }

    /// The offers of an account which are live or were updated at or after `since`, oldest update
    /// first.
    pub(crate) fn offers_since(&self, account: SteamId, since: i64) -> Vec<&Offer> {
        let Some(index) = self.offer_index.get(&account) else { return Vec::new() };
        let live = index.live.iter().filter_map(|id| self.offer(*id));
        let old_live = live.filter(|offer| offer.updated < since);
        let recent = index.by_update.range((since, OfferId(0))..);
        old_live.chain(recent.filter_map(|(_, id)| self.offer(*id))).collect()
    }

    fn wanted_items(&self, owner: SteamId, wanted: &[Wanted]) -> Result<Vec<OfferItem>, Refusal> {
        let mut seen = BTreeSet::new();
        let item = |wanted: &Wanted| {
            let holder = InventoryKey { owner, app: wanted.app, context: wanted.context };
            let asset = self.held(holder, wanted.id, wanted.amount)?;
            let tradable = asset.protected_until.is_none()
                && self.class(asset.class)?.tradable()
                && seen.insert(asset.key);
            let (key, context, class) = (asset.key, asset.context, asset.class);
            tradable.then_some(OfferItem { key, context, amount: wanted.amount, class })
        };
        wanted.iter().map(item).collect::<Option<_>>().ok_or(Refusal::ItemGone)
    }

    fn check_limits(&self, from: SteamId, to: SteamId) -> Result<(), Refusal> {
        let index = self.offer_index.get(&from);
        let live = index.into_iter().flat_map(|index| &index.live);
        let sent = live.filter_map(|id| self.offer(*id)).filter(|offer| offer.from == from);
        let (mut total, mut with_partner) = (0, 0);
        for offer in sent {
            total += 1;
            with_partner += usize::from(offer.to == to);
        }
        if with_partner >= OFFERS_PER_PARTNER_MAX {
            return Err(Refusal::TooManyWithPartner);
        }
        if total >= OFFERS_SENT_MAX { Err(Refusal::TooManyInTotal) } else { Ok(()) }
    }

    fn add_offer(&mut self, offer: Offer) {
        for account in [offer.from, offer.to] {
            let index = self.offer_index.entry(account).or_default();
            index.live.insert(offer.id);
            index.by_update.insert((offer.updated, offer.id));
        }
        self.offers.insert(offer.id, offer);
    }

    pub(crate) fn set_state(&mut self, id: OfferId, next: OfferState, now: SimTime) {
        let Some(offer) = self.offers.get_mut(&id) else { return };
        let (before, last_update) = (offer.state, offer.updated);
        offer.before = Some((before, last_update));
        offer.state = next;
        offer.updated = now.secs();
        for account in [offer.from, offer.to] {
            let index = self.offer_index.entry(account).or_default();
            index.by_update.remove(&(last_update, id));
            index.by_update.insert((offer.updated, id));
            if !next.is_live() {
                index.live.remove(&id);
            }
        }
        if !before.can_become(next) {
            self.violation(format!("offer {id}: {before:?} became {next:?}"));
        }
    }
}
