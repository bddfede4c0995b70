//! Finding out whether an offer was sent, by reading: the answer to its sending was lost, or the
//! bot that sent it is gone.

use std::{collections::HashSet, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::{
    decide::Order,
    desk::Desk,
    steam::{AssetKey, OfferId, OffersQuery},
    verdict::{self, Sighting},
};

/// Steam's clock may put an offer's change this much earlier than it happened.
const BACKDATED_SECONDS: i64 = 1800;
/// Complete readings without the offer that prove that it was not sent.
const PROOF_READINGS: u32 = 2;
/// Complete readings of the inventory without the items, after the proof that no offer moved
/// them, until they count as gone.
const GONE_READINGS: u32 = 3;

/// What a search found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Offer(OfferId),
    /// Proven: nothing was sent, and the items are still here.
    NotSent,
    /// Proven: nothing was sent; but the items are gone by another way.
    ItemsGone,
}

/// Searches until there is proof. `first` is the first of the moments to look at, counted from
/// now; the others follow the schedule.
pub(crate) async fn search(desk: &Desk, order: &Order, since: i64, first: Duration) -> Found {
    let start = Instant::now();
    let schedule = &desk.pace.search;
    let last = schedule.last().copied().unwrap_or_default();
    let mut moments = std::iter::once(first).chain(schedule.iter().copied());
    let mut next = start;
    let (mut absences, mut gone) = (0, 0);
    loop {
        // After the schedule, at the distance of its last step.
        next = moments.next().map_or(next + last, |moment| start + moment);
        sleep_until(next).await;
        match look(desk, order, since).await {
            Sighting::Seen(offer) => return Found::Offer(offer),
            Sighting::Unclear => continue,
            Sighting::Absent => absences += 1,
        }
        if absences < PROOF_READINGS || Instant::now() < start + last {
            continue;
        }
        match items_are_here(desk, order).await {
            Some(true) => return Found::NotSent,
            Some(false) => gone += 1,
            None => {}
        }
        if gone >= GONE_READINGS {
            return Found::ItemsGone;
        }
    }
}

/// Looks once.
pub(crate) async fn look(desk: &Desk, order: &Order, since: i64) -> Sighting {
    let changed_since = (since - BACKDATED_SECONDS).max(0);
    match desk.steam.offers(OffersQuery { changed_since, received: false }).await {
        Ok(page) => verdict::find(&page, order, since),
        Err(error) => {
            tracing::warn!("Could not look for the offer of {}: {error}", order.attempt_id);
            Sighting::Unclear
        }
    }
}

/// Whether all items are in the inventory; none if it could not be read.
async fn items_are_here(desk: &Desk, order: &Order) -> Option<bool> {
    let wanted: HashSet<AssetKey> = order.keys().collect();
    match desk.steam.present(&wanted).await {
        Ok(present) => Some(present == wanted),
        Err(error) => {
            tracing::warn!("Could not read the inventory: {error}");
            None
        }
    }
}
