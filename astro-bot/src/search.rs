//! Finding out whether an offer was sent, by reading: the answer to its sending was lost, or the
//! bot that sent it is gone.

use std::{collections::BTreeSet, time::Duration};

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

/// When to look, and from when on absence counts as proof: decided by the age of the attempt alone,
/// so that a bot that is started anew all the time still comes to an end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule<'a> {
    /// Distances from the beginning of a search, each larger than the one before.
    steps: &'a [Duration],
    /// The first moment to look, from now.
    first: Duration,
    /// From then on, from now, absence proves something: Steam shows what was sent by that age.
    end: Duration,
}

impl<'a> Schedule<'a> {
    /// Of a search that begins now, for an attempt that was started `age` ago.
    pub(crate) fn new(steps: &'a [Duration], first: Duration, age: Duration) -> Self {
        let last = steps.last().copied().unwrap_or_default();
        Self { steps, first, end: last.saturating_sub(age) }
    }

    /// The moments to look: `first`, the later steps, and then at the distance of the last step.
    fn moments(self) -> impl Iterator<Item = Duration> + 'a {
        let last = self.steps.last().copied().unwrap_or_default().max(self.first);
        let later = self.steps.iter().copied().filter(move |step| *step > self.first);
        let after = (1..).map(move |round| last.saturating_mul(round + 1));
        std::iter::once(self.first).chain(later).chain(after)
    }

    /// Whether so many absences prove that nothing was sent, at this moment.
    fn is_proof(self, absences: u32, moment: Duration) -> bool {
        absences >= PROOF_READINGS && moment >= self.end
    }
}

/// Searches until there is proof.
pub(crate) async fn search(
    desk: &Desk,
    order: &Order,
    since: i64,
    schedule: Schedule<'_>,
) -> Found {
    let start = Instant::now();
    let mut moments = schedule.moments();
    let (mut absences, mut gone) = (0, 0);
    loop {
        let moment = moments.next().unwrap_or_default();
        sleep_until(start + moment).await;
        match look(desk, order, since).await {
            Sighting::Seen(offer) => return Found::Offer(offer),
            Sighting::Unclear => continue,
            Sighting::Absent => absences += 1,
        }
        if !schedule.is_proof(absences, start.elapsed()) {
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
    let wanted: BTreeSet<AssetKey> = order.keys().collect();
    match desk.steam.present(&wanted).await {
        Ok(present) => Some(present == wanted),
        Err(error) => {
            tracing::warn!("Could not read the inventory: {error}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Duration; 4] = [
        Duration::from_secs(5),
        Duration::from_secs(15),
        Duration::from_secs(45),
        Duration::from_secs(120),
    ];

    fn schedule(first: u64, age: u64) -> Schedule<'static> {
        Schedule::new(&STEPS, Duration::from_secs(first), Duration::from_secs(age))
    }

    /// When a search ends that sees nothing, if it is not cut short before.
    fn ends_at(schedule: Schedule<'_>) -> u64 {
        let looks = schedule.moments().zip(1..);
        let mut proofs = looks.filter(|(moment, absences)| schedule.is_proof(*absences, *moment));
        proofs.next().expect("it ends").0.as_secs()
    }

    #[test]
    fn a_search_looks_ever_less_often_and_ends_with_its_schedule() {
        let seconds = |schedule: Schedule<'_>| -> Vec<u64> {
            schedule.moments().take(7).map(|moment| moment.as_secs()).collect()
        };
        assert_eq!(seconds(schedule(0, 0)), [0, 5, 15, 45, 120, 240, 360]);
        assert_eq!(seconds(schedule(5, 0)), [5, 15, 45, 120, 240, 360, 480]);
        assert_eq!((ends_at(schedule(0, 0)), ends_at(schedule(5, 0))), (120, 120));
        assert_eq!(ends_at(schedule(0, 60)), 120, "the next look after the attempt's age is 120");
        assert_eq!(ends_at(schedule(0, 120)), 5, "two looks all the same");
        assert_eq!(ends_at(schedule(0, u64::MAX)), 5);
    }

    #[test]
    fn a_bot_that_is_started_anew_every_minute_comes_to_an_end() {
        let ended = (0..).map(|minute| minute * 60).find(|age| ends_at(schedule(0, *age)) < 60);
        assert_eq!(ended, Some(120), "seconds after the attempt was started");
    }
}
