//! One request, one answer.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic_prost::ProstCodec;

use super::connection::{Connection, MESSAGE_BYTES_MAX};
use crate::Error;
use crate::rpc::Rpc;

/// As good as for ever; gRPC has no word for much longer times.
const TIMEOUT_MAX: Duration = Duration::from_secs(3650 * 24 * 3600);

/// A call that is made when it is awaited; answers the response message. Dropping it cancels.
///
/// # Errors
/// Every call can fail; see [`Error`].
#[must_use = "a call is made when it is awaited"]
pub struct Call<R> {
    connection: Connection,
    request: R,
    timeout: Option<Duration>,
}

impl<R: Rpc> Call<R> {
    pub(crate) fn new(connection: &Connection, request: R) -> Self {
        Self { connection: connection.clone(), request, timeout: None }
    }

    /// Time for the whole call, attempts and pauses included; 30 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl<R: Rpc> IntoFuture for Call<R> {
    type Output = Result<R::Response, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut request = tonic::Request::new(self.request);
            if let Some(timeout) = self.timeout {
                request.set_timeout(timeout.min(TIMEOUT_MAX));
            }
            let path = PathAndQuery::from_static(R::PATH);
            let codec = ProstCodec::<R, R::Response>::default();
            let grpc = Grpc::new(self.connection);
            let mut grpc = grpc.max_decoding_message_size(MESSAGE_BYTES_MAX);
            let answer = grpc.unary(request, path, codec).await?;
            Ok(answer.into_inner())
        })
    }
}

impl<R: fmt::Debug> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("request", &self.request).finish_non_exhaustive()
    }
}
