//! What is asked about a recipient: before an offer is sent, and when Steam did not take it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{
    decide::Order,
    desk::Desk,
    frames::AttemptFailure,
    steam::{AppContext, Cause, Class, Reason, Relationship, SteamError},
    verdict::{self, Refusal},
};

/// Steam's result for a wrong token, or none where one is needed.
const ACCESS_DENIED: i32 = 15;
/// No hold is longer; who allows this need not know how long it is.
const LONGEST_HOLD_DAYS: u32 = 15;
/// Tries to learn the hold before the attempt is put off.
const HOLD_TRIES: u32 = 3;

/// Why an offer is not even tried, if it is not. Takes the token off the order if it is not valid
/// and friendship does instead.
pub(super) async fn refusal(
    desk: &Desk,
    order: &mut Order,
    cancel: &CancellationToken,
) -> Option<Refusal> {
    let page = Arc::clone(&desk.offers.borrow());
    if let Some(refusal) = verdict::refusal_of_open_offers(&page, order.partner) {
        return Some(refusal);
    }
    if is_banned(desk, order).await == Some(true) {
        let text = "the recipient is banned from trading".to_owned();
        return Some((AttemptFailure::RecipientTradeBanned, text));
    }
    let mut retry = desk.retry();
    for _ in 0..HOLD_TRIES {
        if cancel.is_cancelled() {
            return Some((AttemptFailure::Cancelled, "not sent".to_owned()));
        }
        match desk.steam.hold(order.partner, order.token.as_deref()).await {
            Ok(hold) => return verdict::refusal_of_hold(hold, desk.max_hold_days),
            Err(error) if error.eresult == Some(ACCESS_DENIED) => {
                match is_friend(desk, order).await {
                    Ok(true) if order.token.take().is_some() => continue,
                    Ok(true) => break,
                    Ok(false) => return Some(no_access(order, &error.text)),
                    Err(error) => tracing::warn!("Could not read the friend list: {error}"),
                }
            }
            Err(error) if error.class == Class::Permanent => break,
            Err(error) => tracing::warn!("Could not learn the trade hold: {error}"),
        }
        retry.pause().await;
    }
    // Whoever allows every hold need not know this one.
    (desk.max_hold_days < LONGEST_HOLD_DAYS).then(|| {
        let text = "Steam does not tell the trade hold".to_owned();
        (AttemptFailure::SteamUnavailable, text)
    })
}

/// Why an offer was not sent, as far as can be found out.
pub(super) async fn why_not_sent(desk: &Desk, order: &Order, reason: Reason) -> Refusal {
    let text = reason.text;
    match reason.cause {
        Cause::TradeUrlNeeded => no_access(order, &text),
        Cause::NoAccess => why_no_access(desk, order, text).await,
        // Steam does not say whose ban it is.
        Cause::TradeBanned if is_banned(desk, order).await == Some(false) => {
            (AttemptFailure::BotRestricted, text)
        }
        cause @ (Cause::SteamAway
        | Cause::RateLimited
        | Cause::Refused
        | Cause::TradeBanned
        | Cause::RecipientTradeBanned
        | Cause::RecipientCannotReceive
        | Cause::RecipientInventoryFull
        | Cause::BotRestricted
        | Cause::BotNewDevice
        | Cause::OfferLimit
        | Cause::ItemsUnavailable
        | Cause::Unknown) => (verdict::failure_of_cause(cause), text),
    }
}

/// Steam's "access denied" has many reasons, and it names none of them.
async fn why_no_access(desk: &Desk, order: &Order, text: String) -> Refusal {
    let asked = desk.steam.hold(order.partner, order.token.as_deref()).await;
    if asked.is_err_and(|error| error.eresult == Some(ACCESS_DENIED)) {
        return no_access(order, &text);
    }
    let context = order
        .keys()
        .next()
        .map(|key| AppContext { app_id: key.app_id, context_id: key.context_id });
    let Some(context) = context else { return (AttemptFailure::RecipientCannotReceive, text) };
    match desk.steam.shows_inventory(order.partner, context).await {
        Ok(false) => (AttemptFailure::RecipientInventoryPrivate, text),
        Ok(true) => (AttemptFailure::RecipientCannotReceive, text),
        Err(error) => {
            tracing::info!("Could not look at the recipient's inventory: {error}");
            (AttemptFailure::RecipientCannotReceive, text)
        }
    }
}

fn no_access(order: &Order, text: &str) -> Refusal {
    match &order.token {
        Some(_) => {
            let text = format!("the token of the trade URL is not valid any more: {text}");
            (AttemptFailure::TradeUrlInvalid, text)
        }
        None => {
            let text = format!("neither a trade URL nor a friendship: {text}");
            (AttemptFailure::TradeUrlNeeded, text)
        }
    }
}

/// Whether Steam keeps the recipient from trading; none if it does not tell.
async fn is_banned(desk: &Desk, order: &Order) -> Option<bool> {
    match desk.steam.is_trade_banned(order.partner).await {
        Ok(banned) => Some(banned),
        Err(error) => {
            tracing::info!("Could not learn whether {} is banned: {error}", order.partner);
            None
        }
    }
}

async fn is_friend(desk: &Desk, order: &Order) -> Result<bool, SteamError> {
    Ok(desk.steam.friends().await?.with(order.partner) == Relationship::Friend)
}
