//! How this folder refuses.
use super::DiscrepancyId;
use crate::kernel::{Error, Kind, Noun};

/// A sync run, as errors name it.
pub const SYNC: Noun = Noun { name: "sync", field: "sync_id", reason: "SYNC_NOT_FOUND" };

/// A difference, as errors name it.
pub const DISCREPANCY: Noun =
    Noun { name: "discrepancy", field: "discrepancy_id", reason: "DISCREPANCY_NOT_FOUND" };

/// The difference is resolved.
pub fn resolved_already(id: DiscrepancyId) -> Error {
    let text = format!("discrepancy {id} is resolved already");
    let facts = [("discrepancy_id", id.to_string()), ("state", "RESOLVED".to_owned())];
    Error::refused(Kind::FailedPrecondition, "DISCREPANCY_STATE", text, facts)
}
