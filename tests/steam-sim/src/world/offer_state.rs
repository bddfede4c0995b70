//! The states of an offer, and which can follow which.

use serde::{Serialize, Serializer};

/// Steam's `ETradeOfferState`; the numbers are the wire's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum OfferState {
    /// Sent, and the recipient can answer.
    Active = 2,
    /// Done: see the trade.
    Accepted = 3,
    /// The recipient answered with an offer of their own.
    Countered = 4,
    /// Nobody answered for 14 days.
    Expired = 5,
    /// The sender took it back.
    Canceled = 6,
    /// The recipient did not want it.
    Declined = 7,
    /// Some of its items have moved elsewhere.
    InvalidItems = 8,
    /// The sender has not confirmed it on the phone; the recipient cannot see it.
    NeedsConfirmation = 9,
    /// The sender refused it on the phone.
    CanceledBySecondFactor = 10,
    /// Accepted, and Steam holds the items for some days.
    InEscrow = 11,
    /// Accepted, and taken back within the days of trade protection.
    Reverted = 12,
}

impl Serialize for OfferState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl OfferState {
    /// The number on Steam's wire.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Whether somebody can still answer it.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::NeedsConfirmation)
    }

    pub(super) fn can_become(self, next: Self) -> bool {
        let ends = matches!(next, Self::Expired | Self::Canceled | Self::InvalidItems);
        match self {
            Self::NeedsConfirmation => {
                ends || matches!(next, Self::Active | Self::CanceledBySecondFactor)
            }
            Self::Active => {
                ends || matches!(
                    next,
                    Self::Accepted | Self::Countered | Self::Declined | Self::InEscrow
                )
            }
            Self::InEscrow => matches!(next, Self::Accepted | Self::Canceled),
            Self::Accepted => next == Self::Reverted,
            Self::Countered
            | Self::Expired
            | Self::Canceled
            | Self::Declined
            | Self::InvalidItems
            | Self::CanceledBySecondFactor
            | Self::Reverted => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_state_stays_and_a_live_one_ends_in_its_own_ways() {
        use OfferState::*;
        let all = [
            Active,
            Accepted,
            Countered,
            Expired,
            Canceled,
            Declined,
            InvalidItems,
            NeedsConfirmation,
            CanceledBySecondFactor,
            InEscrow,
            Reverted,
        ];
        for from in all {
            let expected = match from {
                Active => {
                    vec![Accepted, Countered, Expired, Canceled, Declined, InvalidItems, InEscrow]
                }
                NeedsConfirmation => {
                    vec![Active, Expired, Canceled, InvalidItems, CanceledBySecondFactor]
                }
                InEscrow => vec![Accepted, Canceled],
                Accepted => vec![Reverted],
                Countered
                | Expired
                | Canceled
                | Declined
                | InvalidItems
                | CanceledBySecondFactor
                | Reverted => vec![],
            };
            let next: Vec<_> = all.into_iter().filter(|next| from.can_become(*next)).collect();
            assert_eq!(next, expected, "{from:?}");
        }
    }
}
