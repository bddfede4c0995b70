//! `astro events`.

use std::collections::HashMap;

use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::*;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::program::astro;
use crate::stub::{Stub, one, refusal, stream};

fn event(event_type: &str) -> Event {
    Event {
        event_type: event_type.into(),
        event_description: "It happened".into(),
        severity: EventSeverity::Info.into(),
        ..Event::default()
    }
}

#[tokio::test]
async fn tail_prints_each_event_once_and_ends_when_the_log_is_gone() {
    let stub = Stub::default();
    let watch = "EventService/WatchEvents";
    let batch = |event_type, token: &str| WatchEventsResponse {
        events: vec![event(event_type)],
        resume_token: token.into(),
    };
    let first = [batch("item.received", "t1"), batch("item.assigned", "t2")];
    stub.answer(watch, stream(&first, Status::unavailable("stopping")));
    stub.answer(watch, stream(&[batch("item.delivered", "t3")], Status::unavailable("stopping")));
    let details =
        ErrorDetails::with_error_info("RESUME_TOKEN_EXPIRED", "astro.dev", HashMap::new());
    stub.answer(watch, refusal(Status::with_error_details(Code::OutOfRange, "gone", details)));
    let run = astro(&stub, &["events", "tail", "--type", "item.*", "--from-start"]).await;
    let types: Vec<&str> =
        run.out.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(types, ["item.received", "item.assigned", "item.delivered"]);
    assert_eq!(run.code, 5);
    assert!(run.err.contains("then tail without --after"), "{run:?}");
    let requests: Vec<WatchEventsRequest> = stub.requests(watch);
    assert_eq!(requests[0].start, Some(Start::FromEarliest(true)));
    assert_eq!(requests[1].start, Some(Start::ResumeToken("t2".into())));
    assert_eq!(requests[0].types, ["item.*"]);
}

#[tokio::test]
async fn list_is_a_table() {
    let stub = Stub::default();
    let response =
        ListEventsResponse { events: vec![event("bot.connected")], resume_token: "t".into() };
    stub.answer("EventService/ListEvents", one(response));
    let run = astro(&stub, &["events", "list", "--assignment", "a", "--limit", "7"]).await;
    let expected = "\
CREATE_TIME  SEVERITY  EVENT_TYPE     SOURCE  EVENT_DESCRIPTION
             INFO      bot.connected          It happened\n";
    assert_eq!((run.code, run.out.as_str()), (0, expected), "{run:?}");
    let requests: Vec<ListEventsRequest> = stub.requests("EventService/ListEvents");
    assert_eq!((requests[0].page_size, requests[0].assignment_id.as_str()), (7, "a"));
}

#[tokio::test]
async fn a_list_of_events_is_narrowed_and_read_backwards() {
    let stub = Stub::default();
    stub.answer("EventService/ListEvents", one(ListEventsResponse::default()));
    let person = "STEAM_0:1:43351236";
    let people = ["events", "list", "--item", "i", "--user", person, "--bot", "b"];
    let times = ["--since", "2023-11-14T22:13:20Z", "--until", "2023-11-14T22:13:21Z"];
    let rest = ["--source", "system", "--severity", "warning,error", "--newest-first"];
    let arguments: Vec<&str> = people.into_iter().chain(times).chain(rest).collect();
    let run = astro(&stub, &arguments).await;
    assert_eq!(run.code, 0, "{run:?}");
    let requests: Vec<ListEventsRequest> = stub.requests("EventService/ListEvents");
    let request = &requests[0];
    assert_eq!((request.item_id.as_str(), request.bot_id.as_str()), ("i", "b"));
    assert_eq!((request.user_id, request.source.as_str()), (76_561_198_046_968_201, "system"));
    assert_eq!((request.severities.as_slice(), request.newest_first), ([2, 3].as_slice(), true));
    let seconds = |time: Option<prost_types::Timestamp>| time.unwrap().seconds;
    assert_eq!(seconds(request.end_time) - seconds(request.start_time), 1);
}

#[tokio::test]
async fn a_type_that_there_is_not_is_refused_with_a_similar_one() {
    let stub = Stub::default();
    for command in ["list", "tail"] {
        let run = astro(&stub, &["events", command, "--type", "item.recieved"]).await;
        assert_eq!(run.code, 2);
        assert!(run.err.contains("a similar value exists: 'item.received'"), "{run:?}");
    }
    stub.answer("EventService/ListEvents", one(ListEventsResponse::default()));
    let types = ["--type", "assignment.*", "--type", "bot.connected"];
    let run = astro(&stub, &[["events", "list"].as_slice(), &types].concat()).await;
    let requests: Vec<ListEventsRequest> = stub.requests("EventService/ListEvents");
    assert_eq!(
        (run.code, requests[0].types.as_slice()),
        (0, ["assignment.*", "bot.connected"].map(str::to_owned).as_slice())
    );
}
