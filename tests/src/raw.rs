//! Calls that no SDK would make: any bytes, any key, any path.

use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes};
use futures_util::Stream;
use tokio_stream::StreamExt;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// A connection without an SDK.
#[derive(Clone)]
pub struct Raw {
    channel: Channel,
}

impl Raw {
    /// Connects at the first call.
    ///
    /// # Panics
    /// Never: an address makes an endpoint.
    pub fn new(server: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{server}"));
        Self { channel: endpoint.expect("an address makes an endpoint").connect_lazy() }
    }

    /// Sends one message to an RPC of any kind and gives the first message of the answer.
    /// `authorization` is the value of that header.
    ///
    /// # Errors
    /// The status, also of a stream that ends without a message.
    pub async fn call(
        &self,
        path: &str,
        authorization: Option<&str>,
        message: impl Into<Bytes>,
    ) -> Result<Bytes, Status> {
        self.call_with(path, authorization, message, &[]).await
    }

    /// The same with further metadata.
    ///
    /// # Errors
    /// Those of [`Raw::call`].
    pub async fn call_with(
        &self,
        path: &str,
        authorization: Option<&str>,
        message: impl Into<Bytes>,
        metadata: &[(&'static str, &str)],
    ) -> Result<Bytes, Status> {
        let mut request = Request::new(tokio_stream::once(message.into()));
        for (name, value) in metadata {
            request.metadata_mut().insert(*name, header(value)?);
        }
        self.send(path, authorization, request).await
    }

    /// Sends one message and never says that it was the last.
    ///
    /// # Errors
    /// Those of [`Raw::call`].
    pub async fn unending(
        &self,
        path: &str,
        authorization: Option<&str>,
        message: impl Into<Bytes>,
    ) -> Result<Bytes, Status> {
        let messages = tokio_stream::once(message.into()).chain(tokio_stream::pending());
        self.send(path, authorization, Request::new(messages)).await
    }

    async fn send<M>(
        &self,
        path: &str,
        authorization: Option<&str>,
        mut request: Request<M>,
    ) -> Result<Bytes, Status>
    where
        M: Stream<Item = Bytes> + Send + 'static,
    {
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(64 << 20);
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let path: PathAndQuery = path.parse().map_err(|_| Status::internal("not a path"))?;
        if let Some(value) = authorization {
            request.metadata_mut().insert("authorization", header(value)?);
        }
        let mut answers = grpc.streaming(request, path, BareBytes).await?.into_inner();
        let first = answers.message().await?;
        first.ok_or_else(|| Status::new(Code::Unknown, "the answer has no message"))
    }
}

fn header(value: &str) -> Result<AsciiMetadataValue, Status> {
    value.parse().map_err(|_| Status::internal("not a header"))
}

/// Messages as they are on the wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct BareBytes;

impl Codec for BareBytes {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BareBytes {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for BareBytes {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
