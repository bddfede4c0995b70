//! Trades: items change hands, all of them or none, and get new numbers.

use serde::{Serialize, Serializer};

use super::World;
use super::books::{Asset, Books, InventoryKey};
use super::offer_state::OfferState;
use super::offers::{Offer, OfferItem};
use super::people::Task;
use super::protection::PROTECTED_CONTEXT;
use super::refusals::{Deal, Refusal};
use crate::clock::SimTime;
use crate::ids::{AssetId, OfferId, SteamId, TradeId};

const DAY_SECS: i64 = 86_400;

/// Steam's `ETradeStatus`; the numbers are the wire's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum TradeStatus {
    /// The items have arrived.
    Complete = 3,
    /// Steam holds the items.
    InEscrow = 10,
    /// Steam has given the items it held back.
    EscrowRollback = 11,
    /// Taken back under trade protection.
    TradeProtectionRollback = 12,
}

impl TradeStatus {
    fn can_become(self, next: Self) -> bool {
        match self {
            Self::InEscrow => matches!(next, Self::Complete | Self::EscrowRollback),
            Self::Complete => next == Self::TradeProtectionRollback,
            Self::EscrowRollback | Self::TradeProtectionRollback => false,
        }
    }
}

impl Serialize for TradeStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

/// One asset's way through a trade.
#[derive(Clone, Debug, Serialize)]
pub struct Moved {
    /// What was offered, under its old number.
    pub item: OfferItem,
    /// Its number at the new owner, once it has arrived.
    pub new_asset_id: Option<AssetId>,
    /// The context it arrived in: 16 while it is protected.
    pub new_context: Option<u64>,
    /// Its number once it was taken back.
    pub returned_asset_id: Option<AssetId>,
    /// The context it was taken back to.
    pub returned_context: Option<u64>,
}

/// A trade.
#[derive(Clone, Debug, Serialize)]
pub struct Trade {
    /// Its `tradeid`.
    pub id: TradeId,
    /// The offer it came from.
    pub offer: OfferId,
    /// Who sent the offer.
    pub from: SteamId,
    /// Who accepted it.
    pub to: SteamId,
    /// What `from` gave.
    pub given: Vec<Moved>,
    /// What `to` gave.
    pub taken: Vec<Moved>,
    /// Where it stands.
    pub status: TradeStatus,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds of the last change.
    pub modified: i64,
    /// Unix seconds at which its protection ends; `None` when its items are not protected.
    pub settles: Option<i64>,
    /// Whether nobody can take it back any more.
    pub settled: bool,
    /// The trade which took it back.
    pub reversed_by: Option<TradeId>,
}

impl Trade {
    /// The assets of both sides.
    pub fn moved(&self) -> impl Iterator<Item = &Moved> {
        self.given.iter().chain(&self.taken)
    }
}

impl Books {
    /// All trades, oldest first.
    pub fn trades(&self) -> impl Iterator<Item = &Trade> {
        self.trades.values()
    }

    /// The trade of this id.
    pub fn trade(&self, id: TradeId) -> Option<&Trade> {
        self.trades.get(&id)
    }

    /// Changes where a trade stands, in the caller's copy of it.
    pub(super) fn set_status(&mut self, trade: &mut Trade, next: TradeStatus, now: SimTime) {
        if !trade.status.can_become(next) {
            self.violation(format!("trade {}: {:?} became {next:?}", trade.id, trade.status));
        }
        trade.status = next;
        trade.modified = now.secs();
    }

    fn has(&self, owner: SteamId, item: &OfferItem) -> bool {
        let holder = InventoryKey { owner, app: item.key.app, context: item.context };
        self.held(holder, item.key.id, item.amount).is_some()
    }

    /// Whether each side still has what it would give.
    pub(crate) fn can_happen(&self, offer: &Offer) -> bool {
        offer.give.iter().all(|item| self.has(offer.from, item))
            && offer.ask.iter().all(|item| self.has(offer.to, item))
    }

    /// Whether this item of an offer no longer lies where the offer saw it.
    pub(crate) fn is_missing(&self, owner: SteamId, item: &OfferItem) -> bool {
        !self.has(owner, item)
    }
}

impl World {
    /// Carries an active offer out: the items move, or go into escrow if a side has a hold.
    ///
    /// # Errors
    /// When it is over, or an item has moved: then the offer turns invalid.
    pub(crate) fn execute(&mut self, id: OfferId, now: SimTime) -> Result<TradeId, Refusal> {
        let offer = self.books.offer(id).ok_or(Refusal::Unknown)?.clone();
        match offer.state {
            OfferState::Active => {}
            OfferState::Accepted | OfferState::InEscrow => return Err(Refusal::AlreadyAccepted),
            OfferState::InvalidItems => return Err(Refusal::ItemGone),
            OfferState::NeedsConfirmation
            | OfferState::Countered
            | OfferState::Expired
            | OfferState::Canceled
            | OfferState::Declined
            | OfferState::CanceledBySecondFactor
            | OfferState::Reverted => return Err(Refusal::BadState),
        }
        self.check_accept(&offer, now)?;
        if !self.books.can_happen(&offer) {
            self.finish(id, OfferState::InvalidItems, now);
            return Err(Refusal::ItemGone);
        }
        let trade = TradeId::fresh();
        let mut assets = Vec::new();
        for item in offer.items() {
            assets.extend(self.books.take(item.key, item.amount));
        }
        self.open_trade(trade, &offer, now);
        self.books.escrow.insert(trade, assets);
        let hold = self.hold_days(offer.from).max(self.hold_days(offer.to));
        if hold == 0 {
            self.deliver(trade, now);
        } else {
            let end = now.secs() + i64::from(hold) * DAY_SECS;
            self.agenda.at(SimTime(end * 1000), Task::Deliver(trade));
            if let Some(offer) = self.books.offers.get_mut(&id) {
                offer.escrow_end = end;
            }
            self.finish(id, OfferState::InEscrow, now);
        }
        self.spoil(&[offer.from, offer.to], Some(offer.id), now);
        self.books.check("a trade");
        Ok(trade)
    }

    /// Whether the recipient of an offer may accept it now, for what they are and have.
    ///
    /// # Errors
    /// The reason Steam would give; the offer stays as it is.
    pub(crate) fn check_accept(&self, offer: &Offer, now: SimTime) -> Result<(), Refusal> {
        let (who, partner) = (offer.to, offer.from);
        self.check_parties(who, partner, now)?;
        self.check_room(&Deal { who, partner, give: &offer.ask, ask: &offer.give })
    }

    /// Ends the escrow of a trade, of any length: the items arrive under new numbers.
    pub(crate) fn deliver(&mut self, id: TradeId, now: SimTime) {
        let Some(assets) = self.books.escrow.remove(&id) else { return };
        let Some(mut trade) = self.books.trades.get(&id).cloned() else { return };
        let (from, to) = (trade.from, trade.to);
        trade.settles = self.protection.settles(trade.moved().map(|moved| &moved.item), now);
        trade.settled = trade.settles.is_none();
        let mut waiting = assets.into_iter().map(|asset| match trade.settles {
            Some(_) if self.protection.covers(asset.key.app) => {
                let (context, protected_until) = (PROTECTED_CONTEXT, trade.settles);
                Asset { context, protected_until, ..asset }
            }
            Some(_) | None => asset,
        });
        for (moved, new_owner) in trade.given.iter_mut().map(|moved| (moved, to)) {
            arrive(&mut self.books, moved, new_owner, (id, waiting.next()));
        }
        for (moved, new_owner) in trade.taken.iter_mut().map(|moved| (moved, from)) {
            arrive(&mut self.books, moved, new_owner, (id, waiting.next()));
        }
        self.books.set_status(&mut trade, TradeStatus::Complete, now);
        if let Some(end) = trade.settles {
            self.agenda.at(SimTime(end * 1000), Task::Settle(id));
        }
        self.finish(trade.offer, OfferState::Accepted, now);
        self.books.trades.insert(id, trade);
        self.books.check("a delivery");
    }

    fn hold_days(&self, account: SteamId) -> u32 {
        self.accounts.get(account).map_or(0, |account| account.hold_days)
    }

    fn open_trade(&mut self, id: TradeId, offer: &Offer, now: SimTime) {
        let moved = |item: &OfferItem| Moved::of(*item);
        let trade = Trade {
            id,
            offer: offer.id,
            from: offer.from,
            to: offer.to,
            given: offer.give.iter().map(moved).collect(),
            taken: offer.ask.iter().map(moved).collect(),
            status: TradeStatus::InEscrow,
            created: now.secs(),
            modified: now.secs(),
            settles: None,
            settled: false,
            reversed_by: None,
        };
        self.books.trades.insert(id, trade);
        for account in [offer.from, offer.to] {
            self.books.trade_index.entry(account).or_default().push(id);
        }
        if let Some(offer) = self.books.offers.get_mut(&offer.id) {
            offer.trade = Some(id);
        }
    }
}

fn arrive(books: &mut Books, moved: &mut Moved, to: SteamId, parcel: (TradeId, Option<Asset>)) {
    let (trade, asset) = parcel;
    match asset {
        Some(asset) => {
            moved.new_context = Some(asset.context);
            moved.new_asset_id = Some(books.settle(asset, to, trade));
        }
        None => books.violation(format!("trade {trade} lost asset {}", moved.item.key.id)),
    }
}
