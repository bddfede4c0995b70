//! Pages of the log: backwards, and of one item, person, bot, source, severity or time.

use astro_sdk::v1::{
    CreateAssignmentRequest, Event, EventSeverity, ListEventsRequest, ListEventsResponse,
};
use astro_sdk::{Client, Code, Error};
use astro_tests::{App, Backend, on_each_database};
use steam_sim::Behaviour;

use crate::events::{churn, ids, log_until};

on_each_database!(
    the_log_is_read_backwards_page_by_page,
    the_log_is_narrowed_to_what_is_asked_for,
    a_page_that_cannot_be_had_names_the_field,
);

async fn the_log_is_read_backwards_page_by_page(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    for _ in 0..3 {
        churn(&app.client, &item).await;
    }
    let mut log = log_until(&app, "item.released", 3).await;
    log.reverse();
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let request = ListEventsRequest {
            resume_token: token,
            page_size: 4,
            newest_first: true,
            ..Default::default()
        };
        let page = list(&app.client, request).await.unwrap();
        if page.events.is_empty() {
            break;
        }
        seen.extend(page.events);
        token = page.resume_token;
    }
    assert_eq!(ids(&seen), ids(&log));
    // Its tokens are places like all others.
    let request =
        ListEventsRequest { resume_token: seen[2].resume_token.clone(), ..Default::default() };
    let after = list(&app.client, request).await.unwrap().events;
    assert_eq!(ids(&after), [seen[1].id.as_str(), seen[0].id.as_str()]);
}

async fn the_log_is_narrowed_to_what_is_asked_for(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    churn(&app.client, &pool[0]).await;
    churn(&app.client, &pool[1]).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let request = CreateAssignmentRequest { ..app.prize(&pool[..1], &winner) };
    app.client.raw().assignments().create_assignment(request).await.unwrap();
    let log = log_until(&app, "assignment.created", 1).await;
    let source = format!("key:{}", app.client_key.split('_').nth(2).unwrap());
    let middle = log[log.len() / 2].create_time;
    let base = ListEventsRequest { page_size: 500, ..Default::default() };
    type Takes<'a> = Box<dyn Fn(&Event) -> bool + 'a>;
    let severity = EventSeverity::Warning.into();
    let cases: Vec<(ListEventsRequest, Takes<'_>)> = vec![
        (
            ListEventsRequest { item_id: pool[0].id.clone(), ..base.clone() },
            Box::new(|event| event.item_id == pool[0].id),
        ),
        (
            ListEventsRequest { user_id: winner.steam_id.0, ..base.clone() },
            Box::new(|event| event.user_id == winner.steam_id.0),
        ),
        (
            ListEventsRequest { bot_id: app.bot_id.clone(), ..base.clone() },
            Box::new(|event| event.bot_id == app.bot_id),
        ),
        (
            ListEventsRequest { source: source.clone(), ..base.clone() },
            Box::new(|event| event.source == source),
        ),
        (
            ListEventsRequest { severities: vec![severity], ..base.clone() },
            Box::new(|event| event.severity() == EventSeverity::Warning),
        ),
        (
            ListEventsRequest { start_time: middle, ..base.clone() },
            Box::new(|event| time(event) >= moment(middle)),
        ),
        (
            ListEventsRequest { end_time: middle, ..base.clone() },
            Box::new(|event| time(event) < moment(middle)),
        ),
    ];
    for (request, takes) in cases {
        let wanted: Vec<Event> = log.iter().filter(|event| takes(event)).cloned().collect();
        let mut found = list(&app.client, request.clone()).await.unwrap().events;
        assert_eq!(ids(&found), ids(&wanted), "{request:?}");
        if request.severities.is_empty() {
            assert!((1..log.len()).contains(&wanted.len()), "{request:?} narrows nothing");
        }
        let backwards = ListEventsRequest { newest_first: true, ..request.clone() };
        found.reverse();
        let back = list(&app.client, backwards).await.unwrap().events;
        assert_eq!(ids(&back), ids(&found), "{request:?} backwards");
    }
}

async fn a_page_that_cannot_be_had_names_the_field(backend: Backend) {
    let app = App::start(backend).await;
    let base = ListEventsRequest::default();
    let cases = [
        ("item_id", ListEventsRequest { item_id: "x".to_owned(), ..base.clone() }),
        ("user_id", ListEventsRequest { user_id: 7, ..base.clone() }),
        ("bot_id", ListEventsRequest { bot_id: "x".to_owned(), ..base.clone() }),
        ("source", ListEventsRequest { source: "x".repeat(101), ..base.clone() }),
        ("severities", ListEventsRequest { severities: vec![9], ..base.clone() }),
        ("wait_seconds", ListEventsRequest { newest_first: true, wait_seconds: 1, ..base }),
    ];
    for (field, request) in cases {
        let refused = list(&app.client, request).await.unwrap_err();
        assert_eq!(refused.code, Code::InvalidArgument, "{refused}");
        assert_eq!(refused.metadata["field"], field, "{refused}");
    }
}

async fn list(client: &Client, request: ListEventsRequest) -> Result<ListEventsResponse, Error> {
    Ok(client.raw().events().list_events(request).await?.into_inner())
}

fn time(event: &Event) -> (i64, i32) {
    moment(event.create_time)
}

fn moment(time: Option<prost_types::Timestamp>) -> (i64, i32) {
    time.map(|time| (time.seconds, time.nanos)).unwrap_or_default()
}
