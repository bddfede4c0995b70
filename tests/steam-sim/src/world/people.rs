//! Scripted people, and everything else which happens by itself at some time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::World;
use super::offers::{End, OfferState};
use crate::clock::{SimTime, seconds};
use crate::ids::{OfferId, SteamId, TradeId};

/// What a person does with offers which reach them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// The answer.
    pub answer: Answer,
    /// How long it takes after the offer became active, on the simulator's clock. In JSON
    /// `after_secs`.
    #[serde(rename = "after_secs", with = "seconds")]
    pub after: Duration,
}

/// How a person answers an offer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Not at all: a real client may answer for this account over HTTPS.
    #[default]
    Ignore,
    /// Accepts, whatever it asks for.
    Accept,
    /// Declines.
    Decline,
}

impl Behaviour {
    /// Leaves offers alone.
    pub const IGNORE: Self = Self { answer: Answer::Ignore, after: Duration::ZERO };
    /// Accepts at the moment the offer becomes active.
    pub const ACCEPT: Self = Self { answer: Answer::Accept, after: Duration::ZERO };
    /// Declines at the moment the offer becomes active.
    pub const DECLINE: Self = Self { answer: Answer::Decline, after: Duration::ZERO };

    /// The same answer, given this much later on the simulator's clock.
    pub const fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

/// Something to do at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    Answer(OfferId),
    Expire(OfferId),
    Deliver(TradeId),
}

/// What is due when, in the order it was planned within one moment.
#[derive(Default)]
pub(crate) struct Agenda {
    tasks: BTreeMap<(SimTime, u64), Task>,
    planned: u64,
}

impl Agenda {
    pub(crate) fn at(&mut self, due: SimTime, task: Task) {
        self.planned += 1;
        self.tasks.insert((due, self.planned), task);
    }

    pub(crate) fn next_due(&self) -> Option<SimTime> {
        self.tasks.first_key_value().map(|((due, _), _)| *due)
    }

    fn pop_due(&mut self, now: SimTime) -> Option<Task> {
        let entry = self.tasks.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}

impl World {
    /// Does everything whose time has come; says whether there was anything.
    pub(crate) fn run_due(&mut self, now: SimTime) -> bool {
        let mut any = false;
        while let Some(task) = self.agenda.pop_due(now) {
            any = true;
            match task {
                Task::Answer(offer) => self.answer(offer, now),
                Task::Expire(offer) => self.expire(offer, now),
                Task::Deliver(trade) => self.deliver(trade, now),
            }
        }
        any
    }

    /// Plans the recipient's answer to an offer which is active, by their present behaviour.
    pub(crate) fn plan_answer(&mut self, to: SteamId, offer: OfferId, now: SimTime) {
        let Some(account) = self.accounts.get(to) else { return };
        if account.behaviour.answer != Answer::Ignore {
            self.agenda.at(now + account.behaviour.after, Task::Answer(offer));
        }
    }

    /// Changes what a person does, with the offers they have already too. False: no such person.
    pub(crate) fn set_behaviour(&mut self, of: SteamId, to: Behaviour, now: SimTime) -> bool {
        let Some(account) = self.accounts.get_mut(of) else { return false };
        account.behaviour = to;
        let index = self.books.offer_index.get(&of);
        let live: Vec<_> = index.into_iter().flat_map(|index| &index.live).copied().collect();
        for id in live {
            let received = self
                .books
                .offer(id)
                .is_some_and(|offer| offer.to == of && offer.state == OfferState::Active);
            if received {
                self.plan_answer(of, id, now);
            }
        }
        true
    }

    /// The behaviour counts as it is now: a person may have thought better of it meanwhile.
    fn answer(&mut self, id: OfferId, now: SimTime) {
        let Some(offer) = self.books.offer(id) else { return };
        let to = offer.to;
        if offer.state != OfferState::Active {
            return;
        }
        let answer = self.accounts.get(to).map(|account| account.behaviour.answer);
        // A refusal needs nobody's attention: the offer's own state says what became of it.
        match answer.unwrap_or_default() {
            Answer::Ignore => {}
            Answer::Accept => drop(self.execute(id, now)),
            Answer::Decline => drop(self.end_offer(id, to, End::Decline, now)),
        }
    }

    fn expire(&mut self, id: OfferId, now: SimTime) {
        if self.books.offer(id).is_some_and(|offer| offer.state.is_live()) {
            self.finish(id, OfferState::Expired, now);
        }
    }
}
