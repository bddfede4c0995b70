//! Counts calls and takes their time.
use crate::metrics::{Ended, Metrics, Rpc};
use astro_sdk::methods::{self, Method, code_name};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http_body_util::BodyExt;
use tokio::time::Instant;
use tonic::{Code, Status};

/// Counts the call when its answer has ended, whichever way.
pub(super) async fn count(
    State(metrics): State<Metrics>,
    request: Request,
    next: Next,
) -> Response {
    let Some(method) = methods::find(request.uri().path()) else { return next.run(request).await };
    let mut call = Measured::begin(metrics, method);
    let answer = next.run(request).await;
    call.ends(answer.headers());
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            if let Some(trailers) = frame.trailers_ref() {
                call.ends(trailers);
            }
            frame
        }))
    })
}

/// A call under way; counted when it is dropped.
struct Measured {
    metrics: Metrics,
    method: &'static Method,
    began: Instant,
    code: Option<Code>,
}

impl Measured {
    fn begin(metrics: Metrics, method: &'static Method) -> Self {
        metrics.calls_open.inc();
        Self { metrics, method, began: Instant::now(), code: None }
    }

    fn ends(&mut self, said: &HeaderMap) {
        self.code = Status::from_header_map(said).map(|status| status.code()).or(self.code);
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let Method { service, name: method, server_streaming, client_streaming, .. } = self.method;
        self.metrics.calls_open.dec();
        // Whoever leaves before the end has cancelled.
        let code = code_name(self.code.unwrap_or(Code::Cancelled));
        self.metrics.calls.get_or_create(&Ended { service, method, code }).inc();
        if !server_streaming && !client_streaming {
            let seconds = self.began.elapsed().as_secs_f64();
            self.metrics.call_seconds.get_or_create(&Rpc { service, method }).observe(seconds);
        }
    }
}
