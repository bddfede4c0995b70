//! What every task of the bot works with.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::{
    backoff::Backoff,
    confirm::Confirmer,
    decide::Input,
    lease::Lease,
    outside::Outside,
    pace::Pace,
    probe::Probe,
    steam::{Offer, OfferId, OfferState, OffersPage, Steam},
};

/// The tools of a task. Each task has its own copy.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) steam: Arc<Steam>,
    pub(crate) confirmer: Confirmer,
    pub(crate) outside: Outside,
    pub(crate) pace: Arc<Pace>,
    pub(crate) max_hold_days: u32,
    pub(crate) inputs: mpsc::Sender<Input>,
    /// The latest reading of the trade offers.
    pub(crate) offers: watch::Receiver<Arc<OffersPage>>,
    /// Whether the bot may act for its account.
    pub(crate) lease: Lease,
    /// Requests that move items; the bot stops only between them.
    pub(crate) steps: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) probe: Probe,
}

impl Desk {
    /// Tells the event loop. It may be gone when the bot stops; then nobody needs to know.
    pub(crate) async fn tell(&self, input: Input) {
        let _ = self.inputs.send(input).await;
    }

    /// Waits between tries of a request to Steam.
    pub(crate) fn retry(&self) -> Backoff {
        Backoff::new(self.pace.retry_first, self.pace.retry_cap, &self.outside.chance)
    }

    /// Reads an offer, however long that takes; none if Steam does not know it.
    pub(crate) async fn offer(&self, id: OfferId) -> Option<Offer> {
        let mut retry = self.retry();
        loop {
            match self.steam.offer(id).await {
                Ok(offer) => return offer,
                Err(error) => tracing::warn!(offer.id = %id, "Could not read offer {id}: {error}"),
            }
            retry.pause().await;
        }
    }

    /// Waits until a poll shows the offer in another state, or no more.
    pub(crate) async fn offer_leaves(&mut self, id: OfferId, state: OfferState) {
        self.offers.mark_unchanged();
        while self.offers.changed().await.is_ok() {
            let page = Arc::clone(&self.offers.borrow_and_update());
            let known = page.sent.iter().chain(&page.received).find(|offer| offer.id == id);
            match known {
                Some(offer) if offer.state == state => {}
                None if !page.complete => {}
                Some(_) | None => return,
            }
        }
        // The poller is gone: the bot stops.
        std::future::pending::<()>().await;
    }

    /// Begins a request that moves items. While the token is held the bot does not stop; once it
    /// stops, none is given out any more.
    pub(crate) async fn step(&self) -> TaskTrackerToken {
        let token = self.steps.token();
        if self.stop.is_cancelled() {
            drop(token);
            std::future::pending::<()>().await;
            unreachable!("nothing wakes this task but its end");
        }
        token
    }
}
