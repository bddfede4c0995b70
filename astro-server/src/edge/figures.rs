//! The page that Prometheus reads.
use super::limits::ACCEPT_PAUSE;
use crate::metrics::{Level, Metrics};
use crate::outside::{Listening, Stream};
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header;
use std::net::SocketAddr;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// What the page is written in.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers `GET /metrics` until `stop`.
///
/// # Errors
/// Those of the socket.
pub async fn serve(
    listener: Box<dyn Listening>,
    metrics: Metrics,
    level: impl Fn() -> Level + Clone + Send + Sync + 'static,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let page = move || {
        let text = metrics.text(level());
        async { ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response() }
    };
    let router = Router::new().route("/metrics", get(page));
    axum::serve(Door(listener), router).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// The listening socket, as axum takes it.
struct Door(Box<dyn Listening>);

impl axum::serve::Listener for Door {
    type Io = Box<dyn Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Box<dyn Stream>, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok(accepted) => return accepted,
                // Of the caller, or of a process without files, which the other door tells.
                Err(_) => sleep(ACCEPT_PAUSE.1).await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.address()
    }
}
