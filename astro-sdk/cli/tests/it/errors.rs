//! What is printed when the server refuses, and the exit code.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::program::{KEY, Run, astro, command, finish};
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
    // `items get` has no --etag, so the field keeps its name.
    check(status, 2, &["ITEM_ID: is not a UUID", "etag: is too long"]).await;
}

/// Runs a command with this key against a server that knows no key.
async fn refused(key: &str) -> Run {
    let stub = Stub::default();
    let status = reason(Code::Unauthenticated, "no valid API key", "KEY_INVALID", &[]);
    stub.answer("ItemService/ListItems", refusal(status));
    let mut command = command();
    command.args(["items", "list"]).env("ASTRO_ENDPOINT", stub.serve(false).await);
    command.env("ASTRO_API_KEY", key);
    finish(command, "").await
}

#[tokio::test]
async fn a_key_that_is_revoked_or_damaged_is_told_with_what_to_do() {
    let run = refused("astro_client_abcdefghijkm_abcdefghijkmnpqrstuvwxyz23456789deadbeef").await;
    assert_eq!(run.code, 4, "{run:?}");
    assert!(run.err.contains("does not take the key abcdefghijkm: it was revoked"), "{run:?}");
    assert!(run.err.contains("`astro keys create --org ORG --name NAME`\n"), "{run:?}");
    assert!(!run.err.contains("deadbeef"), "{run:?}");
    let run = refused("astro_admin_abcdefghijkm_abcdefghijkmnpqrstuvwxyz23456789deadbeef").await;
    assert!(run.err.contains("astro-server keys recover"), "{run:?}");
    let run = refused("astro_client_abcdefghijkm_abcdef").await;
    assert!(run.err.contains("the API key is damaged") && !run.err.contains("abcdef"), "{run:?}");
    assert_eq!((run.code, run.err.lines().count()), (4, 1), "{run:?}");
}

#[tokio::test]
async fn a_bot_s_key_is_told_from_others_before_anything_is_sent() {
    let run = refused("astro_bot_abcdefghijkm_abcdefghijkmnpqrstuvwxyz23456789deadbeef").await;
    assert_eq!(run.code, 4);
    assert!(run.err.starts_with("error: this is a bot's key"), "{run:?}");
    assert!(!run.err.contains("deadbeef"), "{run:?}");
}

#[tokio::test]
async fn a_key_where_an_id_belongs_is_neither_sent_nor_shown() {
    let key = "astro_client_abcdefghijkm_abcdefghijkmnpqrstuvwxyz23456789deadbeef";
    for arguments in [
        &["items", "get", key][..],
        &["users", "get", key],
        &["items", "list", "--bot", key],
        &["items", "list", &format!("--org={key}")],
        &["assignments", "list", "--user", key],
        &["whoami", "--api-key-file", key],
        &["call", "ItemService/GetItem", "-d", &format!("{{\"itemId\": \"{key}\"}}")],
    ] {
        let stub = Stub::default();
        let run = astro(&stub, arguments).await;
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
        assert!(!run.err.contains("abcdefghijkm"), "{run:?}");
        assert!(run.err.contains("is an API key"), "{run:?}");
        assert!(stub.authorizations().is_empty(), "{arguments:?} was sent");
    }
    // A variable is no argument that anybody sees, and what the server repeats is not repeated.
    let stub = Stub::default();
    stub.answer("ItemService/ListItems", refusal(Status::not_found(format!("no {key} here"))));
    let run = astro(&stub, &["items", "list"]).await;
    assert_eq!(run.err, "error: no astro_client_… here\n");
    let mut command = command();
    command.args(["items", "list"]).env("ASTRO_ENDPOINT", key).env("ASTRO_API_KEY", KEY);
    let run = finish(command, "").await;
    assert!(!run.err.contains("abcdefghijkm"), "{run:?}");
}

#[tokio::test]
async fn a_field_of_the_request_is_told_as_the_argument_of_the_command() {
    let stub = Stub::default();
    let invalid = |field: &str, problem: &str| {
        let metadata = HashMap::from([("field".to_owned(), field.to_owned())]);
        let mut details = ErrorDetails::with_error_info("FIELD_INVALID", "astro.dev", metadata);
        details.add_bad_request_violation(field, problem);
        let message = format!("{field}: {problem}");
        refusal(Status::with_error_details(Code::InvalidArgument, message, details))
    };
    let problem = "is required, since the key belongs to no organisation";
    stub.answer("ItemService/ReserveItems", invalid("org_id", problem));
    let run = astro(&stub, &["reservations", "create", "--count", "1"]).await;
    let expected = format!("error: --org: {problem} (FIELD_INVALID); see `astro orgs list`\n");
    assert_eq!((run.code, run.err), (2, expected));
    let problem = "must be like items.read, items.* or *";
    stub.answer("AccessService/CreateApiKey", invalid("scopes", problem));
    let run = astro(&stub, &["keys", "create", "--name", "x", "--scope", "items"]).await;
    assert!(run.err.starts_with(&format!("error: --scope: {problem}")), "{run:?}");
    assert!(run.err.contains("`astro keys scopes`"), "{run:?}");
    let used =
        reason(Code::AlreadyExists, "external_id was used before", "EXTERNAL_ID_EXISTS", &[]);
    stub.answer("AssignmentService/CreateAssignment", refusal(used));
    let person = "76561198046968201";
    let run = astro(&stub, &["assignments", "create", "item", "--user", person]).await;
    assert!(run.err.starts_with("error: --external-id was used before"), "{run:?}");
    // Who writes JSON is told of its fields.
    stub.answer("ItemService/GetItem", invalid("item_id", "must be a UUID"));
    let run = astro(&stub, &["call", "ItemService/GetItem", "-d", "{}"]).await;
    assert!(run.err.starts_with("error: item_id: must be a UUID"), "{run:?}");
}

#[tokio::test]
async fn a_missing_scope() {
    let metadata = [("scope", "items.read")];
    let status = reason(Code::PermissionDenied, "not allowed", "SCOPE_MISSING", &metadata);
    check(status, 4, &["whoever has an admin key", "--scope items.read"]).await;
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
