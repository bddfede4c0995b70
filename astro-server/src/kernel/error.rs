//! What can go wrong while serving a request, and what the caller is told of it.
use super::conceal::conceal;
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

/// What callers name by an id; each slice has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noun {
    /// In words: "item".
    pub name: &'static str,
    /// The fact that tells its id: "item_id".
    pub field: &'static str,
    /// The contract's reason for one that does not exist.
    pub reason: &'static str,
}

impl Noun {
    /// None of this id exists for the caller.
    pub fn missing(self, id: impl ToString) -> Error {
        Error::NotFound { noun: self, id: id.to_string() }
    }
}

/// An organisation.
pub const ORGANIZATION: Noun =
    Noun { name: "organisation", field: "org_id", reason: "ORGANIZATION_NOT_FOUND" };

/// Why a slice refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    kind: Kind,
    reason: &'static str,
    text: String,
    facts: Vec<(&'static str, String)>,
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
    /// More calls than so many a second.
    #[error("more calls than the limit {limit} takes, {rate} a second; try again in {wait:?}")]
    TooFast {
        /// Name of the limit.
        limit: &'static str,
        /// Calls a second.
        rate: u32,
        /// Time until it takes another.
        wait: Duration,
    },
    /// Too many bad keys came from the caller's address.
    #[error(
        "too many calls with keys that are not good came from your address; try again in {wait:?}"
    )]
    LockedOut {
        /// Time until the address may try again.
        wait: Duration,
    },
    /// The id came with another request.
    #[error("request_id {0} was used for another request before")]
    RequestIdReused(String),
    /// Not a token of this query.
    #[error("page_token: not a token of this query")]
    PageToken,
    /// Changed in between; the etag now.
    #[error("somebody changed it in between; its etag is {0} now")]
    Etag(String),
    /// There is no such thing for this caller.
    #[error("{} {id} does not exist", noun.name)]
    NotFound {
        /// What it would be.
        noun: Noun,
        /// The id that was asked for.
        id: String,
    },
    /// A slice refuses, in its own words.
    #[error("{}", _0.text)]
    Refused(Box<Refusal>),
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

    /// A refusal in the words of a slice: the kind that clients branch on, the contract's reason, what
    /// people are told, and the facts that the contract documents for the reason.
    pub fn refused<const N: usize>(
        kind: Kind,
        reason: &'static str,
        text: impl Into<String>,
        facts: [(&'static str, String); N],
    ) -> Self {
        Self::Refused(Box::new(Refusal { kind, reason, text: text.into(), facts: facts.into() }))
    }

    /// The contract's stable reason.
    pub fn reason(&self) -> &'static str {
        self.kind_and_reason().1
    }

    /// Whether the same may succeed later without anybody changing anything: the database is busy
    /// or away, or the server is. All else fails again.
    pub fn is_transient(&self) -> bool {
        self.kind() == Kind::Unavailable
    }

    /// How long a caller waits before it tries again, if that may help.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::TooFast { wait, .. } | Self::LockedOut { wait } = self {
            return Some(*wait);
        }
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
            Self::LimitExceeded(_) | Self::TooFast { .. } | Self::LockedOut { .. } => {
                (Kind::ResourceExhausted, "LIMIT_EXCEEDED")
            }
            Self::RequestIdReused(_) => (Kind::InvalidArgument, "REQUEST_ID_REUSED"),
            Self::PageToken => (Kind::InvalidArgument, "PAGE_TOKEN_INVALID"),
            Self::Etag(_) => (Kind::Aborted, "ETAG_MISMATCH"),
            Self::NotFound { noun, .. } => (Kind::NotFound, noun.reason),
            Self::Refused(refusal) => (refusal.kind, refusal.reason),
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
            Self::ScopeMissing(scope) => vec![("scope", scope.clone())],
            Self::LimitExceeded(limit) => vec![("limit", (*limit).to_owned())],
            Self::TooFast { limit, .. } => vec![("limit", (*limit).to_owned())],
            Self::LockedOut { .. } => vec![("limit", "address".to_owned())],
            Self::RequestIdReused(id) => vec![("request_id", id.clone())],
            Self::Etag(etag) => vec![("etag", etag.clone())],
            Self::NotFound { noun, id } => vec![(noun.field, id.clone())],
            Self::Refused(refusal) => refusal.facts.clone(),
            Self::KeyInvalid
            | Self::PageToken
            | Self::Conflict(_)
            | Self::Taken(_)
            | Self::Unavailable(_)
            | Self::Stopping
            | Self::MethodUnknown(_)
            | Self::Internal(_) => Vec::new(),
        }
    }
}
