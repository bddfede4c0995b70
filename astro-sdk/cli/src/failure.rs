//! What went wrong, in one line that says what to do, and the exit code.

use std::io;

use astro_sdk::v1::ErrorReason;
use astro_sdk::{Code, ConfigError, Error};
use tonic::Status;

use crate::output::plain;

/// Anything without a code of its own.
const OTHER: u8 = 1;
/// Wrong arguments.
pub(crate) const USAGE: u8 = 2;
const NOT_FOUND: u8 = 3;
const AUTH: u8 = 4;
const STATE: u8 = 5;
const UNAVAILABLE: u8 = 6;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments are wrong in a way that clap cannot see.
    Usage(String),
    /// There is no key to sign in with.
    NoKey,
    /// The connection's settings are wrong.
    Config(ConfigError),
    /// The server refused, or could not be reached.
    Call(Error),
    /// What was watched ended, but not well.
    Ended(String),
    /// The result could not be written.
    Write(io::Error),
}

impl Failure {
    /// The exit code, as the help lists them.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Config(ConfigError::KeyMissing | ConfigError::KeyInvalid) | Self::NoKey => AUTH,
            Self::Config(_) => USAGE,
            Self::Call(error) => code_of(error.code),
            Self::Ended(_) | Self::Write(_) => OTHER,
        }
    }

    /// One line that says what went wrong and what to do about it.
    pub(crate) fn explain(&self, endpoint: &str) -> String {
        let text = match self {
            Self::Usage(problem) | Self::Ended(problem) => problem.clone(),
            Self::NoKey => "no API key: set ASTRO_API_KEY, or pass --api-key-file FILE".to_owned(),
            Self::Config(error) => error.to_string(),
            Self::Call(error) => explain_call(error, endpoint),
            Self::Write(error) => format!("cannot write the result: {error}"),
        };
        // Messages may carry names that strangers chose.
        plain(&text)
    }
}

fn code_of(code: Code) -> u8 {
    match code {
        Code::InvalidArgument => USAGE,
        Code::NotFound => NOT_FOUND,
        Code::Unauthenticated | Code::PermissionDenied => AUTH,
        Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted | Code::OutOfRange => STATE,
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => UNAVAILABLE,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => OTHER,
    }
}

fn explain_call(error: &Error, endpoint: &str) -> String {
    // Without a reason it is not the server's own answer: it was never reached.
    if error.code == Code::Unavailable && error.reason.is_empty() {
        return format!(
            "no connection to {endpoint}: {}; is the server running there? \
             Another one is set with --endpoint or ASTRO_ENDPOINT",
            error.message
        );
    }
    let mut text = error.to_string();
    for violation in &error.field_violations {
        let told = text.contains(&violation.field) && text.contains(&violation.description);
        if !told {
            text.push_str(&format!("; {}: {}", violation.field, violation.description));
        }
    }
    if let Some(hint) = hint(error) {
        text.push_str("; ");
        text.push_str(&hint);
    }
    text
}

/// What to do about it, where the server's message alone does not say so to a person at a shell.
fn hint(error: &Error) -> Option<String> {
    if error.is(ErrorReason::KeyInvalid) {
        return Some("check ASTRO_API_KEY or --api-key-file: the key must be whole, not expired and not revoked".to_owned());
    }
    if error.is(ErrorReason::ScopeMissing) {
        let scope = error.metadata.get("scope")?;
        return Some(format!("use a key made with: astro keys create --scope {scope} …"));
    }
    if error.is(ErrorReason::ResumeTokenExpired) {
        return Some(
            "look at the items and assignments as they are, then tail without --after".to_owned(),
        );
    }
    if error.is(ErrorReason::EtagMismatch) {
        return Some("look at it again, then repeat".to_owned());
    }
    if let Some(delay) = error.retry_delay {
        return Some(format!("try again in {:.1} s", delay.as_secs_f32()));
    }
    match error.code {
        Code::DeadlineExceeded => {
            Some("it may have been done all the same: look before you repeat".to_owned())
        }
        Code::Unimplemented => Some("is the server older than this program?".to_owned()),
        Code::NotFound if error.reason == "ORGANIZATION_NOT_FOUND" => {
            Some("a platform key names the organisation with --org".to_owned())
        }
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => None,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Call(status.into())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(error: Error) -> String {
        Failure::Call(error).explain("http://127.0.0.1:1")
    }

    #[test]
    fn a_server_that_is_away_is_told_with_its_address() {
        let text = explain(Status::unavailable("tcp connect error").into());
        assert!(text.starts_with("no connection to http://127.0.0.1:1: tcp connect error; is the"));
    }

    #[test]
    fn every_violation_is_told_once() {
        let mut error = Error::from(Status::invalid_argument("count: is 0"));
        error.reason = "FIELD_INVALID".to_owned();
        for (field, description) in [("count", "is 0"), ("filter", "is missing")] {
            error.field_violations.push(astro_sdk::FieldViolation {
                field: field.to_owned(),
                description: description.to_owned(),
            });
        }
        assert_eq!(explain(error), "count: is 0 (FIELD_INVALID); filter: is missing");
    }

    #[test]
    fn a_message_stays_on_one_line() {
        let text = explain(Status::not_found("item \"a\nb\u{1b}[31m\" is not there").into());
        assert!(!text.contains(['\n', '\u{1b}']), "{text:?}");
    }

    #[test]
    fn a_missing_scope_says_how_to_get_it() {
        let mut error = Error::from(Status::permission_denied("the key may not do this"));
        error.reason = "SCOPE_MISSING".to_owned();
        error.metadata.insert("scope".to_owned(), "items.write".to_owned());
        assert!(explain(error).contains("astro keys create --scope items.write"));
    }

    #[test]
    fn codes_are_grouped_as_the_help_says() {
        let code = |code| Failure::Call(Status::new(code, "").into()).exit_code();
        assert_eq!(code(Code::InvalidArgument), 2);
        assert_eq!(code(Code::NotFound), 3);
        assert_eq!(code(Code::Unauthenticated), 4);
        assert_eq!(code(Code::PermissionDenied), 4);
        assert_eq!(code(Code::FailedPrecondition), 5);
        assert_eq!(code(Code::AlreadyExists), 5);
        assert_eq!(code(Code::Unavailable), 6);
        assert_eq!(code(Code::Internal), 1);
        assert_eq!(Failure::NoKey.exit_code(), 4);
        assert_eq!(Failure::Ended(String::new()).exit_code(), 1);
    }
}
