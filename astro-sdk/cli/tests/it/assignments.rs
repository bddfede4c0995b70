//! `astro assignments`.

use astro_sdk::v1::*;
use tonic::Status;

use crate::program::astro;
use crate::stub::{Stub, one, stream};

fn change(state: AssignmentState) -> WatchAssignmentResponse {
    let assignment = Assignment {
        id: "a".into(),
        state: state.into(),
        status_message: "what happens now".into(),
        ..Assignment::default()
    };
    WatchAssignmentResponse { assignment: Some(assignment) }
}

#[tokio::test]
async fn create_sends_what_the_arguments_say() {
    let stub = Stub::default();
    let assignment = Assignment { id: "a".into(), ..Assignment::default() };
    let warning = DeliveryWarning { message: "the bot is paused".into(), ..Default::default() };
    let response =
        CreateAssignmentResponse { assignment: Some(assignment), warnings: vec![warning] };
    stub.answer("AssignmentService/CreateAssignment", one(response));
    let trade_url = "https://steamcommunity.com/tradeoffer/new/?partner=86702473&token=AbCdEf12";
    let arguments = [
        "assignments",
        "create",
        "i1",
        "i2",
        "--user",
        "STEAM_0:1:43351236",
        "--type",
        "giveaway",
        "--system",
        "shop",
        "--external-id",
        "17",
        "--context",
        "{\"round\": 3}",
        "--priority",
        "-5",
        "--trade-url",
        trade_url,
        "--runner-up",
        "76561198046968202",
        "--runner-up",
        "STEAM_0:1:43351237",
        "--dry-run",
    ];
    let run = astro(&stub, &arguments).await;
    assert_eq!((run.code, run.out.as_str()), (0, "id  a\n"), "{run:?}");
    assert_eq!(run.err, "warnings: the bot is paused\n");
    let requests: Vec<CreateAssignmentRequest> =
        stub.requests("AssignmentService/CreateAssignment");
    let request = &requests[0];
    assert_eq!((request.user_id, request.item_ids.len()), (76_561_198_046_968_201, 2));
    assert_eq!((request.assignment_priority, request.validate_only), (-5, true));
    assert_eq!(request.trade_url, trade_url);
    assert_eq!(request.runner_up_user_ids, [76_561_198_046_968_202, 76_561_198_046_968_203]);
    assert!(request.external_context.as_ref().unwrap().fields.contains_key("round"));
    assert_eq!(request.request_id.len(), 36);
}

#[tokio::test]
async fn reassign_shows_both_assignments() {
    let stub = Stub::default();
    let named = |id: &str| Some(Assignment { id: id.into(), ..Assignment::default() });
    let response = ReassignAssignmentResponse { assignment: named("a"), successor: named("b") };
    stub.answer("AssignmentService/ReassignAssignment", one(response));
    let options = ["--user", "[U:1:86702473]", "--reason", "no answer", "--ttl", "3600"];
    let arguments = [&["assignments", "reassign", "a", "--etag", "v3"], &options[..]].concat();
    let run = astro(&stub, &arguments).await;
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "assignment.id  a\nsuccessor.id   b\n"),
        "{run:?}"
    );
    let requests: Vec<ReassignAssignmentRequest> =
        stub.requests("AssignmentService/ReassignAssignment");
    let request = &requests[0];
    assert_eq!((request.assignment_id.as_str(), request.etag.as_str()), ("a", "v3"));
    assert_eq!((request.user_id, request.ttl_seconds), (76_561_198_046_968_201, 3600));
    assert_eq!((request.reason.as_str(), request.request_id.len()), ("no answer", 36));
}

#[tokio::test]
async fn items_or_a_reservation_are_given() {
    let stub = Stub::default();
    let user = ["--user", "76561198046968201"];
    for items in [vec![], vec!["i1", "--reservation", "r"]] {
        let arguments = [vec!["assignments", "create"], items, user.to_vec()].concat();
        assert_eq!(astro(&stub, &arguments).await.code, 2, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_watch_succeeds_with_the_delivery_across_lost_connections() {
    let stub = Stub::default();
    let watch = "AssignmentService/WatchAssignment";
    let queued = [change(AssignmentState::Queued)];
    stub.answer(watch, stream(&queued, Status::unavailable("stopping")));
    let delivered = [change(AssignmentState::Queued), change(AssignmentState::Delivered)];
    stub.answer(watch, stream(&delivered, Status::unavailable("stopping")));
    let run = astro(&stub, &["assignments", "watch", "a"]).await;
    let expected = "  QUEUED      what happens now\n  DELIVERED   what happens now\n";
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, expected, ""));
}

#[tokio::test]
async fn a_watch_fails_with_any_other_end() {
    let stub = Stub::default();
    let changes = [change(AssignmentState::Offered), change(AssignmentState::Cancelled)];
    stub.answer(
        "AssignmentService/WatchAssignment",
        stream(&changes, Status::unavailable("stopping")),
    );
    let run = astro(&stub, &["assignments", "watch", "a", "-o", "json"]).await;
    assert_eq!(run.code, 1);
    assert_eq!(run.err, "error: assignment a ended as CANCELLED: what happens now\n");
    let states: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(states[1]["state"], "ASSIGNMENT_STATE_CANCELLED");
}
