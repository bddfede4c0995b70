//! What can go wrong while serving a request, and what the caller is told of it.
use super::conceal::conceal;
use super::ids::{
    AssignmentId, BotId, DiscrepancyId, DonationId, ItemId, OrgId, ReservationId, SyncId,
};
use super::steam::SteamId;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "astro.dev";

/// How long a caller waits before it tries a busy or stopping server again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The result of nearly everything in the server.
pub type Result<T, E = Error> = std::result::Result<T, E>;

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
        let (code, _) = self.code_and_reason();
        matches!(code, Code::Unavailable)
    }

    /// The gRPC code a client branches on, and the stable reason within it.
    pub fn code_and_reason(&self) -> (Code, &'static str) {
        match self {
            Self::Invalid { .. } => (Code::InvalidArgument, "FIELD_INVALID"),
            Self::KeyInvalid => (Code::Unauthenticated, "KEY_INVALID"),
            Self::ScopeMissing(_) => (Code::PermissionDenied, "SCOPE_MISSING"),
            Self::LimitExceeded(_) => (Code::ResourceExhausted, "LIMIT_EXCEEDED"),
            Self::RequestIdReused(_) => (Code::InvalidArgument, "REQUEST_ID_REUSED"),
            Self::PageToken => (Code::InvalidArgument, "PAGE_TOKEN_INVALID"),
            Self::ResumeToken => (Code::InvalidArgument, "RESUME_TOKEN_INVALID"),
            Self::ResumeTokenExpired => (Code::OutOfRange, "RESUME_TOKEN_EXPIRED"),
            Self::Etag(_) => (Code::Aborted, "ETAG_MISMATCH"),
            Self::ItemNotFound(_) => (Code::NotFound, "ITEM_NOT_FOUND"),
            Self::ItemNotAvailable { .. } => (Code::FailedPrecondition, "ITEM_NOT_AVAILABLE"),
            Self::NotEnoughItems { .. } => (Code::FailedPrecondition, "NOT_ENOUGH_ITEMS"),
            Self::ReservationNotFound(_) => (Code::NotFound, "RESERVATION_NOT_FOUND"),
            Self::ReservationEnded { .. } => (Code::FailedPrecondition, "RESERVATION_ENDED"),
            Self::AssignmentNotFound(_) => (Code::NotFound, "ASSIGNMENT_NOT_FOUND"),
            Self::AssignmentState { .. } => (Code::FailedPrecondition, "ASSIGNMENT_STATE"),
            Self::ExternalIdExists(_) => (Code::AlreadyExists, "EXTERNAL_ID_EXISTS"),
            Self::BotNotFound(_) => (Code::NotFound, "BOT_NOT_FOUND"),
            Self::BotExists(_) => (Code::AlreadyExists, "BOT_EXISTS"),
            Self::BotLeaseHeld { .. } => (Code::FailedPrecondition, "BOT_LEASE_HELD"),
            Self::BotLeaseLost(_) => (Code::Aborted, "BOT_LEASE_LOST"),
            Self::BotInUse { .. } => (Code::FailedPrecondition, "BOT_IN_USE"),
            Self::BotProtocol(_) => (Code::InvalidArgument, "BOT_PROTOCOL"),
            Self::SyncNotFound(_) => (Code::NotFound, "SYNC_NOT_FOUND"),
            Self::DiscrepancyNotFound(_) => (Code::NotFound, "DISCREPANCY_NOT_FOUND"),
            Self::DiscrepancyResolved(_) => (Code::FailedPrecondition, "DISCREPANCY_STATE"),
            Self::DonationNotFound(_) => (Code::NotFound, "DONATION_NOT_FOUND"),
            Self::UserNotFound(_) => (Code::NotFound, "USER_NOT_FOUND"),
            Self::OrgNotFound(_) => (Code::NotFound, "ORGANIZATION_NOT_FOUND"),
            Self::OrgExists(_) => (Code::AlreadyExists, "ORGANIZATION_EXISTS"),
            Self::ApiKeyNotFound(_) => (Code::NotFound, "API_KEY_NOT_FOUND"),
            Self::Conflict(_) | Self::Unavailable(_) => (Code::Unavailable, "DATABASE_UNAVAILABLE"),
            Self::Stopping => (Code::Unavailable, "SERVER_STOPPING"),
            Self::MethodUnknown(_) => (Code::Unimplemented, "METHOD_UNKNOWN"),
            Self::Taken(_) | Self::Internal(_) => (Code::Internal, "INTERNAL"),
        }
    }

    /// The facts a program may want, by the keys that the contract documents.
    fn metadata(&self) -> Vec<(&'static str, String)> {
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

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let (code, reason) = error.code_and_reason();
        let mut details = ErrorDetails::with_error_info(
            reason,
            DOMAIN,
            error
                .metadata()
                .into_iter()
                .map(|(k, v)| (k.to_owned(), conceal(&v).into_owned()))
                .collect::<std::collections::HashMap<_, _>>(),
        );
        if let Error::Invalid { field, problem } = &error {
            details.add_bad_request_violation(conceal(field), conceal(problem));
        }
        if matches!(code, Code::Unavailable | Code::ResourceExhausted) {
            details.set_retry_info(Some(RETRY_DELAY));
        }
        #[allow(clippy::wildcard_enum_match_arm)] // every other variant speaks for itself
        let message = match &error {
            Error::Internal(cause) | Error::Taken(cause) => {
                tracing::error!(cause, "Request failed: {cause}");
                "internal error; the server's log has the cause".to_owned()
            }
            Error::Conflict(_) => "others change the same things just now; try again".to_owned(),
            other => other.to_string(),
        };
        // Whatever a caller wrote where it does not belong, a key is not repeated.
        Status::with_error_details(code, conceal(&message), details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_is_logged_and_not_told() {
        let status = Status::from(Error::Internal("password=hunter2".to_owned()));
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("hunter2"));
        assert_eq!(status.get_error_details().error_info().unwrap().reason, "INTERNAL");
    }

    #[test]
    fn a_bad_field_is_named_in_the_details() {
        let status = Status::from(Error::invalid("item_id", "must be a UUID"));
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "item_id");
        assert_eq!(details.error_info().unwrap().metadata["field"], "item_id");
    }
}
