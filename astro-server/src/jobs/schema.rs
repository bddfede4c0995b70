//! The tables of this folder.
#![allow(missing_docs, unreachable_pub)]

diesel::table! {
    use crate::db::types::sql::*;
    use diesel::sql_types::Text;
    job_leases (name) {
        name -> Text,
        holder -> Guid,
        leased_at -> Instant,
        ends_at -> Instant,
    }
}
