//! Failures on the wire: the status that a caller is told, with the details that programs read.
use crate::kernel::Error;
use crate::kernel::conceal::conceal;
use crate::kernel::error::Kind;
use astro_sdk::methods::DOMAIN;
use astro_sdk::v1::ErrorReason;
use std::collections::HashMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

fn code(kind: Kind) -> Code {
    match kind {
        Kind::InvalidArgument => Code::InvalidArgument,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::PermissionDenied => Code::PermissionDenied,
        Kind::NotFound => Code::NotFound,
        Kind::AlreadyExists => Code::AlreadyExists,
        Kind::FailedPrecondition => Code::FailedPrecondition,
        Kind::Aborted => Code::Aborted,
        Kind::OutOfRange => Code::OutOfRange,
        Kind::ResourceExhausted => Code::ResourceExhausted,
        Kind::Unimplemented => Code::Unimplemented,
        Kind::Unavailable => Code::Unavailable,
        Kind::Internal => Code::Internal,
    }
}

/// Whether clients can know the reason.
fn is_in_contract(reason: &str) -> bool {
    ErrorReason::from_str_name(&format!("ERROR_REASON_{reason}")).is_some()
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let (kind, reason) = error.kind_and_reason();
        debug_assert!(is_in_contract(reason), "{reason} is no reason of the contract");
        if kind == Kind::Internal {
            tracing::error!(cause = %error, "Request failed: {error}");
        }
        let facts = error.metadata().into_iter().map(|(key, value)| (key.to_owned(), value));
        let facts: HashMap<String, String> = facts.collect();
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, facts);
        if let Error::Invalid { field, problem } = &error {
            details.add_bad_request_violation(conceal(field), conceal(problem));
        }
        if let Some(wait) = error.retry_after() {
            details.set_retry_info(Some(wait));
        }
        Status::with_error_details(code(kind), error.message(), details)
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
        assert!(details.retry_info().is_none(), "nothing is said of trying again");
    }
}
