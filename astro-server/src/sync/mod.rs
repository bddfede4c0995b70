//! The 1:1 match of bot inventories and the database.
pub mod discrepancies;
pub mod ops;
pub mod reconcile;
pub mod service;
pub(crate) mod store;

use crate::db::Document;
use crate::db::types::text_enum;
use crate::kernel::{AssetId, BotId, DiscrepancyId, ItemId, OrgId, SyncId, Timestamp};
use diesel::prelude::*;

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
    /// How Steam and the database differ.
    DiscrepancyKind {
        /// On Steam, not here.
        UnknownAsset = "UNKNOWN_ASSET",
        /// Here, not on Steam.
        MissingAsset = "MISSING_ASSET",
        /// Assigned here, gone from Steam.
        AssignedMissing = "ASSIGNED_MISSING",
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
    }
}

impl DiscrepancyKind {
    /// Whether a person may resolve it so.
    pub fn takes(self, resolution: Resolution) -> bool {
        match resolution {
            Resolution::Adopt => self == Self::UnknownAsset,
            Resolution::WriteOff => self != Self::UnknownAsset,
            Resolution::Ignore => true,
            Resolution::Vanished => false,
        }
    }
}

/// One run: a row of the inventory sync log.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = crate::db::schema::inventory_sync_log)]
pub struct Sync {
    /// Id.
    pub id: SyncId,
    /// Organisation.
    pub org_id: OrgId,
    /// Bot.
    pub bot_id: BotId,
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

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = crate::db::schema::discrepancies)]
pub struct Discrepancy {
    /// Id.
    pub id: DiscrepancyId,
    /// Organisation.
    pub org_id: OrgId,
    /// Bot.
    pub bot_id: BotId,
    /// Run that found it.
    pub sync_id: SyncId,
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
    /// The asset as it was seen, for one that may be adopted.
    pub details: Document,
    /// What was done; none while it is open.
    pub resolution: Option<Resolution>,
    /// Note of the person.
    pub note: String,
    /// Found.
    pub created_at: Timestamp,
    /// Resolved.
    pub resolved_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_the_resolutions_that_make_sense() {
        use DiscrepancyKind::{AssignedMissing, MissingAsset, UnknownAsset};
        use Resolution::{Adopt, Ignore, Vanished, WriteOff};
        let allowed = |kind: DiscrepancyKind| {
            Resolution::ALL.iter().copied().filter(move |r| kind.takes(*r)).collect::<Vec<_>>()
        };
        assert_eq!(allowed(UnknownAsset), [Adopt, Ignore]);
        assert_eq!(allowed(MissingAsset), [WriteOff, Ignore]);
        assert_eq!(allowed(AssignedMissing), [WriteOff, Ignore]);
        assert!(!UnknownAsset.takes(Vanished));
    }
}
