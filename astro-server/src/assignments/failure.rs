//! Pure: why attempts fail, and what follows from it.
use super::BlockedReason;
use crate::assignments::limits::ATTEMPTS_MAX;
use crate::db::types::text_enum;
use std::time::Duration;

text_enum! {
    /// Why an attempt ended without delivery, as bots report it.
    Failure {
        /// The server asked for it.
        Cancelled = "CANCELLED",
        /// Declined.
        Declined = "DECLINED",
        /// Countered.
        Countered = "COUNTERED",
        /// Ran out.
        Expired = "EXPIRED",
        /// Items are gone.
        ItemsUnavailable = "ITEMS_UNAVAILABLE",
        /// No friendship and no token.
        TradeUrlNeeded = "TRADE_URL_NEEDED",
        /// Banned.
        RecipientTradeBanned = "RECIPIENT_TRADE_BANNED",
        /// Cannot receive.
        RecipientCannotReceive = "RECIPIENT_CANNOT_RECEIVE",
        /// Trade hold.
        HoldTooLong = "HOLD_TOO_LONG",
        /// The bot may not trade.
        BotRestricted = "BOT_RESTRICTED",
        /// Not confirmed.
        NotConfirmed = "NOT_CONFIRMED",
        /// Too many open offers.
        OfferLimit = "OFFER_LIMIT",
        /// Steam was away.
        SteamUnavailable = "STEAM_UNAVAILABLE",
        /// Something new.
        Other = "OTHER",
        /// Full inventory.
        RecipientInventoryFull = "RECIPIENT_INVENTORY_FULL",
        /// Private inventory.
        RecipientInventoryPrivate = "RECIPIENT_INVENTORY_PRIVATE",
        /// The bot logged in from a new device.
        BotNewDevice = "BOT_NEW_DEVICE",
        /// The stored token is not valid any more.
        TradeUrlInvalid = "TRADE_URL_INVALID",
    }
}

/// What follows from a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this time.
    Requeue(Duration),
    /// Queue it again now, as if it had not been tried: nobody answered the offer.
    Renew,
    /// Wait for a person.
    Block(BlockedReason),
}

/// Decides what follows from a failure after so many `tries` (1 is the first); `withdrawn` tells
/// whether the server had the offer withdrawn.
pub fn verdict(failure: Failure, tries: i32, withdrawn: bool) -> Verdict {
    let again = |blocked: BlockedReason| {
        if tries >= ATTEMPTS_MAX { Verdict::Block(blocked) } else { Verdict::Requeue(pause(tries)) }
    };
    match failure {
        Failure::Declined => Verdict::Block(BlockedReason::OfferDeclined),
        Failure::Countered => Verdict::Block(BlockedReason::OfferCountered),
        Failure::Expired => Verdict::Renew,
        Failure::Cancelled if withdrawn => Verdict::Renew,
        Failure::ItemsUnavailable => Verdict::Block(BlockedReason::ItemMissing),
        Failure::TradeUrlNeeded => Verdict::Block(BlockedReason::TradeUrlNeeded),
        Failure::RecipientTradeBanned => Verdict::Block(BlockedReason::RecipientTradeBanned),
        Failure::RecipientCannotReceive => Verdict::Block(BlockedReason::RecipientCannotReceive),
        Failure::HoldTooLong => Verdict::Block(BlockedReason::HoldTooLong),
        Failure::BotRestricted => Verdict::Block(BlockedReason::BotRestricted),
        Failure::RecipientInventoryFull => Verdict::Block(BlockedReason::RecipientInventoryFull),
        Failure::RecipientInventoryPrivate => {
            Verdict::Block(BlockedReason::RecipientInventoryPrivate)
        }
        Failure::BotNewDevice => Verdict::Block(BlockedReason::BotNewDevice),
        Failure::TradeUrlInvalid => Verdict::Block(BlockedReason::TradeUrlInvalid),
        // Somebody withdrew the offer on Steam by hand.
        Failure::Cancelled | Failure::Other => Verdict::Block(BlockedReason::Other),
        Failure::NotConfirmed => again(BlockedReason::NotConfirmed),
        Failure::OfferLimit | Failure::SteamUnavailable => again(BlockedReason::SteamUnavailable),
    }
}

/// The longest pause between two tries.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(1800);

/// 10 s, doubled by each try, at most half an hour.
pub(super) fn pause(tries: i32) -> Duration {
    let doublings = u32::try_from(tries.clamp(1, 16) - 1).unwrap_or(0);
    Duration::from_secs(10).saturating_mul(1 << doublings).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_person_can_mend_blocks_at_once() {
        for failure in Failure::ALL {
            let first = verdict(*failure, 1, false);
            let passing = matches!(
                failure,
                Failure::NotConfirmed | Failure::OfferLimit | Failure::SteamUnavailable
            );
            assert_eq!(matches!(first, Verdict::Requeue(_)), passing, "{failure}");
            let last = verdict(*failure, ATTEMPTS_MAX, false);
            let unanswered = *failure == Failure::Expired;
            assert_eq!(matches!(last, Verdict::Block(_)), !unanswered, "{failure}");
        }
    }

    #[test]
    fn an_offer_that_nobody_answered_is_sent_anew_however_often() {
        for tries in [1, ATTEMPTS_MAX, ATTEMPTS_MAX + 1] {
            assert_eq!(verdict(Failure::Expired, tries, false), Verdict::Renew);
            assert_eq!(verdict(Failure::Cancelled, tries, true), Verdict::Renew);
            let by_hand = Verdict::Block(BlockedReason::Other);
            assert_eq!(verdict(Failure::Cancelled, tries, false), by_hand);
            let declined = Verdict::Block(BlockedReason::OfferDeclined);
            assert_eq!(verdict(Failure::Declined, tries, true), declined);
        }
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let pauses: Vec<_> = (1..ATTEMPTS_MAX).map(pause).collect();
        assert!(pauses.windows(2).all(|w| w[0] < w[1]), "{pauses:?}");
        assert_eq!(pause(i32::MAX), Duration::from_secs(1800));
    }
}
