//! Lists that turn their own pages.

use std::collections::VecDeque;
use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{Stream, StreamExt};

use super::call::Call;
use super::connection::Connection;
use crate::Error;
use crate::rpc::Paged;

/// Every entry of a list, once each, in the server's order; a [`Stream`]. A page is asked for when
/// its first entry is wanted.
///
/// # Errors
/// Ends after the first page that cannot be had.
#[must_use = "a list asks for its first page when an entry is wanted"]
pub struct List<R: Paged> {
    pages: Pages<R>,
    entries: VecDeque<R::Entry>,
}

/// Entries of a page, unless the program set another number: the most that a server gives.
const PAGE_SIZE: i32 = 500;

impl<R: Paged> List<R> {
    pub(crate) fn new(connection: &Connection, mut request: R) -> Self {
        let size = request.page_size();
        if *size == 0 {
            *size = PAGE_SIZE;
        }
        let pages = Pages {
            connection: connection.clone(),
            next: Some(request),
            asked: None,
            timeout: None,
        };
        Self { pages, entries: VecDeque::new() }
    }

    /// Time for each page, attempts and pauses included; 30 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.pages.timeout = Some(timeout);
        self
    }

    /// The same list page by page, each the whole response message.
    pub fn pages(self) -> Pages<R> {
        self.pages
    }

    /// The next entry; none at the end.
    ///
    /// # Errors
    /// When its page cannot be had.
    pub async fn try_next(&mut self) -> Result<Option<R::Entry>, Error> {
        self.next().await.transpose()
    }
}

impl<R: Paged> Stream for List<R> {
    type Item = Result<R::Entry, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(entry) = self.entries.pop_front() {
                return Poll::Ready(Some(Ok(entry)));
            }
            match ready!(self.pages.poll_next_unpin(cx)) {
                Some(Ok(page)) => self.entries = R::entries(page).into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// The pages of a [`List`]; a [`Stream`].
///
/// # Errors
/// Ends after the first page that cannot be had.
#[must_use = "a list asks for its first page when it is wanted"]
pub struct Pages<R: Paged> {
    connection: Connection,
    /// The request for the next page; none after the last.
    next: Option<R>,
    asked: Option<<Call<R> as IntoFuture>::IntoFuture>,
    timeout: Option<Duration>,
}

impl<R: Paged> Pages<R> {
    /// The next page; none at the end.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn try_next(&mut self) -> Result<Option<R::Response>, Error> {
        self.next().await.transpose()
    }

    fn ask(&self, request: R) -> <Call<R> as IntoFuture>::IntoFuture {
        let call = Call::new(&self.connection, request);
        match self.timeout {
            Some(timeout) => call.timeout(timeout).into_future(),
            None => call.into_future(),
        }
    }
}

impl<R: Paged> Stream for Pages<R> {
    type Item = Result<R::Response, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(request) = self.next.clone() else { return Poll::Ready(None) };
        let mut asked = self.asked.take().unwrap_or_else(|| self.ask(request));
        let Poll::Ready(answer) = asked.as_mut().poll(cx) else {
            self.asked = Some(asked);
            return Poll::Pending;
        };
        let turned = match (&answer, &mut self.next) {
            (Ok(page), Some(request)) => request.turn(page),
            (Ok(_), None) | (Err(_), _) => false,
        };
        if !turned {
            self.next = None;
        }
        Poll::Ready(Some(answer))
    }
}

impl<R: Paged> fmt::Debug for List<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").finish_non_exhaustive()
    }
}

impl<R: Paged> fmt::Debug for Pages<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}
