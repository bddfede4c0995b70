//! Assignments: promises of items to people, and their delivery.
pub mod census;
pub mod delivery;
pub mod ending;
mod errors;
pub mod failure;
mod filter;
pub mod handover;
pub mod heirs;
pub mod invites;
pub mod limits;
pub mod missing;
pub mod offers;
pub mod ops;
pub mod parts;
pub mod remedies;
pub mod reversal;
pub mod room;
mod schema;
pub mod service;
pub(crate) mod store;
pub mod warnings;
pub mod wire;

use crate::db::Document;
use crate::db::types::{id, text_enum};
use crate::jobs::Job;
use crate::kernel::{AssetId, AssignmentId, BotId, ItemId, Money, OrgId, SteamId, Timestamp};
use diesel::prelude::*;
pub use errors::*;
pub use filter::Filter;

/// The work on a schedule.
pub fn jobs() -> Vec<Job> {
    vec![
        Job::each("expire assignments", ending::overdue, |it| it.id.0, ending::expire),
        Job::each("withdraw offers", room::stale, |it| it.id.0, room::withdraw),
        Job::each(
            "resume deliveries",
            invites::with_trade_url,
            |it| it.id.0,
            invites::resume_with_trade_url,
        ),
        Job::each("settle deliveries", ops::to_settle, |it| it.id.0, ops::settle_due),
    ]
}

id! {
    /// One try to deliver an assignment.
    AttemptId,
}

text_enum! {
    /// How far a delivery is.
    AssignmentState {
        /// Waits for a bot.
        Queued = "QUEUED",
        /// A bot works on it.
        Delivering = "DELIVERING",
        /// An offer waits for the recipient.
        Offered = "OFFERED",
        /// In escrow.
        Held = "HELD",
        /// Needs the recipient or an administrator.
        Blocked = "BLOCKED",
        /// The recipient has the items.
        Delivered = "DELIVERED",
        /// Final: cannot be reversed any more.
        Settled = "SETTLED",
        /// Final: reversed on Steam.
        Reversed = "REVERSED",
        /// Final: given up.
        Failed = "FAILED",
        /// Final: cancelled.
        Cancelled = "CANCELLED",
        /// Final: not claimed in time.
        Expired = "EXPIRED",
    }
}

impl AssignmentState {
    /// Whether an assignment may go from this state to `next`: the only table of its kind.
    pub fn can_become(self, next: Self) -> bool {
        use AssignmentState::{
            Blocked, Cancelled, Delivered, Delivering, Expired, Failed, Held, Offered, Queued,
            Reversed, Settled,
        };
        match self {
            Queued => matches!(next, Delivering | Blocked | Cancelled | Expired),
            Delivering => matches!(
                next,
                Queued | Offered | Held | Delivered | Blocked | Failed | Cancelled | Expired
            ),
            Offered => {
                matches!(next, Queued | Held | Delivered | Blocked | Failed | Cancelled | Expired)
            }
            Held => matches!(next, Queued | Delivered | Blocked | Failed | Cancelled | Expired),
            Blocked => matches!(next, Queued | Failed | Cancelled | Expired),
            Delivered => matches!(next, Settled | Reversed),
            Settled | Reversed | Failed | Cancelled | Expired => false,
        }
    }

    /// Whether nothing comes after it.
    pub fn is_final(self) -> bool {
        Self::ALL.iter().all(|next| !self.can_become(*next))
    }
}

text_enum! {
    /// How an assignment shall end once its offer is out of the way.
    Ending {
        /// Somebody cancelled it.
        Cancelled = "CANCELLED",
        /// Its time is over.
        Expired = "EXPIRED",
    }
}

impl Ending {
    /// The state it ends in.
    pub fn state(self) -> AssignmentState {
        match self {
            Self::Cancelled => AssignmentState::Cancelled,
            Self::Expired => AssignmentState::Expired,
        }
    }
}

text_enum! {
    /// Why an assignment is blocked or failed: a closed list, each with its remedy.
    BlockedReason {
        /// No trade URL and no friendship.
        TradeUrlNeeded = "TRADE_URL_NEEDED",
        /// Banned from trading.
        RecipientTradeBanned = "RECIPIENT_TRADE_BANNED",
        /// Full or private inventory, or a restriction.
        RecipientCannotReceive = "RECIPIENT_CANNOT_RECEIVE",
        /// Trade hold.
        HoldTooLong = "HOLD_TOO_LONG",
        /// Declined.
        OfferDeclined = "OFFER_DECLINED",
        /// Countered.
        OfferCountered = "OFFER_COUNTERED",
        /// Ran out on Steam.
        OfferExpired = "OFFER_EXPIRED",
        /// An item is gone.
        ItemMissing = "ITEM_MISSING",
        /// The bot may not trade.
        BotRestricted = "BOT_RESTRICTED",
        /// Not confirmed.
        NotConfirmed = "NOT_CONFIRMED",
        /// Steam failed too often.
        SteamUnavailable = "STEAM_UNAVAILABLE",
        /// Something new.
        Other = "OTHER",
        /// Full inventory.
        RecipientInventoryFull = "RECIPIENT_INVENTORY_FULL",
        /// Private inventory.
        RecipientInventoryPrivate = "RECIPIENT_INVENTORY_PRIVATE",
        /// The stored trade URL is not valid any more.
        TradeUrlInvalid = "TRADE_URL_INVALID",
        /// The friend invitation waits.
        InviteNotAccepted = "INVITE_NOT_ACCEPTED",
        /// The bot logged in from a new device.
        BotNewDevice = "BOT_NEW_DEVICE",
        /// An item became a stack.
        Stack = "STACK",
    }
}

text_enum! {
    /// How far one item of an assignment is.
    DeliveryStatus {
        /// Not yet.
        Pending = "pending",
        /// With the recipient.
        Delivered = "delivered",
        /// Back in the pool, or passed on.
        Returned = "returned",
        /// Delivered, and back in the pool since the trade was reversed.
        Reversed = "reversed",
    }
}

text_enum! {
    /// How far an attempt is.
    Phase {
        /// Nothing was asked of Steam.
        Planned = "PLANNED",
        /// The offer may have been sent.
        Started = "STARTED",
        /// On Steam; it may need the confirmation.
        Sent = "SENT",
        /// The recipient sees it.
        Offered = "OFFERED",
        /// In escrow.
        Held = "HELD",
        /// Over: delivered.
        Delivered = "DELIVERED",
        /// Over: nothing moved.
        Ended = "ENDED",
    }
}

/// A promise of items to one Steam user.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = schema::assignments, treat_none_as_default_value = false)]
pub struct Assignment {
    /// Id.
    pub id: AssignmentId,
    /// Owner.
    pub org_id: OrgId,
    /// Recipient.
    pub user_id: SteamId,
    /// Bot that delivers the next part: the items that it holds.
    pub bot_id: BotId,
    /// Kind.
    pub assignment_type: String,
    /// Reason shown to the recipient.
    pub assignment_reason: String,
    /// System that asked.
    pub external_system: Option<String>,
    /// Id in that system.
    pub external_id: Option<String>,
    /// What the system keeps.
    pub external_context: Document,
    /// Higher goes first.
    pub assignment_priority: i32,
    /// State.
    pub state: AssignmentState,
    /// How it shall end once its offer is out of the way.
    pub ending: Option<Ending>,
    /// Why it is blocked or failed.
    pub blocked_reason: Option<BlockedReason>,
    /// For people.
    pub status_message: String,
    /// How many items.
    pub total_items_count: i32,
    /// Sum of the values.
    pub total_estimated_value: Option<i64>,
    /// Its currency.
    pub total_currency: Option<String>,
    /// Attempts so far.
    pub delivery_attempts: i32,
    /// Attempts since a person or an event gave the delivery a new chance; these are limited.
    pub tries: i32,
    /// Offer of the last attempt.
    pub delivery_trade_offer_id: Option<String>,
    /// What the last failed attempt said.
    pub delivery_error_message: Option<String>,
    /// When it was assigned.
    pub assigned_at: Timestamp,
    /// When a bot first worked on it.
    pub processing_started_at: Option<Timestamp>,
    /// Last attempt.
    pub last_delivery_attempt_at: Option<Timestamp>,
    /// Not tried before.
    pub next_attempt_at: Timestamp,
    /// Delivery.
    pub delivered_at: Option<Timestamp>,
    /// End of the trade protection.
    pub settles_at: Option<Timestamp>,
    /// Failure.
    pub failed_at: Option<Timestamp>,
    /// Cancellation or expiry.
    pub cancelled_at: Option<Timestamp>,
    /// Reversal on Steam.
    pub reversed_at: Option<Timestamp>,
    /// Who gets the items, in turn, when it expires: SteamIDs.
    pub runner_up_user_ids: Document,
    /// Who gets the items once the offer is withdrawn; see [`heirs::Heir`].
    pub heir: Option<Document>,
    /// Assignment whose items passed on to this one.
    pub predecessor_id: Option<AssignmentId>,
    /// Assignment to which the items passed on.
    pub successor_id: Option<AssignmentId>,
    /// When it expires unclaimed.
    pub expires_at: Timestamp,
    /// Counts the changes.
    pub version: i64,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

impl Assignment {
    /// Opaque version for optimistic concurrency.
    pub fn etag(&self) -> String {
        format!("v{}", self.version)
    }

    /// Sum of the values at creation.
    pub fn total_value(&self) -> Option<Money> {
        Money::from_columns(self.total_estimated_value, self.total_currency.clone())
    }
}

/// What an update may change of an assignment; `None` leaves a column as it is.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = schema::assignments)]
pub struct Changes {
    /// Bot of the next part.
    pub bot_id: Option<BotId>,
    /// State.
    pub state: Option<AssignmentState>,
    /// Ending.
    pub ending: Option<Option<Ending>>,
    /// Reason.
    pub blocked_reason: Option<Option<BlockedReason>>,
    /// For people.
    pub status_message: Option<String>,
    /// Attempts.
    pub delivery_attempts: Option<i32>,
    /// Attempts that count.
    pub tries: Option<i32>,
    /// Offer.
    pub delivery_trade_offer_id: Option<Option<String>>,
    /// Error.
    pub delivery_error_message: Option<Option<String>>,
    /// First work.
    pub processing_started_at: Option<Option<Timestamp>>,
    /// Last attempt.
    pub last_delivery_attempt_at: Option<Option<Timestamp>>,
    /// Not before.
    pub next_attempt_at: Option<Timestamp>,
    /// Delivery.
    pub delivered_at: Option<Option<Timestamp>>,
    /// Settlement.
    pub settles_at: Option<Option<Timestamp>>,
    /// Failure.
    pub failed_at: Option<Option<Timestamp>>,
    /// Cancellation.
    pub cancelled_at: Option<Option<Timestamp>>,
    /// Reversal.
    pub reversed_at: Option<Option<Timestamp>>,
    /// Heir.
    pub heir: Option<Option<Document>>,
    /// Successor.
    pub successor_id: Option<Option<AssignmentId>>,
}

impl Changes {
    /// A move to `state`, with what is told to people.
    pub fn to(state: AssignmentState, status_message: impl Into<String>) -> Self {
        Self {
            state: Some(state),
            blocked_reason: Some(None),
            status_message: Some(status_message.into()),
            ..Self::default()
        }
    }
}

/// One item of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::assignment_items, treat_none_as_default_value = false)]
pub struct AssignmentItem {
    /// Assignment.
    pub assignment_id: AssignmentId,
    /// Item.
    pub item_id: ItemId,
    /// Owner.
    pub org_id: OrgId,
    /// Name then.
    pub item_name_at_assignment: String,
    /// Value then.
    pub item_value_at_assignment: Option<i64>,
    /// Its currency.
    pub item_currency: Option<String>,
    /// How far.
    pub delivery_status: DeliveryStatus,
    /// Delivery.
    pub delivered_at: Option<Timestamp>,
    /// Asset id before the delivery, by which a reversed trade names it.
    pub given_asset_id: Option<AssetId>,
    /// The recipient's asset id.
    pub delivered_asset_id: Option<AssetId>,
    /// When it was assigned.
    pub created_at: Timestamp,
    /// Bot that holds or held it: an item stays with its bot until it is delivered.
    #[diesel(select_expression = crate::items::schema::items::bot_id, skip_insertion)]
    pub bot_id: BotId,
}

/// One try to deliver an assignment: the ledger row that is written before Steam is asked.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = schema::delivery_attempts, treat_none_as_default_value = false)]
pub struct Attempt {
    /// Id.
    pub id: AttemptId,
    /// Owner.
    pub org_id: OrgId,
    /// Assignment.
    pub assignment_id: AssignmentId,
    /// Bot.
    pub bot_id: BotId,
    /// Recipient.
    pub user_id: SteamId,
    /// 1, 2, 3…
    pub number: i32,
    /// Phase.
    pub phase: Phase,
    /// By which the offer is found again.
    pub marker: String,
    /// Offer.
    pub trade_offer_id: Option<String>,
    /// Trade.
    pub trade_id: Option<String>,
    /// Why it ended.
    pub failure: Option<String>,
    /// What Steam said.
    pub error_message: Option<String>,
    /// The offer shall be withdrawn.
    pub cancel_wanted: bool,
    /// When the offer has waited long enough for the recipient; none before it is out.
    pub withdraw_at: Option<Timestamp>,
    /// When Steam was first asked.
    pub started_at: Option<Timestamp>,
    /// End.
    pub ended_at: Option<Timestamp>,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_states_is_decided_as_the_design_says() {
        let allowed = [
            ("QUEUED", "DELIVERING BLOCKED CANCELLED EXPIRED"),
            ("DELIVERING", "QUEUED OFFERED HELD DELIVERED BLOCKED FAILED CANCELLED EXPIRED"),
            ("OFFERED", "QUEUED HELD DELIVERED BLOCKED FAILED CANCELLED EXPIRED"),
            ("HELD", "QUEUED DELIVERED BLOCKED FAILED CANCELLED EXPIRED"),
            ("BLOCKED", "QUEUED FAILED CANCELLED EXPIRED"),
            ("DELIVERED", "SETTLED REVERSED"),
            ("SETTLED", ""),
            ("REVERSED", ""),
            ("FAILED", ""),
            ("CANCELLED", ""),
            ("EXPIRED", ""),
        ];
        assert_eq!(allowed.len(), AssignmentState::ALL.len());
        for (from, nexts) in allowed {
            let from: AssignmentState = from.parse().unwrap();
            for next in AssignmentState::ALL {
                let expected = nexts.split(' ').any(|n| n == next.as_str());
                assert_eq!(from.can_become(*next), expected, "{from} to {next}");
            }
            assert_eq!(from.is_final(), nexts.is_empty(), "{from}");
        }
    }
}
