//! What can go wrong while serving a request, and what the caller is told of it.
use super::conceal::conceal;
use super::ids::{
    AssignmentId, BotId, DiscrepancyId, DonationId, ItemId, OrgId, ReservationId, SyncId,
};
use super::steam::SteamId;
use std::time::Duration;

/// How long a caller waits before it tries a busy or stopping server again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The result of nearly everything in the server.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is, in the words that APIs have for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is malformed, whatever the state of things.
    InvalidArgument,
    /// Nobody knows who calls.
    Unauthenticated,
    /// The caller may not.
    PermissionDenied,
    /// There is no such thing for this caller.
    NotFound,
    /// There is one already.
    AlreadyExists,
    /// The state of things does not allow it: the same fails until somebody changes that.
    FailedPrecondition,
    /// Somebody was faster: the caller looks again and decides anew.
    Aborted,
    /// Beyond what there is.
    OutOfRange,
    /// Over a limit.
    ResourceExhausted,
    /// Nobody does this here.
    Unimplemented,
    /// For now; the same may succeed later without anybody changing anything.
    Unavailable,
    /// A defect.
    Internal,
}

/// What can go wrong while serving a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field of the request is malformed.
    #[error("{field}: {problem}")]
    Invalid {
        /// Path of the field.
        field: String,
        /// Reads on after the field's name.
        problem: String,
    },
    /// No, malformed, unknown, expired or revoked key.
    #[error("no valid API key: send it as \"authorization: Bearer astro_…\"")]
    KeyInvalid,
    /// The key lacks this scope.
    #[error("the key lacks the scope {0}")]
    ScopeMissing(String),
    /// A limit, in words.
    #[error("{0}")]
    LimitExceeded(&'static str),
    /// The id came with another request.
    #[error("request_id {0} was used for another request before")]
    RequestIdReused(String),
    /// Not a token of this query.
    #[error("page_token: not a token of this query")]
    PageToken,
    /// Not a token of this server.
    #[error("resume_token: not a token of this server")]
    ResumeToken,
    /// A token of another log.
    #[error("resume_token: the log was restored since; start again from a snapshot")]
    ResumeTokenExpired,
    /// Changed in between; the etag now.
    #[error("somebody changed it in between; its etag is {0} now")]
    Etag(String),
    /// No such item for this caller.
    #[error("item {0} does not exist")]
    ItemNotFound(ItemId),
    /// Somebody has the item, or it cannot be traded.
    #[error("item {item} is {state} and cannot be taken")]
    ItemNotAvailable {
        /// Item.
        item: ItemId,
        /// Its state.
        state: String,
    },
    /// Fewer items match than wanted.
    #[error("{wanted} items wanted, {found} found")]
    NotEnoughItems {
        /// Wanted.
        wanted: usize,
        /// Found.
        found: usize,
    },
    /// No such reservation for this caller.
    #[error("reservation {0} does not exist")]
    ReservationNotFound(ReservationId),
    /// It was used, released or ran out.
    #[error("reservation {reservation} has ended: {state}")]
    ReservationEnded {
        /// Reservation.
        reservation: ReservationId,
        /// How it ended.
        state: String,
    },
    /// No such assignment for this caller.
    #[error("assignment {0} does not exist")]
    AssignmentNotFound(AssignmentId),
    /// Its state does not allow this.
    #[error("assignment {assignment} is {state}, which does not allow this")]
    AssignmentState {
        /// Assignment.
        assignment: AssignmentId,
        /// Its state.
        state: String,
    },
    /// The external id belongs to this assignment.
    #[error("external_id was used before, by assignment {0}")]
    ExternalIdExists(AssignmentId),
    /// No such bot for this caller.
    #[error("bot {0} does not exist")]
    BotNotFound(BotId),
    /// The account is registered.
    #[error("the Steam account {0} is registered as a bot already")]
    BotExists(SteamId),
    /// Another worker holds the session.
    #[error("another worker holds the session of bot {bot} until {until}")]
    BotLeaseHeld {
        /// Bot.
        bot: BotId,
        /// End of the lease.
        until: String,
    },
    /// A newer session took over.
    #[error("a newer session of bot {0} took over")]
    BotLeaseLost(BotId),
    /// Items have gone through the bot.
    #[error("bot {bot} cannot be removed: {why}; pause it instead")]
    BotInUse {
        /// Bot.
        bot: BotId,
        /// What it has, reads on after a colon.
        why: String,
    },
    /// The worker broke the protocol; names the field.
    #[error("session protocol: {0}")]
    BotProtocol(String),
    /// No such run for this caller.
    #[error("sync {0} does not exist")]
    SyncNotFound(SyncId),
    /// No such difference for this caller.
    #[error("discrepancy {0} does not exist")]
    DiscrepancyNotFound(DiscrepancyId),
    /// It is resolved.
    #[error("discrepancy {0} is resolved already")]
    DiscrepancyResolved(DiscrepancyId),
    /// No such donation for this caller.
    #[error("donation {0} does not exist")]
    DonationNotFound(DonationId),
    /// Nobody the organisation has met.
    #[error("user {0} is not known")]
    UserNotFound(SteamId),
    /// No such organisation for this caller.
    #[error("organisation {0} does not exist")]
    OrgNotFound(OrgId),
    /// The slug is taken.
    #[error("the slug {0} is taken")]
    OrgExists(String),
    /// No such key for this caller.
    #[error("API key {0} does not exist")]
    ApiKeyNotFound(String),
    /// The transaction lost a race with another one and may run again.
    #[error("the database asks to run the transaction again: {0}")]
    Conflict(String),
    /// A value is taken that every check found free, in each of several runs.
    #[error("the database refuses a value that is taken: {0}")]
    Taken(String),
    /// The database is busy or away; the text is told to callers.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The server is stopping.
    #[error("the server is stopping; connect again")]
    Stopping,
    /// The client is newer than the server.
    #[error("this server does not know the method {0}")]
    MethodUnknown(String),
    /// A defect; the text is logged and never sent.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// A malformed `field`; `problem` reads on after the field's name: "must be a UUID".
    pub fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), problem: problem.into() }
    }

    /// Whether the same may succeed later without anybody changing anything: the database is busy
    /// or away, or the server is. All else fails again.
    pub fn is_transient(&self) -> bool {
        self.kind() == Kind::Unavailable
    }

    /// How long a caller waits before it tries again, if that may help.
    pub fn retry_after(&self) -> Option<Duration> {
        matches!(self.kind(), Kind::Unavailable | Kind::ResourceExhausted).then_some(RETRY_DELAY)
    }

    /// What the caller is told: not the cause of a defect, and no key that was written where it does
    /// not belong.
    pub fn message(&self) -> String {
        #[allow(clippy::wildcard_enum_match_arm)] // every other variant speaks for itself
        let text = match self {
            Self::Internal(_) | Self::Taken(_) => {
                "internal error; the server's log has the cause".to_owned()
            }
            Self::Conflict(_) => "others change the same things just now; try again".to_owned(),
            other => other.to_string(),
        };
        conceal(&text).into_owned()
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.kind_and_reason().0
    }

    /// The kind that a client branches on, and the stable reason within it.
    pub fn kind_and_reason(&self) -> (Kind, &'static str) {
        match self {
            Self::Invalid { .. } => (Kind::InvalidArgument, "FIELD_INVALID"),
            Self::KeyInvalid => (Kind::Unauthenticated, "KEY_INVALID"),
            Self::ScopeMissing(_) => (Kind::PermissionDenied, "SCOPE_MISSING"),
            Self::LimitExceeded(_) => (Kind::ResourceExhausted, "LIMIT_EXCEEDED"),
            Self::RequestIdReused(_) => (Kind::InvalidArgument, "REQUEST_ID_REUSED"),
            Self::PageToken => (Kind::InvalidArgument, "PAGE_TOKEN_INVALID"),
            Self::ResumeToken => (Kind::InvalidArgument, "RESUME_TOKEN_INVALID"),
            Self::ResumeTokenExpired => (Kind::OutOfRange, "RESUME_TOKEN_EXPIRED"),
            Self::Etag(_) => (Kind::Aborted, "ETAG_MISMATCH"),
            Self::ItemNotFound(_) => (Kind::NotFound, "ITEM_NOT_FOUND"),
            Self::ItemNotAvailable { .. } => (Kind::FailedPrecondition, "ITEM_NOT_AVAILABLE"),
            Self::NotEnoughItems { .. } => (Kind::FailedPrecondition, "NOT_ENOUGH_ITEMS"),
            Self::ReservationNotFound(_) => (Kind::NotFound, "RESERVATION_NOT_FOUND"),
            Self::ReservationEnded { .. } => (Kind::FailedPrecondition, "RESERVATION_ENDED"),
            Self::AssignmentNotFound(_) => (Kind::NotFound, "ASSIGNMENT_NOT_FOUND"),
            Self::AssignmentState { .. } => (Kind::FailedPrecondition, "ASSIGNMENT_STATE"),
            Self::ExternalIdExists(_) => (Kind::AlreadyExists, "EXTERNAL_ID_EXISTS"),
            Self::BotNotFound(_) => (Kind::NotFound, "BOT_NOT_FOUND"),
            Self::BotExists(_) => (Kind::AlreadyExists, "BOT_EXISTS"),
            Self::BotLeaseHeld { .. } => (Kind::FailedPrecondition, "BOT_LEASE_HELD"),
            Self::BotLeaseLost(_) => (Kind::Aborted, "BOT_LEASE_LOST"),
            Self::BotInUse { .. } => (Kind::FailedPrecondition, "BOT_IN_USE"),
            Self::BotProtocol(_) => (Kind::InvalidArgument, "BOT_PROTOCOL"),
            Self::SyncNotFound(_) => (Kind::NotFound, "SYNC_NOT_FOUND"),
            Self::DiscrepancyNotFound(_) => (Kind::NotFound, "DISCREPANCY_NOT_FOUND"),
            Self::DiscrepancyResolved(_) => (Kind::FailedPrecondition, "DISCREPANCY_STATE"),
            Self::DonationNotFound(_) => (Kind::NotFound, "DONATION_NOT_FOUND"),
            Self::UserNotFound(_) => (Kind::NotFound, "USER_NOT_FOUND"),
            Self::OrgNotFound(_) => (Kind::NotFound, "ORGANIZATION_NOT_FOUND"),
            Self::OrgExists(_) => (Kind::AlreadyExists, "ORGANIZATION_EXISTS"),
            Self::ApiKeyNotFound(_) => (Kind::NotFound, "API_KEY_NOT_FOUND"),
            Self::Conflict(_) | Self::Unavailable(_) => (Kind::Unavailable, "DATABASE_UNAVAILABLE"),
            Self::Stopping => (Kind::Unavailable, "SERVER_STOPPING"),
            Self::MethodUnknown(_) => (Kind::Unimplemented, "METHOD_UNKNOWN"),
            Self::Taken(_) | Self::Internal(_) => (Kind::Internal, "INTERNAL"),
        }
    }

    /// The facts a program may want, by the keys that the contract documents; no key is among them.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        let mut facts = self.facts();
        for (_, value) in &mut facts {
            *value = conceal(value).into_owned();
        }
        facts
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Invalid { field, .. } => vec![("field", field.clone())],
            Self::BotProtocol(field) => vec![("field", field.clone())],
            Self::ScopeMissing(scope) => vec![("scope", scope.clone())],
            Self::LimitExceeded(limit) => vec![("limit", (*limit).to_owned())],
            Self::RequestIdReused(id) => vec![("request_id", id.clone())],
            Self::Etag(etag) => vec![("etag", etag.clone())],
            Self::ItemNotFound(id) => vec![("item_id", id.to_string())],
            Self::ItemNotAvailable { item, state } => {
                vec![("item_id", item.to_string()), ("state", state.clone())]
            }
            Self::NotEnoughItems { wanted, found } => {
                vec![("wanted", wanted.to_string()), ("found", found.to_string())]
            }
            Self::ReservationNotFound(id) => vec![("reservation_id", id.to_string())],
            Self::ReservationEnded { reservation, state } => {
                vec![("reservation_id", reservation.to_string()), ("state", state.clone())]
            }
            Self::AssignmentNotFound(id) | Self::ExternalIdExists(id) => {
                vec![("assignment_id", id.to_string())]
            }
            Self::AssignmentState { assignment, state } => {
                vec![("assignment_id", assignment.to_string()), ("state", state.clone())]
            }
            Self::BotNotFound(id) | Self::BotLeaseLost(id) => vec![("bot_id", id.to_string())],
            Self::BotInUse { bot, .. } => vec![("bot_id", bot.to_string())],
            Self::BotExists(id) => vec![("steam_id", id.to_string())],
            Self::BotLeaseHeld { bot, until } => {
                vec![("bot_id", bot.to_string()), ("expire_time", until.clone())]
            }
            Self::SyncNotFound(id) => vec![("sync_id", id.to_string())],
            Self::DiscrepancyNotFound(id) => vec![("discrepancy_id", id.to_string())],
            Self::DiscrepancyResolved(id) => {
                vec![("discrepancy_id", id.to_string()), ("state", "RESOLVED".to_owned())]
            }
            Self::DonationNotFound(id) => vec![("donation_id", id.to_string())],
            Self::UserNotFound(id) => vec![("user_id", id.to_string())],
            Self::OrgNotFound(id) => vec![("org_id", id.to_string())],
            Self::OrgExists(slug) => vec![("slug", slug.clone())],
            Self::ApiKeyNotFound(id) => vec![("api_key_id", id.clone())],
            Self::KeyInvalid
            | Self::PageToken
            | Self::ResumeToken
            | Self::ResumeTokenExpired
            | Self::Conflict(_)
            | Self::Taken(_)
            | Self::Unavailable(_)
            | Self::Stopping
            | Self::MethodUnknown(_)
            | Self::Internal(_) => Vec::new(),
        }
    }
}
