//! Reads what a report is about from its frame.
use super::Concern;
use crate::sessions::wire::{attempt_id, clean, person, steam_number};
use astro_sdk::bot::v1 as bot;

fn about(report: &'static str) -> Concern {
    Concern { report, attempt: None, offer: None, trade: None, person: None }
}

/// What a trade of the history is about, whether or not it can be read: also an id that is no
/// number names it.
pub fn trade(seen: &bot::TradeSeen) -> Concern {
    let trade = Some(clean(&seen.trade_id));
    Concern { trade, person: person(seen.partner_steam_id).ok(), ..about("a trade of the history") }
}

/// What an event is about, whether or not it can be read.
pub fn concern(event: &bot::BotEvent) -> Concern {
    use bot::bot_event::Event;
    let attempt = |report, id: &str| Concern { attempt: attempt_id(id).ok(), ..about(report) };
    let offer = |report, id: &str| Concern {
        offer: steam_number("trade_offer_id", id).ok(),
        ..about(report)
    };
    match &event.event {
        None => about("nothing known"),
        Some(Event::OfferReceived(e)) => offer("a received offer", &e.trade_offer_id),
        Some(Event::OfferAnswered(e)) => offer("an answered offer", &e.trade_offer_id),
        Some(Event::AttemptStarted(e)) => attempt("a delivery to start", &e.attempt_id),
        Some(Event::AttemptSent(e)) => attempt("an offer that was sent", &e.attempt_id),
        Some(Event::AttemptOffered(e)) => attempt("an offer that waits", &e.attempt_id),
        Some(Event::AttemptHeld(e)) => attempt("a trade that is held", &e.attempt_id),
        Some(Event::AttemptDelivered(e)) => attempt("a delivery", &e.attempt_id),
        Some(Event::AttemptEnded(e)) => attempt("an attempt that ended", &e.attempt_id),
        Some(Event::SteamStatus(_)) => about("the state of its login"),
        Some(Event::UserProfiles(_)) => about("profiles of people"),
        Some(Event::FriendChanged(e)) => {
            Concern { person: person(e.steam_id).ok(), ..about("a friendship") }
        }
        Some(Event::TradesSeen(_)) => about("the trade history"),
        Some(Event::StrangeOffer(e)) => offer("a strange offer", &e.trade_offer_id),
    }
}
