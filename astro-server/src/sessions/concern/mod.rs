//! What a report is about, so that a refused one names it.
pub mod wire;

use crate::kernel::{AttemptId, SteamId};

/// What a report is about, as far as it can be read: known of a malformed one too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// What it tells of, in words.
    pub report: &'static str,
    /// Delivery.
    pub attempt: Option<AttemptId>,
    /// Offer that was received or is strange.
    pub offer: Option<String>,
    /// Friend.
    pub person: Option<SteamId>,
}

impl Concern {
    /// What it is about, so that a later report about the same is known.
    pub fn subject(&self) -> String {
        match (self.attempt, &self.offer, self.person) {
            (Some(attempt), _, _) => format!("attempt {attempt}"),
            (None, Some(offer), _) => format!("offer {offer}"),
            (None, None, Some(person)) => format!("friend {person}"),
            (None, None, None) => self.report.to_owned(),
        }
    }
}
