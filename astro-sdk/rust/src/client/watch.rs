//! Streams that outlive their connection.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use tokio::time::Instant;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Status, Streaming};
use tonic_prost::ProstCodec;

use super::connection::{Attempt, DEADLINE_DEFAULT, MESSAGE_BYTES_MAX};
use super::{Client, retry};
use crate::error::is_too_large;
use crate::rpc::Watched;
use crate::{Error, methods};

/// What happens, in order, across lost connections; a [`Stream`]. Dropping it cancels.
///
/// A log gives every event once: to go on in another process, store the resume token of the last
/// event that was dealt with. A stream without resume tokens begins with the state as it is, also
/// after a lost connection; changes that happened meanwhile come as one.
///
/// # Errors
/// Ends after an error that trying again cannot mend: it could not be opened, the key is revoked,
/// or the log no longer reaches back to the token (`RESUME_TOKEN_EXPIRED`), in which case events
/// may have been missed and a snapshot is needed.
#[must_use = "a watch is opened when it is first asked"]
pub struct Watch<T> {
    batches: Pin<Box<dyn Stream<Item = Result<Batch<T>, Error>> + Send>>,
    ready: VecDeque<T>,
    /// Tokens before and after the last message.
    places: Option<(String, String)>,
}

/// What one message tells.
struct Batch<T> {
    entries: Vec<T>,
    /// The tokens before and after it.
    places: (String, String),
}

impl<T> Watch<T> {
    pub(crate) fn new<R: Watched<Entry = T>>(client: &Client, request: R) -> Self
    where
        T: Clone + PartialEq + Send + 'static,
    {
        let batches = Box::pin(follow(client.clone(), request));
        Self { batches, ready: VecDeque::new(), places: None }
    }

    /// The resume token that goes on after what was given so far, for a program to store at the very
    /// start, before the first event, for which it does not wait. An event's own token is later than
    /// this one while others of its message are left. Empty for a stream without tokens.
    ///
    /// # Errors
    /// When the stream cannot be opened.
    pub async fn position(&mut self) -> Result<String, Error> {
        while self.places.is_none() {
            if !poll_fn(|cx| self.poll_batch(cx)).await? {
                break;
            }
        }
        let (before, after) = self.places.as_ref().map_or(("", ""), |(a, b)| (a, b));
        Ok(if self.ready.is_empty() { after } else { before }.to_owned())
    }

    /// Waits for the next message; false at the end.
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        Poll::Ready(match ready!(self.batches.poll_next_unpin(cx)) {
            Some(Ok(batch)) => {
                self.ready.extend(batch.entries);
                self.places = Some(batch.places);
                Ok(true)
            }
            Some(Err(error)) => Err(error),
            None => Ok(false),
        })
    }
}

impl<T: Unpin> Watch<T> {
    /// Waits for what comes next; none when the server ended the stream.
    ///
    /// # Errors
    /// When the stream ended and opening it again cannot mend it.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        self.next().await.transpose()
    }
}

impl<T: Unpin> Stream for Watch<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(entry)));
            }
            match ready!(self.poll_batch(cx)) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl<T> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

fn follow<R: Watched>(
    client: Client,
    request: R,
) -> impl Stream<Item = Result<Batch<R::Entry>, Error>> {
    try_stream! {
        let mut link = Link::new(client, request);
        let mut last: Option<R::Entry> = None;
        while let Some((message, again)) = link.next().await? {
            // Taken before the entries are handed out: all of them are here already, so a connection
            // lost meanwhile neither repeats nor skips one.
            let before = link.request.place().to_owned();
            link.request.go_on(&message);
            let mut entries = R::entries(message);
            if !R::RESUMES {
                // A new connection begins with the state as it is, which may be known.
                entries.retain(|entry| !(again && last.as_ref() == Some(entry)));
                last = entries.last().cloned().or(last);
            }
            yield Batch { entries, places: (before, link.request.place().to_owned()) };
        }
    }
}

/// A stream of answers that is opened again when it breaks.
struct Link<R: Watched> {
    client: Client,
    request: R,
    stream: Option<Streaming<R::Response>>,
    /// Whether the server ever answered; before, it is a call like any other.
    answered: bool,
    /// Whether the next message is the first since the stream was opened again.
    again: bool,
    /// Failures since the last message.
    failed: u32,
    /// Until when it is tried to open the stream for the first time.
    opens_until: Instant,
}

impl<R: Watched> Link<R> {
    fn new(client: Client, request: R) -> Self {
        let patience = client.connection.patience.unwrap_or(DEADLINE_DEFAULT);
        let opens_until = Instant::now() + patience.min(DEADLINE_DEFAULT);
        Self {
            client,
            request,
            stream: None,
            answered: false,
            again: false,
            failed: 0,
            opens_until,
        }
    }

    /// The next message, and whether it is the first after a break; none at the stream's own end.
    async fn next(&mut self) -> Result<Option<(R::Response, bool)>, Error> {
        loop {
            let status = match self.try_next().await {
                Ok(Some(message)) => {
                    let again = std::mem::take(&mut self.again);
                    (self.answered, self.failed) = (true, 0);
                    return Ok(Some((message, again)));
                }
                Ok(None) if !R::RESUMES => return Ok(None),
                Ok(None) => Status::unavailable("the stream ended"),
                Err(status) => status,
            };
            self.failed += 1;
            self.stream = None;
            self.again = self.answered;
            self.pause(status).await?;
        }
    }

    async fn try_next(&mut self) -> Result<Option<R::Response>, Status> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open().await?,
        };
        let message = self.stream.insert(stream).message();
        if !R::RESUMES {
            return message.await;
        }
        tokio::time::timeout(self.client.watch_idle, message)
            .await
            .unwrap_or_else(|_| Err(Status::unavailable("the stream fell silent")))
    }

    async fn open(&self) -> Result<Streaming<R::Response>, Status> {
        let mut request = tonic::Request::new(self.request.clone());
        // The break itself is no attempt at opening it again.
        let number = if self.answered { self.failed } else { self.failed + 1 };
        request.extensions_mut().insert(Attempt(number));
        let path = PathAndQuery::from_static(R::PATH);
        let codec = ProstCodec::<R, R::Response>::default();
        let grpc = Grpc::new(self.client.connection.clone());
        let mut grpc = grpc.max_decoding_message_size(MESSAGE_BYTES_MAX);
        Ok(grpc.server_streaming(request, path, codec).await?.into_inner())
    }

    /// Waits until the stream may be opened again; fails when it may not.
    async fn pause(&self, status: Status) -> Result<(), Error> {
        let lifetime = &self.client.connection.lifetime;
        if lifetime.is_over() {
            return Err(lifetime.end().await.into());
        }
        let pause = if self.answered {
            may_mend(&status).then(|| {
                let asked = Error::from(status.clone()).retry_delay;
                asked.unwrap_or_else(|| retry::backoff(self.failed, retry::chance()))
            })
        } else {
            let may_repeat = methods::find(R::PATH).is_some_and(methods::Method::may_repeat);
            let pause = retry::pause(&status, self.failed, retry::chance());
            pause.filter(|pause| may_repeat && Instant::now() + *pause < self.opens_until)
        };
        let Some(pause) = pause else { return Err(status.into()) };
        match tokio::time::timeout(pause, lifetime.end()).await {
            Ok(closed) => Err(closed.into()),
            Err(_) => Ok(()),
        }
    }
}

/// Whether a stream that ended like this is worth opening again: the server is away or busy, or the
/// connection broke, which shows as a status without one of Astro's reasons.
fn may_mend(status: &Status) -> bool {
    if is_too_large(status) {
        return false;
    }
    let error = Error::from(status.clone());
    match error.code {
        Code::Unavailable | Code::ResourceExhausted => true,
        Code::Unknown | Code::Internal | Code::Cancelled | Code::DeadlineExceeded => {
            error.reason.is_empty()
        }
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}
