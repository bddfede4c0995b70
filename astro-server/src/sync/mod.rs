//! The 1:1 match of bot inventories and the database.
//!
//! What becomes of each kind of difference:
//!
//! | kind | by itself | by a person |
//! |---|---|---|
//! | `UNKNOWN_ASSET` | goes into the pool, or waits if the organisation reviews unknown items; gone when the asset leaves | ADOPT, IGNORE |
//! | `MISSING_ASSET` | the item is MISSING, or came back as an asset that is not known (0); gone when it is seen again | WRITE_OFF, IGNORE |
//! | `ASSIGNED_MISSING` | the same, and its assignment is blocked until then; it goes on by itself | WRITE_OFF (gives the assignment up), IGNORE |
//! | `UNKNOWN_TRADE` | the item is MISSING; an assignment is blocked | WRITE_OFF, IGNORE |
//! | `STACK` | stays out of the pool, or the item is QUARANTINED and its assignment blocked; gone when the asset leaves or is a single one | WRITE_OFF (an item; gives its assignment up), IGNORE |
//! | `UNKNOWN_OFFER` | is withdrawn, or waits if the organisation leaves it to a person; gone when the offer ends; never confirmed | CANCEL_OFFER, IGNORE |
//! | `REPORT_REFUSED` | what it is about is ordered again; gone when a report about it is recorded | IGNORE |
//! | `CLAIMED_TWICE` | each bot's books follow what that bot sees; gone when one of them has the asset no more | IGNORE |
pub mod apply;
pub mod claims;
pub mod discrepancies;
mod errors;
pub mod history;
pub mod limits;
pub mod offers;
pub mod ops;
pub mod reconcile;
pub mod refusals;
pub mod reversals;
pub mod schedule;
mod schema;
pub mod service;
pub mod stacks;
pub(crate) mod store;

#[cfg(test)]
mod tests;

use crate::db::Document;
use crate::db::types::{id, text_enum};
use crate::jobs::Job;
use crate::kernel::{AssetId, AssignmentId, BotId, ItemId, OrgId, SteamId, Timestamp};
use diesel::prelude::*;
pub use errors::*;

/// The work on a schedule.
pub fn jobs() -> Vec<Job> {
    vec![
        Job::forget("forget old trades", history::forget),
        Job::forget("forget old reversals", reversals::forget),
    ]
}

id! {
    /// A sync run.
    SyncId,
    /// A difference between Steam and the database.
    DiscrepancyId,
}

text_enum! {
    /// How far a run is.
    SyncState {
        /// Waits for the bot.
        Pending = "PENDING",
        /// The bot reads.
        Running = "RUNNING",
        /// Done.
        Succeeded = "SUCCEEDED",
        /// Failed; nothing was changed.
        Failed = "FAILED",
    }
}

text_enum! {
    /// Why a run was asked for.
    Trigger {
        /// A worker connected.
        Session = "session",
        /// Its time came.
        Schedule = "schedule",
        /// A trade was made.
        Trade = "trade",
        /// A run or a delivery failed.
        Failure = "failure",
        /// Somebody asked.
        Request = "request",
    }
}

text_enum! {
    /// How Steam and the database differ.
    DiscrepancyKind {
        /// On Steam, not here.
        UnknownAsset = "UNKNOWN_ASSET",
        /// Here, not on Steam.
        MissingAsset = "MISSING_ASSET",
        /// Assigned here, gone from Steam.
        AssignedMissing = "ASSIGNED_MISSING",
        /// Gone from Steam by a trade that Astro did not make.
        UnknownTrade = "UNKNOWN_TRADE",
        /// An offer of the account that Astro did not send.
        UnknownOffer = "UNKNOWN_OFFER",
        /// An asset with another amount than 1.
        Stack = "STACK",
        /// A report of the bot that cannot be recorded.
        ReportRefused = "REPORT_REFUSED",
        /// Here, and in the books of another bot too.
        ClaimedTwice = "CLAIMED_TWICE",
    }
}

text_enum! {
    /// What was done about a difference.
    Resolution {
        /// Taken into the pool.
        Adopt = "ADOPT",
        /// Recorded as gone.
        WriteOff = "WRITE_OFF",
        /// Left alone.
        Ignore = "IGNORE",
        /// Went away by itself.
        Vanished = "VANISHED",
        /// The offer is withdrawn.
        CancelOffer = "CANCEL_OFFER",
    }
}

impl DiscrepancyKind {
    /// What a person can do about it.
    pub fn remedies(self) -> impl Iterator<Item = Resolution> {
        Resolution::ALL.iter().copied().filter(move |resolution| self.takes(*resolution))
    }

    /// Whether a person may resolve it so.
    pub fn takes(self, resolution: Resolution) -> bool {
        match resolution {
            Resolution::Adopt => self == Self::UnknownAsset,
            Resolution::WriteOff => match self {
                Self::MissingAsset | Self::AssignedMissing | Self::UnknownTrade | Self::Stack => {
                    true
                }
                Self::UnknownAsset
                | Self::UnknownOffer
                | Self::ReportRefused
                | Self::ClaimedTwice => false,
            },
            Resolution::CancelOffer => self == Self::UnknownOffer,
            Resolution::Ignore => true,
            Resolution::Vanished => false,
        }
    }
}

/// One run: a row of the inventory sync log.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = schema::inventory_sync_log, treat_none_as_default_value = false)]
pub struct Sync {
    /// Id.
    pub id: SyncId,
    /// Organisation.
    pub org_id: OrgId,
    /// Bot.
    pub bot_id: BotId,
    /// Why it was asked for.
    pub sync_trigger: Trigger,
    /// State.
    pub sync_status: SyncState,
    /// Start.
    pub sync_started_at: Option<Timestamp>,
    /// End.
    pub sync_completed_at: Option<Timestamp>,
    /// Assets on Steam.
    pub steam_inventory_count: i32,
    /// Items in the pool.
    pub database_available_count: i32,
    /// Items promised.
    pub database_assigned_count: i32,
    /// Items delivered.
    pub database_delivered_count: i32,
    /// All items of the bot.
    pub database_total_count: i32,
    /// Adopted.
    pub items_added_count: i32,
    /// Recorded as missing.
    pub items_removed_count: i32,
    /// Corrected.
    pub items_updated_count: i32,
    /// How far books and Steam agreed before it, in millionths.
    pub accuracy_ppm: i32,
    /// Left open.
    pub discrepancies_found: i32,
    /// What went wrong.
    pub error_message: Option<String>,
    /// More about it.
    pub error_details: Document,
    /// Milliseconds.
    pub sync_duration_ms: i32,
    /// When it was asked for.
    pub created_at: Timestamp,
}

impl Sync {
    /// A run that waits for the bot.
    pub fn new(id: SyncId, org: OrgId, bot: BotId, trigger: Trigger, now: Timestamp) -> Self {
        Self {
            id,
            org_id: org,
            bot_id: bot,
            sync_trigger: trigger,
            sync_status: SyncState::Pending,
            sync_started_at: None,
            sync_completed_at: None,
            steam_inventory_count: 0,
            database_available_count: 0,
            database_assigned_count: 0,
            database_delivered_count: 0,
            database_total_count: 0,
            items_added_count: 0,
            items_removed_count: 0,
            items_updated_count: 0,
            accuracy_ppm: 0,
            discrepancies_found: 0,
            error_message: None,
            error_details: Document(serde_json::json!({})),
            sync_duration_ms: 0,
            created_at: now,
        }
    }

    /// When the bot began to read, as the server knows it: not before it was asked.
    pub fn read_started(&self) -> Timestamp {
        self.sync_started_at.unwrap_or(self.created_at)
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = schema::discrepancies, treat_none_as_default_value = false)]
pub struct Discrepancy {
    /// Id.
    pub id: DiscrepancyId,
    /// Organisation.
    pub org_id: OrgId,
    /// Bot.
    pub bot_id: BotId,
    /// Run that found it; none when no run did.
    pub sync_id: Option<SyncId>,
    /// Kind.
    pub kind: DiscrepancyKind,
    /// Item, if known.
    pub item_id: Option<ItemId>,
    /// Application.
    pub app_id: i32,
    /// Asset.
    pub asset_id: AssetId,
    /// Name for people.
    pub item_name: String,
    /// The asset as it was seen, for one that may be adopted and for a stack; of an item that became
    /// one also its `recorded_amount`.
    pub details: Document,
    /// Trade that took the item away.
    pub trade_id: Option<String>,
    /// The offer, of an unknown one.
    pub trade_offer_id: Option<String>,
    /// The other side of that trade or offer.
    pub user_id: Option<SteamId>,
    /// Whether the offer still can be accepted.
    pub offer_open: bool,
    /// What was done; none while it is open.
    pub resolution: Option<Resolution>,
    /// Note of the person, or how it went away by itself.
    pub note: String,
    /// Found.
    pub created_at: Timestamp,
    /// Resolved.
    pub resolved_at: Option<Timestamp>,
    /// What it is about when that is not the asset alone: of each, one at most is open.
    pub subject: String,
    /// Assignment that is concerned.
    pub assignment_id: Option<AssignmentId>,
}

impl Discrepancy {
    /// What a person can do about it while it is open; a stack is not taken into the pool.
    pub fn remedies(&self) -> impl Iterator<Item = Resolution> {
        let (open, single) = (self.resolution.is_none(), self.amount() == 1);
        self.kind.remedies().filter(move |it| open && (single || *it != Resolution::Adopt))
    }

    /// How many units of the asset Steam showed last; 0 when that was not kept.
    pub fn amount(&self) -> u32 {
        self.number("amount")
    }

    /// How many of them the item had when it was found to be a stack; 0 for no item.
    pub fn recorded_amount(&self) -> u32 {
        self.number("recorded_amount")
    }

    fn number(&self, field: &str) -> u32 {
        let number = self.details.0.get(field).and_then(serde_json::Value::as_u64);
        number.map_or(0, |number| u32::try_from(number).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod resolutions {
    use super::*;

    #[test]
    fn each_kind_takes_the_resolutions_that_make_sense() {
        use DiscrepancyKind::{
            AssignedMissing, ClaimedTwice, MissingAsset, ReportRefused, Stack, UnknownAsset,
            UnknownOffer, UnknownTrade,
        };
        use Resolution::{Adopt, CancelOffer, Ignore, Vanished, WriteOff};
        let allowed = |kind: DiscrepancyKind| kind.remedies().collect::<Vec<_>>();
        assert_eq!(allowed(UnknownAsset), [Adopt, Ignore]);
        assert_eq!(allowed(MissingAsset), [WriteOff, Ignore]);
        assert_eq!(allowed(AssignedMissing), [WriteOff, Ignore]);
        assert_eq!(allowed(UnknownTrade), [WriteOff, Ignore]);
        assert_eq!(allowed(UnknownOffer), [Ignore, CancelOffer]);
        assert_eq!(allowed(Stack), [WriteOff, Ignore]);
        assert_eq!(allowed(ReportRefused), [Ignore]);
        assert_eq!(allowed(ClaimedTwice), [Ignore]);
        assert!(DiscrepancyKind::ALL.iter().all(|kind| !kind.takes(Vanished)));
    }
}
