//! What an offer's or a trade's state means for the work on it: pure rules.

use std::collections::BTreeSet;

use crate::{
    decide::Order,
    frames::{AttemptFailure, TradeOutcome},
    steam::{
        AssetKey, Cause, Hold, MovedAsset, Offer, OfferId, OfferState, OffersPage, SteamId, Trade,
        TradeId, TradeStatus,
    },
};

/// An offer may carry a time this many seconds before the attempt's start: clocks differ.
const CLOCK_TOLERANCE_SECONDS: i64 = 120;
const DAY_SECONDS: u64 = 86_400;
/// Open offers that Steam lets an account have in all, and to one person.
const OPEN_OFFERS_MAX: usize = 30;
const OPEN_OFFERS_TO_ONE_MAX: usize = 5;

/// How an attempt ends that must: why, and more for people.
pub(crate) type Refusal = (AttemptFailure, String);

/// What an offer's state asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Our confirmation is missing.
    Unconfirmed,
    /// The other side has it.
    Open,
    /// Accepted, in escrow until then, if Steam says.
    Held(Option<i64>),
    /// Something moved: the trade tells what.
    Traded(TradeId),
    /// It ended, and as far as the offer shows nothing moved.
    Over(OfferState),
    /// Neither here nor there; look again.
    Unclear,
}

/// Reads an offer's state. A trade id outweighs every final state: offers have been seen as
/// invalid after they were accepted, because their items had moved.
pub(crate) fn of_offer(offer: &Offer) -> Verdict {
    match offer.state {
        OfferState::NeedsConfirmation => Verdict::Unconfirmed,
        OfferState::Active => Verdict::Open,
        OfferState::InEscrow => Verdict::Held(offer.escrow_end_at),
        OfferState::Accepted | OfferState::Reverted => {
            offer.trade_id.map_or(Verdict::Unclear, Verdict::Traded)
        }
        OfferState::Invalid
        | OfferState::Countered
        | OfferState::Expired
        | OfferState::Canceled
        | OfferState::Declined
        | OfferState::InvalidItems
        | OfferState::CanceledBySecondFactor => {
            offer.trade_id.map_or(Verdict::Over(offer.state), Verdict::Traded)
        }
        OfferState::Unknown(_) => Verdict::Unclear,
    }
}

/// How a sent offer failed that ended in this state.
pub(crate) fn failure(state: OfferState) -> (AttemptFailure, &'static str) {
    match state {
        OfferState::Countered => (AttemptFailure::Countered, "the recipient made a counter-offer"),
        OfferState::Expired => (AttemptFailure::Expired, "the offer ran out"),
        OfferState::Declined => (AttemptFailure::Declined, "the recipient declined"),
        OfferState::InvalidItems => {
            (AttemptFailure::ItemsUnavailable, "items of the offer are gone")
        }
        OfferState::Canceled => (AttemptFailure::Other, "the offer was cancelled on Steam"),
        OfferState::CanceledBySecondFactor => {
            (AttemptFailure::Other, "the offer was cancelled in the mobile authenticator")
        }
        OfferState::Invalid
        | OfferState::Active
        | OfferState::Accepted
        | OfferState::NeedsConfirmation
        | OfferState::InEscrow
        | OfferState::Reverted
        | OfferState::Unknown(_) => (AttemptFailure::Other, "the offer is invalid"),
    }
}

/// How an attempt failed whose offer was not sent for this cause, as far as the cause alone tells.
pub(crate) fn failure_of_cause(cause: Cause) -> AttemptFailure {
    match cause {
        Cause::SteamAway | Cause::RateLimited => AttemptFailure::SteamUnavailable,
        Cause::Refused | Cause::Unknown => AttemptFailure::Other,
        Cause::TradeUrlNeeded => AttemptFailure::TradeUrlNeeded,
        Cause::TradeBanned | Cause::RecipientTradeBanned => AttemptFailure::RecipientTradeBanned,
        Cause::NoAccess | Cause::RecipientCannotReceive => AttemptFailure::RecipientCannotReceive,
        Cause::RecipientInventoryFull => AttemptFailure::RecipientInventoryFull,
        Cause::BotRestricted => AttemptFailure::BotRestricted,
        Cause::BotNewDevice => AttemptFailure::BotNewDevice,
        Cause::OfferLimit => AttemptFailure::OfferLimit,
        Cause::ItemsUnavailable => AttemptFailure::ItemsUnavailable,
    }
}

/// Why one more offer to this person is not tried: Steam's limits count what others sent from the
/// account too.
pub(crate) fn refusal_of_open_offers(page: &OffersPage, partner: SteamId) -> Option<Refusal> {
    let open = || page.sent.iter().filter(|offer| offer.is_open());
    let (all, theirs) = (open().count(), open().filter(|offer| offer.partner == partner).count());
    let text = if all >= OPEN_OFFERS_MAX {
        format!("the account has {all} open offers")
    } else if theirs >= OPEN_OFFERS_TO_ONE_MAX {
        format!("the recipient has {theirs} open offers of the account")
    } else {
        return None;
    };
    Some((AttemptFailure::OfferLimit, text))
}

/// Why a trade that Steam would hold for this long is not tried, if it is not.
pub(crate) fn refusal_of_hold(hold: Hold, max_days: u32) -> Option<Refusal> {
    let days = |seconds: u64| seconds.div_ceil(DAY_SECONDS);
    let max_days = u64::from(max_days);
    if days(hold.theirs) > max_days {
        let text = format!("Steam would hold the items for {} days", days(hold.theirs));
        return Some((AttemptFailure::HoldTooLong, text));
    }
    if days(hold.ours) > max_days {
        let text = format!("Steam holds what the bot gives for {} days", days(hold.ours));
        return Some((AttemptFailure::BotRestricted, text));
    }
    None
}

/// What a trade's state asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Complete, and all new ids are known.
    Done,
    /// Complete, but Steam does not tell all new ids yet.
    Nameless,
    /// Not complete yet.
    Moving,
    Held,
    /// The items went back.
    Undone,
}

/// Reads a trade's state. `moved` is the side of it that matters.
pub(crate) fn of_trade(trade: &Trade, moved: &[MovedAsset]) -> Passage {
    match trade.status {
        TradeStatus::Complete | TradeStatus::Reversed => {
            if are_named(moved) {
                Passage::Done
            } else {
                Passage::Nameless
            }
        }
        TradeStatus::Moving | TradeStatus::Unknown(_) => Passage::Moving,
        TradeStatus::InEscrow => Passage::Held,
        TradeStatus::Failed | TradeStatus::RolledBack => Passage::Undone,
    }
}

fn are_named(moved: &[MovedAsset]) -> bool {
    !moved.is_empty() && moved.iter().all(|asset| asset.new_asset_id != 0)
}

/// What became of a trade of the history, if it can be told: a complete one without new ids only
/// once it is older than `patience`, in seconds.
pub(crate) fn outcome(trade: &Trade, now: i64, patience: i64) -> Option<TradeOutcome> {
    match trade.status {
        TradeStatus::Complete => {
            let sides = [&trade.given, &trade.received];
            let named = sides.iter().all(|moved| moved.is_empty() || are_named(moved));
            (named || now - trade.began_at > patience).then_some(TradeOutcome::Complete)
        }
        TradeStatus::Reversed => Some(TradeOutcome::Reversed),
        TradeStatus::Failed | TradeStatus::RolledBack => Some(TradeOutcome::Undone),
        TradeStatus::Moving | TradeStatus::InEscrow | TradeStatus::Unknown(_) => None,
    }
}

/// When a trade cannot be reversed any more, if that is still to come.
pub(crate) fn settle_time(trade: &Trade, now: i64) -> Option<i64> {
    trade.settles_at.filter(|at| *at > now)
}

/// Whether an offer gives exactly these items and asks for nothing.
pub(crate) fn gives_exactly(offer: &Offer, order: &Order) -> bool {
    let offered: BTreeSet<AssetKey> = offer.give.iter().map(|asset| asset.key()).collect();
    offer.partner == order.partner
        && offer.odd.is_none()
        && offer.receive.is_empty()
        && offered.len() == offer.give.len()
        && offered == order.keys().collect()
}

/// What a reading of the sent offers tells about an offer that may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sighting {
    Seen(OfferId),
    /// It does not exist, as far as Steam shows now.
    Absent,
    /// The reading had gaps.
    Unclear,
}

/// Looks for the offer of an attempt that was sent at `since` or later, Steam's time.
/// Of several, the furthest counts, and then the newest.
pub(crate) fn find(page: &OffersPage, order: &Order, since: i64) -> Sighting {
    let candidates = page.sent.iter().filter(|offer| {
        offer.message.contains(&order.marker) && offer.created_at >= since - CLOCK_TOLERANCE_SECONDS
    });
    // One with an item that cannot be read may be ours.
    let odd = candidates.clone().any(|offer| offer.odd.is_some());
    let ours = candidates.filter(|offer| gives_exactly(offer, order));
    match ours.max_by_key(|offer| (progress(offer), offer.id)) {
        Some(offer) => Sighting::Seen(offer.id),
        None if page.is_whole() && !odd => Sighting::Absent,
        None => Sighting::Unclear,
    }
}

fn progress(offer: &Offer) -> u8 {
    match of_offer(offer) {
        Verdict::Traded(_) => 4,
        Verdict::Held(_) => 3,
        Verdict::Open => 2,
        Verdict::Unconfirmed | Verdict::Unclear => 1,
        Verdict::Over(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decide::Phase,
        steam::{Asset, SteamId},
    };

    const STATES: [OfferState; 13] = [
        OfferState::Invalid,
        OfferState::Active,
        OfferState::Accepted,
        OfferState::Countered,
        OfferState::Expired,
        OfferState::Canceled,
        OfferState::Declined,
        OfferState::InvalidItems,
        OfferState::NeedsConfirmation,
        OfferState::CanceledBySecondFactor,
        OfferState::InEscrow,
        OfferState::Reverted,
        OfferState::Unknown(99),
    ];

    fn key(asset_id: u64) -> AssetKey {
        AssetKey { app_id: 440, context_id: 2, asset_id }
    }

    fn asset(asset_id: u64) -> Asset {
        Asset {
            app_id: 440,
            context_id: 2,
            asset_id,
            class_id: 1,
            instance_id: 0,
            amount: 1,
            estimated_usd_cents: 0,
        }
    }

    fn order() -> Order {
        Order {
            attempt_id: "a".into(),
            marker: "A7F3K2Q9".into(),
            partner: SteamId(5),
            token: None,
            give: vec![(key(1), 1), (key(2), 1)],
            message: "Astro prize A7F3K2Q9".into(),
            started_at: None,
            age: std::time::Duration::ZERO,
            phase: Phase::Planned,
        }
    }

    fn offer(id: u64) -> Offer {
        Offer {
            id: OfferId(id),
            partner: SteamId(5),
            message: "Astro prize A7F3K2Q9".into(),
            state: OfferState::NeedsConfirmation,
            give: vec![asset(2), asset(1)],
            receive: vec![],
            created_at: 1000,
            trade_id: None,
            escrow_end_at: None,
            odd: None,
        }
    }

    fn whole(sent: Vec<Offer>) -> OffersPage {
        OffersPage { sent, complete: true, ..Default::default() }
    }

    #[test]
    fn a_trade_id_outweighs_every_final_state() {
        for state in STATES {
            let traded = Offer { state, trade_id: Some(TradeId(1)), ..offer(1) };
            let open = matches!(
                state,
                OfferState::Active
                    | OfferState::NeedsConfirmation
                    | OfferState::InEscrow
                    | OfferState::Unknown(_)
            );
            assert_eq!(of_offer(&traded) == Verdict::Traded(TradeId(1)), !open, "{state:?}");
        }
    }

    #[test]
    fn an_accepted_offer_without_trade_id_is_looked_at_again() {
        for state in [OfferState::Accepted, OfferState::Reverted, OfferState::Unknown(13)] {
            assert_eq!(of_offer(&Offer { state, ..offer(1) }), Verdict::Unclear);
        }
    }

    #[test]
    fn an_offer_is_found_by_partner_marker_and_items() {
        let page = whole(vec![offer(7)]);
        assert_eq!(find(&page, &order(), 1000), Sighting::Seen(OfferId(7)));
        assert_eq!(find(&page, &order(), 1120), Sighting::Seen(OfferId(7)));
        for other in [
            Offer { partner: SteamId(6), ..offer(7) },
            Offer { message: "Astro prize B7F3K2Q9".into(), ..offer(7) },
            Offer { give: vec![asset(1)], ..offer(7) },
            Offer { give: vec![asset(1), asset(2), asset(3)], ..offer(7) },
            Offer { receive: vec![asset(9)], ..offer(7) },
            Offer { created_at: 800, ..offer(7) },
        ] {
            assert_eq!(find(&whole(vec![other]), &order(), 1000), Sighting::Absent);
        }
    }

    #[test]
    fn of_two_offers_the_furthest_counts() {
        let confirmed = Offer { state: OfferState::Active, ..offer(7) };
        let page = whole(vec![confirmed, offer(8), offer(9)]);
        assert_eq!(find(&page, &order(), 1000), Sighting::Seen(OfferId(7)));
        assert_eq!(find(&whole(vec![offer(8), offer(9)]), &order(), 0), Sighting::Seen(OfferId(9)));
    }

    #[test]
    fn a_reading_with_gaps_proves_no_absence() {
        let glitched = OffersPage { skipped: 1, ..whole(vec![]) };
        assert_eq!(find(&glitched, &order(), 0), Sighting::Unclear);
        let partial = OffersPage { complete: false, ..whole(vec![]) };
        assert_eq!(find(&partial, &order(), 0), Sighting::Unclear);
    }

    #[test]
    fn a_hold_is_refused_beyond_the_limit_and_blamed_on_the_right_side() {
        let refusal = |ours, theirs, max_days| {
            let hold = Hold { ours, theirs };
            refusal_of_hold(hold, max_days).map(|(failure, _)| failure)
        };
        assert_eq!(refusal(0, 0, 0), None);
        assert_eq!(refusal(0, 1, 0), Some(AttemptFailure::HoldTooLong));
        assert_eq!(refusal(0, 15 * DAY_SECONDS, 15), None);
        assert_eq!(refusal(0, 15 * DAY_SECONDS + 1, 15), Some(AttemptFailure::HoldTooLong));
        assert_eq!(refusal(DAY_SECONDS, 0, 0), Some(AttemptFailure::BotRestricted));
    }

    #[test]
    fn open_offers_of_whoever_sent_them_count_against_steams_limits() {
        let to = |partner: u64, state: OfferState, count: usize| {
            let one =
                move |id: usize| Offer { partner: SteamId(partner), state, ..offer(id as u64) };
            (0..count).map(one)
        };
        let refusal = |sent: Vec<Offer>| refusal_of_open_offers(&whole(sent), SteamId(5));
        let four = || to(5, OfferState::Active, 2).chain(to(5, OfferState::NeedsConfirmation, 2));
        assert_eq!(refusal(four().collect()), None);
        assert_eq!(refusal(four().chain(to(5, OfferState::Declined, 9)).collect()), None);
        let (failure, text) =
            refusal(four().chain(to(5, OfferState::Active, 1)).collect()).unwrap();
        assert_eq!(failure, AttemptFailure::OfferLimit);
        assert_eq!(text, "the recipient has 5 open offers of the account");
        assert_eq!(refusal(to(6, OfferState::Active, 29).collect()), None);
        let (_, text) = refusal(to(6, OfferState::Active, 30).collect()).unwrap();
        assert_eq!(text, "the account has 30 open offers");
    }

    fn moved(new_asset_id: u64) -> MovedAsset {
        MovedAsset {
            app_id: 440,
            asset_id: 1,
            new_asset_id,
            new_context_id: 2,
            returned_asset_id: 0,
            returned_context_id: 0,
        }
    }

    fn trade(status: TradeStatus) -> Trade {
        Trade {
            id: TradeId(1),
            partner: SteamId(5),
            status,
            began_at: 100,
            settles_at: Some(500),
            given: vec![],
            received: vec![],
            odd: None,
        }
    }

    #[test]
    fn a_trade_is_done_once_all_new_ids_are_known() {
        let complete = trade(TradeStatus::Complete);
        assert_eq!(of_trade(&complete, &[moved(3)]), Passage::Done);
        assert_eq!(of_trade(&complete, &[moved(3), moved(0)]), Passage::Nameless);
        assert_eq!(of_trade(&complete, &[]), Passage::Nameless);
        assert_eq!(of_trade(&trade(TradeStatus::InEscrow), &[]), Passage::Held);
        assert_eq!(of_trade(&trade(TradeStatus::RolledBack), &[moved(3)]), Passage::Undone);
        assert_eq!(of_trade(&trade(TradeStatus::Unknown(44)), &[moved(3)]), Passage::Moving);
        assert_eq!(settle_time(&complete, 499), Some(500));
        assert_eq!(settle_time(&complete, 500), None);
    }

    #[test]
    fn a_trade_of_the_history_is_told_once_it_is_known_what_became_of_it() {
        let seen = |status: i64| outcome(&trade(status.into()), 101, 60);
        for waiting in [0, 1, 2, 8, 9, 10, 13] {
            assert_eq!(seen(waiting), None, "{waiting}");
        }
        assert_eq!(seen(3), Some(TradeOutcome::Complete));
        assert_eq!(seen(12), Some(TradeOutcome::Reversed));
        for undone in [4, 5, 6, 7, 11] {
            assert_eq!(seen(undone), Some(TradeOutcome::Undone), "{undone}");
        }
        let named = Trade { given: vec![moved(3)], ..trade(TradeStatus::Complete) };
        assert_eq!(outcome(&named, 101, 60), Some(TradeOutcome::Complete));
        let nameless = Trade { received: vec![moved(0)], ..named };
        assert_eq!(outcome(&nameless, 160, 60), None);
        assert_eq!(outcome(&nameless, 161, 60), Some(TradeOutcome::Complete));
    }
}
