//! The answer to one received offer: one task.

use tokio::time::sleep;

use crate::{
    backoff::Backoff,
    crash,
    decide::{AnswerOrder, Input},
    desk::Desk,
    frames::{self, Event, OfferOutcome},
    steam::{ActError, Offer, OfferState, TradeId},
    verdict::{self, Passage, Verdict},
};

/// Readings without the offer, until it counts as ended.
const MISSES_MAX: u32 = 3;
/// Readings of a trade without new ids, until the acceptance is reported without them.
const NAMELESS_MAX: u32 = 3;

/// Answers the offer and reports how it ended.
pub(crate) async fn answer(desk: Desk, order: AnswerOrder) {
    let last = settle(&desk, &order).await;
    desk.tell(Input::AnswerTold(last)).await;
    desk.tell(Input::AnswerOver(order.offer)).await;
}

async fn settle(desk: &Desk, order: &AnswerOrder) -> Event {
    let id = order.offer;
    let mut retry = desk.retry();
    let mut misses = 0;
    let mut accepted = order.accepted_before;
    let mut over_once: Option<OfferState> = None;
    loop {
        let Some(offer) = desk.offer(id).await else {
            misses += 1;
            // What was accepted may have moved: then only Steam's word ends it.
            if misses >= MISSES_MAX && !accepted {
                return frames::offer_over(id, OfferOutcome::Ended, "Steam does not know it");
            }
            retry.pause().await;
            continue;
        };
        misses = 0;
        match verdict::of_offer(&offer) {
            Verdict::Open if !order.accepted_before => {
                if let Err(error) = act(desk, order, &offer, &mut accepted).await {
                    tracing::warn!(offer.id = %id, "Could not answer offer {id}: {error}");
                    retry.pause().await;
                }
            }
            Verdict::Traded(trade) => {
                if let Some(last) = close(desk, &offer, trade, &mut retry).await {
                    return last;
                }
            }
            Verdict::Over(state) if !order.accepted_before => {
                if over_once.replace(state) == Some(state) {
                    return over(order, &offer);
                }
                sleep(desk.pace.second_read).await;
            }
            Verdict::Held(_) => sleep(desk.pace.escrow_poll).await,
            Verdict::Open | Verdict::Over(_) | Verdict::Unconfirmed | Verdict::Unclear => {
                retry.pause().await;
            }
        }
    }
}

/// Whether the offer, as it is on Steam now, may be accepted: a gift from who the server thinks.
fn acceptable(order: &AnswerOrder, offer: &Offer) -> bool {
    order.accept
        && offer.odd.is_none()
        && offer.give.is_empty()
        && !offer.receive.is_empty()
        && offer.partner == order.partner
}

/// Accepts or declines. The next reading shows what became of it, whatever the answer says;
/// `accepted` is set if the offer may be accepted now.
async fn act(
    desk: &Desk,
    order: &AnswerOrder,
    offer: &Offer,
    accepted: &mut bool,
) -> Result<(), String> {
    let _step = desk.step().await;
    if acceptable(order, offer) {
        let Some(warrant) = desk.lease.current() else {
            return Err("there is no session with the server".to_owned());
        };
        let answer = desk.steam.accept(offer.id, offer.partner, &warrant).await;
        crash::point("after-accept");
        *accepted |= !matches!(answer, Err(ActError::NotDone(_)));
        return match answer {
            Ok(accepted) if accepted.trade_id.is_none() => {
                Err("Steam wants a confirmation for a gift".to_owned())
            }
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{error:?}")),
        };
    }
    desk.steam.decline(offer.id).await.map_err(|error| format!("{error:?}"))
}

fn over(order: &AnswerOrder, offer: &Offer) -> Event {
    if offer.state != OfferState::Declined {
        let (_, text) = verdict::failure(offer.state);
        return frames::offer_over(offer.id, OfferOutcome::Ended, text);
    }
    let refused = order.accept && !acceptable(order, offer);
    let why = match (refused, &offer.odd) {
        (true, Some(_)) => "an item of the offer makes no sense",
        (true, None) => "the offer asks for items of the bot",
        (false, _) => &order.reason,
    };
    frames::offer_over(offer.id, OfferOutcome::Declined, why)
}

/// Waits until the trade tells the new asset ids; none if the offer must be looked at again.
async fn close(
    desk: &Desk,
    offer: &Offer,
    trade_id: TradeId,
    retry: &mut Backoff,
) -> Option<Event> {
    let mut nameless = 0;
    let keys = || offer.receive.iter().map(|asset| asset.key());
    loop {
        match desk.steam.trade(trade_id).await {
            Ok(Some(trade)) => {
                let assets = frames::moved(keys(), &trade.received);
                let settles_at = verdict::settle_time(&trade, desk.steam.now());
                let accepted = frames::offer_accepted(offer.id, trade_id, assets, settles_at);
                match verdict::of_trade(&trade, &trade.received) {
                    Passage::Done => return Some(accepted),
                    Passage::Nameless => {
                        nameless += 1;
                        if nameless == NAMELESS_MAX {
                            desk.tell(Input::AnswerTold(accepted)).await;
                        }
                    }
                    Passage::Moving => {}
                    Passage::Held => {
                        sleep(desk.pace.escrow_poll).await;
                        return None;
                    }
                    Passage::Undone => {
                        let why = "Steam undid the trade";
                        return Some(frames::offer_over(offer.id, OfferOutcome::Ended, why));
                    }
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!("Could not read trade {trade_id}: {error}"),
        }
        retry.pause().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steam::{Asset, OfferId, SteamId};

    fn order(accept: bool) -> AnswerOrder {
        AnswerOrder {
            offer: OfferId(1),
            partner: SteamId(5),
            accept,
            accepted_before: false,
            reason: "no donations today".into(),
        }
    }

    fn gift() -> Offer {
        let item = Asset {
            app_id: 440,
            context_id: 2,
            asset_id: 1,
            class_id: 1,
            instance_id: 0,
            amount: 1,
            estimated_usd_cents: 0,
        };
        Offer {
            id: OfferId(1),
            partner: SteamId(5),
            message: String::new(),
            state: OfferState::Active,
            give: vec![],
            receive: vec![item],
            created_at: 0,
            trade_id: None,
            escrow_end_at: None,
            odd: None,
        }
    }

    #[test]
    fn only_a_gift_from_the_right_person_is_accepted() {
        assert!(acceptable(&order(true), &gift()));
        assert!(!acceptable(&order(false), &gift()));
        let theft = Offer { give: gift().receive, ..gift() };
        assert!(!acceptable(&order(true), &theft));
        let stranger = Offer { partner: SteamId(6), ..gift() };
        assert!(!acceptable(&order(true), &stranger));
        let odd = Offer { odd: Some("assetid 1: no amount".into()), ..gift() };
        assert!(!acceptable(&order(true), &odd));
        let nothing = Offer { receive: vec![], ..gift() };
        assert!(!acceptable(&order(true), &nothing));
    }

    #[test]
    fn a_declined_offer_tells_why() {
        let declined = Offer { state: OfferState::Declined, ..gift() };
        let Event::OfferAnswered(event) = over(&order(false), &declined) else { panic!() };
        assert_eq!(event.outcome(), OfferOutcome::Declined);
        assert_eq!(event.message, "no donations today");
        let theft = Offer { give: gift().receive, ..declined };
        let Event::OfferAnswered(event) = over(&order(true), &theft) else { panic!() };
        assert_eq!(event.message, "the offer asks for items of the bot");
        let expired = Offer { state: OfferState::Expired, ..gift() };
        let Event::OfferAnswered(event) = over(&order(true), &expired) else { panic!() };
        assert_eq!(event.outcome(), OfferOutcome::Ended);
    }
}
