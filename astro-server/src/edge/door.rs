//! Around everything: counts the calls of a connection and looks at their metadata.
use super::connections::{Door, Needs};
use super::limits::METADATA_BYTES_MAX;
use crate::kernel::Error;
use astro_bridge::limits::REQUEST_ID_BYTES_MAX;
use astro_sdk::methods;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use std::net::SocketAddr;
use tonic::Status;

/// What HTTP/2 counts for an entry of the metadata beside its name and value.
const ENTRY_BYTES: usize = 32;
/// The caller's own name for its call.
const REQUEST_ID: &str = "x-request-id";

/// What a call knows of its connection.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// Counts the calls.
    pub(super) door: Door,
    /// Who is at the other end: behind a proxy that is the proxy.
    pub(super) peer: SocketAddr,
}

/// Lets a call through whose metadata is not too large; its connection counts it until its answer
/// has ended.
pub(super) async fn pass(mut request: Request, next: Next) -> Response {
    let is_open = methods::find(request.uri().path()).is_none();
    let needs = if is_open { Needs::Nothing } else { Needs::Key };
    let call = request.extensions().get::<Visit>().map(|visit| visit.door.call(needs));
    if metadata_bytes(request.headers()) > METADATA_BYTES_MAX {
        return Status::from(Error::LimitExceeded("the metadata is over 16 KiB")).into_http();
    }
    // It stands in the log, so it is a name and nothing longer.
    let is_name = |id: &http::HeaderValue| {
        id.len() <= REQUEST_ID_BYTES_MAX && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    if request.headers().get(REQUEST_ID).is_some_and(|id| !is_name(id)) {
        request.headers_mut().remove(REQUEST_ID);
    }
    next.run(request).await.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _under_way = &call;
            frame
        }))
    })
}

fn metadata_bytes(headers: &http::HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ENTRY_BYTES).sum()
}
