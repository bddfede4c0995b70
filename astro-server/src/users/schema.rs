//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

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
