//! Streams that outlive their connection, and lists that turn their own pages.

use std::future::Future;
use std::time::Duration;

use async_stream::try_stream;
use futures_util::Stream;
use tonic::{Code, Response, Status, Streaming};

use super::{Client, retry};
use crate::Error;
use crate::v1::watch_events_request::Start;
use crate::v1::{
    Assignment, AssignmentState, Event, WatchAssignmentRequest, WatchEventsRequest,
    WatchEventsResponse,
};

/// The server sends a checkpoint every 15 s; a log that is quiet for three of them is not connected.
const EVENTS_IDLE_MAX: Duration = Duration::from_secs(45);

impl Client {
    /// Follows the log: every event once, in order, across lost connections.
    ///
    /// After the first answer the stream reconnects for as long as it takes; dropping it cancels. To
    /// go on in another process, store the [`Event::resume_token`] of the last event that was dealt
    /// with and pass it as the request's `start`.
    ///
    /// # Errors
    /// Ends after an error that trying again cannot mend: the first connection fails, the key is
    /// revoked, or the log no longer reaches back to the token (`RESUME_TOKEN_EXPIRED`), in which
    /// case events may have been missed and a snapshot is needed.
    pub fn watch_events(
        &self,
        request: WatchEventsRequest,
    ) -> impl Stream<Item = Result<Event, Error>> + Send + 'static {
        let client = self.clone();
        try_stream! {
            let mut request = request;
            let mut link = Link::new(Some(EVENTS_IDLE_MAX));
            loop {
                let mut events = client.events();
                let open = events.watch_events(request.clone());
                let Some(message): Option<WatchEventsResponse> = link.next(open).await? else {
                    continue;
                };
                // Taken before the events are handed out: all of them are here already, so a
                // connection lost meanwhile neither repeats nor skips one.
                if !message.resume_token.is_empty() {
                    request.start = Some(Start::ResumeToken(message.resume_token));
                }
                for event in message.events {
                    yield event;
                }
            }
        }
    }

    /// Follows one assignment: its state now, then each change, until it is final.
    ///
    /// Reconnects like [`Client::watch_events`]; changes that happened meanwhile come as one.
    ///
    /// # Errors
    /// Ends after an error that trying again cannot mend, such as `ASSIGNMENT_NOT_FOUND`.
    pub fn watch_assignment(
        &self,
        assignment_id: impl Into<String>,
    ) -> impl Stream<Item = Result<Assignment, Error>> + Send + 'static {
        let client = self.clone();
        let request = WatchAssignmentRequest { assignment_id: assignment_id.into() };
        try_stream! {
            let mut link = Link::new(None);
            let mut last: Option<Assignment> = None;
            loop {
                let mut assignments = client.assignments();
                let open = assignments.watch_assignment(request.clone());
                let Some(message) = link.next(open).await? else {
                    continue;
                };
                // A new connection begins with the state as it is, which may be known.
                let Some(assignment) = message.assignment else { continue };
                if last.as_ref() == Some(&assignment) {
                    continue;
                }
                let done = is_final(assignment.state());
                last = Some(assignment.clone());
                yield assignment;
                if done {
                    return;
                }
            }
        }
    }
}

/// Whether an assignment in this state changes no more.
fn is_final(state: AssignmentState) -> bool {
    match state {
        AssignmentState::Settled
        | AssignmentState::Reversed
        | AssignmentState::Failed
        | AssignmentState::Cancelled
        | AssignmentState::Expired => true,
        AssignmentState::Unspecified
        | AssignmentState::Queued
        | AssignmentState::Delivering
        | AssignmentState::Offered
        | AssignmentState::Held
        | AssignmentState::Blocked
        | AssignmentState::Delivered => false,
    }
}

/// A stream of answers that is opened again when it breaks.
struct Link<M> {
    stream: Option<Streaming<M>>,
    idle_max: Option<Duration>,
    /// Whether the server ever answered; before, a failure is the caller's to see.
    answered: bool,
    failed: u32,
}

impl<M> Link<M> {
    fn new(idle_max: Option<Duration>) -> Self {
        Self { stream: None, idle_max, answered: false, failed: 0 }
    }

    /// The next message, after opening the stream with `open` if there is none; `None`: it broke or
    /// ended, ask again. `open` does nothing unless it is needed.
    async fn next<F>(&mut self, open: F) -> Result<Option<M>, Error>
    where
        F: Future<Output = Result<Response<Streaming<M>>, Status>>,
    {
        match self.try_next(open).await {
            Ok(Some(message)) => {
                self.answered = true;
                self.failed = 0;
                Ok(Some(message))
            }
            Ok(None) => self.pause(None).await,
            Err(status) if self.answered && may_mend(&status) => self.pause(Some(status)).await,
            Err(status) => Err(status.into()),
        }
    }

    async fn try_next<F>(&mut self, open: F) -> Result<Option<M>, Status>
    where
        F: Future<Output = Result<Response<Streaming<M>>, Status>>,
    {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(open.await?.into_inner()),
        };
        match self.idle_max {
            Some(idle_max) => tokio::time::timeout(idle_max, stream.message())
                .await
                .unwrap_or_else(|_| Err(Status::unavailable("the stream fell silent"))),
            None => stream.message().await,
        }
    }

    async fn pause(&mut self, status: Option<Status>) -> Result<Option<M>, Error> {
        self.stream = None;
        self.failed += 1;
        let asked = status.and_then(|status| Error::from(status).retry_delay);
        let pause = asked.unwrap_or_else(|| retry::backoff(self.failed, retry::chance()));
        tokio::time::sleep(pause).await;
        Ok(None)
    }
}

/// Whether a stream that ended like this is worth opening again: the server is away or busy, or the
/// connection broke, which shows as a status without one of Astro's reasons.
fn may_mend(status: &Status) -> bool {
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

/// Every entry of a list, page by page.
///
/// `fetch` gets a page token, empty at first, and answers the page's entries and the next token.
///
/// ```no_run
/// # use astro_sdk::{Client, pages, v1::ListItemsRequest};
/// # fn example(client: Client) {
/// let items = pages(move |page_token| {
///     let mut items = client.items();
///     async move {
///         let request = ListItemsRequest { page_token, ..Default::default() };
///         let page = items.list_items(request).await?.into_inner();
///         Ok((page.items, page.next_page_token))
///     }
/// });
/// # }
/// ```
///
/// # Errors
/// Ends after the first page that cannot be had.
pub fn pages<T, F, Fut>(mut fetch: F) -> impl Stream<Item = Result<T, Error>>
where
    F: FnMut(String) -> Fut,
    Fut: Future<Output = Result<(Vec<T>, String), Error>>,
{
    try_stream! {
        let mut token = String::new();
        loop {
            let (entries, next) = fetch(token).await?;
            for entry in entries {
                yield entry;
            }
            if next.is_empty() {
                return;
            }
            token = next;
        }
    }
}
