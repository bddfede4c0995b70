//! Pages of the log: backwards, and of one item, person, bot, source, severity or time.

use std::pin::pin;

use astro_sdk::v1::{
    CreateAssignmentRequest, Event, EventSeverity, ListEventsRequest, ListEventsResponse,
    WatchEventsRequest,
};
use astro_sdk::{Client, Code, Error};
use astro_tests::{App, Backend, on_each_database, sql};
use steam_sim::Behaviour;

use crate::events::{churn, from_earliest, ids, log_until, next};

on_each_database!(
    the_log_is_read_backwards_page_by_page,
    the_log_is_narrowed_to_what_is_asked_for,
    rare_events_are_found_however_long_the_log_is,
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

async fn rare_events_are_found_however_long_the_log_is(backend: Backend) {
    let mut app = App::start(backend).await;
    app.stop_server().await;
    let mut conn = sql::open(&app.database_url).unwrap();
    sql::run(&mut conn, &many_events(backend, &app.org_id)).unwrap();
    app.restart_server().await;
    let request = WatchEventsRequest { types: vec!["donation.*".to_owned()], ..from_earliest() };
    let mut watch = pin!(app.client.events().watch(request));
    let told = [next(&mut watch).await, next(&mut watch).await, next(&mut watch).await];
    let (mut wanted, error) = (ids(&told), EventSeverity::Error.into());
    for newest_first in [false, true] {
        // The organisation's part of the log, and the whole of it.
        for (client, page_size) in [(&app.client, 500), (&app.client, 1), (&app.admin, 1)] {
            let (mut seen, mut resume_token) = (Vec::new(), String::new());
            loop {
                let severities = vec![error];
                let request = ListEventsRequest { severities, newest_first, ..<_>::default() };
                let request = ListEventsRequest { resume_token, page_size, ..request };
                let page = list(client, request).await.unwrap();
                if page.events.is_empty() {
                    break;
                }
                seen.extend(page.events);
                resume_token = page.resume_token;
            }
            assert_eq!(ids(&seen), wanted, "{newest_first} {page_size}");
        }
        wanted.reverse();
    }
}

/// Makes more events than one statement looks through, of which the first, the last and one between
/// are errors.
fn many_events(backend: Backend, org_id: &str) -> String {
    const MANY: u32 = 25_000;
    let (id, org, at) = match backend {
        Backend::Postgres => ("gen_random_uuid()", format!("'{org_id}'::uuid"), "now()"),
        Backend::Sqlite => ("randomblob(16)", format!("x'{}'", org_id.replace('-', "")), "0"),
    };
    let rare = format!("i IN (1, 12345, {MANY})");
    let empty = if backend == Backend::Postgres { "'{}'::jsonb" } else { "'{}'" };
    format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
         INSERT INTO system_events (id, org_id, event_type, event_category, event_description,
             event_data, severity, source, created_at)
         SELECT {id}, {org}, CASE WHEN {rare} THEN 'donation.reversed' ELSE 'item.seen' END, 'item', '',
             {empty}, CASE WHEN {rare} THEN 'ERROR' ELSE 'INFO' END, 'system', {at}
         FROM n ORDER BY i"
    )
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
