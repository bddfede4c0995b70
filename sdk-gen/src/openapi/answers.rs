//! What can go wrong: the answers that are errors, by their HTTP status.

use std::collections::BTreeMap;

use super::json::Json;
use super::operations::Operation;
use super::prose;
use crate::lint::COMMON_REASONS;
use crate::model::{ErrorReason, Model};

/// Where the errors' reasons are from: `google.rpc.ErrorInfo.domain`.
const DOMAIN: &str = "astro.dev";
/// Of the request in examples.
const EXAMPLE_ID: &str = "0198c0de-0000-7000-8000-000000000000";

/// Reasons by HTTP status, those first that every RPC can give.
pub(super) type Errors<'a> = BTreeMap<u16, Vec<&'a ErrorReason>>;

/// The HTTP status of a gRPC code.
pub(super) fn status(code: &str) -> u16 {
    match code {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ALREADY_EXISTS" | "ABORTED" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "CANCELLED" => 499,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => 500,
    }
}

/// The errors that an operation can give.
pub(super) fn errors<'a>(model: &'a Model, operation: &Operation<'_>) -> Errors<'a> {
    let own = operation.method.policy.reasons.iter().map(String::as_str);
    let mut errors = Errors::new();
    for name in COMMON_REASONS.into_iter().chain(own) {
        for reason in model.reasons.iter().filter(|reason| reason.name == name) {
            errors.entry(status(&reason.code)).or_default().push(reason);
        }
    }
    errors
}

/// The component for an answer that has one of these reasons.
pub(super) fn name(reasons: &[&ErrorReason]) -> String {
    reasons.iter().map(|reason| reason.name.as_str()).collect::<Vec<_>>().join(".")
}

/// The answer that has one of these reasons.
pub(super) fn response(reasons: &[&ErrorReason]) -> Json {
    let mut codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    codes.dedup();
    let examples = reasons
        .iter()
        .map(|reason| (reason.name.clone(), Json::reference(&format!("examples/{}", reason.name))));
    let content = Json::object()
        .with("schema", Json::reference("schemas/Error"))
        .with("examples", examples.collect::<Json>());
    Json::object()
        .with("description", format!("{}, by its reason.", codes.join(" or ")))
        .with("content", Json::object().with("application/json", content))
}

/// The answers of HTTP itself, which no reason of the contract has: name, status if it has one, and
/// what it is.
pub(super) const REFUSALS: [(&str, &str, &str); 3] = [
    ("TooLarge", "413", "The body is over 256 KiB."),
    ("MediaType", "415", "The body is no `application/json`."),
    (
        "Refused",
        "default",
        "What else HTTP can say: 405 for a verb that the path does not have (`Allow` names those \
         that it has), 414 for a path that is too long, 431 for headers that are too large, 499 and \
         504 for a request that the caller gave up or that took too long.",
    ),
];

/// One of [`REFUSALS`].
pub(super) fn refusal(docs: &str) -> Json {
    let content = Json::object().with("schema", Json::reference("schemas/Error"));
    Json::object()
        .with("description", docs)
        .with("content", Json::object().with("application/json", content))
}

/// The schema of every error.
pub(super) fn schema(model: &Model) -> Json {
    let text = |docs: &str| Json::object().with("type", "string").with("description", docs);
    let mut known = "Why, for programs. A newer server may give others than these:\n".to_owned();
    for reason in &model.reasons {
        known += &format!("\n- `{}`: {}", reason.name, prose(&reason.docs));
    }
    let examples: Vec<&str> =
        model.reasons.iter().take(3).map(|reason| reason.name.as_str()).collect();
    let detail = Json::object()
        .with("type", "object")
        .with("required", vec!["@type"])
        .with("properties", Json::object().with("@type", text("Type of this detail.")))
        .with("additionalProperties", true);
    let code = Json::object().with("type", "integer").with("description", "HTTP status.");
    let details = Json::object()
        .with("type", "array")
        .with(
            "description",
            "More for programs: `google.rpc.ErrorInfo`, `BadRequest`, `RetryInfo`.",
        )
        .with("items", detail);
    let reason = text(&known).with_some("examples", examples);
    let properties = Json::object()
        .with("code", code)
        .with("status", text("Name of the gRPC code: `NOT_FOUND`."))
        .with("message", text("What happened, for people."))
        .with("reason", reason)
        .with("details", details)
        .with("requestId", text("Id of this request in the server's log."));
    let required = vec!["code", "status", "message", "reason", "details", "requestId"];
    Json::object()
        .with("type", "object")
        .with("description", "Why a request failed.")
        .with("required", required)
        .with("properties", properties)
}

/// An error with this reason: by its comment it is known which details it has.
pub(super) fn example(reason: &ErrorReason) -> Json {
    let detail =
        |name: &str| Json::object().with("@type", format!("type.googleapis.com/google.rpc.{name}"));
    let facts = facts(&reason.docs).map(|name| (name.to_owned(), Json::from("…")));
    let info = detail("ErrorInfo")
        .with("reason", reason.name.as_str())
        .with("domain", DOMAIN)
        .with_some("metadata", facts.collect::<Json>());
    let mut details = vec![info];
    if reason.docs.contains("+ BadRequest") {
        let violation =
            Json::object().with("field", "item_id").with("description", "must be a UUID");
        details.push(detail("BadRequest").with("fieldViolations", vec![violation]));
    }
    if reason.docs.contains("+ RetryInfo") {
        details.push(detail("RetryInfo").with("retryDelay", "1s"));
    }
    let value = Json::object()
        .with("code", i32::from(status(&reason.code)))
        .with("status", reason.code.as_str())
        .with("message", reason.name.to_lowercase().replace('_', " "))
        .with("reason", reason.name.as_str())
        .with("details", details)
        .with("requestId", EXAMPLE_ID);
    Json::object().with("summary", prose(&reason.docs)).with("value", value)
}

/// The keys that the comment of a reason says its metadata has.
fn facts(docs: &str) -> impl Iterator<Item = &str> {
    let listed = docs.split_once("metadata: ").map_or("", |(_, rest)| rest);
    let listed = listed.split_once('.').map_or(listed, |(listed, _)| listed);
    listed.split(", ").map(str::trim).filter(|name| !name.is_empty())
}
