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
use tokio::time::Instant;
use tonic::body::Body;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Status, TimeoutExpired};
use tower::{Service, ServiceExt};

use super::lifetime::{Guarded, Lifetime};
use super::request_id::{self, REQUEST_ID};
use super::retry;
use crate::methods::{self, Method};

/// Deadline of a call that sets none. Streams have none.
pub(super) const DEADLINE_DEFAULT: Duration = Duration::from_secs(30);
/// The largest message that is read: several times what a server puts into a page.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Tells the server, and whoever reads its log, which attempt at a call this is, from 1.
const ATTEMPT: &str = "astro-attempt";

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The transport under a [`Client`](crate::Client)'s service clients; use it with any tonic client.
#[derive(Clone)]
pub struct Connection<S = Channel> {
    service: S,
    authorization: Option<HeaderValue>,
    /// How long a call is repeated; as long as it has time without.
    pub(super) patience: Option<Duration>,
    pub(super) lifetime: Lifetime,
}

/// In a request's extensions: it is this attempt, and whoever made it repeats it by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt(pub(super) u32);

impl<S> Connection<S> {
    pub(super) fn new(service: S, authorization: Option<HeaderValue>) -> Self {
        Self { service, authorization, patience: None, lifetime: Lifetime::default() }
    }

    /// The same transport and patience for another caller, whose closing is its own.
    pub(super) fn signed(&self, authorization: HeaderValue) -> Self
    where
        S: Clone,
    {
        let service = self.service.clone();
        let lifetime = Lifetime::default();
        Self { service, authorization: Some(authorization), patience: self.patience, lifetime }
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
        let lifetime = self.lifetime.clone();
        let patience = self.patience;
        Box::pin(async move {
            tokio::select! {
                biased;
                closed = lifetime.end() => Err(closed.into()),
                answer = call(service, parts, body, patience, lifetime.clone()) => answer,
            }
        })
    }
}

async fn call<S>(
    mut service: S,
    parts: Parts,
    body: Body,
    patience: Option<Duration>,
    lifetime: Lifetime,
) -> Result<Response<Body>, BoxError>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: Into<BoxError>,
{
    // A stream of requests cannot be kept to be sent again, nor a call that the contract lacks.
    let known = methods::find(parts.uri.path()).filter(|method| !method.client_streaming);
    let Some(method) = known else {
        let answer = attempt(&mut service, Request::from_parts(parts, body)).await?;
        return Ok(answer.map(|body| Body::new(Guarded::new(body, lifetime, None))));
    };
    let (message, id) = request_id::with(method, body.collect().await?.to_bytes());
    let asked = parts.headers.get("grpc-timeout").and_then(parse_timeout);
    let timeout = asked.or((!method.server_streaming).then_some(DEADLINE_DEFAULT));
    // A time that the clock cannot say is endless.
    let in_time = |time: Duration| Instant::now().checked_add(time);
    let deadline = timeout.and_then(in_time);
    // A stream may last for ever, but not the wait for a server that is away.
    let opens_until =
        if timeout.is_some() { deadline } else { Some(Instant::now() + DEADLINE_DEFAULT) };
    let give_up = patience.and_then(in_time);
    let repeated_until = give_up.into_iter().chain(opens_until).min();
    let attempts = attempts(service, method, parts, message, deadline, repeated_until);
    let answer = match deadline {
        Some(deadline) => {
            tokio::time::timeout_at(deadline, attempts).await.unwrap_or_else(|_| Err(late()))
        }
        None => attempts.await,
    };
    match answer {
        Ok(answer) => {
            let (mut parts, body) = answer.into_parts();
            if let Some(id) = id {
                request_id::tell(&mut parts.headers, &id);
            }
            let body = Body::new(Guarded::new(body, lifetime, deadline));
            Ok(Response::from_parts(parts, body))
        }
        Err(mut status) => {
            if let Some(id) = id {
                let id = MetadataValue::from_bytes(id.as_bytes());
                status.metadata_mut().insert_bin(REQUEST_ID, id);
            }
            Err(status.into())
        }
    }
}

async fn attempts<S>(
    mut service: S,
    method: &Method,
    mut parts: Parts,
    message: Bytes,
    deadline: Option<Instant>,
    repeated_until: Option<Instant>,
) -> Result<Response<Body>, Status>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: Into<BoxError>,
{
    let only = parts.extensions.get::<Attempt>().copied();
    let mut failed = 0;
    loop {
        set_timeout(&mut parts.headers, deadline);
        parts.headers.insert(ATTEMPT, only.map_or(failed + 1, |Attempt(number)| number).into());
        let body = Body::new(Full::new(message.clone()));
        let answer = attempt(&mut service, Request::from_parts(parts.clone(), body)).await;
        let refusal = match &answer {
            // Only an answer without a message has its status in the headers.
            Ok(response) => Status::from_header_map(response.headers()),
            Err(status) => Some(status.clone()),
        };
        failed += 1;
        let pause = refusal.and_then(|status| retry::pause(&status, failed, retry::chance()));
        let may_repeat = method.may_repeat() && only.is_none();
        let Some(pause) = pause.filter(|_| may_repeat) else { return answer };
        // A pause that ends too late would only turn a telling error into DEADLINE_EXCEEDED.
        if repeated_until.is_some_and(|until| Instant::now() + pause >= until) {
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
            return late();
        }
        let message = error.to_string();
        if !messages.contains(&message) {
            messages.push(message);
        }
        cause = error.source();
    }
    Status::unavailable(messages.join(": "))
}

pub(super) fn late() -> Status {
    Status::deadline_exceeded("no answer in time")
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

#[cfg(test)]
mod tests;
