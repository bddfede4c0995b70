//! What of a list is wanted, and which part of that an index leads to.
use super::{AssignmentState, BlockedReason};
use crate::kernel::{BotId, Reach, SteamId};

/// Which assignments are wanted. Fields are ANDed; values of one field are ORed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// States.
    pub states: Vec<AssignmentState>,
    /// Recipient.
    pub user: Option<SteamId>,
    /// System.
    pub external_system: String,
    /// Id in that system.
    pub external_id: String,
    /// Kinds.
    pub types: Vec<String>,
    /// Why they are blocked; takes no others.
    pub reasons: Vec<BlockedReason>,
    /// Bots of the next part.
    pub bots: Vec<BotId>,
    /// Offer of the last attempt.
    pub trade_offer_id: String,
}

impl Filter {
    /// The part of it that an index leads to; what the rest takes is looked for there.
    pub(crate) fn led(&self, reach: Reach) -> Self {
        let mut led = Self::default();
        let own = matches!(reach, Reach::Organization(_));
        if !self.trade_offer_id.is_empty() {
            led.trade_offer_id.clone_from(&self.trade_offer_id);
        } else if own && self.user.is_some() {
            led.user = self.user;
        } else if self.blocked_only() {
            led.states = vec![AssignmentState::Blocked];
        } else if own && !self.external_system.is_empty() {
            led.external_system.clone_from(&self.external_system);
            // With the system it is one assignment's.
            led.external_id.clone_from(&self.external_id);
        }
        led
    }

    /// Whether it takes what is blocked and nothing else, for which there is an index.
    pub(crate) fn blocked_only(&self) -> bool {
        self.states == [AssignmentState::Blocked] || !self.reasons.is_empty()
    }
}
