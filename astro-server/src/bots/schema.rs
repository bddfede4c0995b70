//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

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
