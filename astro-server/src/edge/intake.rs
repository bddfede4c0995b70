//! What comes in with a call, and how much of it: counted, bounded and in time.
use super::limits::{OPEN_CALL_BYTES_MAX, REQUEST_BYTES_MAX, REQUEST_BYTES_PER_KEY_MAX};
use crate::auth::gate::Entry;
use crate::kernel::{Error, Result};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;

/// Bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The services that answer what the others are; one call asks several times.
const REFLECTION: &str = "/grpc.reflection.";

/// What is taken in, once the keys are checked.
#[derive(Debug, Clone)]
pub struct Intake {
    wait: Duration,
    /// When answers that need no key end.
    stop: CancellationToken,
    waiting: Waiting,
}

impl Intake {
    /// Gives each message so long.
    pub fn new(wait: Duration, stop: CancellationToken) -> Self {
        Self { wait, stop, waiting: Waiting::default() }
    }
}

/// Reads the one message of a call whole, within its time and size. A caller who never ends a
/// message holds neither memory nor a place for long.
pub(super) async fn take(State(intake): State<Intake>, request: Request, next: Next) -> Response {
    let entry = request.extensions().get::<Entry>();
    if entry.is_some_and(|entry| entry.method.client_streaming) {
        return next.run(request).await;
    }
    let share = entry.map(|entry| intake.waiting.share(entry.caller.principal.id()));
    if share.is_none() && request.uri().path().starts_with(REFLECTION) {
        let request = request.map(|body| Body::new(Limited::new(body, OPEN_CALL_BYTES_MAX)));
        return next.run(request).await.map(|body| until(intake.stop, body));
    }
    let mut room = share.map_or(Room::Open(OPEN_CALL_BYTES_MAX), Room::OfKey);
    let (parts, body) = request.into_parts();
    let message = match gather(body, intake.wait, |bytes| room.take(bytes)).await {
        Ok(message) => Body::from(message),
        Err(status) => return status.into_http(),
    };
    let answer = next.run(Request::from_parts(parts, message)).await;
    // A key's share is kept until the answer: until then the message is in memory.
    match room {
        Room::OfKey(_) => answer,
        Room::Open(_) => answer.map(|body| until(intake.stop, body)),
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
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = Pin::new(&mut self.body).poll_frame(cx);
        if next.is_pending() && self.stop.as_mut().poll(cx).is_ready() {
            self.ended = true;
            let mut trailers = http::HeaderMap::new();
            // Fails only for a message that no header holds.
            let _ = Status::from(Error::Stopping).add_header(&mut trailers);
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
        let frame = frame.map_err(|e| Status::unknown(format!("the request broke off: {e}")))?;
        let Ok(data) = frame.into_data() else { continue };
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
