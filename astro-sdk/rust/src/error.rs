//! What a call answers when it fails.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::client::request_id::REQUEST_ID;
use crate::methods::DOMAIN;
use crate::v1::ErrorReason;

/// A refused or failed call, with its details decoded: those of [`Refusal`].
///
/// A program branches on [`code`](Refusal::code) and [`reason`](Refusal::reason); a person reads the
/// message. It is one pointer, so that results of calls stay small.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Refusal>);

/// What an [`Error`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// gRPC code.
    pub code: Code,
    /// Message for people.
    pub message: String,
    /// Reason within the code: `ITEM_NOT_FOUND`. Empty when the answer is not Astro's own, such as
    /// a broken connection. A newer server may send reasons that this SDK does not know.
    pub reason: String,
    /// Facts that belong to the reason: `item_id`, `state`, …
    pub metadata: BTreeMap<String, String>,
    /// Fields of the request that are wrong.
    pub field_violations: Vec<FieldViolation>,
    /// How long to wait before trying again, if the server said so.
    pub retry_delay: Option<Duration>,
    /// The idempotency key that the call carried, if its request has one. The same request with the
    /// same key gets the same answer.
    pub request_id: Option<String>,
}

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field: `filter.states`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl Deref for Error {
    type Target = Refusal;

    fn deref(&self) -> &Refusal {
        &self.0
    }
}

impl DerefMut for Error {
    /// So that a program's tests can make the error that they need.
    fn deref_mut(&mut self) -> &mut Refusal {
        &mut self.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Refusal {
    /// Whether the reason is this one.
    pub fn is(&self, reason: ErrorReason) -> bool {
        self.known_reason() == Some(reason)
    }

    /// The reason, if this SDK knows it.
    pub fn known_reason(&self) -> Option<ErrorReason> {
        ErrorReason::from_str_name(&format!("ERROR_REASON_{}", self.reason))
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        // Others send such details too, a proxy for instance; theirs are no reasons of Astro.
        let info = details.error_info().filter(|info| info.domain == DOMAIN);
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
        let violation = |found: &tonic_types::FieldViolation| FieldViolation {
            field: found.field.clone(),
            description: found.description.clone(),
        };
        Self(Box::new(Refusal {
            // As in every other language: it is the client that has no room.
            code: if is_too_large(&status) { Code::ResourceExhausted } else { status.code() },
            message: status.message().to_owned(),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            metadata: info
                .map(|info| info.metadata.clone().into_iter().collect())
                .unwrap_or_default(),
            field_violations: violations.unwrap_or_default().iter().map(violation).collect(),
            retry_delay: details.retry_info().and_then(|info| info.retry_delay),
            request_id: request_id(&status),
        }))
    }
}

/// Whether the client itself refused a message, because it is larger than it reads. tonic tells that
/// by its text alone.
pub(crate) fn is_too_large(status: &Status) -> bool {
    status.code() == Code::OutOfRange
        && status.message().starts_with("Error, decoded message length too large")
}

fn request_id(status: &Status) -> Option<String> {
    let id = status.metadata().get_bin(REQUEST_ID)?.to_bytes().ok()?;
    String::from_utf8(id.to_vec()).ok()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.message.as_str(), self.reason.as_str()) {
            ("", "") => f.write_str(self.code.description()),
            ("", reason) => f.write_str(reason),
            (message, "") => f.write_str(message),
            (message, reason) => write!(f, "{message} ({reason})"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn details_are_decoded() {
        let mut details = ErrorDetails::new();
        let metadata = HashMap::from([("field".to_owned(), "page_size".to_owned())]);
        details
            .set_error_info("FIELD_INVALID", "astro.dev", metadata)
            .add_bad_request_violation("page_size", "is negative")
            .set_retry_info(Some(Duration::from_millis(1500)));
        let status = Status::with_error_details(Code::InvalidArgument, "page_size", details);
        let error = Error::from(status);
        assert_eq!(error.code, Code::InvalidArgument);
        assert_eq!(error.reason, "FIELD_INVALID");
        assert!(error.is(ErrorReason::FieldInvalid));
        assert_eq!(error.metadata["field"], "page_size");
        assert_eq!(error.field_violations[0].description, "is negative");
        assert_eq!(error.retry_delay, Some(Duration::from_millis(1500)));
        assert_eq!(error.to_string(), "page_size (FIELD_INVALID)");
    }

    #[test]
    fn an_unknown_reason_is_kept() {
        let details = ErrorDetails::with_error_info("BRAND_NEW", "astro.dev", HashMap::new());
        let error = Error::from(Status::with_error_details(Code::Aborted, "new", details));
        assert_eq!(error.reason, "BRAND_NEW");
        assert_eq!(error.known_reason(), None);
    }

    #[test]
    fn a_reason_of_others_is_none() {
        let details = ErrorDetails::with_error_info("API_DISABLED", "else.where", HashMap::new());
        let error = Error::from(Status::with_error_details(Code::Aborted, "new", details));
        assert_eq!(error.reason, "");
    }

    #[test]
    fn a_plain_status_has_no_reason() {
        let error = Error::from(Status::unavailable("away"));
        assert_eq!((error.reason.as_str(), error.retry_delay), ("", None));
        assert_eq!(error.to_string(), "away");
    }
}
