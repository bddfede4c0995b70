//! What to do about what happens: pure. `State::on` takes one input and says which actions follow;
//! `run` performs them.

mod attempts;
mod friends;
mod health;
mod strange;
mod trades;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

pub(crate) use self::health::{Condition, Standing, Work};
use self::{
    attempts::{Attempt, Stage},
    friends::Friends,
    health::Health,
    strange::Strangers,
    trades::Trades,
};
use crate::{
    frames::{self, Event, FriendState, TradeSeen},
    steam::{AssetKey, Offer, OfferId, OfferState, OffersPage, Profile, SteamId, TradeToken},
};

/// Attempts that are over and still remembered, so that a command that crossed their last event
/// is answered from memory, and late doubles are known.
const ATTEMPTS_OVER_MAX: usize = 1024;
/// People whose profiles were asked for; then the memory starts afresh.
const PROFILES_MAX: usize = 10_000;
/// The same for offers that were seen as reversed.
const REVERSED_MAX: usize = 10_000;

/// One delivery attempt, as the server ordered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) attempt_id: String,
    /// Part of `message` by which the offer is found again.
    pub(crate) marker: String,
    pub(crate) partner: SteamId,
    pub(crate) token: Option<TradeToken>,
    pub(crate) give: Vec<(AssetKey, u32)>,
    pub(crate) message: String,
    /// The server's time, Unix seconds.
    pub(crate) started_at: Option<i64>,
    /// How long ago that was when it was ordered, by the server's clock; zero before it was started.
    pub(crate) age: Duration,
    pub(crate) phase: Phase,
}

impl Order {
    /// The items.
    pub(crate) fn keys(&self) -> impl Iterator<Item = AssetKey> {
        self.give.iter().map(|(key, _)| *key)
    }
}

/// How far an attempt is in the server's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Planned,
    /// Perhaps sent.
    Started,
    Sent(OfferId),
    Offered(OfferId),
    Held(OfferId),
}

impl Phase {
    fn offer(self) -> Option<OfferId> {
        match self {
            Self::Planned | Self::Started => None,
            Self::Sent(offer) | Self::Offered(offer) | Self::Held(offer) => Some(offer),
        }
    }
}

/// The answer to a received offer, as the server ordered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnswerOrder {
    pub(crate) offer: OfferId,
    pub(crate) partner: SteamId,
    pub(crate) accept: bool,
    pub(crate) accepted_before: bool,
    pub(crate) reason: String,
}

/// Something the server wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Deliver(Order),
    Cancel { attempt_id: String },
    Answer(AnswerOrder),
    ReadInventory { sync_id: String },
    Befriend(SteamId),
    CancelOffer(OfferId),
}

/// Whom the task of friendships serves, and whom it spares when places are scarce.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct People {
    /// Epoch of the session with the server, if there is one: in each, all wishes come anew.
    pub(crate) session: Option<u64>,
    /// Whose friend the bot is to become, first come first.
    pub(crate) wanted: Vec<SteamId>,
    /// Who has an open attempt.
    pub(crate) busy: BTreeSet<SteamId>,
}

/// News from the task of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Progress {
    /// It asks the server whether to send.
    Asks,
    /// Its offer is this one.
    Recorded(OfferId, Event),
    /// A step worth telling.
    Told(Event),
    /// It is over, with its last event.
    Over(Event),
}

/// Everything that can happen.
#[derive(Debug)]
pub(crate) enum Input {
    Connected {
        epoch: u64,
    },
    Disconnected,
    Command(Command),
    Decision {
        attempt_id: String,
        go: bool,
        epoch: u64,
    },
    Polled(Arc<OffersPage>),
    Steam(Standing),
    Attempt {
        attempt_id: String,
        progress: Progress,
    },
    AnswerTold(Event),
    AnswerOver(OfferId),
    SyncOver {
        sync_id: String,
    },
    Profiles(Vec<Profile>),
    DoubleTried(OfferId),
    Swept(Vec<TradeSeen>),
    Friend(SteamId, FriendState, String),
    StrangerGone(OfferId, Option<Box<Offer>>),
    /// A task that never ends has failed by a fault of the bot, and is begun again.
    Failed(&'static str),
    /// It has run for a while since.
    Works(&'static str),
    /// A task has failed by a fault of the bot, with its work undone.
    Crashed(Work),
}

/// A word to the task of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// The server's decision, made in the session of this epoch.
    Decided { go: bool, epoch: u64 },
}

/// Everything that can be done about it.
#[derive(Debug, PartialEq)]
pub(crate) enum Action {
    Emit(Event),
    Deliver(Order),
    Tell {
        attempt_id: String,
        word: Word,
    },
    Cancel {
        attempt_id: String,
    },
    Answer(AnswerOrder),
    ReadInventory {
        sync_id: String,
        epoch: u64,
    },
    StopReading,
    CancelDouble(OfferId),
    CancelStranger(OfferId),
    ReadProfiles(Vec<SteamId>),
    Sweep,
    /// Begins a new session, in which all orders come anew.
    Reconnect,
}

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct State {
    epoch: Option<u64>,
    attempts: BTreeMap<String, Attempt>,
    /// Attempts that are over, oldest first.
    over: VecDeque<String>,
    /// Attempts to cancel that are not known yet.
    cancels: BTreeSet<String>,
    answers: BTreeSet<OfferId>,
    /// Received offers that were reported in this session.
    announced: BTreeSet<OfferId>,
    syncs: BTreeSet<String>,
    profiles: BTreeSet<SteamId>,
    steam: Option<Standing>,
    health: Health,
    /// What was told last of how the bot stands.
    told: Option<Standing>,
    doubles: BTreeSet<OfferId>,
    friends: Friends,
    strangers: Strangers,
    trades: Trades,
    /// Offers that were seen as reversed.
    reversed: BTreeSet<OfferId>,
}

impl State {
    /// What follows from an input.
    pub(crate) fn on(&mut self, input: Input) -> Vec<Action> {
        match input {
            Input::Connected { epoch } => self.on_connected(epoch),
            Input::Disconnected => {
                self.epoch = None;
                self.syncs.clear();
                vec![Action::StopReading]
            }
            Input::Command(command) => self.on_command(command),
            Input::Decision { attempt_id, go, epoch } => self.on_decision(attempt_id, go, epoch),
            Input::Polled(page) => self.on_polled(&page),
            Input::Steam(standing) => self.on_steam(standing),
            Input::Attempt { attempt_id, progress } => self.on_progress(attempt_id, progress),
            Input::AnswerTold(event) => vec![Action::Emit(event)],
            Input::AnswerOver(offer) => {
                self.answers.remove(&offer);
                self.on_done(&Work::Answer(offer))
            }
            Input::SyncOver { sync_id } => {
                self.syncs.remove(&sync_id);
                self.on_done(&Work::Sync(sync_id))
            }
            Input::Profiles(profiles) if profiles.is_empty() => vec![],
            Input::Profiles(profiles) => vec![Action::Emit(frames::profiles(profiles))],
            Input::DoubleTried(offer) => {
                self.doubles.remove(&offer);
                self.on_done(&Work::Double(offer))
            }
            Input::Swept(trades) if self.epoch.is_some() => {
                self.trades.on_swept(trades).into_iter().map(Action::Emit).collect()
            }
            // The next session asks again.
            Input::Swept(_) => vec![],
            Input::Friend(who, state, message) => emit(self.friends.on_seen(who, state, message)),
            Input::StrangerGone(id, offer) => {
                let mut actions = emit(self.strangers.on_withdrawn(id, offer.as_deref()));
                actions.extend(self.on_done(&Work::Stranger(id)));
                actions
            }
            Input::Failed(part) => {
                self.health.fail(part.to_owned());
                self.tell_standing()
            }
            Input::Works(part) => {
                self.health.work(part);
                self.tell_standing()
            }
            Input::Crashed(work) => self.on_crashed(work),
        }
    }

    /// Whom the task of friendships serves and spares.
    pub(crate) fn people(&self) -> People {
        let open = self.attempts.values().filter(|attempt| attempt.stage.is_open());
        People {
            session: self.epoch,
            wanted: self.friends.wanted().collect(),
            busy: open.map(|attempt| attempt.partner).collect(),
        }
    }

    fn on_connected(&mut self, epoch: u64) -> Vec<Action> {
        self.epoch = Some(epoch);
        // All commands that stand come again.
        self.announced.clear();
        self.cancels.clear();
        self.friends.forget();
        self.strangers.forget();
        self.trades.forget();
        self.told = self.health.cover(self.steam.as_ref());
        let mut actions = emit(self.told.clone().map(frames::steam_status));
        actions.push(Action::Sweep);
        actions
    }

    fn on_command(&mut self, command: Command) -> Vec<Action> {
        match command {
            Command::Deliver(order) => self.on_deliver(order),
            Command::Cancel { attempt_id } => match self.attempts.get(&attempt_id) {
                Some(Attempt { stage: Stage::Over(event), .. }) => {
                    vec![Action::Emit(event.clone())]
                }
                Some(Attempt { stage: Stage::Running | Stage::Asking, .. }) => {
                    vec![Action::Cancel { attempt_id }]
                }
                None => {
                    self.cancels.insert(attempt_id);
                    vec![]
                }
            },
            Command::Answer(order) if self.answers.insert(order.offer) => {
                vec![Action::Answer(order)]
            }
            Command::Answer(_) => vec![],
            Command::ReadInventory { sync_id } => match self.epoch {
                Some(epoch) if self.syncs.insert(sync_id.clone()) => {
                    vec![Action::ReadInventory { sync_id, epoch }]
                }
                Some(_) | None => vec![],
            },
            Command::Befriend(who) => {
                self.friends.want(who);
                vec![]
            }
            Command::CancelOffer(id) => self.on_cancel_offer(id),
        }
    }

    fn on_cancel_offer(&mut self, id: OfferId) -> Vec<Action> {
        let open = |attempt: &Attempt| attempt.offer == Some(id) && attempt.stage.is_open();
        if self.attempts.values().any(open) {
            tracing::error!(offer.id = %id, "Offer {id} is an attempt's and not strange: it stays");
            return vec![];
        }
        if self.strangers.withdraw(id) { vec![Action::CancelStranger(id)] } else { vec![] }
    }

    fn on_deliver(&mut self, order: Order) -> Vec<Action> {
        let attempt_id = order.attempt_id.clone();
        let mut actions = Vec::new();
        match self.attempts.get(&attempt_id) {
            Some(Attempt { stage: Stage::Over(event), .. }) => {
                return vec![Action::Emit(event.clone())];
            }
            // The server has decided, but its answer went down with a session before, and another
            // worker may have sent the offer since: nobody sends now, the offer is looked for.
            Some(Attempt { stage: Stage::Asking, .. }) if order.phase != Phase::Planned => {
                let word = Word::Decided { go: false, epoch: self.epoch.unwrap_or_default() };
                actions.push(Action::Tell { attempt_id: attempt_id.clone(), word });
            }
            Some(Attempt { stage: Stage::Running | Stage::Asking, .. }) => return vec![],
            None => {}
        }
        let attempt = Attempt {
            marker: order.marker.clone(),
            partner: order.partner,
            offer: order.phase.offer(),
            stage: Stage::Running,
        };
        self.attempts.insert(attempt_id.clone(), attempt);
        let partner = order.partner;
        actions.push(Action::Deliver(order));
        if self.cancels.remove(&attempt_id) {
            actions.push(Action::Cancel { attempt_id });
        }
        actions.extend(self.ask_for_profiles([partner]));
        actions
    }

    fn on_decision(&mut self, attempt_id: String, go: bool, epoch: u64) -> Vec<Action> {
        match self.attempts.get_mut(&attempt_id) {
            Some(attempt) if matches!(attempt.stage, Stage::Asking) => {
                attempt.stage = Stage::Running;
                let mut actions = Vec::new();
                if !go {
                    // Its task ends without a word, and the server may order it anew.
                    self.attempts.remove(&attempt_id);
                    actions = self.on_done(&Work::Attempt(attempt_id.clone()));
                }
                actions.push(Action::Tell { attempt_id, word: Word::Decided { go, epoch } });
                actions
            }
            Some(_) | None => {
                tracing::debug!("Nobody waits for the decision on attempt {attempt_id}");
                vec![]
            }
        }
    }

    fn on_progress(&mut self, attempt_id: String, progress: Progress) -> Vec<Action> {
        let Some(attempt) = self.attempts.get_mut(&attempt_id) else { return vec![] };
        match progress {
            Progress::Asks => {
                attempt.stage = Stage::Asking;
                vec![Action::Emit(frames::attempt_started(attempt_id))]
            }
            Progress::Recorded(offer, event) => {
                attempt.offer = Some(offer);
                vec![Action::Emit(event)]
            }
            Progress::Told(event) => vec![Action::Emit(event)],
            Progress::Over(event) => {
                attempt.stage = Stage::Over(event.clone());
                let mut actions = vec![Action::Emit(event)];
                actions.extend(self.on_done(&Work::Attempt(attempt_id.clone())));
                self.over.push_back(attempt_id);
                if self.over.len() > ATTEMPTS_OVER_MAX
                    && let Some(oldest) = self.over.pop_front()
                {
                    self.attempts.remove(&oldest);
                }
                actions
            }
        }
    }

    fn on_polled(&mut self, page: &OffersPage) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.epoch.is_some() {
            let mut donors = Vec::new();
            let is_clear =
                |offer: &&Offer| offer.state == OfferState::Active && offer.odd.is_none();
            for offer in page.received.iter().filter(is_clear) {
                if !self.answers.contains(&offer.id) && self.announced.insert(offer.id) {
                    actions.push(Action::Emit(frames::offer_received(offer, &page.descriptions)));
                    donors.push(offer.partner);
                }
            }
            actions.extend(self.ask_for_profiles(donors));
        }
        if page.is_whole() {
            let open: BTreeSet<OfferId> = page.received.iter().map(|offer| offer.id).collect();
            self.announced.retain(|offer| open.contains(offer));
        }
        for offer in &page.sent {
            if attempts::is_double(&self.attempts, offer) && self.doubles.insert(offer.id) {
                actions.push(Action::CancelDouble(offer.id));
            }
        }
        if self.epoch.is_some() {
            let attempts = &self.attempts;
            let explained = |offer: &Offer| attempts::explain(attempts, offer);
            let strange = self.strangers.on_polled(page, explained);
            actions.extend(strange.into_iter().map(Action::Emit));
        }
        if self.sees_a_reversal(page) {
            actions.push(Action::Sweep);
        }
        actions
    }

    /// Whether an offer is reversed that was not before.
    fn sees_a_reversal(&mut self, page: &OffersPage) -> bool {
        if self.reversed.len() > REVERSED_MAX {
            self.reversed.clear();
        }
        let offers = page.sent.iter().chain(&page.received);
        let reversed = offers.filter(|offer| offer.state == OfferState::Reverted);
        let news = reversed.filter(|offer| self.reversed.insert(offer.id));
        news.count() > 0
    }

    fn ask_for_profiles(&mut self, people: impl IntoIterator<Item = SteamId>) -> Option<Action> {
        if self.profiles.len() > PROFILES_MAX {
            self.profiles.clear();
        }
        let fresh: Vec<SteamId> =
            people.into_iter().filter(|person| self.profiles.insert(*person)).collect();
        (!fresh.is_empty()).then_some(Action::ReadProfiles(fresh))
    }
}

fn emit(event: Option<Event>) -> Vec<Action> {
    event.map(Action::Emit).into_iter().collect()
}
