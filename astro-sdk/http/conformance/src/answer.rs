//! An answer of HTTP as gRPC's.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tonic::Status;

use crate::connection::Answer;
use crate::contract::Rpc;
use crate::gateway::{Body, frame};
use crate::{error, stream as told};

/// Reads an answer.
///
/// # Errors
/// The error that it is; INTERNAL if it is not what is promised.
pub(crate) async fn read(rpc: &Rpc, answer: Answer) -> Result<Response<Body>, Status> {
    let Answer { response, connection } = answer;
    let (parts, body) = response.into_parts();
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    let streams = parts.status == StatusCode::OK && rpc.method.server_streaming;
    if streams && let Some(format) = told::Format::of(&kind) {
        return Ok(success(told::pieces(body, connection, format, rpc.messages.output())));
    }
    if kind != "application/json" {
        return Err(Status::internal(format!("HTTP {} with {kind:?}", parts.status)));
    }
    let text = whole(body).await?;
    if parts.status != StatusCode::OK {
        return Err(error::read(&text, Some(&parts)));
    }
    let message = message(&rpc.messages.output(), &text)?;
    let pieces = [Frame::data(frame(&message)), Frame::trailers(trailers(&Status::ok("")))];
    Ok(success(stream::iter(pieces.map(Ok::<_, Infallible>))))
}

fn success(
    pieces: impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static,
) -> Response<Body> {
    let mut answer = Response::new(StreamBody::new(pieces).boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    answer
}

async fn whole(body: Incoming) -> Result<Bytes, Status> {
    let whole = body.collect().await;
    let whole = whole.map_err(|error| Status::unavailable(format!("it broke off: {error}")))?;
    Ok(whole.to_bytes())
}

/// The bytes of the message that a JSON text is.
///
/// # Errors
/// INTERNAL: it has what the contract does not have.
pub(crate) fn message(kind: &MessageDescriptor, text: &[u8]) -> Result<Vec<u8>, Status> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let message = DynamicMessage::deserialize(kind.clone(), &mut reader);
    let message = message.and_then(|message| reader.end().map(|()| message));
    let message = message.map_err(|error| {
        Status::internal(format!("the answer is not what the contract says: {error}"))
    })?;
    Ok(message.encode_to_vec())
}

/// A status as the end of an answer.
pub(crate) fn trailers(status: &Status) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // Its own details fit into headers, or it is told without them.
    if status.add_header(&mut headers).is_err() {
        headers.insert("grpc-status", HeaderValue::from_static("13"));
    }
    headers
}
