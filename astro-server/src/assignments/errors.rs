//! How this folder refuses.
use crate::kernel::{AssignmentId, Error, Kind, Noun};
use std::fmt::Display;

/// An assignment, as errors name it.
pub const ASSIGNMENT: Noun =
    Noun { name: "assignment", field: "assignment_id", reason: "ASSIGNMENT_NOT_FOUND" };

/// Its state does not allow what is asked.
pub fn state_forbids(assignment: AssignmentId, state: impl Display) -> Error {
    let text = format!("assignment {assignment} is {state}, which does not allow this");
    let facts = [("assignment_id", assignment.to_string()), ("state", state.to_string())];
    Error::refused(Kind::FailedPrecondition, "ASSIGNMENT_STATE", text, facts)
}

/// The external id belongs to this assignment.
pub fn external_id_exists(assignment: AssignmentId) -> Error {
    let text = format!("external_id was used before, by assignment {assignment}");
    let facts = [("assignment_id", assignment.to_string())];
    Error::refused(Kind::AlreadyExists, "EXTERNAL_ID_EXISTS", text, facts)
}
