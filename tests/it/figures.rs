//! What a server tells of itself: figures for Prometheus, and a name for each call.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use astro_sdk::v1::item_service_client::ItemServiceClient;
use astro_sdk::v1::{GetItemRequest, ReserveItemsRequest, WatchEventsRequest};
use astro_server::config::Collector;
use astro_tests::{App, Backend, DEADLINE, on_databases_in_turn};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

on_databases_in_turn!(
    the_figures_count_calls_by_code_streams_and_the_rows_of_jobs,
    an_answer_carries_the_callers_own_name_for_its_call_or_a_new_one,
    a_collector_is_sent_the_figures_and_may_come_later_than_the_server,
    a_collector_that_cannot_be_reached_this_way_stops_the_start,
);

/// A collector that hands on what it is sent.
struct Collecting(mpsc::UnboundedSender<ExportMetricsServiceRequest>);

#[tonic::async_trait]
impl MetricsService for Collecting {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.0.send(request.into_inner()).map_err(|_| Status::cancelled("the test is over"))?;
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

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

async fn a_collector_is_sent_the_figures_and_may_come_later_than_the_server(backend: Backend) {
    // A place that is free: who binds it first has it.
    let place = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = format!("http://{}", place.local_addr().unwrap());
    let app = App::start_telling(backend, endpoint).await;
    let unknown = GetItemRequest { item_id: app.org_id.clone() };
    app.client.raw().items().get_item(unknown).await.unwrap_err();

    let (sent, mut collected) = mpsc::unbounded_channel();
    let service = MetricsServiceServer::new(Collecting(sent));
    let serving = tonic::transport::Server::builder()
        .add_service(service)
        .serve_with_incoming(TcpListenerStream::new(place));
    let serving = tokio::spawn(serving);
    let counted = async {
        loop {
            let of = collected.recv().await.unwrap().resource_metrics.remove(0);
            let metrics = of.scope_metrics[0].metrics.clone();
            if metrics.iter().any(|metric| metric.name == "astro_calls_total") {
                return (of.resource.unwrap(), metrics);
            }
        }
    };
    let (resource, metrics) = tokio::time::timeout(DEADLINE, counted).await.unwrap();
    serving.abort();

    let is = |of: &[KeyValue], key: &str, value: &str| {
        let value = Some(AnyValue { value: Some(Any::StringValue(value.to_owned())) });
        of.iter().any(|one| one.key == key && one.value == value)
    };
    assert!(is(&resource.attributes, "service.name", "astro-server"), "{resource:?}");
    let data = |name: &str| {
        let metric = metrics.iter().find(|metric| metric.name == name);
        metric.unwrap_or_else(|| panic!("no {name}")).data.clone().unwrap()
    };
    let Data::Sum(calls) = data("astro_calls_total") else { panic!("it is counted") };
    let missed = calls.data_points.iter().find(|p| is(&p.attributes, "code", "NOT_FOUND"));
    let missed = missed.expect("the call");
    assert!(is(&missed.attributes, "method", "GetItem"), "{missed:?}");
    assert_eq!(missed.value, Some(Number::AsDouble(1.0)));
    assert!(missed.start_time_unix_nano < missed.time_unix_nano && calls.is_monotonic);
    let Data::Gauge(readable) = data("astro_database_readable") else { panic!("it is a level") };
    assert_eq!(readable.data_points[0].value, Some(Number::AsDouble(1.0)));
    let Data::Histogram(times) = data("astro_call_seconds") else { panic!("they are spread") };
    for point in times.data_points {
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count, "each call once");
    }
}

async fn a_collector_that_cannot_be_reached_this_way_stops_the_start(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let url = backend.new_database(folder.path()).unwrap();
    for endpoint in ["https://127.0.0.1:4317", "collector:4317", ""] {
        let mut config = astro_server::Config::new(&url, &folder.path().join("key"));
        let every = Duration::from_secs(1);
        config.collector = Some(Collector { endpoint: endpoint.to_owned(), every });
        let error = astro_server::Server::start(config).await.unwrap_err().to_string();
        assert!(error.contains("http://127.0.0.1:4317"), "{error}");
    }
}
