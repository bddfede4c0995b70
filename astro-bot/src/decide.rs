//! What to do about what happens: pure. `State::on` takes one input and says which actions follow;
//! `run` performs them.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use crate::{
    frames::{self, Event},
    steam::{AssetKey, Offer, OfferId, OfferState, OffersPage, Profile, SteamId},
};

/// Attempts that are over and still remembered, so that a command that crossed their last event
/// is answered from memory, and late doubles are known.
const ATTEMPTS_OVER_MAX: usize = 1024;
/// People whose profiles were asked for; then the memory starts afresh.
const PROFILES_MAX: usize = 10_000;

/// One delivery attempt, as the server ordered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) attempt_id: String,
    /// Part of `message` by which the offer is found again.
    pub(crate) marker: String,
    pub(crate) partner: SteamId,
    pub(crate) token: Option<String>,
    pub(crate) give: Vec<(AssetKey, u32)>,
    pub(crate) message: String,
    /// The server's time, Unix seconds.
    pub(crate) started_at: Option<i64>,
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
}

/// How the bot stands with Steam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Online,
    Reconnecting,
    RateLimited,
    NeedsOperator,
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
    Connected { epoch: u64 },
    Disconnected,
    Command(Command),
    Decision { attempt_id: String, go: bool, epoch: u64 },
    Polled(Arc<OffersPage>),
    Steam { condition: Condition, detail: String },
    Attempt { attempt_id: String, progress: Progress },
    AnswerTold(Event),
    AnswerOver(OfferId),
    SyncOver { sync_id: String },
    Profiles(Vec<Profile>),
    DoubleTried(OfferId),
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
    Tell { attempt_id: String, word: Word },
    Cancel { attempt_id: String },
    Answer(AnswerOrder),
    ReadInventory { sync_id: String, epoch: u64 },
    StopReading,
    CancelDouble(OfferId),
    ReadProfiles(Vec<SteamId>),
}

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct State {
    epoch: Option<u64>,
    attempts: HashMap<String, Attempt>,
    /// Attempts that are over, oldest first.
    over: VecDeque<String>,
    /// Attempts to cancel that are not known yet.
    cancels: HashSet<String>,
    answers: HashSet<OfferId>,
    /// Received offers that were reported in this session.
    announced: HashSet<OfferId>,
    syncs: HashSet<String>,
    profiles: HashSet<SteamId>,
    steam: Option<(Condition, String)>,
    doubles: HashSet<OfferId>,
}

#[derive(Debug)]
struct Attempt {
    marker: String,
    offer: Option<OfferId>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Running,
    /// Waits for the server's decision.
    Asking,
    Over(Event),
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
            Input::Steam { condition, detail } => self.on_steam(condition, detail),
            Input::Attempt { attempt_id, progress } => self.on_progress(attempt_id, progress),
            Input::AnswerTold(event) => vec![Action::Emit(event)],
            Input::AnswerOver(offer) => {
                self.answers.remove(&offer);
                vec![]
            }
            Input::SyncOver { sync_id } => {
                self.syncs.remove(&sync_id);
                vec![]
            }
            Input::Profiles(profiles) if profiles.is_empty() => vec![],
            Input::Profiles(profiles) => vec![Action::Emit(frames::profiles(profiles))],
            Input::DoubleTried(offer) => {
                self.doubles.remove(&offer);
                vec![]
            }
        }
    }

    fn on_connected(&mut self, epoch: u64) -> Vec<Action> {
        self.epoch = Some(epoch);
        // All commands that stand come again.
        self.announced.clear();
        self.cancels.clear();
        let steam = self.steam.clone();
        let status = steam.map(|(condition, detail)| frames::steam_status(condition, detail));
        status.map(Action::Emit).into_iter().collect()
    }

    fn on_steam(&mut self, condition: Condition, detail: String) -> Vec<Action> {
        let known = self.steam.as_ref().map(|(condition, _)| *condition);
        if known == Some(condition) {
            return vec![];
        }
        self.steam = Some((condition, detail.clone()));
        // Without a session it is told at the start of the next.
        let status = self.epoch.map(|_| frames::steam_status(condition, detail));
        status.map(Action::Emit).into_iter().collect()
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
        }
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
                if !go {
                    // Its task ends without a word, and the server may order it anew.
                    self.attempts.remove(&attempt_id);
                }
                vec![Action::Tell { attempt_id, word: Word::Decided { go, epoch } }]
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
                self.over.push_back(attempt_id);
                if self.over.len() > ATTEMPTS_OVER_MAX
                    && let Some(oldest) = self.over.pop_front()
                {
                    self.attempts.remove(&oldest);
                }
                vec![Action::Emit(event)]
            }
        }
    }

    fn on_polled(&mut self, page: &OffersPage) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.epoch.is_some() {
            let mut donors = Vec::new();
            for offer in page.received.iter().filter(|offer| offer.state == OfferState::Active) {
                if !self.answers.contains(&offer.id) && self.announced.insert(offer.id) {
                    actions.push(Action::Emit(frames::offer_received(offer, &page.descriptions)));
                    donors.push(offer.partner);
                }
            }
            actions.extend(self.ask_for_profiles(donors));
        }
        if page.is_whole() {
            let open: HashSet<OfferId> = page.received.iter().map(|offer| offer.id).collect();
            self.announced.retain(|offer| open.contains(offer));
        }
        for offer in &page.sent {
            if self.is_double(offer) && self.doubles.insert(offer.id) {
                actions.push(Action::CancelDouble(offer.id));
            }
        }
        actions
    }

    /// Whether an open offer carries the marker of an attempt whose offer is another one.
    fn is_double(&self, offer: &Offer) -> bool {
        if !matches!(offer.state, OfferState::Active | OfferState::NeedsConfirmation) {
            return false;
        }
        let mut marked =
            self.attempts.values().filter(|attempt| offer.message.contains(&attempt.marker));
        let mut any = false;
        // An attempt that does not know its offer yet may mean this one.
        let claimed = marked.any(|attempt| {
            any = true;
            match attempt.stage {
                Stage::Running | Stage::Asking => attempt.offer.is_none_or(|id| id == offer.id),
                Stage::Over(_) => attempt.offer == Some(offer.id),
            }
        });
        any && !claimed
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
