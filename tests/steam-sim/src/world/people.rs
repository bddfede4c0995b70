//! Scripted people, and everything else which happens by itself at some time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::World;
use super::friends::Relationship;
use super::offer_state::OfferState;
use super::offers::{End, NewOffer, Offer, Wanted};
use super::protection::PROTECTED_CONTEXT;
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
    /// What they do with invitations to be friends. Default: nothing.
    pub invites: InviteAnswer,
    /// How long that takes after the invitation, on the simulator's clock. In JSON
    /// `invites_after_secs`.
    #[serde(rename = "invites_after_secs", with = "seconds")]
    pub invites_after: Duration,
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
    /// Answers with an offer which gives nothing and asks for what the offer gave and for one more
    /// of the sender's assets of that kind of game.
    Counter,
}

/// How a person answers an invitation to be friends.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteAnswer {
    /// Not at all: a real client may answer for this account over HTTPS.
    #[default]
    Ignore,
    /// Accepts.
    Accept,
}

impl Behaviour {
    /// Leaves offers alone.
    pub const IGNORE: Self = Self::answering(Answer::Ignore);
    /// Accepts at the moment the offer becomes active.
    pub const ACCEPT: Self = Self::answering(Answer::Accept);
    /// Declines at the moment the offer becomes active.
    pub const DECLINE: Self = Self::answering(Answer::Decline);
    /// Makes a counter-offer at the moment the offer becomes active.
    pub const COUNTER: Self = Self::answering(Answer::Counter);

    const fn answering(answer: Answer) -> Self {
        let (after, invites_after) = (Duration::ZERO, Duration::ZERO);
        Self { answer, after, invites: InviteAnswer::Ignore, invites_after }
    }

    /// The same answer, given this much later on the simulator's clock.
    pub const fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    /// The same, and invitations are accepted this much later on the simulator's clock.
    pub const fn accepting_invites_after(self, invites_after: Duration) -> Self {
        Self { invites: InviteAnswer::Accept, invites_after, ..self }
    }
}

/// Something to do at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    Answer(OfferId),
    AnswerInvite { who: SteamId, from: SteamId },
    Expire(OfferId),
    Deliver(TradeId),
    Settle(TradeId),
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
                Task::AnswerInvite { who, from } => self.answer_invite(who, from, now),
                Task::Expire(offer) => self.expire(offer, now),
                Task::Deliver(trade) => self.deliver(trade, now),
                Task::Settle(trade) => self.settle_trade(trade),
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
        let links = self.friends.of(of);
        let invited = links.filter(|(_, how, _)| *how == Relationship::RequestRecipient);
        let inviters: Vec<_> = invited.map(|(inviter, ..)| inviter).collect();
        for from in inviters {
            self.plan_invite_answer(of, from, now);
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
            Answer::Counter => {
                if let Some(counter) = self.books.offer(id).map(|offer| self.greedy_counter(offer))
                {
                    drop(self.counter(id, counter, now));
                }
            }
        }
    }

    /// The offer of somebody who wants all they were offered and one thing more.
    fn greedy_counter(&self, offer: &Offer) -> NewOffer {
        let wanted = |key| self.books.asset(key).map(Wanted::whole);
        let mut ask: Vec<_> = offer.give.iter().filter_map(|item| wanted(item.key)).collect();
        let assets = self.books.assets_of(offer.from).into_iter();
        let same_game = |app: u32| offer.items().all(|item| item.key.app == app);
        ask.extend(assets.map(Wanted::whole).find(|more| {
            same_game(more.app)
                && more.context != PROTECTED_CONTEXT
                && offer.give.iter().all(|item| item.key.id != more.id)
        }));
        NewOffer {
            from: offer.to,
            to: offer.from,
            message: "And one more?".to_owned(),
            give: Vec::new(),
            ask,
            on_phone: false,
        }
    }

    fn expire(&mut self, id: OfferId, now: SimTime) {
        if self.books.offer(id).is_some_and(|offer| offer.state.is_live()) {
            self.finish(id, OfferState::Expired, now);
        }
    }
}
