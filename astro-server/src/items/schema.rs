//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

diesel::table! {
    use crate::db::types::sql::*;
    use crate::items::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    reservations (id) {
        id -> ReservationId,
        org_id -> OrgId,
        state -> Text,
        api_key_id -> Text,
        source -> Text,
        items_count -> Integer,
        assignment_id -> Nullable<AssignmentId>,
        expires_at -> Instant,
        ended_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use crate::items::sql::*;
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

diesel::allow_tables_to_appear_in_same_query!(reservations, items);
