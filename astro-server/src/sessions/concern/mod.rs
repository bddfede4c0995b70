//! What a report is about, so that a refused one names it.
pub mod wire;

use crate::assignments::AttemptId;
use crate::kernel::SteamId;

/// What a report is about, as far as it can be read: known of a malformed one too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// What it tells of, in words.
    pub report: &'static str,
    /// Delivery.
    pub attempt: Option<AttemptId>,
    /// Offer that was received or is strange.
    pub offer: Option<String>,
    /// Trade of the history, as it was told.
    pub trade: Option<String>,
    /// Friend, or partner of the trade.
    pub person: Option<SteamId>,
}

impl Concern {
    /// What it is about, so that a later report about the same is known.
    pub fn subject(&self) -> String {
        match (self.attempt, &self.offer, &self.trade, self.person) {
            (Some(attempt), _, _, _) => format!("attempt {attempt}"),
            (None, Some(offer), _, _) => format!("offer {offer}"),
            (None, None, Some(trade), _) => format!("trade {trade}"),
            (None, None, None, Some(person)) => format!("friend {person}"),
            (None, None, None, None) => self.report.to_owned(),
        }
    }
}
