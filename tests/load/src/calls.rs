//! The client: plain gRPC, without retries, the same towards the server and the echo.

use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::Context;
use astro_sdk::rpc::Rpc;
use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use astro_tests::BareBytes;

/// Connections over which many callers call.
const CONNECTIONS: usize = 4;
/// More than any page has.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Connections to a server, with a key.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    channels: Vec<Channel>,
    authorization: AsciiMetadataValue,
}

impl Calls {
    /// Connects, over one connection for one caller and over some for more.
    pub(crate) async fn connect(
        address: SocketAddr,
        key: &str,
        callers: usize,
    ) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_str(&format!("http://{address}"))?;
        let mut channels = Vec::new();
        for _ in 0..callers.min(CONNECTIONS) {
            channels.push(endpoint.connect().await.context("cannot connect")?);
        }
        Ok(Self { channels, authorization: format!("Bearer {key}").parse()? })
    }

    /// These connections and another server's, one after the other.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.channels.extend(other.channels.iter().cloned());
        self
    }

    /// The connection of the operation with this number.
    pub(crate) fn channel(&self, number: u64) -> Channel {
        let at = usize::try_from(number).unwrap_or_default() % self.channels.len();
        self.channels[at].clone()
    }

    /// A request with the key.
    pub(crate) fn sign<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }

    /// Makes the operation's call.
    ///
    /// # Errors
    /// The status.
    pub(crate) async fn call<Q: Rpc>(
        &self,
        number: u64,
        message: Q,
    ) -> Result<Q::Response, Status> {
        let mut grpc = self.grpc(number).await?;
        let path = PathAndQuery::from_static(Q::PATH);
        let codec = ProstCodec::<Q, Q::Response>::default();
        Ok(grpc.unary(self.sign(message), path, codec).await?.into_inner())
    }

    /// The same, for an operation of a loop: what it answers is thrown away.
    pub(crate) async fn ask<Q: Rpc>(&self, number: u64, message: Q) -> Result<(), String> {
        self.call(number, message).await.map(drop).map_err(|status| code(&status))
    }

    /// Opens a stream, whose messages are read as `A`.
    ///
    /// # Errors
    /// The status.
    pub(crate) async fn stream<Q: Rpc, A: Message + Default + 'static>(
        &self,
        number: u64,
        message: Q,
    ) -> Result<Streaming<A>, Status> {
        let mut grpc = self.grpc(number).await?;
        let path = PathAndQuery::from_static(Q::PATH);
        let codec = ProstCodec::<Q, A>::default();
        Ok(grpc.server_streaming(self.sign(message), path, codec).await?.into_inner())
    }

    /// The bytes that answer these bytes.
    ///
    /// # Errors
    /// The status.
    pub(crate) async fn bytes(&self, path: &'static str, message: Bytes) -> Result<Bytes, Status> {
        let mut grpc = self.grpc(0).await?;
        let path = PathAndQuery::from_static(path);
        Ok(grpc.unary(self.sign(message), path, BareBytes).await?.into_inner())
    }

    async fn grpc(&self, number: u64) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel(number)).max_decoding_message_size(MESSAGE_BYTES_MAX);
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(grpc)
    }
}

/// The name of a refusal: the contract's reason is not told apart from others with its code.
pub(crate) fn code(status: &Status) -> String {
    format!("{:?}", status.code())
}
