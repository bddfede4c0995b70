//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

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
