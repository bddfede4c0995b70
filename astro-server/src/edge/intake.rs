//! What comes in with a call, and how much of it: counted, bounded and in time.
use super::connections::{Call, Needs};
use super::listen::Visit;
use crate::auth::gate::Entry;
use crate::kernel::limits::{
    METADATA_BYTES_MAX, OPEN_CALL_BYTES_MAX, REQUEST_BYTES_MAX, REQUEST_BYTES_PER_KEY_MAX,
};
use crate::kernel::{Error, Result};
use astro_sdk::methods;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

/// Bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// What HTTP/2 counts for an entry of the metadata beside its name and value.
const ENTRY_BYTES: usize = 32;

/// The services that answer what the others are; one call asks several times.
const REFLECTION: &str = "/grpc.reflection.";

type Answer<E> = Pin<Box<dyn Future<Output = Result<http::Response<Body>, E>> + Send>>;

/// Around everything: counts the calls of a connection and looks at their metadata.
#[derive(Debug, Clone)]
pub(super) struct DoorLayer;

impl<S> Layer<S> for DoorLayer {
    type Service = DoorService<S>;

    fn layer(&self, inner: S) -> DoorService<S> {
        DoorService { inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct DoorService<S> {
    inner: S,
}

impl<S> Service<http::Request<Body>> for DoorService<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Answer<S::Error> {
        let visit = request.extensions_mut().remove::<Visit>();
        let is_open = methods::find(request.uri().path()).is_none();
        let needs = if is_open { Needs::Nothing } else { Needs::Key };
        let call = visit.as_ref().map(|visit| visit.door.call(needs));
        if let Some(visit) = visit {
            request.extensions_mut().insert(visit.tcp);
        }
        if metadata_bytes(request.headers()) > METADATA_BYTES_MAX {
            let status = Status::from(Error::LimitExceeded("the metadata is over 16 KiB"));
            return Box::pin(async move { Ok(status.into_http()) });
        }
        let answer = self.inner.call(request);
        Box::pin(
            async move { Ok(answer.await?.map(|body| Body::new(Counted { body, _call: call }))) },
        )
    }
}

fn metadata_bytes(headers: &http::HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ENTRY_BYTES).sum()
}

/// An answer that belongs to a call under way.
struct Counted {
    body: Body,
    _call: Option<Call>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// Behind the check of keys: reads the one message of a call whole, within its time and size. A
/// caller who never ends a message holds neither memory nor a place for long.
#[derive(Debug, Clone)]
pub(super) struct IntakeLayer {
    wait: Duration,
    /// When answers that need no key end.
    stop: CancellationToken,
    waiting: Waiting,
}

impl IntakeLayer {
    pub(super) fn new(wait: Duration, stop: CancellationToken) -> Self {
        Self { wait, stop, waiting: Waiting::default() }
    }
}

impl<S> Layer<S> for IntakeLayer {
    type Service = IntakeService<S>;

    fn layer(&self, inner: S) -> IntakeService<S> {
        IntakeService { intake: self.clone(), inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct IntakeService<S> {
    intake: IntakeLayer,
    inner: S,
}

impl<S> Service<http::Request<Body>> for IntakeService<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer<S::Error> {
        let entry = request.extensions().get::<Entry>();
        if entry.is_some_and(|entry| entry.method.client_streaming) {
            return Box::pin(self.inner.call(request));
        }
        let share = entry.map(|entry| self.intake.waiting.share(entry.caller.principal.id()));
        let (wait, stop) = (self.intake.wait, self.intake.stop.clone());
        if share.is_none() && request.uri().path().starts_with(REFLECTION) {
            let request = request.map(|body| Body::new(Limited::new(body, OPEN_CALL_BYTES_MAX)));
            let answer = self.inner.call(request);
            return Box::pin(async move { Ok(answer.await?.map(|body| until(stop, body))) });
        }
        let mut room = share.map_or(Room::Open(OPEN_CALL_BYTES_MAX), Room::OfKey);
        // The service that was polled ready is the one to call; its clone stays for the next call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let message = match gather(body, wait, |bytes| room.take(bytes)).await {
                Ok(message) => Body::new(Full::new(message)),
                Err(status) => return Ok(status.into_http()),
            };
            let answer = inner.call(http::Request::from_parts(parts, message)).await?;
            // A key's share is kept until the answer: until then the message is in memory.
            Ok(match room {
                Room::OfKey(_) => answer,
                Room::Open(_) => answer.map(|body| until(stop, body)),
            })
        })
    }
}

/// What may come in with a call.
enum Room {
    /// A part of what its key may have.
    OfKey(Share),
    /// So many bytes more, without a key.
    Open(usize),
}

impl Room {
    fn take(&mut self, bytes: usize) -> Result<()> {
        match self {
            Self::OfKey(share) => share.add(bytes),
            Self::Open(left) => {
                let rest = left.checked_sub(bytes);
                *left = rest.ok_or(Error::LimitExceeded("the request is over 16 KiB"))?;
                Ok(())
            }
        }
    }
}

/// The answer `body`, which ends when the server stops: whoever watches its health is told that it
/// does not serve, and then that it goes.
fn until(stop: CancellationToken, body: Body) -> Body {
    Body::new(Ending { body, stop: Box::pin(stop.cancelled_owned()), ended: false })
}

/// An answer that ends with the server.
struct Ending {
    body: Body,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    ended: bool,
}

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = Pin::new(&mut self.body).poll_frame(cx);
        if next.is_pending() && self.stop.as_mut().poll(cx).is_ready() {
            self.ended = true;
            let mut trailers = http::HeaderMap::new();
            Status::from(Error::Stopping).add_header(&mut trailers)?;
            return Poll::Ready(Some(Ok(http_body::Frame::trailers(trailers))));
        }
        next
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }
}

/// Reads a body whole, within this time and as long as it may `grow`.
async fn gather(
    body: Body,
    wait: Duration,
    grow: impl FnMut(usize) -> Result<()>,
) -> Result<Bytes, Status> {
    let late = || Err(Error::LimitExceeded("the request did not come whole in time").into());
    tokio::time::timeout(wait, whole(body, grow)).await.unwrap_or_else(|_| late())
}

async fn whole(mut body: Body, mut grow: impl FnMut(usize) -> Result<()>) -> Result<Bytes, Status> {
    let (mut first, mut more) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        grow(data.len())?;
        if first.is_empty() {
            first = data;
        } else {
            // Most messages come in one piece, and are not copied.
            if more.is_empty() {
                more.extend_from_slice(&first);
            }
            more.extend_from_slice(&data);
        }
    }
    Ok(if more.is_empty() { first } else { more.freeze() })
}

/// Bytes of each key's requests that wait for their answer.
#[derive(Debug, Clone, Default)]
struct Waiting(Arc<Mutex<HashMap<String, usize>>>);

impl Waiting {
    fn share(&self, key_id: &str) -> Share {
        Share { of: self.clone(), key_id: key_id.to_owned(), bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one request has of them.
#[derive(Debug)]
struct Share {
    of: Waiting,
    key_id: String,
    bytes: usize,
}

impl Share {
    fn add(&mut self, bytes: usize) -> Result<()> {
        if self.bytes + bytes > REQUEST_BYTES_MAX + PREFIX {
            return Err(Error::LimitExceeded("the request is over 256 KiB"));
        }
        let mut keys = self.of.lock();
        let all = keys.entry(self.key_id.clone()).or_default();
        if *all + bytes > REQUEST_BYTES_PER_KEY_MAX {
            return Err(Error::LimitExceeded("too many bytes wait in the requests of one key"));
        }
        *all += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut keys = self.of.lock();
        if let Some(all) = keys.get_mut(&self.key_id) {
            *all -= self.bytes;
            if *all == 0 {
                keys.remove(&self.key_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_a_key_share_their_bytes_and_give_them_back() {
        let waiting = Waiting::default();
        let full = REQUEST_BYTES_PER_KEY_MAX / REQUEST_BYTES_MAX;
        let held: Vec<Share> = (0..full)
            .map(|_| {
                let mut share = waiting.share("one");
                share.add(REQUEST_BYTES_MAX).unwrap();
                share
            })
            .collect();
        assert!(waiting.share("one").add(1).is_err());
        waiting.share("other").add(1).unwrap();
        drop(held);
        waiting.share("one").add(1).unwrap();
        assert!(waiting.lock().is_empty(), "a key without requests takes no room");
    }
}
