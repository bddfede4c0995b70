//! What the bridge refuses by itself, told as the platform tells it.

use astro_sdk::methods::DOMAIN;
use astro_sdk::v1::ErrorReason;
use http::{HeaderName, HeaderValue, StatusCode};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// An error before the platform was asked: its status, and how HTTP says it.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// As the platform would say it.
    pub(crate) status: Status,
    /// What HTTP has a code of its own for.
    pub(crate) http: Option<StatusCode>,
    /// A header that belongs to it.
    pub(crate) header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A field, parameter or header that cannot be taken.
    pub(crate) fn field(name: &str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        let mut details = ErrorDetails::new();
        details.set_error_info(
            reason(ErrorReason::FieldInvalid),
            DOMAIN,
            [("field".to_owned(), name.to_owned())],
        );
        details.add_bad_request_violation(name, &problem);
        let message = format!("{name}: {problem}");
        Status::with_error_details(Code::InvalidArgument, message, details).into()
    }

    /// Too much of something.
    pub(crate) fn too_much(http: StatusCode, problem: &str) -> Self {
        let status = of(Code::ResourceExhausted, ErrorReason::LimitExceeded, problem);
        Self { http: Some(http), ..status.into() }
    }

    /// Nothing is at this path.
    pub(crate) fn nowhere(path: &str) -> Self {
        let shown: String = path.chars().take(100).collect();
        let text = format!("nothing is at {shown}; what there is: /api/docs");
        let status = of(Code::Unimplemented, ErrorReason::MethodUnknown, &text);
        Self { http: Some(StatusCode::NOT_FOUND), ..status.into() }
    }

    /// The path takes these verbs and no other.
    pub(crate) fn verbs(verb: &str, verbs: &[&str]) -> Self {
        let allowed = verbs.join(", ");
        let text = format!("this path takes {allowed}, not {verb}");
        let status = of(Code::Unimplemented, ErrorReason::MethodUnknown, &text);
        let header = HeaderValue::from_str(&allowed).ok();
        Self {
            http: Some(StatusCode::METHOD_NOT_ALLOWED),
            header: header.map(|value| (http::header::ALLOW, value)),
            ..status.into()
        }
    }

    /// A body of another kind than JSON.
    pub(crate) fn media_type(told: &str) -> Self {
        let told: String = told.chars().take(100).collect();
        let refusal = Self::field(
            "content-type",
            format!("is {told}: send 'content-type: application/json'"),
        );
        Self { http: Some(StatusCode::UNSUPPORTED_MEDIA_TYPE), ..refusal }
    }

    /// Another answer of HTTP for it.
    pub(crate) fn by(self, http: StatusCode) -> Self {
        Self { http: Some(http), ..self }
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self { status, http: None, header: None }
    }
}

fn of(code: Code, why: ErrorReason, text: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason(why), DOMAIN, []);
    Status::with_error_details(code, text, details)
}

/// As sent on the wire: `FIELD_INVALID`.
fn reason(reason: ErrorReason) -> &'static str {
    astro_sdk::methods::reason(reason).map_or("", |entry| entry.name)
}
