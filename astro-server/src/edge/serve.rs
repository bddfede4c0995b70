//! Serves the connections that come in, until told to stop.
use super::limits::{CALLS_PER_CONNECTION_MAX, KEEPALIVE, METADATA_BYTES_READ, WINDOW_BYTES};
use super::listen::Listener;
use super::tls;
use astro_bridge::limits::{HEADERS_BYTES_MAX, HEADERS_WAIT};
use astro_bridge::unread::Unread;
use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// HTTP/1.1 and HTTP/2 as the limits want them.
fn http() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WAIT)
        .max_buf_size(HEADERS_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(CALLS_PER_CONNECTION_MAX)
        .initial_stream_window_size(WINDOW_BYTES.0)
        .initial_connection_window_size(WINDOW_BYTES.1)
        .max_header_list_size(METADATA_BYTES_READ)
        .keep_alive_interval(Some(KEEPALIVE.0))
        .keep_alive_timeout(KEEPALIVE.1);
    builder
}

/// Serves what comes in until `stop`; then takes no more and waits for the calls under way.
pub async fn serve(mut listener: Listener, router: Router, stop: CancellationToken) {
    let (http, open) = (http(), GracefulShutdown::new());
    while let Some(socket) = stop.run_until_cancelled(listener.next()).await {
        let visit = socket.visit();
        let service = router.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(visit.clone());
            request.map(Body::new)
        });
        let service = TowerToHyperService::new(service);
        let (http, watcher, tls) = (http.clone(), open.watcher(), listener.tls());
        tokio::spawn(async move {
            // Here, so that a handshake holds nobody up.
            let Some(stream) = tls::begin(tls, socket).await else { return };
            let stream = TokioIo::new(Unread::new(stream));
            let connection = http.serve_connection(stream, service).into_owned();
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!("A connection broke off: {error}");
            }
        });
    }
    // Whoever connects now is refused at once, and does not wait in vain.
    drop(listener);
    open.shutdown().await;
}
