//! The tables, once for both databases; a test compares them with what the migrations make.
#![allow(missing_docs, unreachable_pub)]

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    server_settings (name) {
        name -> Text,
        value -> Binary,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    organizations (id) {
        id -> OrgId,
        slug -> Text,
        display_name -> Text,
        donation_keyword -> Text,
        donation_app_ids -> Doc,
        claim_ttl_seconds -> Integer,
        adopt_unknown_items -> Bool,
        donation_rules -> Doc,
        friend_invites -> Bool,
        offer_ttl_seconds -> Integer,
        cancel_unknown_offers -> Bool,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    users (org_id, steam_id) {
        org_id -> OrgId,
        steam_id -> BigInt,
        display_name -> Text,
        avatar_url -> Text,
        profile_url -> Text,
        account_created_at -> Nullable<Instant>,
        country_code -> Text,
        trade_token -> Nullable<Text>,
        trade_token_set_at -> Nullable<Instant>,
        first_seen_at -> Instant,
        last_seen_at -> Instant,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    bots (id) {
        id -> BotId,
        org_id -> OrgId,
        steam_id -> BigInt,
        display_name -> Text,
        paused -> Bool,
        lease_epoch -> BigInt,
        lease_holder -> Nullable<Text>,
        lease_expires_at -> Nullable<Instant>,
        event_seq -> BigInt,
        steam_status -> Text,
        steam_status_detail -> Text,
        steam_token_expires_at -> Nullable<Instant>,
        steam_token_warned -> Bool,
        traded_at -> Nullable<Instant>,
        last_seen_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    api_keys (id) {
        id -> Text,
        kind -> Text,
        display_name -> Text,
        org_id -> Nullable<OrgId>,
        bot_id -> Nullable<BotId>,
        secret_hash -> Binary,
        scopes -> Doc,
        expires_at -> Nullable<Instant>,
        created_at -> Instant,
        last_used_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    request_log (key_id, request_id) {
        key_id -> Text,
        request_id -> Guid,
        method -> Text,
        request_hash -> Binary,
        response -> Binary,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    reservations (id) {
        id -> ReservationId,
        org_id -> OrgId,
        state -> Text,
        api_key_id -> Text,
        expires_at -> Instant,
        ended_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    items (id) {
        id -> ItemId,
        org_id -> OrgId,
        bot_id -> BotId,
        state -> Text,
        steam_app_id -> Integer,
        steam_context_id -> BigInt,
        steam_asset_id -> Nullable<BigInt>,
        steam_class_id -> BigInt,
        steam_instance_id -> BigInt,
        amount -> BigInt,
        market_hash_name -> Text,
        item_name -> Text,
        item_type -> Text,
        item_rarity -> Text,
        market_value -> Nullable<BigInt>,
        market_currency -> Nullable<Text>,
        steam_metadata -> Doc,
        labels -> Doc,
        custom_metadata -> Doc,
        tradable_at -> Nullable<Instant>,
        received_at -> Instant,
        received_from_user_id -> Nullable<BigInt>,
        received_via -> Text,
        received_trade_offer_id -> Nullable<Text>,
        received_asset_id -> Nullable<BigInt>,
        assigned_to_user_id -> Nullable<BigInt>,
        assigned_at -> Nullable<Instant>,
        delivered_at -> Nullable<Instant>,
        delivery_trade_offer_id -> Nullable<Text>,
        reservation_id -> Nullable<ReservationId>,
        assignment_id -> Nullable<AssignmentId>,
        missing_since -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    assignments (id) {
        id -> AssignmentId,
        org_id -> OrgId,
        user_id -> BigInt,
        bot_id -> BotId,
        assignment_type -> Text,
        assignment_reason -> Text,
        external_system -> Nullable<Text>,
        external_id -> Nullable<Text>,
        external_context -> Doc,
        assignment_priority -> Integer,
        state -> Text,
        ending -> Nullable<Text>,
        blocked_reason -> Nullable<Text>,
        status_message -> Text,
        total_items_count -> Integer,
        total_estimated_value -> Nullable<BigInt>,
        total_currency -> Nullable<Text>,
        delivery_attempts -> Integer,
        tries -> Integer,
        delivery_trade_offer_id -> Nullable<Text>,
        delivery_error_message -> Nullable<Text>,
        assigned_at -> Instant,
        processing_started_at -> Nullable<Instant>,
        last_delivery_attempt_at -> Nullable<Instant>,
        next_attempt_at -> Instant,
        delivered_at -> Nullable<Instant>,
        settles_at -> Nullable<Instant>,
        failed_at -> Nullable<Instant>,
        cancelled_at -> Nullable<Instant>,
        reversed_at -> Nullable<Instant>,
        runner_up_user_ids -> Doc,
        heir -> Nullable<Doc>,
        predecessor_id -> Nullable<AssignmentId>,
        successor_id -> Nullable<AssignmentId>,
        expires_at -> Instant,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    assignment_items (assignment_id, item_id) {
        assignment_id -> AssignmentId,
        item_id -> ItemId,
        org_id -> OrgId,
        item_name_at_assignment -> Text,
        item_value_at_assignment -> Nullable<BigInt>,
        item_currency -> Nullable<Text>,
        delivery_status -> Text,
        delivered_at -> Nullable<Instant>,
        given_asset_id -> Nullable<BigInt>,
        delivered_asset_id -> Nullable<BigInt>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    delivery_attempts (id) {
        id -> AttemptId,
        org_id -> OrgId,
        assignment_id -> AssignmentId,
        bot_id -> BotId,
        user_id -> BigInt,
        number -> Integer,
        phase -> Text,
        marker -> Text,
        trade_offer_id -> Nullable<Text>,
        trade_id -> Nullable<Text>,
        failure -> Nullable<Text>,
        error_message -> Nullable<Text>,
        cancel_wanted -> Bool,
        withdraw_at -> Nullable<Instant>,
        started_at -> Nullable<Instant>,
        ended_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    donations (id) {
        id -> DonationId,
        org_id -> OrgId,
        bot_id -> BotId,
        trade_offer_id -> Text,
        donor_id -> BigInt,
        state -> Text,
        decline_reason -> Nullable<Text>,
        reason -> Text,
        message -> Text,
        assets -> Doc,
        items_count -> Integer,
        estimated_usd_cents -> BigInt,
        trade_id -> Nullable<Text>,
        settles_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
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

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    system_events (seq) {
        seq -> BigInt,
        tx -> BigInt,
        id -> EventId,
        org_id -> Nullable<OrgId>,
        event_type -> Text,
        event_category -> Text,
        event_description -> Text,
        user_id -> Nullable<BigInt>,
        item_id -> Nullable<ItemId>,
        assignment_id -> Nullable<AssignmentId>,
        bot_id -> Nullable<BotId>,
        external_system -> Nullable<Text>,
        event_data -> Doc,
        severity -> Text,
        source -> Text,
        created_at -> Instant,
        personal_salt -> Nullable<Guid>,
        personal_data -> Nullable<Doc>,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    event_chain (one) {
        one -> Integer,
        log_id -> Guid,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    event_log (position) {
        position -> BigInt,
        seq -> BigInt,
        org_id -> Nullable<OrgId>,
        org_position -> Nullable<BigInt>,
        personal -> Nullable<Binary>,
        leaf -> Binary,
        hash -> Binary,
        org_hash -> Nullable<Binary>,
    }
}

// PostgreSQL's alone.
diesel::table! {
    use diesel::sql_types::BigInt;
    event_queue (ticket) {
        ticket -> BigInt,
        seq -> BigInt,
    }
}

diesel::joinable!(assignment_items -> items (item_id));
diesel::joinable!(assignment_items -> assignments (assignment_id));
diesel::joinable!(delivery_attempts -> assignments (assignment_id));

diesel::allow_tables_to_appear_in_same_query!(
    server_settings,
    organizations,
    users,
    bots,
    api_keys,
    request_log,
    reservations,
    items,
    assignments,
    assignment_items,
    delivery_attempts,
    donations,
    inventory_sync_log,
    discrepancies,
    traded_assets,
    reversed_trades,
    system_events,
    event_chain,
    event_log,
    event_queue,
);
