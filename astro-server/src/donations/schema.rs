//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

diesel::table! {
    use crate::db::types::sql::*;
    use crate::donations::sql::*;
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
