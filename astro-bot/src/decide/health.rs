//! How the bot stands: with Steam, and by itself, when parts of it failed by a fault of its own.

use std::collections::BTreeMap;

use super::{Action, State, emit};
use crate::{frames, steam::OfferId};

/// How the bot stands with Steam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Online,
    Reconnecting,
    RateLimited,
    /// Steam is in its weekly maintenance.
    Maintenance,
    NeedsOperator,
}

/// How the bot stands with Steam, in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) condition: Condition,
    /// More, for people.
    pub(crate) detail: String,
    /// When the refresh token ends, Unix seconds.
    pub(crate) token_ends_at: Option<i64>,
}

impl Standing {
    /// Whether the other is worth telling. What keeps Steam away for now differs with each request.
    fn is_news_after(&self, before: &Self) -> bool {
        let passing = matches!(self.condition, Condition::Reconnecting | Condition::Maintenance);
        self.condition != before.condition
            || self.token_ends_at != before.token_ends_at
            || !passing && self.detail != before.detail
    }
}

/// The work of a task that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    Attempt(String),
    Answer(OfferId),
    Sync(String),
    Double(OfferId),
    Stranger(OfferId),
    Profiles,
}

impl Work {
    /// What failed, if this did: reads on after "the".
    fn part(&self) -> String {
        match self {
            Self::Attempt(id) => format!("work on attempt {id}"),
            Self::Answer(id) => format!("answer to offer {id}"),
            Self::Sync(_) => "reading of the inventory".to_owned(),
            Self::Double(id) | Self::Stranger(id) => format!("withdrawal of offer {id}"),
            Self::Profiles => "reading of profiles".to_owned(),
        }
    }
}

/// Failures of one part in a row, from which on a person must look.
const FAILURES_MAX: u32 = 3;

/// Failures in a row of what does not work now.
#[derive(Debug, Default)]
pub(super) struct Health(BTreeMap<String, u32>);

impl Health {
    /// This part has failed; returns how often in a row.
    pub(super) fn fail(&mut self, part: String) -> u32 {
        let failures = self.0.entry(part).or_default();
        *failures = failures.saturating_add(1);
        *failures
    }

    /// This part works.
    pub(super) fn work(&mut self, part: &str) {
        self.0.remove(part);
    }

    /// How the bot stands: a bot that does not work is not online, whatever Steam says.
    pub(super) fn cover(&self, steam: Option<&Standing>) -> Option<Standing> {
        let Some(worst) = self.0.values().max() else { return steam.cloned() };
        let (known, token_ends_at) =
            steam.map_or((None, None), |steam| (Some(steam.condition), steam.token_ends_at));
        let lost = *worst >= FAILURES_MAX || known == Some(Condition::NeedsOperator);
        let condition = if lost { Condition::NeedsOperator } else { Condition::Reconnecting };
        let parts = self.0.iter().map(|(part, failures)| match failures {
            0..FAILURES_MAX => format!("the {part} failed and is begun again"),
            _ => format!("the {part} failed {failures} times: see why in the bot's log"),
        });
        let steam = steam.map(|steam| steam.detail.clone()).filter(|detail| !detail.is_empty());
        let detail = parts.chain(steam).collect::<Vec<_>>().join("; ");
        Some(Standing { condition, detail, token_ends_at })
    }
}

impl State {
    pub(super) fn on_steam(&mut self, standing: Standing) -> Vec<Action> {
        self.steam = Some(standing);
        self.tell_standing()
    }

    /// Tells how the bot stands, if that is news. Without a session it is told at the start of the
    /// next.
    pub(super) fn tell_standing(&mut self) -> Vec<Action> {
        let Some(standing) = self.health.cover(self.steam.as_ref()) else { return vec![] };
        if self.told.as_ref().is_some_and(|before| !standing.is_news_after(before)) {
            return vec![];
        }
        self.told = Some(standing.clone());
        emit(self.epoch.map(|_| frames::steam_status(standing)))
    }

    pub(super) fn on_done(&mut self, work: &Work) -> Vec<Action> {
        self.health.work(&work.part());
        self.tell_standing()
    }

    /// Forgets work that a fault of the bot left undone. How far it is only the server's books
    /// tell, so it is ordered anew in a session of its own; work that always fails is not, since
    /// each session disturbs the others.
    pub(super) fn on_crashed(&mut self, work: Work) -> Vec<Action> {
        match &work {
            Work::Attempt(id) => drop(self.attempts.remove(id)),
            Work::Answer(offer) => drop(self.answers.remove(offer)),
            Work::Sync(id) => drop(self.syncs.remove(id)),
            Work::Double(offer) => drop(self.doubles.remove(offer)),
            Work::Stranger(offer) => drop(self.strangers.on_withdrawn(*offer, None)),
            // Nothing depends on them.
            Work::Profiles => return vec![],
        }
        let failures = self.health.fail(work.part());
        let mut actions = self.tell_standing();
        if failures < FAILURES_MAX {
            actions.push(Action::Reconnect);
        }
        actions
    }
}
