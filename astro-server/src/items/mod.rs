//! Items: Steam assets, followed through their life.
pub mod asset;
pub mod census;
mod errors;
pub mod limits;
pub mod ops;
pub mod reservations;
pub mod returns;
pub(crate) mod schema;
pub mod service;
pub(crate) mod store;
pub mod wire;

use crate::db::Document;
use crate::db::types::{id, text_enum};
use crate::jobs::Job;
use crate::kernel::{
    AssetId, AssignmentId, BotId, Error, ItemId, Money, OrgId, Reach, Result, SteamId, Timestamp,
};
use diesel::prelude::*;
pub use errors::*;

/// The work on a schedule.
pub fn jobs() -> Vec<Job> {
    let id = |it: &Reservation| it.id.0;
    vec![
        Job::each("pull back reservations", ops::reservations_ahead, id, ops::pull_back),
        Job::each("expire reservations", ops::overdue, id, ops::expire),
    ]
}

id! {
    /// A reservation.
    ReservationId,
}

text_enum! {
    /// Where an item is in its life.
    ItemState {
        /// Accepted in a trade; its new asset id is not known yet.
        Pending = "PENDING",
        /// In a bot's inventory and free.
        Available = "AVAILABLE",
        /// Held by a reservation.
        Reserved = "RESERVED",
        /// Part of an assignment that no offer is out for.
        Assigned = "ASSIGNED",
        /// In an outgoing offer, or in one that may have been sent.
        InOffer = "IN_OFFER",
        /// With Steam until the trade hold ends.
        InEscrow = "IN_ESCROW",
        /// With its recipient.
        Delivered = "DELIVERED",
        /// Twice not seen in the bot's inventory.
        Missing = "MISSING",
        /// Taken out by an administrator.
        Withdrawn = "WITHDRAWN",
        /// Needs a person: it cannot be traded, or it is a stack.
        Quarantined = "QUARANTINED",
    }
}

impl ItemState {
    /// Whether an item may go from this state to `next`: the only table of its kind.
    pub fn can_become(self, next: Self) -> bool {
        use ItemState::{
            Assigned, Available, Delivered, InEscrow, InOffer, Missing, Pending, Quarantined,
            Reserved, Withdrawn,
        };
        match self {
            Pending => matches!(next, Available | Quarantined | Missing | Withdrawn),
            Available => matches!(next, Reserved | Assigned | Missing | Withdrawn | Quarantined),
            Reserved => matches!(next, Available | Assigned | Missing | Quarantined),
            Assigned => matches!(next, Available | InOffer | Missing | Quarantined),
            InOffer => matches!(next, Available | Assigned | InEscrow | Delivered),
            InEscrow => matches!(next, Available | Assigned | Delivered),
            // A reversed trade brings it back; it is missing until its new asset id is known.
            Delivered => matches!(next, Available | Missing),
            Missing => {
                matches!(next, Available | Reserved | Assigned | Withdrawn | Quarantined | Pending)
            }
            // Seen again after all: where it was promised before, if that waits still.
            Withdrawn => matches!(next, Available | Reserved | Assigned | Quarantined),
            Quarantined => matches!(next, Available | Reserved | Assigned | Withdrawn | Missing),
        }
    }

    /// Whether the item is in the bot's inventory as far as the books say, and stays there by
    /// itself: then a complete inventory must show it.
    pub fn is_in_inventory(self) -> bool {
        match self {
            Self::Available
            | Self::Reserved
            | Self::Assigned
            | Self::Missing
            | Self::Quarantined => true,
            Self::Pending | Self::InOffer | Self::InEscrow | Self::Delivered | Self::Withdrawn => {
                false
            }
        }
    }
}

text_enum! {
    /// How far a reservation is.
    ReservationState {
        /// Holds its items.
        Held = "HELD",
        /// An assignment took its items.
        Used = "USED",
        /// Given back.
        Released = "RELEASED",
        /// Ran out.
        Expired = "EXPIRED",
    }
}

/// One Steam asset.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = schema::items, treat_none_as_default_value = false)]
pub struct Item {
    /// Id.
    pub id: ItemId,
    /// Owner.
    pub org_id: OrgId,
    /// Bot that holds it, or that delivered it.
    pub bot_id: BotId,
    /// State.
    pub state: ItemState,
    /// Steam application.
    pub steam_app_id: i32,
    /// Inventory context.
    pub steam_context_id: AssetId,
    /// Asset id now; none while it is not known.
    pub steam_asset_id: Option<AssetId>,
    /// Class id.
    pub steam_class_id: AssetId,
    /// Instance id.
    pub steam_instance_id: AssetId,
    /// Amount on Steam; with another one than 1 it is a stack.
    pub amount: i64,
    /// Market hash name.
    pub market_hash_name: String,
    /// Name for people.
    pub item_name: String,
    /// Type.
    pub item_type: String,
    /// Rarity.
    pub item_rarity: String,
    /// Value in minor units.
    pub market_value: Option<i64>,
    /// Currency of the value.
    pub market_currency: Option<String>,
    /// Steam's description.
    pub steam_metadata: Document,
    /// Labels of clients.
    pub labels: Document,
    /// Metadata of clients.
    pub custom_metadata: Document,
    /// Earliest time it can be traded; none: now.
    pub tradable_at: Option<Timestamp>,
    /// When the bot received it.
    pub received_at: Timestamp,
    /// Donor.
    pub received_from_user_id: Option<SteamId>,
    /// "donation", "trade" or "sync".
    pub received_via: String,
    /// Offer that brought it.
    pub received_trade_offer_id: Option<String>,
    /// Asset id it had with the donor.
    pub received_asset_id: Option<AssetId>,
    /// Recipient.
    pub assigned_to_user_id: Option<SteamId>,
    /// When it was assigned.
    pub assigned_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// Offer it is in, or was delivered in.
    pub delivery_trade_offer_id: Option<String>,
    /// Reservation that holds it.
    pub reservation_id: Option<ReservationId>,
    /// Assignment it belongs to.
    pub assignment_id: Option<AssignmentId>,
    /// First complete read that did not show it.
    pub missing_since: Option<Timestamp>,
    /// Counts the changes.
    pub version: i64,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

impl Item {
    /// Opaque version for optimistic concurrency.
    pub fn etag(&self) -> String {
        format!("v{}", self.version)
    }

    /// Its value, if clients set one.
    pub fn value(&self) -> Option<Money> {
        Money::from_columns(self.market_value, self.market_currency.clone())
    }

    /// Whether it is a stack, of which nothing is given away: see [`asset::SeenAsset::is_stack`].
    pub fn is_stack(&self) -> bool {
        self.amount != 1
    }

    /// The state as a refusal tells it.
    pub fn shown_state(&self) -> String {
        if self.is_stack() {
            format!("{}, a stack of {}", self.state, self.amount)
        } else {
            self.state.to_string()
        }
    }

    /// Passes when the item is free and can be traded now.
    ///
    /// # Errors
    /// `ITEM_NOT_AVAILABLE` with the state.
    pub fn must_be_free(&self, now: Timestamp) -> Result<()> {
        let state = match (self.state, self.tradable_at) {
            (ItemState::Available, Some(at)) if at > now => format!("not tradable before {at}"),
            (ItemState::Available, _) if !self.is_stack() => return Ok(()),
            _ => self.shown_state(),
        };
        Err(not_available(self.id, state))
    }
}

/// What a comparison with an inventory wants of an item: a bot can have a hundred thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = schema::items)]
pub struct Booked {
    /// Id.
    pub id: ItemId,
    /// State.
    pub state: ItemState,
    /// Steam application.
    pub steam_app_id: i32,
    /// Inventory context.
    pub steam_context_id: AssetId,
    /// Asset id now; none while it is not known.
    pub steam_asset_id: Option<AssetId>,
    /// Amount on Steam.
    pub amount: i64,
    /// Earliest time of trade; none: now.
    pub tradable_at: Option<Timestamp>,
    /// Assignment that has it.
    pub assignment_id: Option<AssignmentId>,
    /// When it was first not seen.
    pub missing_since: Option<Timestamp>,
    /// Number of changes.
    pub version: i64,
    /// Last change.
    pub updated_at: Timestamp,
}

impl Booked {
    /// Whether it is a stack: see [`Item::is_stack`].
    pub fn is_stack(&self) -> bool {
        self.amount != 1
    }
}

/// What an update may change of an item; `None` leaves a column as it is.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = schema::items)]
pub struct Changes {
    /// State.
    pub state: Option<ItemState>,
    /// Amount.
    pub amount: Option<i64>,
    /// Context.
    pub steam_context_id: Option<AssetId>,
    /// Asset id.
    pub steam_asset_id: Option<Option<AssetId>>,
    /// Value.
    pub market_value: Option<Option<i64>>,
    /// Currency.
    pub market_currency: Option<Option<String>>,
    /// Steam's description.
    pub steam_metadata: Option<Document>,
    /// Labels.
    pub labels: Option<Document>,
    /// Metadata.
    pub custom_metadata: Option<Document>,
    /// Earliest time of trade.
    pub tradable_at: Option<Option<Timestamp>>,
    /// Who gave it.
    pub received_from_user_id: Option<Option<SteamId>>,
    /// How it came.
    pub received_via: Option<String>,
    /// Recipient.
    pub assigned_to_user_id: Option<Option<SteamId>>,
    /// Assignment time.
    pub assigned_at: Option<Option<Timestamp>>,
    /// Delivery time.
    pub delivered_at: Option<Option<Timestamp>>,
    /// Offer.
    pub delivery_trade_offer_id: Option<Option<String>>,
    /// Reservation.
    pub reservation_id: Option<Option<ReservationId>>,
    /// Assignment.
    pub assignment_id: Option<Option<AssignmentId>>,
    /// First read without it.
    pub missing_since: Option<Option<Timestamp>>,
}

impl Changes {
    /// A move to `state` and nothing else.
    pub fn to(state: ItemState) -> Self {
        Self { state: Some(state), ..Self::default() }
    }

    /// Back to the pool: nobody's any more.
    pub fn freed() -> Self {
        Self {
            reservation_id: Some(None),
            assignment_id: Some(None),
            assigned_to_user_id: Some(None),
            assigned_at: Some(None),
            delivery_trade_offer_id: Some(None),
            ..Self::to(ItemState::Available)
        }
    }
}

/// A hold on items with a time limit.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = schema::reservations, treat_none_as_default_value = false)]
pub struct Reservation {
    /// Id.
    pub id: ReservationId,
    /// Owner.
    pub org_id: OrgId,
    /// State.
    pub state: ReservationState,
    /// Key or session that asked for it.
    pub api_key_id: String,
    /// The same as the event log names it; empty if a server of the version before recorded it.
    pub source: String,
    /// How many items were reserved; 0 if such a server recorded it.
    pub items_count: i32,
    /// Assignment that took the items.
    pub assignment_id: Option<AssignmentId>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Creation.
    pub created_at: Timestamp,
}

/// Which items are wanted. Fields are ANDed; values of one field are ORed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// States.
    pub states: Vec<ItemState>,
    /// Steam applications.
    pub apps: Vec<i32>,
    /// Exact market hash names.
    pub market_hash_names: Vec<String>,
    /// Bots.
    pub bots: Vec<BotId>,
    /// Donor.
    pub donor: Option<SteamId>,
    /// Recipient.
    pub recipient: Option<SteamId>,
    /// Part of the name, without case.
    pub text: String,
    /// Only what can be traded at this time.
    pub tradable_at: Option<Timestamp>,
}

impl Filter {
    /// The part of it that an index leads to in this order; what the rest takes is looked for there.
    pub(crate) fn led(&self, reach: Reach, order: Order) -> Self {
        let by_age = matches!(order, Order::Newest | Order::Oldest);
        let mut led = Self::default();
        if !by_age || !matches!(reach, Reach::Organization(_)) {
            return led;
        }
        if self.recipient.is_some() {
            led.recipient = self.recipient;
        } else if self.donor.is_some() {
            led.donor = self.donor;
        } else if self.market_hash_names.len() == 1 {
            led.market_hash_names.clone_from(&self.market_hash_names);
        } else if self.states.len() == 1 {
            led.states.clone_from(&self.states);
        }
        led
    }
}

/// Order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
    /// By name.
    Name,
    /// By name, from the end.
    NameDescending,
}

impl Order {
    /// Reads `order_by`.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming it.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "" | "create_time desc" => Ok(Self::Newest),
            "create_time" => Ok(Self::Oldest),
            "item_name" => Ok(Self::Name),
            "item_name desc" => Ok(Self::NameDescending),
            _ => Err(Error::invalid(
                "order_by",
                "must be create_time, create_time desc, item_name or item_name desc",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_states_is_decided_as_the_design_says() {
        let allowed = [
            ("PENDING", "AVAILABLE QUARANTINED MISSING WITHDRAWN"),
            ("AVAILABLE", "RESERVED ASSIGNED MISSING WITHDRAWN QUARANTINED"),
            ("RESERVED", "AVAILABLE ASSIGNED MISSING QUARANTINED"),
            ("ASSIGNED", "AVAILABLE IN_OFFER MISSING QUARANTINED"),
            ("IN_OFFER", "AVAILABLE ASSIGNED IN_ESCROW DELIVERED"),
            ("IN_ESCROW", "AVAILABLE ASSIGNED DELIVERED"),
            ("DELIVERED", "AVAILABLE MISSING"),
            ("MISSING", "AVAILABLE RESERVED ASSIGNED WITHDRAWN QUARANTINED PENDING"),
            ("WITHDRAWN", "AVAILABLE RESERVED ASSIGNED QUARANTINED"),
            ("QUARANTINED", "AVAILABLE RESERVED ASSIGNED WITHDRAWN MISSING"),
        ];
        assert_eq!(allowed.len(), ItemState::ALL.len());
        for (from, nexts) in allowed {
            let from: ItemState = from.parse().unwrap();
            for next in ItemState::ALL {
                let expected = nexts.split(' ').any(|n| n == next.as_str());
                assert_eq!(from.can_become(*next), expected, "{from} to {next}");
            }
        }
    }
}
