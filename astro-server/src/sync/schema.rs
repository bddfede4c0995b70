//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]
use crate::bots::schema::bots;

diesel::table! {
    use crate::db::types::sql::*;
    use crate::sync::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    inventory_sync_log (id) {
        id -> SyncId,
        org_id -> OrgId,
        bot_id -> BotId,
        sync_trigger -> Text,
        sync_status -> Text,
        sync_started_at -> Nullable<Instant>,
        sync_completed_at -> Nullable<Instant>,
        steam_inventory_count -> Integer,
        database_available_count -> Integer,
        database_assigned_count -> Integer,
        database_delivered_count -> Integer,
        database_total_count -> Integer,
        items_added_count -> Integer,
        items_removed_count -> Integer,
        items_updated_count -> Integer,
        accuracy_ppm -> Integer,
        discrepancies_found -> Integer,
        error_message -> Nullable<Text>,
        error_details -> Doc,
        sync_duration_ms -> Integer,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use crate::sync::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    discrepancies (id) {
        id -> DiscrepancyId,
        org_id -> OrgId,
        bot_id -> BotId,
        sync_id -> Nullable<SyncId>,
        kind -> Text,
        item_id -> Nullable<ItemId>,
        app_id -> Integer,
        asset_id -> BigInt,
        item_name -> Text,
        details -> Doc,
        trade_id -> Nullable<Text>,
        trade_offer_id -> Nullable<Text>,
        user_id -> Nullable<BigInt>,
        offer_open -> Bool,
        resolution -> Nullable<Text>,
        note -> Text,
        created_at -> Instant,
        resolved_at -> Nullable<Instant>,
        subject -> Text,
        assignment_id -> Nullable<AssignmentId>,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    traded_assets (bot_id, app_id, asset_id, given) {
        bot_id -> BotId,
        app_id -> Integer,
        asset_id -> BigInt,
        given -> Bool,
        trade_id -> Text,
        partner_id -> BigInt,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    reversed_trades (bot_id, trade_id) {
        bot_id -> BotId,
        trade_id -> Text,
        trade -> Doc,
        created_at -> Instant,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    bots,
    inventory_sync_log,
    discrepancies,
    traded_assets,
    reversed_trades
);
