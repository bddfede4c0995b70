//! What goes wrong, and the page that says so.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "gRPC's codes are not ours: the usual page is for the rest"
)]

use astro_sdk::{Code, Error};
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::readers::is_away;
use crate::words::{Words, fill};

/// Why there is no page as it was asked for. It becomes a page in `gate`, which knows the reader.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// The server refused a call, or is away.
    Sdk(Error),
    /// There is nothing at this address.
    NotFound,
    /// Nobody is signed in, or no longer.
    SignedOut,
    /// The address brings too many cookies or keys of nobody's.
    Guessing,
    /// A form that is not of this session, or of another site.
    Forged,
    /// A form with more than a form has.
    TooLarge,
    /// In words, for the reader.
    Say(String),
}

/// What a handler answers.
pub(crate) type Answer = Result<Response, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.code {
            Code::Unauthenticated => Self::SignedOut,
            _ => Self::Sdk(error),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Failure {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Sdk(error) => status(error),
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Guessing => StatusCode::TOO_MANY_REQUESTS,
            Self::Forged => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Say(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// When to come again, if that helps.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        let Self::Sdk(error) = self else { return None };
        match error.code {
            Code::ResourceExhausted => Some(error.retry_delay.map_or(1, |it| it.as_secs().max(1))),
            _ if is_away(error) => Some(5),
            _ => None,
        }
    }

    /// Puts what a browser should know into the headers.
    pub(crate) fn mark(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }

    /// The heading of its page.
    pub(crate) fn title(&self, t: &Words) -> &'static str {
        match self {
            Self::Sdk(error) if is_away(error) => t.server_away,
            Self::Sdk(error) => match error.code {
                Code::PermissionDenied => t.not_allowed,
                Code::NotFound => t.not_found,
                Code::ResourceExhausted => t.too_many_requests,
                Code::Aborted => t.changed_meanwhile,
                _ => t.refused,
            },
            Self::NotFound => t.not_found,
            Self::SignedOut => t.signed_out,
            Self::Guessing => t.too_many_requests,
            Self::Forged => t.forged_form,
            Self::TooLarge | Self::Say(_) => t.refused,
        }
    }

    /// What happened and what to do, in a sentence or two.
    pub(crate) fn text(&self, t: &Words) -> String {
        match self {
            Self::Sdk(error) => sentence(error, t),
            Self::NotFound => t.not_found_text.to_owned(),
            Self::SignedOut => t.signed_out_text.to_owned(),
            Self::Guessing => t.too_many_wrong_keys.to_owned(),
            Self::Forged => t.forged_form_text.to_owned(),
            Self::TooLarge => t.too_large.to_owned(),
            Self::Say(text) => text.clone(),
        }
    }

    /// What it says beside, to be told to whoever runs the server.
    pub(crate) fn details(&self, t: &Words) -> Markup {
        let Self::Sdk(error) = self else { return html! {} };
        html! {
            dl.facts {
                @for wrong in &error.field_violations {
                    dt { code { (wrong.field) } } dd { (wrong.description) }
                }
                @if !error.reason.is_empty() { dt { (t.reason) } dd { code { (error.reason) } } }
                @if let Some(id) = &error.request_id {
                    dt { (t.request) } dd { code { (id) } }
                }
            }
        }
    }
}

fn status(error: &Error) -> StatusCode {
    match error.code {
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable | Code::DeadlineExceeded => StatusCode::SERVICE_UNAVAILABLE,
        Code::Aborted | Code::AlreadyExists | Code::FailedPrecondition => StatusCode::CONFLICT,
        Code::InvalidArgument | Code::OutOfRange => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => StatusCode::BAD_GATEWAY,
    }
}

/// What a refusal means to a reader.
pub(crate) fn sentence(error: &Error, t: &Words) -> String {
    if is_away(error) {
        return t.server_away_text.to_owned();
    }
    match error.code {
        Code::PermissionDenied => {
            let scope = error.metadata.get("scope").map_or("?", String::as_str);
            fill(t.not_allowed_text, &[&scope])
        }
        Code::NotFound => t.not_found_text.to_owned(),
        Code::ResourceExhausted => {
            let seconds = error.retry_delay.map_or(1, |it| it.as_secs().max(1));
            fill(t.too_many_requests_text, &[&seconds])
        }
        Code::Aborted => t.changed_meanwhile_text.to_owned(),
        Code::InvalidArgument if !error.field_violations.is_empty() => {
            let wrong = error.field_violations.iter();
            wrong
                .map(|it| format!("{}: {}", it.field, it.description))
                .collect::<Vec<_>>()
                .join("; ")
        }
        _ => fill(t.server_says, &[&error.message]),
    }
}
