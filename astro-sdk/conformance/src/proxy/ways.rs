//! How attempts come in: as gRPC, or as HTTP and JSON.

use std::sync::Arc;

use anyhow::Result;
use astro_bridge::{Bridge, Services};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tower::service_fn;

use super::pass::{Body, Failure, Passage};

/// The ways to one passage.
pub(super) struct Ways {
    passage: Arc<Passage>,
    bridge: Bridge,
}

/// Closes the connection that a call of the bridge came on.
#[derive(Clone)]
struct Cut(CancellationToken);

impl Ways {
    /// All of them.
    ///
    /// # Errors
    /// A contract that is not whole.
    pub(super) fn new(passage: Passage) -> Result<Self> {
        let passage = Arc::new(passage);
        let bridge = Bridge::new(services(Arc::clone(&passage)))?;
        Ok(Self { passage, bridge })
    }

    pub(super) fn passage(&self) -> &Passage {
        &self.passage
    }

    /// Takes an attempt; `cut` closes the connection that it came on.
    pub(super) async fn take(
        &self,
        mut request: Request<Incoming>,
        cut: CancellationToken,
    ) -> Response<Body> {
        let kind = request.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        if kind.starts_with(b"application/grpc") {
            return self.passage.take(request, cut).await;
        }
        request.extensions_mut().insert(Cut(cut));
        let answer = self.bridge.answer(request).await;
        answer.map(|body| body.map_err(Failure::from).boxed_unsync())
    }
}

/// What the bridge calls: the passage, with its faults.
fn services(passage: Arc<Passage>) -> Services {
    Services::new(service_fn(move |call: Request<tonic::body::Body>| {
        let passage = Arc::clone(&passage);
        async move {
            let Some(Cut(cut)) = call.extensions().get::<Cut>().cloned() else {
                return Err(Status::internal("the bridge lost the connection that a call came on"));
            };
            Ok(passage.take(call, cut).await.map(tonic::body::Body::new))
        }
    }))
}
