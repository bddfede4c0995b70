//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

diesel::table! {
    use crate::db::types::sql::*;
    use crate::events::sql::*;
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

diesel::allow_tables_to_appear_in_same_query!(system_events, event_chain, event_log, event_queue);
