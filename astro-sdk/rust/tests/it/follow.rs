//! Streams that outlive their connection.

use std::collections::HashMap;
use std::time::Duration;

use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::*;
use astro_sdk::{Client, Code};
use tokio_stream::StreamExt;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::script::{Play, Script};

fn batch(ids: &[&str], resume_token: &str) -> Result<WatchEventsResponse, Status> {
    let event = |id: &&str| Event { id: (*id).to_owned(), ..Event::default() };
    let events = ids.iter().map(event).collect();
    Ok(WatchEventsResponse { events, resume_token: resume_token.to_owned() })
}

fn reason(code: Code, reason: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, "astro.dev", HashMap::new());
    Status::with_error_details(code, "refused", details)
}

fn events(plays: impl IntoIterator<Item = Play<WatchEventsResponse>>) -> Script {
    Script { events: std::sync::Mutex::new(plays.into_iter().collect()), ..Script::default() }
}

fn token(token: &str) -> Option<Start> {
    Some(Start::ResumeToken(token.to_owned()))
}

#[tokio::test]
async fn a_lost_stream_goes_on_after_the_last_event() {
    let expired = reason(Code::OutOfRange, "RESUME_TOKEN_EXPIRED");
    let (client, script) = events([
        vec![batch(&[], "t0"), batch(&["a", "b"], "t2"), Err(Status::unavailable("stopping"))],
        vec![batch(&["c"], "t3"), batch(&[], "t9")],
        vec![Err(Status::unknown("h2 protocol error"))],
        vec![batch(&["d"], "t10"), Err(expired)],
    ])
    .serve()
    .await;
    let mut watch = std::pin::pin!(client.events().watch(WatchEventsRequest::default()));
    let mut seen = Vec::new();
    let error = loop {
        match watch.next().await.unwrap() {
            Ok(event) => seen.push(event.id),
            Err(error) => break error,
        }
    };
    assert_eq!(seen, ["a", "b", "c", "d"]);
    assert!(error.is(ErrorReason::ResumeTokenExpired), "{error:?}");
    assert!(watch.next().await.is_none(), "an error ends the stream");
    assert_eq!(*script.starts.lock().unwrap(), [None, token("t2"), token("t9"), token("t9")]);
}

#[tokio::test]
async fn a_stream_that_never_began_tells_why() {
    let denied = reason(Code::PermissionDenied, "SCOPE_MISSING");
    let (client, _) = events([vec![Err(denied)]]).serve().await;
    let mut watch = std::pin::pin!(client.events().watch(WatchEventsRequest::default()));
    let error = watch.next().await.unwrap().unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::PermissionDenied, "SCOPE_MISSING"));
}

#[tokio::test]
async fn a_closed_client_ends_its_streams() {
    let script = [vec![batch(&["a"], "t1"), batch(&["b"], "t2"), Err(Status::unavailable("away"))]];
    let (client, _) = events(script).serve().await;
    let mut watch = client.events().watch(WatchEventsRequest::default());
    assert_eq!(watch.try_next().await.unwrap().unwrap().id, "a");
    client.close();
    let ended = loop {
        // What has come already is still given.
        match watch.try_next().await {
            Ok(event) => assert_eq!(event.unwrap().id, "b"),
            Err(error) => break error,
        }
    };
    assert_eq!(ended.code, Code::Cancelled);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let builder = Client::builder().endpoint("http://127.0.0.1:1").api_key("key");
    let builder = builder.patience(Duration::ZERO);
    let mut watch = builder.build().unwrap().assignments().watch(one());
    let error = watch.try_next().await.unwrap_err();
    assert_eq!(error.code, Code::Unavailable);
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn who_has_less_patience_is_told_sooner_that_a_watch_does_not_open() {
    let away = || vec![Err(Status::unavailable("away"))];
    let builder = Client::builder().patience(Duration::ZERO);
    let (client, script) = events([away(), away(), away()]).serve_with(builder).await;
    let error = client.events().watch(WatchEventsRequest::default()).try_next().await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (Code::Unavailable, "away"));
    assert_eq!(script.starts.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_watch_that_was_open_is_opened_again_whatever_the_patience() {
    let plays = [
        vec![batch(&["a"], "t1")],
        vec![Err(Status::unavailable("away"))],
        vec![batch(&["b"], "t2")],
    ];
    let builder = Client::builder().patience(Duration::ZERO);
    let (client, _) = events(plays).serve_with(builder).await;
    let mut watch = client.events().watch(WatchEventsRequest::default());
    assert_eq!(watch.try_next().await.unwrap().unwrap().id, "a");
    assert_eq!(watch.try_next().await.unwrap().unwrap().id, "b");
}

#[tokio::test]
async fn times_without_end_are_no_error() {
    let plays = [vec![Err(Status::unavailable("away"))], vec![batch(&["a"], "t1")]];
    let script = Script {
        pages: std::sync::Mutex::new([Ok(ListEventsResponse::default())].into()),
        ..events(plays)
    };
    let builder = Client::builder().patience(Duration::MAX).watch_idle(Duration::MAX);
    let (client, _) = script.serve_with(builder).await;
    let mut watch = client.events().watch(WatchEventsRequest::default());
    assert_eq!(watch.try_next().await.unwrap().unwrap().id, "a");
    let list = client.events().list(ListEventsRequest::default());
    assert_eq!(list.timeout(Duration::MAX).try_next().await, Ok(None));
}

fn one() -> WatchAssignmentRequest {
    WatchAssignmentRequest { assignment_id: "1".into() }
}

fn state(state: AssignmentState) -> Result<WatchAssignmentResponse, Status> {
    let assignment = Assignment { id: "1".into(), state: state.into(), ..Assignment::default() };
    Ok(WatchAssignmentResponse { assignment: Some(assignment) })
}

#[tokio::test]
async fn an_assignment_is_followed_to_its_end_without_repetitions() {
    use AssignmentState::{Delivered, Offered, Queued, Settled};
    let plays = [
        vec![state(Queued), state(Offered), Err(Status::unavailable("stopping"))],
        vec![state(Offered), state(Delivered), state(Settled)],
    ];
    let script = Script { assignments: std::sync::Mutex::new(plays.into()), ..Script::default() };
    let (client, _) = script.serve().await;
    let states: Vec<AssignmentState> =
        client.assignments().watch(one()).map(|found| found.unwrap().state()).collect().await;
    assert_eq!(states, [Queued, Offered, Delivered, Settled]);
}
