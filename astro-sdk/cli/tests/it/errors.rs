//! What is printed when the server refuses, and the exit code.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::program::astro;
use crate::stub::{Stub, refusal};

/// Runs `items get` against this refusal and expects the exit code and parts of the one line.
async fn check(status: Status, code: i32, parts: &[&str]) {
    let stub = Stub::default();
    stub.answer("ItemService/GetItem", refusal(status));
    let run = astro(&stub, &["items", "get", "1"]).await;
    assert_eq!((run.code, run.out.as_str()), (code, ""), "{run:?}");
    assert_eq!(run.err.lines().count(), 1, "{run:?}");
    assert!(run.err.starts_with("error: "), "{run:?}");
    for part in parts {
        assert!(run.err.contains(part), "no {part:?} in {run:?}");
    }
}

fn reason(code: Code, message: &str, reason: &str, metadata: &[(&str, &str)]) -> Status {
    let metadata: HashMap<String, String> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let details = ErrorDetails::with_error_info(reason, "astro.dev", metadata);
    Status::with_error_details(code, message, details)
}

#[tokio::test]
async fn not_found() {
    let status = reason(Code::NotFound, "item 1 is not there", "ITEM_NOT_FOUND", &[]);
    check(status, 3, &["item 1 is not there (ITEM_NOT_FOUND)"]).await;
}

#[tokio::test]
async fn wrong_fields() {
    let mut details = ErrorDetails::with_error_info("FIELD_INVALID", "astro.dev", HashMap::new());
    details.add_bad_request_violation("item_id", "is not a UUID");
    details.add_bad_request_violation("etag", "is too long");
    let status = Status::with_error_details(Code::InvalidArgument, "the request is wrong", details);
    check(status, 2, &["item_id: is not a UUID", "etag: is too long"]).await;
}

#[tokio::test]
async fn a_bad_key() {
    let status = reason(Code::Unauthenticated, "the key is revoked", "KEY_INVALID", &[]);
    check(status, 4, &["the key is revoked", "check ASTRO_API_KEY or --api-key-file"]).await;
}

#[tokio::test]
async fn a_missing_scope() {
    let metadata = [("scope", "items.read")];
    let status = reason(Code::PermissionDenied, "not allowed", "SCOPE_MISSING", &metadata);
    check(status, 4, &["astro keys create --scope items.read"]).await;
}

#[tokio::test]
async fn a_state_that_forbids_it() {
    let status = reason(Code::FailedPrecondition, "it is taken", "ITEM_NOT_AVAILABLE", &[]);
    check(status, 5, &["it is taken"]).await;
    let status = reason(Code::Aborted, "it changed", "ETAG_MISMATCH", &[]);
    check(status, 5, &["look at it again"]).await;
}

#[tokio::test]
async fn a_defect_of_the_server() {
    check(reason(Code::Internal, "internal error", "INTERNAL", &[]), 1, &["internal error"]).await;
}

#[tokio::test]
async fn names_in_a_message_cannot_steer_the_terminal() {
    check(Status::not_found("no \u{1b}[31mitem\nhere"), 3, &["no  [31mitem here"]).await;
}
