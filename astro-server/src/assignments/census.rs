//! Assignments, counted and looked up in numbers.
use super::{Assignment, AssignmentState, BlockedReason, store};
use crate::db::Conn;
use crate::kernel::{AssignmentId, Reach, Result, Timestamp};
use std::collections::BTreeSet;

/// States of assignments that are not over, in the order of their index.
pub(super) const OPEN: [AssignmentState; 6] = [
    AssignmentState::Queued,
    AssignmentState::Delivering,
    AssignmentState::Offered,
    AssignmentState::Held,
    AssignmentState::Blocked,
    AssignmentState::Delivered,
];

/// How many assignments that are not over are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCount {
    /// Their state.
    pub state: AssignmentState,
    /// Why they are blocked.
    pub blocked_reason: Option<BlockedReason>,
    /// How many.
    pub count: i64,
    /// When the oldest was made.
    pub oldest: Timestamp,
}

/// How many assignments are in each state that is not the last, those that are blocked by reason.
///
/// # Errors
/// Those of the database.
pub fn open_counts(conn: &mut Conn, reach: Reach) -> Result<Vec<OpenCount>> {
    let mut counts = Vec::new();
    for (state, count, oldest) in store::open_counts(conn, reach)? {
        let Some(oldest) = oldest else { continue };
        if state == AssignmentState::Blocked {
            continue;
        }
        counts.push(OpenCount { state, blocked_reason: None, count, oldest });
    }
    for (reason, count, oldest) in store::blocked_counts(conn, reach)? {
        let Some(oldest) = oldest else { continue };
        let state = AssignmentState::Blocked;
        counts.push(OpenCount { state, blocked_reason: reason, count, oldest });
    }
    Ok(counts)
}

/// The assignments of these ids that there are.
///
/// # Errors
/// Those of the database.
pub fn many(conn: &mut Conn, ids: BTreeSet<AssignmentId>) -> Result<Vec<Assignment>> {
    if ids.is_empty() { Ok(Vec::new()) } else { store::many(conn, ids) }
}
