//! One connection: signs each call, and sends again what may be sent again.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field, string};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Status, TimeoutExpired};
use tower::{Service, ServiceExt};

use super::{new_request_id, retry};
use crate::methods::{self, Method};

/// Deadline of a call that sets none. Streams have none.
const DEADLINE_DEFAULT: Duration = Duration::from_secs(30);
/// The five bytes before a message: whether it is compressed, and its length.
const FRAME_HEADER_BYTES: usize = 5;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The transport under a [`Client`](crate::Client)'s service clients; use it with any tonic client.
#[derive(Clone)]
pub struct Connection<S = Channel> {
    service: S,
    authorization: Option<HeaderValue>,
}

impl<S> Connection<S> {
    pub(super) fn new(service: S, authorization: Option<HeaderValue>) -> Self {
        Self { service, authorization }
    }
}

impl<S> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl<S> Service<Request<Body>> for Connection<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Error: Into<BoxError> + Send,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Each attempt waits for the transport by itself.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.service.clone();
        let (mut parts, body) = request.into_parts();
        if let Some(authorization) = &self.authorization {
            parts.headers.insert(AUTHORIZATION, authorization.clone());
        }
        Box::pin(call(service, parts, body))
    }
}

async fn call<S>(mut service: S, parts: Parts, body: Body) -> Result<Response<Body>, BoxError>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: Into<BoxError>,
{
    // A stream of requests cannot be kept to be sent again, nor a call that the contract lacks.
    let known = methods::find(parts.uri.path()).filter(|method| !method.client_streaming);
    let Some(method) = known else {
        return Ok(attempt(&mut service, Request::from_parts(parts, body)).await?);
    };
    let message = with_request_id(method, body.collect().await?.to_bytes());
    let asked = parts.headers.get("grpc-timeout").and_then(parse_timeout);
    let timeout = asked.or((!method.server_streaming).then_some(DEADLINE_DEFAULT));
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let attempts = attempts(service, method, parts, message, deadline);
    let answer = match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, attempts)
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time"))),
        None => attempts.await,
    };
    Ok(answer?)
}

async fn attempts<S>(
    mut service: S,
    method: &Method,
    mut parts: Parts,
    message: Bytes,
    deadline: Option<Instant>,
) -> Result<Response<Body>, Status>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: Into<BoxError>,
{
    let mut failed = 0;
    loop {
        set_timeout(&mut parts.headers, deadline);
        let body = Body::new(Full::new(message.clone()));
        let answer = attempt(&mut service, Request::from_parts(parts.clone(), body)).await;
        let refusal = match &answer {
            // Only an answer without a message has its status in the headers.
            Ok(response) => Status::from_header_map(response.headers()),
            Err(status) => Some(status.clone()),
        };
        failed += 1;
        let pause = refusal.and_then(|status| retry::pause(&status, failed, retry::chance()));
        let Some(pause) = pause.filter(|_| method.may_repeat()) else { return answer };
        // A pause that ends too late would only turn a telling error into DEADLINE_EXCEEDED.
        if deadline.is_some_and(|deadline| Instant::now() + pause >= deadline) {
            return answer;
        }
        tokio::time::sleep(pause).await;
    }
}

/// One attempt; a failure of the transport becomes a status.
async fn attempt<S>(service: &mut S, request: Request<Body>) -> Result<Response<Body>, Status>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: Into<BoxError>,
{
    let ready = service.ready().await.map_err(|error| broken(&*error.into()))?;
    ready.call(request).await.map_err(|error| broken(&*error.into()))
}

/// The server never saw the call or its answer got lost: both are UNAVAILABLE to the caller.
fn broken(error: &(dyn std::error::Error + 'static)) -> Status {
    let mut messages = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<TimeoutExpired>() {
            return Status::deadline_exceeded("no answer in time");
        }
        let message = error.to_string();
        if !messages.contains(&message) {
            messages.push(message);
        }
        cause = error.source();
    }
    Status::unavailable(messages.join(": "))
}

fn set_timeout(headers: &mut HeaderMap, deadline: Option<Instant>) {
    let Some(deadline) = deadline else { return };
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    // The wire format has at most eight digits.
    let left = left.clamp(1, 99_999_999);
    let value = HeaderValue::from_str(&format!("{left}m")).expect("digits fit in a header");
    headers.insert("grpc-timeout", value);
}

/// `30S`, `1500m`, `20u`, …: at most eight digits and a unit.
fn parse_timeout(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

/// Adds a `request_id` to a framed message that can have one and has none, so that the server
/// recognises the call when it is sent again. In protobuf a field may follow all others.
fn with_request_id(method: &Method, framed: Bytes) -> Bytes {
    let Some(field) = method.request_id_field else { return framed };
    let plain = framed.first() == Some(&0) && framed.len() >= FRAME_HEADER_BYTES;
    if !plain || has_field(framed.slice(FRAME_HEADER_BYTES..), field) {
        return framed;
    }
    let mut message = framed.to_vec();
    string::encode(field, &new_request_id(), &mut message);
    let Ok(length) = u32::try_from(message.len() - FRAME_HEADER_BYTES) else { return framed };
    message[1..FRAME_HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
    message.into()
}

/// Whether a message has this field. True for one that cannot be read: it is left as it is.
fn has_field(mut message: Bytes, field: u32) -> bool {
    while !message.is_empty() {
        let Ok((tag, wire_type)) = decode_key(&mut message) else { return true };
        if tag == field {
            return true;
        }
        let context = DecodeContext::default();
        if wire_type == WireType::EndGroup
            || skip_field(wire_type, tag, &mut message, context).is_err()
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
