//! What went wrong, in one line that says what to do, and the exit code.

use std::io;

use astro_sdk::v1::ErrorReason;
use astro_sdk::{Code, ConfigError, Error};
use tonic::Status;

use crate::advice;
use crate::arguments::Arguments;
use crate::key::{self, Form};
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
    /// An API key is the argument at this place, where something else belongs.
    KeyMisplaced(usize),
    /// There is no key to sign in with.
    NoKey,
    /// The key opens a bot's session and does nothing else.
    KeyOfBot,
    /// No organisation has this short name.
    OrgUnknown(String),
    /// The connection's settings are wrong.
    Config(ConfigError),
    /// The server refused, or could not be reached.
    Call(Error),
    /// What was watched ended, but not well.
    Ended(String),
    /// The result could not be written.
    Write(io::Error),
}

/// What was typed: a failure is explained in its terms.
#[derive(Default)]
pub(crate) struct Typed {
    /// Where the server is.
    pub(crate) endpoint: String,
    /// The arguments of the command in hand; none before it is known.
    pub(crate) arguments: Option<Arguments>,
    /// The key, as far as it can be told.
    pub(crate) key: Option<Form>,
}

impl Failure {
    /// The exit code, as the help lists them.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::KeyMisplaced(_) => USAGE,
            Self::NoKey | Self::KeyOfBot => AUTH,
            Self::Config(ConfigError::KeyMissing | ConfigError::KeyInvalid) => AUTH,
            Self::Config(_) => USAGE,
            Self::OrgUnknown(_) => NOT_FOUND,
            Self::Call(error) => code_of(error.code),
            Self::Ended(_) | Self::Write(_) => OTHER,
        }
    }

    /// One line that says what went wrong and what to do about it.
    pub(crate) fn explain(&self, typed: &Typed) -> String {
        let text = match self {
            Self::Usage(problem) | Self::Ended(problem) => problem.clone(),
            Self::KeyMisplaced(place) => format!(
                "argument {place} is an API key, which was neither sent nor shown: a key goes into \
                 ASTRO_API_KEY or a file for --api-key-file"
            ),
            Self::NoKey => advice::NO_KEY.to_owned(),
            Self::KeyOfBot => advice::KEY_OF_BOT.to_owned(),
            Self::OrgUnknown(name) => {
                format!("no organisation has the id or short name {name:?}; see `astro orgs list`")
            }
            Self::Config(error) => advice::config(error),
            Self::Call(error) => explain_call(error, typed),
            Self::Write(error) => format!("cannot write the result: {error}"),
        };
        // Messages may carry names that strangers chose, and what was typed may be a key.
        key::hidden(&plain(&text))
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

fn explain_call(error: &Error, typed: &Typed) -> String {
    // Without a reason it is not the server's own answer: it was never reached.
    if error.code == Code::Unavailable && error.reason.is_empty() {
        return advice::unreachable(&typed.endpoint, &error.message);
    }
    if error.is(ErrorReason::KeyInvalid) {
        return advice::key_refused(typed.key.as_ref(), &typed.endpoint);
    }
    let mut text = told(error, typed.arguments.as_ref());
    if let Some(hint) = advice::hint(error) {
        text.push_str("; ");
        text.push_str(&hint);
    }
    text
}

/// What the server says, with its fields as the arguments that were typed.
fn told(error: &Error, arguments: Option<&Arguments>) -> String {
    let rename = |text: &str| arguments.map_or_else(|| text.to_owned(), |all| all.rename(text));
    let argument = |field: &str| {
        arguments.and_then(|all| all.of_field(field)).unwrap_or_else(|| field.to_owned())
    };
    let mut parts = Vec::new();
    let reason = match error.reason.as_str() {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    let message = match error.message.as_str() {
        "" => error.code.description(),
        message => message,
    };
    let mut said = false;
    for violation in &error.field_violations {
        let wrong = format!("{}: {}", violation.field, violation.description);
        let shown = format!("{}: {}", argument(&violation.field), rename(&violation.description));
        // The message is that of the first.
        let first = wrong == message;
        said |= first;
        parts.push(if first { shown + &reason } else { shown });
    }
    if !said {
        parts.insert(0, rename(message) + &reason);
    }
    parts.join("; ")
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
        // What was asked of the output does not fit the result.
        let unfit = error.kind() == io::ErrorKind::InvalidInput;
        if unfit { Self::Usage(error.to_string()) } else { Self::Write(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(error: Error) -> String {
        let typed = Typed { endpoint: "http://127.0.0.1:1".to_owned(), ..Typed::default() };
        Failure::Call(error).explain(&typed)
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
