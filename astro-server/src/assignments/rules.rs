//! Pure rules of delivery: what a failed attempt means, and what the recipient reads.
use super::BlockedReason;
use crate::db::types::text_enum;
use crate::kernel::limits::ATTEMPTS_MAX;
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

/// The remedy, in words. Each command in it works while the assignment is blocked for the reason.
pub fn remedy(reason: BlockedReason) -> &'static str {
    use BlockedReason as Why;
    match reason {
        Why::TradeUrlNeeded => {
            "Steam takes no offer without the recipient's trade URL: store it \
             (`astro users set-trade-url`); the delivery then goes on by itself"
        }
        Why::RecipientTradeBanned => {
            "the recipient is banned from trading: `astro assignments cancel`, or wait for the ban \
             to end and then `astro assignments retry`"
        }
        Why::RecipientCannotReceive => {
            "the recipient cannot receive: ask them to mend that, then `astro assignments retry`"
        }
        Why::HoldTooLong => {
            "Steam would hold the items: ask the recipient to use the Steam Guard mobile \
             authenticator, then `astro assignments retry`"
        }
        Why::OfferDeclined => {
            "the recipient declined: talk to them, then `astro assignments retry` or \
             `astro assignments cancel`"
        }
        Why::OfferCountered => {
            "a counter-offer is never taken: `astro assignments retry` or `astro assignments cancel`"
        }
        Why::OfferExpired => {
            "the offer ran out on Steam: `astro assignments retry` or `astro assignments cancel`"
        }
        // Not to be tried again: as long as the item is missing that is refused.
        Why::ItemMissing => {
            "an item is not in the bot's inventory: the delivery goes on by itself once it is seen \
             there again; or give it up with `astro assignments cancel`, or by writing the item off \
             (`astro discrepancies list --open` shows its difference)"
        }
        Why::BotRestricted => {
            "Steam does not let the bot trade now: see its status (`astro bots list`), then \
             `astro assignments retry`"
        }
        Why::NotConfirmed => {
            "the bot could not confirm the offer: see its status (`astro bots list`), then \
             `astro assignments retry`"
        }
        Why::SteamUnavailable => "Steam failed too often: later `astro assignments retry`",
        Why::Other => {
            "`astro assignments get` shows what Steam said: then `astro assignments retry` or \
             `astro assignments cancel`"
        }
        Why::RecipientInventoryFull => {
            "the recipient's inventory is full: ask for room, then `astro assignments retry`"
        }
        Why::RecipientInventoryPrivate => {
            "the recipient's inventory is private: ask to open it, then `astro assignments retry`"
        }
        Why::TradeUrlInvalid => {
            "the stored trade URL is not valid any more: store the new one \
             (`astro users set-trade-url`); the delivery then goes on by itself"
        }
        Why::InviteNotAccepted => {
            "the bot's friend invitation waits: ask the recipient to accept it, or store their \
             trade URL (`astro users set-trade-url`); the delivery then goes on by itself"
        }
        Why::BotNewDevice => {
            "Steam lets a new device trade after some days only: then `astro assignments retry`"
        }
        Why::Stack => {
            "a stack on Steam, of which nothing is given: `astro assignments cancel` and give \
             another item; once it is a single one again, the delivery goes on by itself"
        }
    }
}

/// Characters of an offer's message that Steam takes.
const MESSAGE_MAX: usize = 128;

/// The message of the offer; the marker is always in it.
pub fn offer_message(marker: &str, reason: &str) -> String {
    let head = format!("Astro prize {marker}");
    if reason.is_empty() {
        return head;
    }
    format!("{head}: {reason}").chars().take(MESSAGE_MAX).collect()
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

    #[test]
    fn the_marker_survives_the_longest_reason() {
        let message = offer_message("ABCD2345", &"ü".repeat(500));
        assert_eq!(message.chars().count(), 128);
        assert!(message.contains("ABCD2345"));
    }

    #[test]
    fn every_reason_has_its_remedy() {
        for reason in BlockedReason::ALL {
            assert!(remedy(*reason).len() > 20, "{reason}");
        }
    }
}
