//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    server_settings (name) {
        name -> Text,
        value -> Binary,
    }
}
