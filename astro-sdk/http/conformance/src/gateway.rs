//! Takes gRPC from the SDK's client and gives it HTTP and JSON's answers as gRPC.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost_reflect::DynamicMessage;
use tokio::net::{TcpListener, TcpStream};
use tonic::Status;

use crate::connection::Way;
use crate::{answer, contract, request};

/// The body of an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Length of what stands before each message: a flag and the message's length.
const HEAD: usize = 5;

/// Starts a gateway that lives as long as this process; gives its endpoint.
///
/// # Errors
/// No port is free.
pub(crate) fn start(way: Way) -> anyhow::Result<String> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(accept(listener, Arc::new(way)));
    Ok(endpoint)
}

async fn accept(listener: TcpListener, way: Arc<Way>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&way)));
    }
}

async fn serve(stream: TcpStream, way: Arc<Way>) {
    // A small answer must not wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |call| {
        let way = Arc::clone(&way);
        async move {
            let answer = answer(&way, call).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|status| refusal(&status)))
        }
    });
    // It ends with the client.
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(way: &Way, call: Request<Incoming>) -> Result<Response<Body>, Status> {
    let (parts, body) = call.into_parts();
    let rpc = contract::find(parts.uri.path());
    let rpc = rpc.ok_or_else(|| Status::internal("the contract has no such method"))?;
    let body = body.collect().await.map_err(|_| Status::cancelled("the call broke off"))?;
    let mut frame = body.to_bytes();
    if frame.len() < HEAD {
        return Err(Status::internal("a call without a message"));
    }
    frame.advance(HEAD);
    let message = DynamicMessage::decode(rpc.messages.input(), frame)
        .map_err(|error| Status::internal(error.to_string()))?;
    let asked = request::write(&rpc, &message, &parts.headers, way.authority())?;
    answer::read(&rpc, way.send(asked).await?).await
}

/// A message as gRPC has it on the wire.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEAD + message.len());
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    bytes.put_slice(message);
    bytes.freeze()
}

fn refusal(status: &Status) -> Response<Body> {
    let answer = status.clone().into_http::<http_body_util::Empty<Bytes>>();
    answer.map(|body| body.boxed_unsync())
}
