//! The live feed: one reader of the log for all who follow it.
use super::{Event, Filter, Log, Position, Range, store};
use crate::db::Db;
use crate::kernel::{Reach, Result};
use crate::{crash, supervise};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, broadcast, watch};
use tokio_util::sync::CancellationToken;

/// Events a follower may be behind before it reads from the database again.
const BACKLOG: usize = 4096;
/// Events of one read.
const PAGE: i64 = 500;
/// After an error.
const PAUSE: Duration = Duration::from_secs(1);

/// Hands each new event to all who follow the log.
#[derive(Clone, Debug)]
pub struct Feed {
    db: Db,
    sender: broadcast::Sender<Arc<Event>>,
}

impl Feed {
    /// Starts the reader at the log's end; it ends with `stop`.
    pub fn start(db: Db, log: &Log, stop: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        let feed = Self { db, sender };
        let mut head = log.head();
        let from = *head.borrow_and_update();
        // Outlives the reader: one that begins again goes on where it broke off.
        let at = Arc::new(Mutex::new((from, head)));
        supervise::spawn("event feed", &stop, {
            let feed = feed.clone();
            move || {
                let (feed, at) = (feed.clone(), at.clone());
                async move {
                    let (from, head) = &mut *at.lock().await;
                    feed.pump(from, head).await;
                }
            }
        });
        feed
    }

    async fn pump(&self, from: &mut Position, head: &mut watch::Receiver<Position>) {
        let mut failing = false;
        loop {
            let end = *head.borrow_and_update();
            while from.number < end.number {
                match self.read(Filter::of(Reach::Platform), *from).await {
                    Ok((events, ..)) => {
                        failing = false;
                        if events.is_empty() {
                            *from = end;
                        }
                        for event in events {
                            crash::point("feed");
                            *from = event.position;
                            // Nobody may be following; the next one reads from the database.
                            let _ = self.sender.send(Arc::new(event));
                        }
                    }
                    Err(error) => {
                        if !std::mem::replace(&mut failing, true) {
                            tracing::warn!(%error, "Could not read the event log: {error}");
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
            if head.changed().await.is_err() {
                return;
            }
        }
    }

    /// What the filter takes of the next piece of the log, where the piece ends, and whether the log
    /// goes on there.
    async fn read(&self, filter: Filter, after: Position) -> Result<(Vec<Event>, Position, bool)> {
        self.db
            .read(move |conn| {
                let end = after.later(store::end(conn)?);
                let piece = store::piece(conn, &filter, Range::After(after.number), PAGE)?;
                Ok((piece.events, piece.upto.unwrap_or(end), piece.upto.is_some()))
            })
            .await
    }

    /// Follows the log after `from`; each event comes once, in order, and none is left out.
    pub fn follow(&self, filter: Filter, from: Position) -> Follower {
        Follower {
            feed: self.clone(),
            live: self.sender.subscribe(),
            filter,
            at: from,
            caught_up: false,
        }
    }
}

/// One who follows the log.
#[derive(Debug)]
pub struct Follower {
    feed: Feed,
    live: broadcast::Receiver<Arc<Event>>,
    filter: Filter,
    at: Position,
    caught_up: bool,
}

impl Follower {
    /// Everything up to here has been handed out.
    pub fn position(&self) -> Position {
        self.at
    }

    /// The next events: at least one, waiting for it if need be. Safe to drop while it waits.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&mut self) -> Result<Vec<Arc<Event>>> {
        loop {
            if !self.caught_up {
                let (events, upto, more) = self.feed.read(self.filter.clone(), self.at).await?;
                // Up to there the filter takes nothing else: who resumes need not look again.
                (self.at, self.caught_up) = (upto, !more);
                if !events.is_empty() {
                    return Ok(events.into_iter().map(Arc::new).collect());
                }
                continue;
            }
            match self.live.recv().await {
                Ok(event) if event.position.number > self.at.number => {
                    self.at = event.position;
                    if self.filter.takes(&event) {
                        return Ok(vec![event]);
                    }
                }
                Ok(_) => {}
                // Too far behind: the database has what the channel dropped.
                Err(broadcast::error::RecvError::Lagged(_)) => self.caught_up = false,
                Err(broadcast::error::RecvError::Closed) => {
                    return Err(crate::kernel::Error::Stopping);
                }
            }
        }
    }
}
