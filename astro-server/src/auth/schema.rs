//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

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
        read_rate -> Integer,
        write_rate -> Integer,
        stream_rate -> Integer,
        session_of -> Nullable<Text>,
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

diesel::allow_tables_to_appear_in_same_query!(api_keys, request_log);
