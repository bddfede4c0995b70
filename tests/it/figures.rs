//! What a server tells of itself: figures for Prometheus, and a name for each call.

use std::net::SocketAddr;
use std::time::Duration;

use astro_sdk::v1::item_service_client::ItemServiceClient;
use astro_sdk::v1::{GetItemRequest, ReserveItemsRequest, WatchEventsRequest};
use astro_tests::{App, Backend, on_databases_in_turn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::metadata::MetadataMap;

on_databases_in_turn!(
    the_figures_count_calls_by_code_streams_and_the_rows_of_jobs,
    an_answer_carries_the_callers_own_name_for_its_call_or_a_new_one,
);

/// The answer to `GET <path>`, headers and all.
async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: figures\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The value of the figure that is written so.
#[track_caller]
fn figure(page: &str, name: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in\n{page}"));
    value.trim().parse().unwrap()
}

async fn the_figures_count_calls_by_code_streams_and_the_rows_of_jobs(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let (client, address) = (&app.client, app.metrics_address());
    let found = client.raw().items().get_item(GetItemRequest { item_id: item.id.clone() }).await;
    found.unwrap();
    let unknown = GetItemRequest { item_id: app.org_id.clone() };
    client.raw().items().get_item(unknown).await.unwrap_err();
    let types = vec!["org.*".to_owned()];
    let watch = WatchEventsRequest { types, ..Default::default() };
    let mut watch = client.raw().events().watch_events(watch).await.unwrap().into_inner();
    watch.message().await.unwrap();

    let quiet = app.until("the watch to be the one stream", async || {
        let page = get(address, "/metrics").await;
        (figure(&page, "astro_streams ") == 1.0).then_some(page)
    });
    let page = quiet.await;
    assert!(page.contains("application/openmetrics-text"), "{page}");
    let rpc = "service=\"astro.v1.ItemService\",method=\"GetItem\"";
    assert_eq!(figure(&page, &format!("astro_calls_total{{{rpc},code=\"OK\"}}")), 1.0);
    assert_eq!(figure(&page, &format!("astro_calls_total{{{rpc},code=\"NOT_FOUND\"}}")), 1.0);
    assert_eq!(figure(&page, &format!("astro_call_seconds_count{{{rpc}}}")), 2.0);
    assert_eq!(figure(&page, "astro_calls_open "), 1.0, "the watch");
    assert!(figure(&page, "astro_connections ") >= 1.0);
    assert_eq!(figure(&page, "astro_database_readable "), 1.0);
    assert_eq!(figure(&page, "astro_database_writable "), 1.0);
    assert!(page.contains("astro_log_lag_seconds"), "{page}");
    assert!(get(address, "/").await.starts_with("HTTP/1.1 404"));

    drop(watch);
    let request =
        ReserveItemsRequest { item_ids: vec![item.id], ttl_seconds: 1, ..Default::default() };
    client.raw().items().reserve_items(request).await.unwrap();
    let handled = "astro_job_rows_total{job=\"expire reservations\",outcome=\"handled\"}";
    let counted = app.until("the job to be counted", async || {
        app.clock.advance(Duration::from_secs(1));
        let page = get(address, "/metrics").await;
        page.lines().any(|line| line.starts_with(handled)).then_some(page)
    });
    assert_eq!(figure(&counted.await, handled), 1.0);
}

async fn an_answer_carries_the_callers_own_name_for_its_call_or_a_new_one(backend: Backend) {
    let app = App::start(backend).await;
    let ask = async |name: &str| {
        let mut items = ItemServiceClient::connect(app.relay.endpoint()).await.unwrap();
        let mut request = tonic::Request::new(GetItemRequest { item_id: app.org_id.clone() });
        if !name.is_empty() {
            request.metadata_mut().insert("x-request-id", name.parse().unwrap());
        }
        // Refused without a key, which is an answer like any other.
        named(items.get_item(request).await.unwrap_err().metadata())
    };
    assert_eq!(ask("plugin-7").await, "plugin-7");
    let (one, two) = (ask("").await, ask("").await);
    assert_eq!((one.len(), two.len()), (36, 36), "UUIDs");
    assert_ne!(one, two);
    assert_eq!(ask(&"x".repeat(65)).await.len(), 36, "too long for the log");
    assert_eq!(ask("with a space").await.len(), 36);
}

fn named(metadata: &MetadataMap) -> String {
    metadata.get("x-request-id").unwrap().to_str().unwrap().to_owned()
}
