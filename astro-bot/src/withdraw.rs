//! Withdrawing offers that the account should not have sent.

use crate::{
    decide::Input,
    desk::Desk,
    steam::{Offer, OfferId},
};

/// Readings without the offer, until Steam counts as not knowing it.
const MISSES_MAX: u32 = 3;

/// An offer with the marker of an attempt whose offer is another one: sent twice, against all care.
pub(crate) async fn double(desk: Desk, id: OfferId) {
    tracing::error!(offer.id = %id, "Offer {id} doubles another: cancelling it");
    cancel(&desk, id).await;
    desk.tell(Input::DoubleTried(id)).await;
}

/// An offer that no attempt explains, and that the server wants gone.
pub(crate) async fn stranger(desk: Desk, id: OfferId) {
    let offer = last_seen(&desk, id).await.map(Box::new);
    desk.tell(Input::StrangerGone(id, offer)).await;
}

/// Cancels the offer until it is not open any more; none if Steam does not know it.
async fn last_seen(desk: &Desk, id: OfferId) -> Option<Offer> {
    let mut retry = desk.retry();
    let mut misses = 0;
    while misses < MISSES_MAX {
        match desk.offer(id).await {
            Some(offer) if offer.is_open() => {
                tracing::warn!(offer.id = %id, "Cancelling offer {id}, as the server asks");
                cancel(desk, id).await;
            }
            Some(offer) => return Some(offer),
            None => misses += 1,
        }
        retry.pause().await;
    }
    None
}

async fn cancel(desk: &Desk, id: OfferId) {
    let _step = desk.step().await;
    if let Err(error) = desk.steam.cancel(id).await {
        tracing::warn!(offer.id = %id, "Could not cancel offer {id}: {error:?}");
    }
}
