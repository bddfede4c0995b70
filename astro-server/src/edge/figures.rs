//! The page that Prometheus reads.
use crate::metrics::{Level, Metrics};
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the page is written in.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers `GET /metrics` until `stop`.
///
/// # Errors
/// Those of the socket.
pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    level: impl Fn() -> Level + Clone + Send + Sync + 'static,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let page = move || {
        let text = metrics.text(level());
        async { ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response() }
    };
    let router = Router::new().route("/metrics", get(page));
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}
