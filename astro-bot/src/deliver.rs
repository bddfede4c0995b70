//! One delivery attempt, from the server's order to its end: one task.

mod recipient;

use std::{collections::BTreeSet, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    confirm::Confirmed,
    crash,
    decide::{Input, Order, Phase, Progress, Word},
    desk::Desk,
    frames::{self, AttemptFailure, Event},
    lease::Warrant,
    search::{self, Found, Schedule},
    steam::{
        AssetKey, Cause, NewOffer, Offer, OfferId, OfferState, Reason, SendError, Trade, TradeId,
    },
    verdict::{self, Passage, Refusal, Sighting, Verdict},
};

/// The server's clock may be ahead of ours by this much. An offer that is overlooked because of it
/// would be sent twice.
const SERVER_CLOCK_SECONDS: i64 = 600;
/// Complete readings of an inventory without any item of an invalid offer, until it counts as
/// ended although no trade explains where they went.
const VANISHED_READINGS: u32 = 3;

/// The task.
pub(crate) struct Delivery {
    desk: Desk,
    order: Order,
    words: mpsc::UnboundedReceiver<Word>,
    cancel: CancellationToken,
    /// When the attempt had the age `aged`: schedules count from its start, not from this task's.
    since: Instant,
    aged: Duration,
    /// Why the offer is being withdrawn, if it is.
    withdrawal: Option<Refusal>,
    confirming: Option<Confirming>,
    told_offered: bool,
    told_held: bool,
    /// A final state that was read once.
    over_once: Option<OfferState>,
    vanished: u32,
}

/// The tries to have the offer confirmed.
struct Confirming {
    /// Then the offer is withdrawn; counted from the attempt's start.
    until: Instant,
    /// Then a fresh session is opened: confirmations have been seen to hang with an old one.
    renew_at: Instant,
    tries: usize,
}

/// The server's answer to the question whether to send.
enum Permit {
    /// Yes, in the session of this epoch.
    Go(u64),
    NoGo,
    Lost,
    Cancelled,
}

impl Delivery {
    pub(crate) fn new(
        desk: Desk,
        order: Order,
        words: mpsc::UnboundedReceiver<Word>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            told_offered: matches!(order.phase, Phase::Offered(_) | Phase::Held(_)),
            told_held: matches!(order.phase, Phase::Held(_)),
            since: Instant::now(),
            aged: order.age,
            desk,
            order,
            words,
            cancel,
            withdrawal: None,
            confirming: None,
            over_once: None,
            vanished: 0,
        }
    }

    /// Works until the attempt is over.
    pub(crate) async fn run(mut self) {
        let last = match self.order.phase {
            Phase::Planned => self.plan().await,
            Phase::Started => {
                let since = self.order.started_at.map(|server| server - SERVER_CLOCK_SECONDS);
                let since = since.map_or(0, |ours| self.desk.steam.time_at(ours));
                // Whoever was told to go may have sent it so long after the start.
                let age = self.age().saturating_sub(self.desk.pace.send_within);
                Some(self.find_out(since, Duration::ZERO, age).await)
            }
            Phase::Sent(offer) | Phase::Offered(offer) | Phase::Held(offer) => {
                Some(self.pursue(offer).await)
            }
        };
        if let Some(last) = last {
            self.tell(Progress::Over(last)).await;
        }
    }

    /// How long ago the attempt was started.
    fn age(&self) -> Duration {
        self.aged.saturating_add(self.since.elapsed())
    }

    async fn tell(&self, progress: Progress) {
        let attempt_id = self.order.attempt_id.clone();
        self.desk.tell(Input::Attempt { attempt_id, progress }).await;
    }

    fn ended(&self, failure: AttemptFailure, message: impl Into<String>) -> Event {
        frames::attempt_ended(self.order.attempt_id.clone(), failure, message.into(), None)
    }

    /// Nothing was asked of Steam yet. None if the server calls it off.
    async fn plan(&mut self) -> Option<Event> {
        let refusal = recipient::refusal(&self.desk, &mut self.order, &self.cancel).await;
        if let Some((failure, text)) = refusal {
            return Some(self.ended(failure, text));
        }
        // The answer may lie unheard for long: what counts is when the server may have given it.
        let asked = self.desk.outside.clock.moment();
        self.tell(Progress::Asks).await;
        match self.permit().await {
            Permit::Go(epoch) => {
                let warrant = self.desk.lease.warrant(epoch);
                let warrant = warrant.within(asked, self.desk.pace.send_within);
                Some(self.send(&warrant).await)
            }
            Permit::NoGo => None,
            Permit::Lost => {
                let text = "not sent: the server's decision did not arrive";
                Some(self.ended(AttemptFailure::SteamUnavailable, text))
            }
            Permit::Cancelled => Some(self.ended(AttemptFailure::Cancelled, "not sent")),
        }
    }

    async fn permit(&mut self) -> Permit {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Permit::Cancelled,
            word = self.words.recv() => match word {
                Some(Word::Decided { go: true, epoch }) => Permit::Go(epoch),
                Some(Word::Decided { go: false, .. }) => Permit::NoGo,
                None => Permit::Lost,
            }
        }
    }

    /// Sends the offer, once, and only while the session holds in which the server said yes, and
    /// soon after.
    async fn send(&mut self, warrant: &Warrant) -> Event {
        // So that no login comes between the check of the session and the request.
        if let Err(error) = self.desk.steam.sign_in().await {
            return self.ended(AttemptFailure::SteamUnavailable, format!("not sent: {error}"));
        }
        let step = self.desk.step().await;
        if self.cancel.is_cancelled() {
            return self.ended(AttemptFailure::Cancelled, "not sent");
        }
        let since = self.desk.steam.now();
        (self.since, self.aged) = (Instant::now(), Duration::ZERO);
        let offer = NewOffer {
            partner: self.order.partner,
            token: self.order.token.clone(),
            give: self.order.give.clone(),
            message: self.order.message.clone(),
        };
        crash::point("before-send");
        let sent = self.desk.steam.send_offer(&offer, warrant).await;
        crash::point("after-send");
        match sent {
            Ok(id) => {
                self.record(id).await;
                drop(step);
                self.pursue(id).await
            }
            Err(error) => {
                drop(step);
                self.after_failed_send(error, since).await
            }
        }
    }

    async fn after_failed_send(&mut self, error: SendError, since: i64) -> Event {
        let attempt = self.order.attempt_id.clone();
        match error {
            // Steam has been seen to send an offer and say this.
            SendError::NotSent(Reason { cause: Cause::ItemsUnavailable, text }) => {
                match search::look(&self.desk, &self.order, since).await {
                    Sighting::Seen(id) => {
                        self.record(id).await;
                        self.pursue(id).await
                    }
                    Sighting::Absent | Sighting::Unclear => {
                        self.ended(AttemptFailure::ItemsUnavailable, text)
                    }
                }
            }
            SendError::NotSent(reason) => {
                tracing::warn!(attempt.id = %attempt, "Attempt {attempt} was not sent: {reason}");
                let (failure, text) =
                    recipient::why_not_sent(&self.desk, &self.order, reason).await;
                self.ended(failure, text)
            }
            SendError::Ambiguous(reason) => {
                tracing::warn!(attempt.id = %attempt, "Attempt {attempt} may be sent: {reason}");
                let first = self.desk.pace.search.first().copied().unwrap_or_default();
                self.find_out(since, first, self.age()).await
            }
        }
    }

    /// The offer may be on Steam, for at least `age` if it was sent: reads until that is known.
    async fn find_out(&mut self, since: i64, first: Duration, age: Duration) -> Event {
        let schedule = Schedule::new(&self.desk.pace.search, first, age);
        match search::search(&self.desk, &self.order, since, schedule).await {
            Found::Offer(id) => {
                self.record(id).await;
                self.pursue(id).await
            }
            Found::NotSent if self.cancel.is_cancelled() => {
                self.ended(AttemptFailure::Cancelled, "not sent")
            }
            Found::NotSent => self.ended(AttemptFailure::SteamUnavailable, "not sent"),
            Found::ItemsGone => {
                self.ended(AttemptFailure::ItemsUnavailable, "not sent, and the items are gone")
            }
        }
    }

    async fn record(&self, id: OfferId) {
        let attempt = &self.order.attempt_id;
        tracing::info!(attempt.id = %attempt, offer.id = %id, "Attempt {attempt} is offer {id}");
        let event = frames::attempt_sent(attempt.clone(), id);
        self.tell(Progress::Recorded(id, event)).await;
    }

    /// The offer is on Steam: confirms it, follows it, and withdraws it if need be.
    async fn pursue(&mut self, id: OfferId) -> Event {
        let mut retry = self.desk.retry();
        loop {
            let Some(offer) = self.desk.offer(id).await else {
                retry.pause().await;
                continue;
            };
            if self.cancel.is_cancelled() && self.withdrawal.is_none() {
                let why = "withdrawn as the server asked".to_owned();
                self.withdrawal = Some((AttemptFailure::Cancelled, why));
            }
            match verdict::of_offer(&offer) {
                Verdict::Unconfirmed | Verdict::Open if self.withdrawal.is_some() => {
                    if let Err(error) = self.withdraw(id).await {
                        tracing::warn!(offer.id = %id, "Could not cancel offer {id}: {error}");
                    }
                    retry.pause().await;
                }
                Verdict::Unconfirmed => self.confirm(&offer).await,
                Verdict::Open => {
                    self.tell_offered(id).await;
                    let cancel = self.cancel.clone();
                    tokio::select! {
                        () = self.desk.offer_leaves(id, OfferState::Active) => {}
                        () = cancel.cancelled() => {}
                    }
                }
                Verdict::Held(end) => self.wait_in_escrow(end).await,
                Verdict::Traded(trade) => return self.close(id, trade).await,
                Verdict::Over(state) => {
                    if self.is_final(id, state).await {
                        return self.ended_as(id, state);
                    }
                }
                Verdict::Unclear => retry.pause().await,
            }
        }
    }

    /// Cancels the offer. The next reading shows whether the recipient was faster.
    async fn withdraw(&self, id: OfferId) -> Result<(), String> {
        let _step = self.desk.step().await;
        let cancelled = self.desk.steam.cancel(id).await;
        cancelled.map_err(|error| format!("{error:?}"))
    }

    /// Asks for our confirmation of this very offer, if it is what was ordered.
    async fn confirm(&mut self, offer: &Offer) {
        let id = offer.id;
        if !verdict::gives_exactly(offer, &self.order) {
            tracing::error!(offer.id = %id, "Offer {id} is not what was ordered: not confirmed");
            let why = "the offer on Steam is not what was ordered".to_owned();
            self.withdrawal = Some((AttemptFailure::Other, why));
            return;
        }
        let cancel = self.cancel.clone();
        let Some(warrant) = self.desk.lease.current() else {
            // Nobody confirms without the lease; with the next it is tried once, however late it is.
            self.confirming = None;
            tokio::select! {
                () = self.desk.lease.held() => {}
                () = cancel.cancelled() => {}
            }
            return;
        };
        let (now, age, pace) = (Instant::now(), self.age(), &self.desk.pace);
        let confirming = self.confirming.get_or_insert_with(|| Confirming {
            until: now + pace.confirm_deadline.saturating_sub(age),
            renew_at: now + pace.confirm_renew,
            tries: 0,
        });
        // A bot that was away for long tries once all the same.
        if now >= confirming.until && confirming.tries > 0 {
            let why = "the confirmation did not succeed in time".to_owned();
            self.withdrawal = Some((AttemptFailure::NotConfirmed, why));
            return;
        }
        if now >= confirming.renew_at {
            confirming.renew_at = now + pace.confirm_renew;
            self.desk.steam.renew_session().await;
        }
        let wait = wait_before(confirming.tries, &pace.confirm_retry);
        confirming.tries += 1;
        let until = confirming.until;
        let last = now >= until;
        let confirmed = tokio::select! {
            confirmed = self.confirmed(id, wait, warrant) => confirmed,
            () = cancel.cancelled() => Confirmed::Unclear,
            () = sleep_until(until), if !last => Confirmed::Unclear,
        };
        if confirmed == Confirmed::Yes {
            crash::point("after-confirm");
            self.tell_offered(id).await;
        }
    }

    async fn confirmed(&self, id: OfferId, wait: Duration, warrant: Warrant) -> Confirmed {
        sleep(wait).await;
        if self.desk.steam.can_confirm() {
            return self.desk.confirmer.confirm(id, warrant).await;
        }
        // Perhaps a person confirms it on a phone.
        sleep(self.desk.pace.poll_interval).await;
        Confirmed::Unclear
    }

    async fn tell_offered(&mut self, id: OfferId) {
        if !self.told_offered {
            self.told_offered = true;
            let event = frames::attempt_offered(self.order.attempt_id.clone(), id);
            self.tell(Progress::Told(event)).await;
        }
    }

    async fn wait_in_escrow(&mut self, end: Option<i64>) {
        if !self.told_held {
            self.told_held = true;
            let event = frames::attempt_held(self.order.attempt_id.clone(), end);
            self.tell(Progress::Told(event)).await;
        }
        sleep(self.desk.pace.escrow_poll).await;
    }

    /// Whether a state that looks final is: after a second reading, and for an invalid offer
    /// only if its items did not move.
    async fn is_final(&mut self, id: OfferId, state: OfferState) -> bool {
        if self.over_once.replace(state) != Some(state) {
            sleep(self.desk.pace.second_read).await;
            return false;
        }
        if state != OfferState::InvalidItems {
            return true;
        }
        let wanted: BTreeSet<AssetKey> = self.order.keys().collect();
        match self.desk.steam.present(&wanted).await {
            // A trade moves all items: what is here was not traded. But an offer that only seems
            // invalid could still be accepted: it is withdrawn before its items are free.
            Ok(present) if !present.is_empty() => {
                if self.withdrawal.is_some() {
                    return true;
                }
                let (failure, text) = verdict::failure(state);
                self.withdrawal = Some((failure, text.to_owned()));
                if let Err(error) = self.withdraw(id).await {
                    tracing::info!(offer.id = %id, "Invalid offer {id} is not cancelled: {error}");
                }
                return false;
            }
            Ok(_) => self.vanished += 1,
            Err(error) => tracing::warn!("Could not read the inventory: {error}"),
        }
        if self.vanished >= VANISHED_READINGS {
            return true;
        }
        sleep(self.desk.pace.search.last().copied().unwrap_or_default()).await;
        false
    }

    fn ended_as(&self, id: OfferId, state: OfferState) -> Event {
        let (mut failure, text) = verdict::failure(state);
        let mut message = text.to_owned();
        if state == OfferState::Canceled
            && let Some(withdrawal) = &self.withdrawal
        {
            (failure, message) = withdrawal.clone();
        }
        frames::attempt_ended(self.order.attempt_id.clone(), failure, message, Some(id))
    }

    /// Something moved: waits until the trade tells the new asset ids.
    async fn close(&mut self, id: OfferId, trade_id: TradeId) -> Event {
        let mut retry = self.desk.retry();
        let patience = Instant::now() + self.desk.pace.trade_patience;
        loop {
            match self.desk.steam.trade(trade_id).await {
                Ok(Some(trade)) => match verdict::of_trade(&trade, &trade.given) {
                    Passage::Done => return self.delivered(id, &trade),
                    Passage::Nameless if Instant::now() >= patience => {
                        return self.delivered(id, &trade);
                    }
                    Passage::Nameless | Passage::Moving => {}
                    Passage::Held => {
                        self.wait_in_escrow(None).await;
                        continue;
                    }
                    Passage::Undone => {
                        let attempt = self.order.attempt_id.clone();
                        return frames::attempt_undone(attempt, id, &trade.given);
                    }
                },
                Ok(None) => {}
                Err(error) => tracing::warn!("Could not read trade {trade_id}: {error}"),
            }
            retry.pause().await;
        }
    }

    fn delivered(&self, id: OfferId, trade: &Trade) -> Event {
        let attempt = self.order.attempt_id.clone();
        tracing::info!(attempt.id = %attempt, offer.id = %id, "Attempt {attempt} is delivered");
        let assets = frames::moved(self.order.keys(), &trade.given);
        let settles_at = verdict::settle_time(trade, self.desk.steam.now());
        frames::attempt_delivered(attempt, id, trade.id, assets, settles_at)
    }
}

/// How long to wait before a try to confirm, after this many.
fn wait_before(tries: usize, waits: &[Duration]) -> Duration {
    let Some(before) = tries.checked_sub(1) else { return Duration::ZERO };
    waits.get(before).or(waits.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_to_confirm_are_spaced_ever_further_up_to_the_last_wait() {
        let waits = [5, 10, 15, 20].map(Duration::from_secs);
        let seen: Vec<u64> = (0..7).map(|tries| wait_before(tries, &waits).as_secs()).collect();
        assert_eq!(seen, [0, 5, 10, 15, 20, 20, 20]);
        assert_eq!(wait_before(3, &[]), Duration::ZERO);
    }
}
