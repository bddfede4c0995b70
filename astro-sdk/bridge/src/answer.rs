//! Answers: every one of them a JSON object.

use astro_sdk::methods::{DOMAIN, code_name};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Serialize;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::json;
use crate::refusal::Refusal;

/// Header that names a call in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What an answer of the platform tells beside its message.
const HANDED_ON: [&str; 4] = ["astro-replayed", "ratelimit", "ratelimit-policy", "retry-after"];

/// An error as an object, in the order that people read it in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    code: u16,
    status: &'static str,
    message: String,
    reason: String,
    details: Vec<serde_json::Value>,
    request_id: &'a str,
}

/// Makes answers of messages and errors.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    pool: DescriptorPool,
}

impl Answers {
    /// With the kinds of details that errors have.
    pub(crate) fn new(pool: DescriptorPool) -> Self {
        Self { pool }
    }

    /// The answer of an RPC.
    pub(crate) fn message(
        &self,
        message: &DynamicMessage,
        told: &MetadataMap,
        request_id: &str,
    ) -> Response<Body> {
        let text = match json::write(message) {
            Ok(text) => text,
            Err(error) => {
                let status = Status::internal(format!("the answer is no JSON: {error}"));
                return self.error(&status.into(), request_id);
            }
        };
        let mut answer = object(StatusCode::OK, text, request_id);
        let headers = answer.headers_mut();
        hand_on(told, headers);
        let tag = etag(message).and_then(|tag| HeaderValue::from_str(&format!("\"{tag}\"")).ok());
        if let Some(tag) = tag {
            headers.insert(ETAG, tag);
        }
        answer
    }

    /// The answer of an error.
    pub(crate) fn error(&self, refusal: &Refusal, request_id: &str) -> Response<Body> {
        let status = &refusal.status;
        let http = refusal.http.unwrap_or_else(|| http_code(status.code()));
        let mut answer = object(http, self.error_text(status, http, request_id), request_id);
        let headers = answer.headers_mut();
        hand_on(status.metadata(), headers);
        if let Some((name, value)) = &refusal.header {
            headers.insert(name, value.clone());
        }
        if http == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
        if let Some(wait) = wait {
            // Whole seconds, and never too early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }

    /// An error as an object.
    pub(crate) fn error_text(
        &self,
        status: &Status,
        http: StatusCode,
        request_id: &str,
    ) -> Vec<u8> {
        told(status, http, self.details(status), request_id)
    }

    fn details(&self, status: &Status) -> Vec<serde_json::Value> {
        let Ok(whole) = tonic_types::pb::Status::decode(status.details()) else {
            return Vec::new();
        };
        whole.details.iter().filter_map(|any| self.detail(&any.type_url, &any.value)).collect()
    }

    /// A detail of a kind that is known.
    fn detail(&self, url: &str, bytes: &[u8]) -> Option<serde_json::Value> {
        let kind = self.pool.get_message_by_name(url.rsplit('/').next()?)?;
        let message = DynamicMessage::decode(kind, bytes).ok()?;
        let text = json::write(&message).ok()?;
        let mut object: serde_json::Map<_, _> = serde_json::from_slice(&text).ok()?;
        object.insert("@type".to_owned(), url.into());
        Some(object.into())
    }
}

/// An error as an object, without its details.
pub(crate) fn bare(status: &Status, http: StatusCode, request_id: &str) -> Vec<u8> {
    told(status, http, Vec::new(), request_id)
}

fn told(
    status: &Status,
    http: StatusCode,
    details: Vec<serde_json::Value>,
    request_id: &str,
) -> Vec<u8> {
    // Others send such details too, a proxy for instance; theirs are no reasons of Astro.
    let info = status.get_details_error_info().filter(|info| info.domain == DOMAIN);
    let told = Told {
        code: http.as_u16(),
        status: code_name(status.code()),
        message: status.message().replace('\0', ""),
        reason: info.map(|info| info.reason).unwrap_or_default(),
        details,
        request_id,
    };
    // Fails for no text.
    serde_json::to_vec(&told).unwrap_or_else(|_| b"{}".to_vec())
}

/// Tells what the platform told beside its message.
pub(crate) fn hand_on(told: &MetadataMap, headers: &mut HeaderMap) {
    for name in HANDED_ON {
        if let Some(value) = told.get(name).and_then(|value| value.to_str().ok())
            && let Ok(value) = HeaderValue::from_str(value)
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// An answer with one object.
pub(crate) fn object(http: StatusCode, text: Vec<u8>, request_id: &str) -> Response<Body> {
    let mut answer = Response::new(Body::new(http_body_util::Full::new(Bytes::from(text))));
    *answer.status_mut() = http;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // What a key may see is nobody else's.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    answer
}

/// The etag of the answer, or of the one resource that it is.
fn etag(message: &DynamicMessage) -> Option<String> {
    let own = |message: &DynamicMessage| {
        let etag = message.get_field_by_name("etag")?.as_str()?.to_owned();
        Some(etag).filter(|etag| !etag.is_empty())
    };
    let resources = message.fields().filter_map(|(_, value)| value.as_message());
    own(message).or_else(|| resources.into_iter().find_map(own))
}

/// What HTTP says for a code: Google's mapping, which tools know.
pub(crate) fn http_code(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    #[test]
    fn a_reason_of_others_is_a_detail_and_no_reason() {
        let mut pool = DescriptorPool::new();
        pool.decode_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET).unwrap();
        let told = |domain: &str| {
            let details = ErrorDetails::with_error_info("API_DISABLED", domain, []);
            let status = Status::with_error_details(Code::PermissionDenied, "no", details);
            let text = Answers::new(pool.clone()).error_text(&status, StatusCode::FORBIDDEN, "a");
            serde_json::from_slice::<serde_json::Value>(&text).unwrap()
        };
        let others = told("googleapis.com");
        assert_eq!(
            (&others["reason"], &others["details"][0]["reason"]),
            (&"".into(), &"API_DISABLED".into())
        );
        assert_eq!(told(DOMAIN)["reason"], "API_DISABLED");
    }
}
