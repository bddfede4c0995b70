//! Pure: what a person can do about an assignment that is blocked.
use super::BlockedReason;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_remedy() {
        for reason in BlockedReason::ALL {
            assert!(remedy(*reason).len() > 20, "{reason}");
        }
    }
}
