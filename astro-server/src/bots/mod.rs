//! Bots: one Steam account each, and the lease of the one worker that may act for it.
mod errors;
pub mod limits;
pub mod ops;
pub(crate) mod schema;
pub mod service;
mod store;

#[cfg(test)]
mod tests;

use crate::db::types::text_enum;
use crate::jobs::Job;
use crate::kernel::{BotId, OrgId, Result, SteamId, Timestamp};
pub use errors::*;

/// The work on a schedule.
pub fn jobs() -> Vec<Job> {
    vec![Job::each("warn of Steam logins", ops::unwarned, |it| it.id.0, ops::warn)]
}

text_enum! {
    /// The account's connection to Steam, as the worker last told.
    SteamStatus {
        /// No worker told yet.
        Unknown = "",
        /// Logged in.
        Online = "online",
        /// On its way.
        Reconnecting = "reconnecting",
        /// Steam asked to wait.
        RateLimited = "rate_limited",
        /// Steam is in its weekly maintenance.
        Maintenance = "maintenance",
        /// A person must do something.
        NeedsOperator = "needs_operator",
    }
}

impl SteamStatus {
    /// Whether the account can be asked to trade now; a worker that told nothing yet is trusted.
    pub fn can_trade(self) -> bool {
        match self {
            Self::Unknown | Self::Online => true,
            Self::Reconnecting | Self::RateLimited | Self::Maintenance | Self::NeedsOperator => {
                false
            }
        }
    }
}

/// What is told of a bot without a worker in place of a [`SteamStatus`].
const OFFLINE: &str = "offline";

/// One Steam account that holds items.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable)]
pub struct Bot {
    /// Id.
    pub id: BotId,
    /// Organisation.
    pub org: OrgId,
    /// Steam account.
    pub steam_id: SteamId,
    /// Name for people.
    pub display_name: String,
    /// Whether an administrator paused it: it starts no delivery and takes no donation.
    pub paused: bool,
    /// Counts the sessions so far.
    pub lease_epoch: i64,
    /// Worker that has the session.
    pub lease_holder: Option<String>,
    /// When the lease ends unless the worker is heard.
    pub lease_expires_at: Option<Timestamp>,
    /// Events of the session that are committed.
    pub event_seq: i64,
    /// Connection to Steam.
    pub steam_status: SteamStatus,
    /// More about it, for people.
    pub steam_status_detail: String,
    /// When the refresh token ends and a person must log in again; none when not known.
    pub steam_token_expires_at: Option<Timestamp>,
    /// Whether people were told that the token ends soon.
    pub steam_token_warned: bool,
    /// When its last trade was reported: an inventory read before does not show it.
    pub traded_at: Option<Timestamp>,
    /// Last time the worker was heard.
    pub last_seen_at: Option<Timestamp>,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

/// What a bot needs of a person, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Its last worker told that the account does not get on by itself.
    Operator,
    /// No worker has its session.
    Worker,
    /// Its refresh token ends soon, or has ended.
    TokenRenewal,
    /// An administrator paused it.
    Resume,
}

/// What is on a bot's hands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Deliveries under way, each with an offer that is out, is about to be or may be.
    pub open_offers: i64,
    /// Assignments that wait for it.
    pub queued: i64,
}

/// How a worker asks for the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Random for each worker process.
    pub worker_id: String,
    /// Epoch of the process's previous session; 0 if it had none.
    pub last_epoch: u64,
    /// Take the lease even if another worker holds it.
    pub takeover: bool,
}

/// A session that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The bot, as it is now.
    pub bot: Bot,
    /// Fencing token: a write with an older one changes nothing.
    pub epoch: i64,
    /// Events of the session `last_epoch` that are committed; 0 if that session is not the last.
    pub committed_event_seq: i64,
}

impl Bot {
    /// Whether a worker has the session now. A lease that was written by a clock that ran ahead
    /// would keep others out for longer than any lease: it is none.
    pub fn connected(&self, now: Timestamp) -> bool {
        let ahead = self.last_seen_at.is_some_and(|seen| seen.is_ahead_of(now));
        let runs = self.lease_expires_at.is_some_and(|end| now < end);
        self.lease_holder.is_some() && runs && !ahead
    }

    /// The connection to Steam in one word, and more about it, as people are told: what a worker told
    /// that is gone is no news of Steam.
    pub fn told_status(&self, now: Timestamp) -> (String, String) {
        let Self { steam_status: status, steam_status_detail: detail, .. } = self;
        if self.connected(now) {
            return (status.to_string(), detail.clone());
        }
        let last = match (status, detail.as_str()) {
            (SteamStatus::Unknown, _) => "no worker has connected yet".to_owned(),
            (_, "") => format!("no worker is connected; the last one told: {status}"),
            (_, detail) => format!("no worker is connected; the last one told: {status}: {detail}"),
        };
        (OFFLINE.to_owned(), last)
    }

    /// What it needs of a person. A worker that cannot go on without one ends, so that what it told last
    /// counts until another one tells something else.
    pub fn needs(&self, now: Timestamp) -> Vec<Need> {
        let soon = now.plus(limits::TOKEN_RENEWAL);
        let token_ends = self.steam_token_expires_at.is_some_and(|end| end <= soon);
        let all = [
            (Need::Operator, self.steam_status == SteamStatus::NeedsOperator),
            (Need::Worker, !self.connected(now)),
            (Need::TokenRenewal, token_ends),
            (Need::Resume, self.paused),
        ];
        all.into_iter().filter(|(_, needed)| *needed).map(|(need, _)| need).collect()
    }

    /// Passes when the worker may have the session: it is free, ran out, is the worker's own, or
    /// the worker takes it over.
    ///
    /// # Errors
    /// `BOT_LEASE_HELD`.
    pub fn grant(&self, hello: &Hello, now: Timestamp) -> Result<()> {
        let own = self.lease_holder.as_deref() == Some(hello.worker_id.as_str());
        match self.lease_expires_at {
            Some(end) if self.connected(now) && !own && !hello.takeover => {
                Err(lease_held(self.id, end.to_string()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Events committed in the session `epoch`; 0 if that is not the last one.
    fn committed(&self, epoch: u64) -> i64 {
        if epoch == self.lease_epoch.cast_unsigned() { self.event_seq } else { 0 }
    }
}

/// What the event log calls a bot.
pub fn source(bot: BotId) -> String {
    format!("bot:{bot}")
}
