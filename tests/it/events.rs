//! The log: followed without gaps across lost connections, read in pages, filtered, and complete.

use std::pin::pin;
use std::time::{Duration, Instant};

use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::{
    AssignmentState, CancelAssignmentRequest, CreateAssignmentRequest, ErrorReason, Event,
    EventSeverity, Item, ItemHistoryEntry, ItemState, ListEventsRequest, ListItemHistoryRequest,
    ReleaseReservationRequest, ReserveItemsRequest, SetTradeUrlRequest, WatchAssignmentRequest,
    WatchEventsRequest, WatchEventsResponse,
};
use astro_sdk::{Client, Code, Error, new_request_id};
use astro_tests::{App, Backend, DEADLINE, fact, on_each_database};
use futures_util::future::join_all;
use futures_util::{Stream, StreamExt, TryStreamExt};
use steam_sim::Behaviour;
use tonic::Streaming;

on_each_database!(
    a_watcher_that_is_cut_off_gets_every_event_once_in_order,
    a_token_that_is_none_of_this_server_is_refused,
    a_long_poll_answers_with_the_first_event_or_with_nothing_when_its_time_is_over,
    a_filter_takes_families_exact_types_and_one_assignment,
    another_organisation_sees_nothing,
    an_event_tells_all_that_the_design_asks_for,
    the_pages_of_the_log_are_the_stream,
    an_assignment_is_watched_from_its_state_now_to_its_final_one,
    the_history_of_an_item_is_paged_newest_first,
);

/// Writers at once, and how often each of them reserves and releases.
const WRITERS: usize = 4;
const ROUNDS: usize = 40;
/// Events after which the watcher's connection is cut again.
const CUT_EVERY: usize = 50;

async fn a_watcher_that_is_cut_off_gets_every_event_once_in_order(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(WRITERS).await;
    // The writers come by the other way, which is not cut.
    let endpoint = app.bot_relay.endpoint();
    let writer = Client::builder().endpoint(endpoint).api_key(&app.client_key).build().unwrap();
    let writers = pool.iter().map(|item| async {
        for _ in 0..ROUNDS {
            churn(&writer, item).await;
        }
    });
    let watched = async {
        let (mut seen, mut released) = (Vec::new(), 0);
        let mut events = pin!(app.client.events().watch(from_earliest()));
        while released < WRITERS * ROUNDS {
            let event = next(&mut events).await;
            released += usize::from(event.event_type == "item.released");
            seen.push(event);
            if seen.len() % CUT_EVERY == 0 {
                app.relay.cut();
            }
        }
        seen
    };
    let (seen, _) = tokio::join!(watched, join_all(writers));
    // The worker that brought the items may have left meanwhile; nothing else comes any more.
    let log = app.events().await;
    assert_eq!(ids(&seen), ids(&log[..seen.len()]));
    assert!(log[seen.len()..].iter().all(|event| event.event_category == "bot"));
    assert!(app.relay.connections() > seen.len() / CUT_EVERY, "the connection was cut for good");

    // Another process goes on from a token that it stored.
    let (done, rest) = seen.split_at(seen.len() / 2);
    let token = done.last().unwrap().resume_token.clone();
    let start = Some(Start::ResumeToken(token));
    let request = WatchEventsRequest { start, ..Default::default() };
    let resumed = app.client.events().watch(request).take(rest.len());
    let resumed: Vec<Event> = resumed.try_collect().await.unwrap();
    assert_eq!(ids(&resumed), ids(rest));
}

async fn a_token_that_is_none_of_this_server_is_refused(backend: Backend) {
    let app = App::start(backend).await;
    let other = App::start(backend).await;
    let foreign = end_of_log(&other.client).await;
    let own = end_of_log(&app.client).await;
    let cut_short = &own[..own.len() - 1];
    for token in [&foreign, "nonsense", "AAAA", "%", "\0", cut_short, &"A".repeat(5000)] {
        for refused in [list_from(&app.client, token).await, watch_from(&app.client, token).await] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.code, Code::InvalidArgument, "{token}: {refused}");
            assert!(refused.is(ErrorReason::ResumeTokenInvalid), "{token}: {refused}");
        }
    }
    assert!(list_from(&app.client, &own).await.is_ok());
}

async fn a_long_poll_answers_with_the_first_event_or_with_nothing_when_its_time_is_over(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let mut resume_token = log_until(&app, "item.received", 1).await.pop().unwrap().resume_token;
    let types = vec!["item.*".to_owned()];
    for round in 1..=3 {
        let began = Instant::now();
        let request = ListEventsRequest {
            resume_token,
            types: types.clone(),
            wait_seconds: 20,
            ..Default::default()
        };
        let mut events = app.client.raw().events();
        let (answer, ()) = tokio::join!(events.list_events(request), churn(&app.client, &item));
        let answer = answer.unwrap().into_inner();
        assert_eq!(answer.events[0].event_type, "item.reserved");
        assert!(began.elapsed() < Duration::from_secs(15), "it waits on with an event at hand");
        let log = log_until(&app, "item.released", round).await;
        resume_token = log.last().unwrap().resume_token.clone();
    }
    let began = Instant::now();
    let request = ListEventsRequest { resume_token, types, wait_seconds: 1, ..Default::default() };
    let answer = app.client.raw().events().list_events(request).await.unwrap().into_inner();
    assert!(answer.events.is_empty(), "{:?}", answer.events);
    assert!(began.elapsed() >= Duration::from_secs(1), "it did not wait");
    churn(&app.client, &item).await;
    let start = Some(Start::ResumeToken(answer.resume_token));
    let request = WatchEventsRequest { start, types: vec!["item.*".to_owned()], ..from_earliest() };
    let rest: Vec<Event> = app.client.events().watch(request).take(2).try_collect().await.unwrap();
    assert_eq!(names(&rest), ["item.reserved", "item.released"]);
}

async fn a_filter_takes_families_exact_types_and_one_assignment(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool[..1], &winner).await;
    app.assign(&pool[1..], &winner).await;
    let log = log_until(&app, "assignment.created", 2).await;
    let filters = [
        vec!["item.*"],
        vec!["item.assigned"],
        vec!["assignment.*", "user.met", "assignment.created"],
    ];
    for types in filters {
        let takes = |event: &&Event| {
            types.iter().any(|name| match name.strip_suffix('*') {
                Some(family) => event.event_type.starts_with(family),
                None => event.event_type == *name,
            })
        };
        let wanted: Vec<Event> = log.iter().filter(takes).cloned().collect();
        assert!(!wanted.is_empty(), "{types:?}");
        let types: Vec<String> = types.into_iter().map(str::to_owned).collect();
        let request =
            ListEventsRequest { types: types.clone(), page_size: 500, ..Default::default() };
        let listed =
            app.client.raw().events().list_events(request).await.unwrap().into_inner().events;
        assert_eq!(ids(&listed), ids(&wanted), "{types:?}");
        let request = WatchEventsRequest { types: types.clone(), ..from_earliest() };
        let watched = app.client.events().watch(request).take(wanted.len());
        let watched: Vec<Event> = watched.try_collect().await.unwrap();
        assert_eq!(ids(&watched), ids(&wanted), "{types:?}");
    }
    let request = ListEventsRequest { assignment_id: assignment.id.clone(), ..Default::default() };
    let listed = app.client.raw().events().list_events(request).await.unwrap().into_inner().events;
    let wanted: Vec<Event> =
        log.into_iter().filter(|event| event.assignment_id == assignment.id).collect();
    assert_eq!(names(&listed), ["item.assigned", "assignment.created"]);
    assert_eq!(ids(&listed), ids(&wanted));
}

async fn another_organisation_sees_nothing(backend: Backend) {
    let app = App::start(backend).await;
    let (other_id, other) = app.another_org("another").await;
    let start = Some(Start::ResumeToken(end_of_log(&other).await));
    let request = WatchEventsRequest { start, ..Default::default() };
    let mut watch = pin!(other.events().watch(request));
    let item = app.pool_of(1).await.remove(0);
    churn(&app.client, &item).await;
    let person = app.person("person", Behaviour::IGNORE);
    let request = SetTradeUrlRequest { trade_url: person.trade_url(), ..Default::default() };
    other.raw().users().set_trade_url(request).await.unwrap();
    let first = next(&mut watch).await;
    assert_eq!((first.event_type.as_str(), &first.org_id), ("user.met", &other_id));

    let seen = list_from(&other, "").await.unwrap();
    assert!(seen.iter().all(|event| event.org_id == other_id), "{seen:?}");
    assert!(seen.iter().all(|event| event.item_id.is_empty()), "{seen:?}");
    let request = ListEventsRequest { org_id: app.org_id.clone(), ..Default::default() };
    let refused = Error::from(other.raw().events().list_events(request).await.unwrap_err());
    assert!(refused.is(ErrorReason::OrganizationNotFound), "{refused}");
    let request = WatchEventsRequest { org_id: app.org_id.clone(), ..Default::default() };
    let refused = Error::from(other.raw().events().watch_events(request).await.unwrap_err());
    assert!(refused.is(ErrorReason::OrganizationNotFound), "{refused}");
}

async fn an_event_tells_all_that_the_design_asks_for(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let request = CreateAssignmentRequest {
        external_system: "tests".to_owned(),
        external_id: "giveaway 7".to_owned(),
        ..app.prize(&pool, &winner)
    };
    let answer =
        app.client.raw().assignments().create_assignment(request).await.unwrap().into_inner();
    let assignment = answer.assignment.unwrap();
    let source = format!("key:{}", app.client_key.split('_').nth(2).unwrap());
    let log = log_until(&app, "assignment.created", 1).await;
    let only = |name: &str| {
        let mut found = log.iter().filter(|event| event.event_type == name);
        let event = found.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(found.next().is_none(), "two of {name}");
        event
    };
    let created = only("assignment.created");
    let moved = only("item.assigned");
    for event in [created, moved] {
        assert_eq!(uuid::Uuid::parse_str(&event.id).unwrap().get_version_num(), 7);
        assert_eq!(event.org_id, app.org_id);
        assert_eq!(Some(event.event_category.as_str()), event.event_type.split('.').next());
        assert!(!event.event_description.is_empty());
        assert_eq!(event.user_id, winner.steam_id.0);
        assert_eq!(event.assignment_id, assignment.id);
        assert_eq!(event.bot_id, app.bot_id);
        assert_eq!(event.severity(), EventSeverity::Info);
        assert_eq!(event.source, source);
        assert_eq!(event.create_time, assignment.create_time);
        assert!(!event.resume_token.is_empty());
    }
    assert_eq!(created.external_system, "tests");
    assert_eq!(fact(created, "external_id"), "giveaway 7");
    assert_eq!(fact(created, "to"), "QUEUED");
    assert_eq!(moved.item_id, pool[0].id);
    assert_eq!((fact(moved, "from"), fact(moved, "to")), ("AVAILABLE", "ASSIGNED"));

    let request =
        CancelAssignmentRequest { assignment_id: assignment.id.clone(), ..Default::default() };
    app.client.raw().assignments().cancel_assignment(request).await.unwrap();
    let log = log_until(&app, "assignment.cancelled", 1).await;
    let ended = log.last().unwrap();
    assert_eq!((fact(ended, "from"), fact(ended, "to")), ("QUEUED", "CANCELLED"));
    assert_eq!(ended.external_system, "tests");
}

async fn the_pages_of_the_log_are_the_stream(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    churn(&app.client, &item).await;
    let all = log_until(&app, "item.released", 1).await;
    let (mut paged, mut resume_token) = (Vec::new(), String::new());
    while paged.len() < all.len() {
        let request = ListEventsRequest { resume_token, page_size: 3, ..Default::default() };
        let page = app.client.raw().events().list_events(request).await.unwrap().into_inner();
        assert!((1..=3).contains(&page.events.len()));
        paged.extend(page.events);
        resume_token = page.resume_token;
    }
    assert_eq!(ids(&paged[..all.len()]), ids(&all));
    let streamed = app.client.events().watch(from_earliest()).take(all.len());
    let streamed: Vec<Event> = streamed.try_collect().await.unwrap();
    assert_eq!(ids(&streamed), ids(&all));
}

async fn an_assignment_is_watched_from_its_state_now_to_its_final_one(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let request = WatchAssignmentRequest { assignment_id: assignment.id.clone() };
    let watch = app.client.raw().assignments().watch_assignment(request.clone()).await.unwrap();
    let mut watch = watch.into_inner();
    let first = watch.message().await.unwrap().unwrap().assignment.unwrap();
    assert_eq!(first, assignment);

    let bot = app.bot();
    let mut seen = vec![first];
    while let Some(message) = watch.message().await.unwrap() {
        let now = message.assignment.unwrap();
        let (state, before) = (now.state(), seen.last().unwrap());
        assert_ne!(now.etag, before.etag, "told twice");
        seen.push(now);
        if state == AssignmentState::Delivered {
            app.clock.advance(Duration::from_secs(8 * 86_400));
        }
    }
    bot.stop().await;
    let mut states: Vec<AssignmentState> = seen.iter().map(|seen| seen.state()).collect();
    states.dedup();
    assert_eq!(states.first(), Some(&AssignmentState::Queued));
    assert_eq!(states.last(), Some(&AssignmentState::Settled));
    assert!(states.contains(&AssignmentState::Delivering), "{states:?}");
    assert_eq!(seen.last(), Some(&app.assignment(&assignment.id).await));

    // One that is final already is told once.
    let watch = app.client.raw().assignments().watch_assignment(request).await.unwrap();
    let told: Vec<_> = watch.into_inner().try_collect().await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].assignment.as_ref(), seen.last());
}

async fn the_history_of_an_item_is_paged_newest_first(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    for item in pool.iter().chain(&pool).chain(&pool[..1]) {
        churn(&app.client, item).await;
    }
    let item_id = pool[0].id.clone();
    let request = ListItemHistoryRequest { item_id, page_size: 2, ..Default::default() };
    let pages = app.client.items().list_history(request).pages();
    let pages: Vec<_> = pages.try_collect().await.unwrap();
    assert!(pages.iter().all(|page| page.entries.len() <= 2));
    let history: Vec<ItemHistoryEntry> = pages.into_iter().flat_map(|page| page.entries).collect();
    let log = log_until(&app, "item.released", 5).await;
    let own: Vec<&Event> = log.iter().rev().filter(|event| event.item_id == pool[0].id).collect();
    let listed: Vec<&str> = history.iter().map(|entry| entry.event_id.as_str()).collect();
    assert_eq!(listed, own.iter().map(|event| event.id.as_str()).collect::<Vec<_>>());
    let (last, first) = (&history[0], history.last().unwrap());
    assert_eq!(last.event_type, "item.released");
    assert_eq!((last.from_state(), last.to_state()), (ItemState::Reserved, ItemState::Available));
    assert_eq!(first.event_type, "item.accepted");
    assert_eq!(
        (first.from_state(), first.to_state()),
        (ItemState::Unspecified, ItemState::Pending)
    );
    assert_eq!(first.user_id, pool[0].received_from_user_id);
    assert_eq!(first.trade_offer_id, pool[0].received_trade_offer_id);
}

/// Reserves the item and gives it back: two events.
pub(crate) async fn churn(client: &Client, item: &Item) {
    let request = ReserveItemsRequest {
        item_ids: vec![item.id.clone()],
        request_id: new_request_id(),
        ..Default::default()
    };
    let reserved = client.raw().items().reserve_items(request).await.unwrap().into_inner();
    let reservation_id = reserved.reservation.unwrap().id;
    let request = ReleaseReservationRequest { reservation_id, request_id: new_request_id() };
    client.raw().items().release_reservation(request).await.unwrap();
}

/// The next event, which has to come in time.
pub(crate) async fn next(events: &mut (impl Stream<Item = Result<Event, Error>> + Unpin)) -> Event {
    let event = tokio::time::timeout(DEADLINE, events.next()).await;
    event.expect("an event comes in time").expect("the watch goes on").unwrap()
}

/// The log up to the event of this type that is the `count`th of it.
pub(crate) async fn log_until(app: &App, event_type: &str, count: usize) -> Vec<Event> {
    let mut events = pin!(app.client.events().watch(from_earliest()));
    let (mut log, mut found) = (Vec::new(), 0);
    while found < count {
        let event = next(&mut events).await;
        found += usize::from(event.event_type == event_type);
        log.push(event);
    }
    log
}

pub(crate) fn from_earliest() -> WatchEventsRequest {
    WatchEventsRequest { start: Some(Start::FromEarliest(true)), ..Default::default() }
}

pub(crate) async fn end_of_log(client: &Client) -> String {
    let request = ListEventsRequest { page_size: 500, ..Default::default() };
    client.raw().events().list_events(request).await.unwrap().into_inner().resume_token
}

pub(crate) async fn list_from(client: &Client, token: &str) -> Result<Vec<Event>, Error> {
    let request = ListEventsRequest { resume_token: token.to_owned(), ..Default::default() };
    Ok(client.raw().events().list_events(request).await?.into_inner().events)
}

pub(crate) async fn watch_from(client: &Client, token: &str) -> Result<Vec<Event>, Error> {
    let start = Some(Start::ResumeToken(token.to_owned()));
    let request = WatchEventsRequest { start, ..Default::default() };
    let mut watch: Streaming<WatchEventsResponse> =
        client.raw().events().watch_events(request).await?.into_inner();
    Ok(watch.message().await?.map(|message| message.events).unwrap_or_default())
}

pub(crate) fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

pub(crate) fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.event_type.as_str()).collect()
}
