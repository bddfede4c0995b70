//! When calls and streams end that nobody answered: their client was closed, or their time is up.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

use super::connection::{BoxError, late};

/// From a client's making to its closing; shared by its clones.
#[derive(Debug, Clone)]
pub(super) struct Lifetime {
    closed: Arc<watch::Sender<bool>>,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self { closed: Arc::new(watch::Sender::new(false)) }
    }
}

impl Lifetime {
    /// Ends it. A second time changes nothing.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits for its end; answers what calls end with.
    pub(super) async fn end(&self) -> Status {
        // An error would mean that the sender is gone, which `self` holds.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
        Status::cancelled("the client is closed")
    }
}

/// The body of an answer, which ends with the client or at the deadline.
pub(super) struct Guarded {
    body: Body,
    end: Pin<Box<dyn Future<Output = Status> + Send>>,
}

impl Guarded {
    pub(super) fn new(body: Body, lifetime: Lifetime, deadline: Option<Instant>) -> Self {
        let end = async move {
            match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline, lifetime.end())
                    .await
                    .unwrap_or_else(|_| late()),
                None => lifetime.end().await,
            }
        };
        Self { body, end: Box::pin(end) }
    }
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // First what has come already: an answer that is there is no longer cut off.
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        self.end.as_mut().poll(cx).map(|status| Some(Err(status.into())))
    }
}
