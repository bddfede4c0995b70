//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]
use crate::items::schema::items;
use crate::users::schema::users;

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
    use crate::assignments::sql::*;
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

diesel::joinable!(assignment_items -> items (item_id));
diesel::joinable!(assignment_items -> assignments (assignment_id));
diesel::joinable!(delivery_attempts -> assignments (assignment_id));
diesel::allow_tables_to_appear_in_same_query!(
    assignments,
    assignment_items,
    delivery_attempts,
    items,
    users
);
