//! Who calls and what they may do: keys, the layer that reads them, the gate that each RPC passes.
pub mod admission;
pub mod gate;
pub mod idempotency;
pub mod keys;
pub mod known;
pub mod limits;
pub mod ops;
pub mod service;

mod roll;
mod schema;
mod sessions;
pub(crate) mod store;
pub mod streams;
mod wire;

use crate::db::types::text_enum;
use crate::jobs::Job;
use crate::kernel::Noun;
use crate::kernel::{BotId, Caller, KeyKind, OrgId, Principal, Rates, Reach, Timestamp};

pub use gate::Gate;
pub use streams::{StreamPass, Streams};

/// The work on a schedule.
pub fn jobs() -> Vec<Job> {
    vec![
        Job::forget("forget old requests", ops::forget_requests),
        Job::forget("forget ended sessions", sessions::forget),
    ]
}

/// A session, as errors name it.
pub const SESSION: Noun =
    Noun { name: "session", field: "session_id", reason: "SESSION_NOT_FOUND" };
/// A key, as errors name it.
pub const API_KEY: Noun =
    Noun { name: "API key", field: "api_key_id", reason: "API_KEY_NOT_FOUND" };

text_enum! {
    /// What a key is for, as the database words it.
    Kind {
        /// The platform's administrator.
        Admin = "ADMIN",
        /// A client system.
        Client = "CLIENT",
        /// A bot worker.
        Bot = "BOT",
    }
}

impl From<Kind> for KeyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Admin => Self::Admin,
            Kind::Client => Self::Client,
            Kind::Bot => Self::Bot,
        }
    }
}

impl From<KeyKind> for Kind {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Admin => Self::Admin,
            KeyKind::Client => Self::Client,
            KeyKind::Bot => Self::Bot,
        }
    }
}

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Public part.
    pub id: String,
    /// Kind.
    pub kind: KeyKind,
    /// Name for people.
    pub display_name: String,
    /// Organisation; none for a platform key.
    pub org: Option<OrgId>,
    /// Bot, for a bot's key.
    pub bot: Option<BotId>,
    /// Scopes.
    pub scopes: Vec<String>,
    /// Expiry.
    pub expires_at: Option<Timestamp>,
    /// Creation.
    pub created_at: Timestamp,
    /// Last use, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Revocation.
    pub revoked_at: Option<Timestamp>,
    /// Calls a second of its own.
    pub rates: Rates,
    /// The key that it was made from, for a session.
    pub session_of: Option<String>,
}

impl ApiKey {
    /// Whether the key is neither revoked nor expired.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// The caller that a request with this key has.
    pub fn caller(&self) -> Caller {
        Caller {
            principal: match self.session_of {
                Some(_) => Principal::Session(self.id.clone()),
                None => Principal::Key(self.id.clone()),
            },
            kind: self.kind,
            reach: self.org.map_or(Reach::Platform, Reach::Organization),
            bot: self.bot,
            scopes: self.scopes.clone(),
            expires_at: self.expires_at,
            rates: self.rates,
        }
    }
}
