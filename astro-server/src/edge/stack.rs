//! The one stack around all services: what happens to each call, from the outside in.
use super::admit::{self, Admit};
use super::intake::{self, Intake};
use super::{deadline, door, measure};
use crate::metrics::Metrics;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use tonic::service::Routes;
use tower::ServiceBuilder;
use tower_http::request_id::{
    MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::trace::TraceLayer;
use tracing::Span;

/// Puts the layers around `services`.
pub fn stack(services: Routes, metrics: &Metrics, admit: Admit, intake: Intake) -> Router {
    let layers = ServiceBuilder::new()
        // Counts the call of its connection, and takes no more metadata than there may be.
        .layer(from_fn(door::pass))
        // A name for the call, the caller's own or a new one: in the answer, and in the log.
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(
            TraceLayer::new_for_grpc()
                .make_span_with(span)
                .on_request(())
                .on_response(())
                .on_body_chunk(())
                .on_eos(())
                .on_failure(()),
        )
        .layer(from_fn_with_state(metrics.clone(), measure::count))
        .layer(from_fn(deadline::keep))
        .layer(from_fn_with_state(admit, admit::admit))
        .layer(from_fn_with_state(intake, intake::take));
    services.into_axum_router().layer(layers)
}

/// What the lines of the log say of the call that they are about.
fn span(request: &Request) -> Span {
    let id = request.extensions().get::<RequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    tracing::info_span!("call", request_id = id)
}
