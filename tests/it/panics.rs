//! A defect in one task of the server: it is told, and the task begins again.

use astro_sdk::v1::{ApiKeyKind, ErrorReason, ItemState, ReserveItemsRequest, WatchEventsRequest};
use astro_sdk::{Code, Error};
use astro_tests::{App, Backend, DEADLINE, on_databases_in_turn};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::NODE;
use crate::access::revoke;
use crate::outages::set_away;
use crate::puppet::Puppet;

on_databases_in_turn!(
    after_a_panic_in_the_jobs_a_reservation_still_runs_out,
    after_a_panic_in_the_event_feed_a_watch_is_still_told_of_everything,
    after_a_panic_in_the_look_at_keys_a_key_revoked_elsewhere_still_ends,
    after_a_panic_in_its_session_a_bot_is_told_and_may_connect_again_at_once,
    after_a_panic_in_what_tells_health_an_outage_is_still_told,
);

async fn after_a_panic_in_the_jobs_a_reservation_still_runs_out(backend: Backend) {
    let app = App::start_process(backend, NODE, &["--panic-at", "jobs"]).await;
    let item = app.pool_of(1).await.remove(0);
    let item_ids = vec![item.id];
    let request = ReserveItemsRequest { item_ids, ttl_seconds: 1, ..Default::default() };
    app.client.raw().items().reserve_items(request).await.unwrap();
    let free = app.until("the reservation to run out", async || {
        app.items(&[ItemState::Available]).await.pop()
    });
    free.await;
}

async fn after_a_panic_in_the_event_feed_a_watch_is_still_told_of_everything(backend: Backend) {
    // The first event after the start is the one that it breaks off at.
    let app = App::start_process(backend, NODE, &["--panic-at", "feed"]).await;
    let request = WatchEventsRequest { types: vec!["org.*".to_owned()], ..Default::default() };
    let watch = app.admin.raw().events().watch_events(request).await;
    let mut watch = watch.unwrap().into_inner();
    watch.message().await.unwrap();
    app.another_org("blue").await;
    let told = tokio::time::timeout(DEADLINE, watch.message()).await.expect("the watch goes on");
    let told = told.unwrap().unwrap().events;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].event_type, "org.created");
}

async fn after_a_panic_in_the_look_at_keys_a_key_revoked_elsewhere_still_ends(backend: Backend) {
    let app = App::start(backend).await;
    let second = app.second_process(NODE, &["--panic-at", "streams"]).await;
    let key = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    let client = second.client_with(&key);
    let request = WatchEventsRequest { types: vec!["user.*".to_owned()], ..Default::default() };
    let mut watch = client.raw().events().watch_events(request).await.unwrap().into_inner();
    watch.message().await.unwrap();
    revoke(&app, &key).await;
    let end = tokio::time::timeout(DEADLINE, watch.message()).await.expect("the watch ends");
    let end = Error::from(end.unwrap_err());
    assert!(end.is(ErrorReason::KeyInvalid), "{end}");
}

async fn after_a_panic_in_its_session_a_bot_is_told_and_may_connect_again_at_once(
    backend: Backend,
) {
    let app = App::start_process(backend, NODE, &["--panic-at", "session"]).await;
    let mut bot = Puppet::connect(&app, false).await.unwrap();
    bot.status("online").await;
    let end = bot.end().await;
    assert_eq!(end.code, Code::Internal, "{end}");
    // The lease was freed before.
    app.until("the end of the session", async || {
        let log = app.events().await;
        log.iter().any(|event| event.event_type == "bot.disconnected").then_some(())
    })
    .await;
    let mut bot = Puppet::connect(&app, false).await.unwrap();
    bot.status("online").await;
    bot.committed().await.unwrap();
}

async fn after_a_panic_in_what_tells_health_an_outage_is_still_told(backend: Backend) {
    let app = App::start_process(backend, NODE, &["--panic-at", "health"]).await;
    let server = tonic::transport::Endpoint::from_shared(app.relay.endpoint()).unwrap();
    let mut health = HealthClient::new(server.connect_lazy());
    let mut health = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut next = async || {
        let told = tokio::time::timeout(DEADLINE, health.message()).await.expect("it is told");
        told.unwrap().unwrap().status()
    };
    assert_eq!(next().await, ServingStatus::Serving);
    set_away(&app, true);
    // Begun anew, it may tell first what it had told before.
    while next().await == ServingStatus::Serving {}
}
