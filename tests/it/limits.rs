//! Nobody takes so much of the server that others get nothing: every limit holds, and whoever keeps
//! to it is served while others try.

use std::time::Duration;

use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::{AssetDescription, InventoryChunk};
use astro_sdk::v1::{
    GetCallerRequest, SetTradeUrlRequest, SyncState, WatchEventsRequest, WatchEventsResponse,
};
use astro_sdk::{Code, Error};
use astro_server::config::Bounds;
use astro_server::edge::limits::FIRST_CALL_WAIT;
use astro_tests::{App, Backend, DEADLINE, Raw, on_databases_in_turn};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use steam_sim::Behaviour;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::{Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::NODE;
use crate::puppet::Puppet;
use crate::world::sync_over;

on_databases_in_turn!(
    a_connection_that_begins_no_call_ends_however_much_it_said,
    a_connection_without_a_call_ends_and_a_watch_goes_on,
    more_silent_connections_than_files_keep_nobody_out,
    a_server_that_is_out_of_files_lets_silent_connections_go_and_answers,
    when_every_connection_has_a_call_another_is_refused_until_one_ends,
    whoever_watches_health_on_every_connection_keeps_nobody_out,
    a_request_that_never_ends_is_refused_in_time,
    the_unfinished_requests_of_a_key_take_no_more_memory_than_it_may_have,
    metadata_that_is_too_large_gets_a_status_and_keeps_the_connection,
    a_request_has_a_quarter_of_a_megabyte_and_a_call_without_a_key_less,
    an_inventory_of_descriptions_without_assets_fails_its_run,
);

const GET_CALLER: &str = "/astro.v1.AccessService/GetCaller";
const LIST_ITEMS: &str = "/astro.v1.ItemService/ListItems";
const HEALTH: &str = "/grpc.health.v1.Health/Check";

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A SETTINGS frame that sets nothing.
pub(crate) const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// The beginning of a call: HEADERS of stream 1 with `:method: POST`, to be continued.
const HALF_A_CALL: &[u8] = &[0, 0, 1, 1, 0, 0, 0, 0, 1, 0x83];

/// Kibibytes.
const KIB: usize = 1024;

async fn a_connection_that_begins_no_call_ends_however_much_it_said(backend: Backend) {
    let first_call = Duration::from_secs(3);
    let app = App::start_within(backend, Bounds { first_call, ..Bounds::default() }).await;
    let hello = [PREFACE, SETTINGS].concat();
    let half = [PREFACE, SETTINGS, HALF_A_CALL].concat();
    let said: [&[u8]; 5] = [b"", &PREFACE[..10], PREFACE, &hello, &half];
    let mut open = Vec::new();
    for bytes in said {
        let mut stream = TcpStream::connect(app.relay.target()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        open.push(stream);
    }
    for (stream, bytes) in open.into_iter().zip(said) {
        let ended = tokio::time::timeout(DEADLINE, end_of(stream)).await;
        assert!(ended.is_ok(), "{} bytes kept a connection", bytes.len());
    }
    is_served(&app).await;
}

async fn a_connection_without_a_call_ends_and_a_watch_goes_on(backend: Backend) {
    let (first_call, idle) = (Duration::from_secs(6), Duration::from_secs(2));
    let app = App::start_within(backend, Bounds { first_call, idle, ..Bounds::default() }).await;
    let raw = app.raw();
    get_caller(&raw, &app).await.unwrap();
    let mut watch = watch(&app).await;
    let connections = app.relay.connections();
    // The longer time is over when this one ends, so the shorter is too.
    end_of(TcpStream::connect(app.relay.target()).await.unwrap()).await;
    get_caller(&raw, &app).await.unwrap();
    assert!(app.relay.connections() > connections, "the idle connection was kept");
    let trade_url = app.person("somebody", Behaviour::ACCEPT).trade_url();
    let user_id = app.sim.account_named("somebody").unwrap().steam_id.0;
    let request = SetTradeUrlRequest { user_id, trade_url, ..Default::default() };
    app.client.raw().users().set_trade_url(request).await.unwrap();
    let told = tokio::time::timeout(DEADLINE, watch.message()).await.unwrap().unwrap();
    assert!(!told.unwrap().events.is_empty(), "the watch ended");
}

async fn more_silent_connections_than_files_keep_nobody_out(backend: Backend) {
    let app = App::start_process(backend, NODE, &["--files", "400"]).await;
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(app.relay.target()).await.unwrap());
    }
    let raw = app.raw();
    let served = get_caller(&raw, &app);
    tokio::time::timeout(DEADLINE, served).await.expect("it answers").unwrap();
    // The first had to make room long before its time was over.
    let soon = FIRST_CALL_WAIT / 2;
    tokio::time::timeout(soon, end_of(silent.remove(0))).await.expect("it had to go");
}

async fn a_server_that_is_out_of_files_lets_silent_connections_go_and_answers(backend: Backend) {
    // Fewer connections than it has room for, by the limit that it started with.
    let mut app = App::start_process(backend, NODE, &["--files", "400"]).await;
    is_served(&app).await;
    app.node().limit_open_files(100).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..130 {
        silent.push(TcpStream::connect(app.relay.target()).await.unwrap());
    }
    // They had to go long before their time was over.
    let soon = FIRST_CALL_WAIT / 2;
    let raw = app.raw();
    let served = get_caller(&raw, &app);
    tokio::time::timeout(soon, served).await.expect("it answers").unwrap();
    tokio::time::timeout(soon, end_of(silent.remove(0))).await.expect("it had to go");
}

async fn when_every_connection_has_a_call_another_is_refused_until_one_ends(backend: Backend) {
    let app = App::start_within(backend, Bounds { connections: 5, ..Bounds::default() }).await;
    let mut watches = Vec::new();
    for _ in 0..5 {
        watches.push(watch(&app).await);
    }
    get_caller(&app.raw(), &app).await.unwrap_err();
    drop(watches.pop());
    let taken = async {
        // The server hears of the end of the watch a moment later.
        while get_caller(&app.raw(), &app).await.is_err() {}
    };
    tokio::time::timeout(DEADLINE, taken).await.expect("there is room again");
    for watch in &mut watches {
        // The log may tell it of the stage's own keys.
        while let Some(said) = futures_util::FutureExt::now_or_never(watch.message()) {
            assert!(matches!(said, Ok(Some(_))), "a call under way was cut: {said:?}");
        }
    }
}

async fn whoever_watches_health_on_every_connection_keeps_nobody_out(backend: Backend) {
    let app = App::start_within(backend, Bounds { connections: 3, ..Bounds::default() }).await;
    let mut watches = Vec::new();
    for _ in 0..3 {
        let server = tonic::transport::Endpoint::from_shared(app.relay.endpoint()).unwrap();
        let mut health = HealthClient::new(server.connect_lazy());
        let request = HealthCheckRequest::default();
        let mut watch = health.watch(request).await.unwrap().into_inner();
        watch.message().await.unwrap().unwrap();
        watches.push(watch);
    }
    get_caller(&app.raw(), &app).await.expect("there is room for a caller with a key");
}

async fn a_request_that_never_ends_is_refused_in_time(backend: Backend) {
    let message = Duration::from_secs(2);
    let app = App::start_within(backend, Bounds { message, ..Bounds::default() }).await;
    let (raw, key) = (app.raw(), bearer(&app));
    let (keyed, open) = ((LIST_ITEMS, Some(key.as_str())), (HEALTH, None));
    for ((method, key), size) in
        [(keyed, 0), (keyed, 10), (keyed, 200 * KIB), (open, 0), (open, 10), (open, 15 * KIB)]
    {
        let call = raw.unending(method, key, vec![0; size]);
        let refused = tokio::time::timeout(DEADLINE, call).await.expect("it is answered");
        is_over_a_limit(refused.unwrap_err());
    }
    get_caller(&raw, &app).await.unwrap();
}

async fn the_unfinished_requests_of_a_key_take_no_more_memory_than_it_may_have(backend: Backend) {
    const CALLS: usize = 800;
    // So many of them come to 16 MiB.
    const HELD: usize = 81;
    let mut app = App::start_process(backend, NODE, &[]).await;
    let key = bearer(&app);
    is_served(&app).await;
    let before = app.node().memory().unwrap();
    let raws = [app.raw(), app.raw(), app.raw(), app.raw()];
    let message = bytes::Bytes::from(vec![0; 200 * KIB]);
    let calls = raws.iter().flat_map(|raw| {
        let (key, message) = (Some(key.as_str()), &message);
        (0..CALLS / raws.len()).map(move |_| raw.unending(LIST_ITEMS, key, message.clone()))
    });
    let mut calls: FuturesUnordered<_> = calls.collect();
    for _ in 0..CALLS - HELD {
        let refused = tokio::time::timeout(DEADLINE, calls.next()).await.expect("it is refused");
        let refused = refused.unwrap().unwrap_err();
        // Not for the time that they took: by then all of them would have been held.
        assert!(refused.message().contains("bytes wait"), "{refused}");
        is_over_a_limit(refused);
    }
    let grown = app.node().memory().unwrap().saturating_sub(before);
    assert!(grown < 96 * KIB * KIB, "the server grew by {} KiB", grown / KIB);
    let other = app.admin_key();
    let answer = app.client_with(&other).raw().access().get_caller(GetCallerRequest {}).await;
    answer.expect("another key is served meanwhile");
}

async fn metadata_that_is_too_large_gets_a_status_and_keeps_the_connection(backend: Backend) {
    let app = App::start(backend).await;
    let (raw, key) = (app.raw(), bearer(&app));
    get_caller(&raw, &app).await.unwrap();
    let connections = app.relay.connections();
    for size in [20 * KIB, 100 * KIB] {
        let large = "x".repeat(size);
        let extra = [("x-large", large.as_str())];
        let refused = raw.call_with(GET_CALLER, Some(&key), vec![], &extra).await;
        is_over_a_limit(refused.unwrap_err());
        // And so without a key.
        is_over_a_limit(raw.call_with(HEALTH, None, vec![], &extra).await.unwrap_err());
    }
    let small = "x".repeat(8 * KIB);
    let extra = [("x-small", small.as_str())];
    raw.call_with(GET_CALLER, Some(&key), vec![], &extra).await.unwrap();
    assert_eq!(app.relay.connections(), connections, "the connection was dropped");
}

async fn a_request_has_a_quarter_of_a_megabyte_and_a_call_without_a_key_less(backend: Backend) {
    let app = App::start(backend).await;
    let raw = app.raw();
    // An unknown field, which is skipped.
    let message = |size: usize| {
        let mut bytes = vec![0x9a, 0x06];
        prost::encoding::encode_varint(size as u64, &mut bytes);
        bytes.resize(bytes.len() + size, 0);
        bytes
    };
    let key = bearer(&app);
    raw.call(GET_CALLER, Some(&key), message(250 * KIB)).await.unwrap();
    is_over_a_limit(raw.call(GET_CALLER, Some(&key), message(257 * KIB)).await.unwrap_err());
    raw.call(HEALTH, None, message(10 * KIB)).await.unwrap();
    raw.call(HEALTH, None, message(20 * KIB)).await.unwrap_err();
    get_caller(&raw, &app).await.unwrap();
}

async fn an_inventory_of_descriptions_without_assets_fails_its_run(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let sync_id = bot.sync().await;
    // Small on the wire and large in memory: 32 bytes for each zero.
    let metadata_json = format!("{{\"a\":[0{}]}}", ",0".repeat(3_900));
    let mut chunk = InventoryChunk { sync_id: sync_id.clone(), ..Default::default() };
    for index in 0..40 {
        let description = |n: u64| AssetDescription {
            app_id: 440,
            class_id: u64::from(index) * 100 + n,
            metadata_json: metadata_json.clone(),
            ..Default::default()
        };
        chunk.index = index;
        chunk.descriptions = (0..100).map(description).collect();
        bot.send(Frame::Inventory(chunk.clone())).await;
    }
    let run = sync_over(&app, &sync_id).await;
    assert_eq!(run.state(), SyncState::Failed);
    assert!(run.error_message.contains("bytes"), "{}", run.error_message);
    is_served(&app).await;
    bot.status("rate_limited").await;
    bot.committed().await.expect("the session goes on");
}

fn bearer(app: &App) -> String {
    format!("Bearer {}", app.client_key)
}

async fn get_caller(raw: &Raw, app: &App) -> Result<(), Status> {
    raw.call(GET_CALLER, Some(&bearer(app)), vec![]).await.map(drop)
}

async fn is_served(app: &App) {
    let answer = app.client.raw().access().get_caller(GetCallerRequest {}).await;
    answer.expect("who keeps to the limits is served");
}

fn is_over_a_limit(status: Status) {
    let error = Error::from(status);
    assert_eq!((error.code, error.reason.as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
}

/// Waits until the other side has closed the connection.
pub(crate) async fn end_of(mut stream: TcpStream) {
    let mut bytes = [0; 1024];
    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}

/// A watch on a connection of its own, connected.
async fn watch(app: &App) -> Streaming<WatchEventsResponse> {
    let client = app.client_with(&app.client_key);
    let request = WatchEventsRequest::default();
    let mut watch = client.raw().events().watch_events(request).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert!(first.events.is_empty());
    watch
}
