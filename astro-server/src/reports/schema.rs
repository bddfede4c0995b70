//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Integer, Text};
    report_days (org_id, dimension, day, key) {
        org_id -> OrgId,
        dimension -> Text,
        key -> Text,
        day -> Integer,
        created -> BigInt,
        delivered -> BigInt,
        settled -> BigInt,
        reversed -> BigInt,
        failed -> BigInt,
        cancelled -> BigInt,
        expired -> BigInt,
        delivery_seconds -> BigInt,
        items_given -> BigInt,
        items_reversed -> BigInt,
        given_cents -> BigInt,
        donations -> BigInt,
        donations_declined -> BigInt,
        items_received -> BigInt,
        items_adopted -> BigInt,
        received_cents -> BigInt,
    }
}

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Integer};
    report_hours (org_id, hour) {
        org_id -> OrgId,
        hour -> Integer,
        events -> BigInt,
    }
}

diesel::table! {
    report_place (one) {
        one -> Integer,
        position -> BigInt,
    }
}
