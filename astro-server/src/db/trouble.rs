//! What is wrong with the database, told once: to the log, to callers and to health.
use crate::db::limits::TROUBLE_TOLD;
use crate::kernel::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Time between two lines about trouble that comes and goes.
const TOLD_EVERY: Duration = Duration::from_secs(30);
/// Time that a caller waits for a database that is away: it may only restart.
const GRACE: Duration = Duration::from_secs(1);

/// What a caller is told whose connection ended. The probe finds out whether that is an outage.
pub(super) const LOST: &str = "the connection to it was lost";
/// What a caller is told for whom no connection could be opened.
pub(super) const REFUSED: &str = "it takes no connection";

/// What the database does for its callers, as health tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Able {
    /// It can be read.
    pub read: bool,
    /// It takes writes.
    pub write: bool,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// It answers, but refuses work: no writes, mostly.
    Part,
    /// It answers those who are connected, and takes no connection.
    Closed,
    /// Nothing works.
    All,
}

/// The trouble that the database is in. Clones share it.
#[derive(Clone)]
pub(super) struct Trouble(Arc<Inner>);

struct Inner {
    outage: Mutex<Outage>,
    /// Why the database is away, if it is.
    away: watch::Sender<Option<String>>,
    able: watch::Sender<Able>,
}

#[derive(Default)]
struct Outage {
    /// How bad, and since when.
    failing: Option<(Extent, Instant)>,
    /// Why it fails, as callers are told.
    cause: String,
    /// What the database last said, with what only the log may show.
    because: String,
    /// When the log was last told that something began.
    told: Option<Instant>,
    /// Whether this outage is in the log.
    logged: bool,
    /// When every write was refused.
    unwritten: Option<Span>,
    /// When nobody got a connection.
    closed: Option<Span>,
}

/// From the first of several failures to the last, with no success between them.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: Instant,
    last: Instant,
}

impl Span {
    fn note(span: &mut Option<Self>, now: Instant) {
        span.get_or_insert(Self { first: now, last: now }).last = now;
    }

    fn is_long(span: Option<Self>) -> bool {
        span.is_some_and(|span| span.last.duration_since(span.first) >= TROUBLE_TOLD)
    }
}

impl Trouble {
    pub(super) fn none() -> Self {
        let able = watch::Sender::new(Able { read: true, write: true });
        Self(Arc::new(Inner { outage: Mutex::default(), away: watch::Sender::new(None), able }))
    }

    /// Notes what the database said when it took no connection: for the log alone, since it names
    /// hosts and users.
    pub(super) fn because(&self, cause: &str) {
        let line = cause.split_whitespace().collect::<Vec<_>>().join(" ");
        self.lock().because = line;
    }

    /// Notes the outcome of a write.
    pub(super) fn wrote<T>(&self, outcome: &Result<T, Error>) {
        self.wrote_at(outcome, Instant::now());
    }

    fn wrote_at<T>(&self, outcome: &Result<T, Error>, now: Instant) {
        match outcome {
            Ok(_) => {
                let mut outage = self.lock();
                (outage.unwritten, outage.closed) = (None, None);
                drop(outage);
                self.succeeded(Extent::Part);
            }
            Err(error) if self.refused(error) => {
                let mut outage = self.lock();
                if outage.closed.is_none() {
                    Span::note(&mut outage.unwritten, now);
                }
            }
            Err(_) => {}
        }
    }

    /// Notes the outcome of a read, which says nothing of writes if it succeeds.
    pub(super) fn read<T>(&self, outcome: &Result<T, Error>) {
        match outcome {
            Ok(_) => {
                let mut outage = self.lock();
                outage.closed = None;
                let of_writes = outage.unwritten.is_some();
                drop(outage);
                self.succeeded(if of_writes { Extent::Closed } else { Extent::Part });
            }
            Err(error) => {
                self.refused(error);
            }
        }
    }

    /// Whether the database refused it, and not only its connection was lost or could not be had.
    fn refused(&self, error: &Error) -> bool {
        if let Error::Unavailable(cause) = error
            && cause != LOST
            && cause != REFUSED
        {
            self.failed(Extent::Part, cause);
            return true;
        }
        false
    }

    /// Notes that somebody waited for a connection and got none.
    pub(super) fn closed(&self, now: Instant) {
        Span::note(&mut self.lock().closed, now);
    }

    /// Whether the last write was refused, though it had a connection.
    pub(super) fn refuses_writes(&self) -> bool {
        let outage = self.lock();
        outage.unwritten.is_some() && outage.closed.is_none()
    }

    /// Tells what has gone on for long.
    pub(super) fn look(&self) {
        let outage = self.lock();
        let (closed, unwritten) = (Span::is_long(outage.closed), Span::is_long(outage.unwritten));
        drop(outage);
        if closed && !self.is_away() {
            self.failed(Extent::Closed, REFUSED);
        }
        let read = !self.is_away() && !closed;
        let able = Able { read, write: read && !unwritten };
        self.0.able.send_if_modified(|told| std::mem::replace(told, able) != able);
    }

    /// Notes that the database is away, and why, until it is [`Trouble::back`].
    pub(super) fn gone(&self, cause: &str) {
        self.failed(Extent::All, cause);
        self.0.away.send_if_modified(|away| {
            let news = away.as_deref() != Some(cause);
            *away = Some(cause.to_owned());
            news
        });
        self.look();
    }

    /// Notes that the database answers.
    pub(super) fn back(&self) {
        self.succeeded(Extent::All);
        self.lock().because.clear();
        if self.0.away.send_if_modified(|away| away.take().is_some()) {
            // What was met meanwhile says nothing of now.
            self.lock().closed = None;
        }
        self.look();
    }

    /// What the database does for its callers; changes are told.
    pub(super) fn able(&self) -> watch::Receiver<Able> {
        self.0.able.subscribe()
    }

    /// Why the database is away, if it is; changes are told.
    pub(super) fn away(&self) -> watch::Receiver<Option<String>> {
        self.0.away.subscribe()
    }

    /// What a caller is told whose turn did not come: what the others wait for, if that is known.
    pub(super) fn queue(&self, others: &str) -> Error {
        let outage = self.lock();
        let why = outage.failing.map_or("", |_| outage.cause.as_str());
        let colon = if why.is_empty() { "" } else { ": " };
        Error::Unavailable(format!("it is busy with other {others}{colon}{why}"))
    }

    /// Whether the database is away.
    pub(super) fn is_away(&self) -> bool {
        self.0.away.borrow().is_some()
    }

    /// Waits until the database is away and stays so for a moment; gives the reason.
    pub(super) async fn stays_away(&self) -> String {
        let mut away = self.away();
        loop {
            if away.wait_for(Option::is_some).await.is_err() {
                return std::future::pending().await;
            }
            if tokio::time::timeout(GRACE, away.wait_for(Option::is_none)).await.is_err()
                && let Some(cause) = away.borrow().clone()
            {
                return cause;
            }
        }
    }

    /// Gives whether the log was told.
    fn failed(&self, extent: Extent, cause: &str) -> bool {
        let mut outage = self.lock();
        let before = outage.failing;
        let worse = before.is_none_or(|(failing, _)| failing < extent);
        if !worse && outage.logged {
            return false;
        }
        let since = before.map_or_else(Instant::now, |(_, since)| since);
        cause.clone_into(&mut outage.cause);
        outage.failing = Some((before.map_or(extent, |(failing, _)| failing.max(extent)), since));
        // What comes and goes fills no log.
        let lately = outage.told.is_some_and(|at| at.elapsed() < TOLD_EVERY);
        if extent == Extent::Part && lately {
            return false;
        }
        (outage.told, outage.logged) = (Some(Instant::now()), true);
        let what = match extent {
            Extent::Part => "refuses work",
            Extent::Closed | Extent::All => "is not available",
        };
        let because = std::mem::take(&mut outage.because);
        let because = if because.is_empty() { because } else { format!(" ({because})") };
        tracing::error!("The database {what}: {cause}{because}");
        true
    }

    /// Ends an outage of this extent or more.
    fn succeeded(&self, extent: Extent) {
        let mut outage = self.lock();
        let Some((failing, since)) = outage.failing.filter(|(failing, _)| *failing >= extent)
        else {
            return;
        };
        outage.failing = None;
        if std::mem::take(&mut outage.logged) {
            let seconds = since.elapsed().as_secs_f32();
            let what = match failing {
                Extent::Part => "takes work",
                Extent::Closed | Extent::All => "is available",
            };
            tracing::info!("The database {what} again, after {seconds:.1} s");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Outage> {
        self.0.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trouble")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Result<(), Error> {
        Err(Error::Unavailable("could not extend file".to_owned()))
    }

    #[test]
    fn an_outage_is_one_line_however_many_calls_meet_it() {
        let trouble = Trouble::none();
        let told = (0..100).filter(|_| trouble.failed(Extent::All, "it does not answer")).count();
        assert_eq!(told, 1);
        trouble.wrote(&full());
        assert!(!trouble.failed(Extent::Part, "no room"), "the worse was told");
        trouble.back();
        assert!(trouble.failed(Extent::All, "it does not answer"), "another outage");
    }

    #[test]
    fn a_read_that_succeeds_ends_no_trouble_of_writes() {
        let trouble = Trouble::none();
        trouble.wrote(&full());
        trouble.read(&Ok(()));
        assert!(
            matches!(trouble.queue("writes"), Error::Unavailable(why) if why.contains("extend"))
        );
        assert!(!trouble.failed(Extent::Part, "again"));
        trouble.wrote(&Ok(()));
        assert!(
            matches!(trouble.queue("writes"), Error::Unavailable(why) if !why.contains("extend"))
        );
    }

    #[test]
    fn health_hears_of_writes_that_fail_for_long_and_of_the_first_that_succeeds() {
        let (trouble, start) = (Trouble::none(), Instant::now());
        let able = |trouble: &Trouble| {
            trouble.look();
            let able = *trouble.able().borrow();
            (able.read, able.write)
        };
        trouble.wrote_at(&full(), start);
        trouble.wrote_at(&full(), start + TROUBLE_TOLD / 2);
        assert_eq!(able(&trouble), (true, true), "it may pass");
        assert!(trouble.refuses_writes());
        trouble.read(&Ok(()));
        trouble.wrote_at(&full(), start + TROUBLE_TOLD);
        assert_eq!(able(&trouble), (true, false));
        trouble.wrote(&Ok(()));
        assert_eq!(able(&trouble), (true, true));
        trouble.wrote_at(&full(), start + 2 * TROUBLE_TOLD);
        assert_eq!(able(&trouble), (true, true), "it is counted anew");
    }

    #[test]
    fn a_database_that_gives_nobody_a_connection_for_long_is_told_though_it_is_there() {
        let (trouble, start) = (Trouble::none(), Instant::now());
        trouble.back();
        trouble.closed(start);
        trouble.read::<()>(&Err(Error::Unavailable(REFUSED.to_owned())));
        trouble.look();
        assert!(trouble.able().borrow().read, "it may pass");
        trouble.closed(start + TROUBLE_TOLD);
        trouble.look();
        let (read, write) = (trouble.able().borrow().read, trouble.able().borrow().write);
        assert_eq!((read, write), (false, false));
        assert!(!trouble.failed(Extent::Closed, REFUSED), "the log was told");
        trouble.back();
        assert!(!trouble.able().borrow().read, "the probe's own connection says nothing");
        trouble.read(&Ok(()));
        trouble.look();
        assert!(trouble.able().borrow().read);
    }

    #[test]
    fn what_comes_and_goes_fills_no_log() {
        let trouble = Trouble::none();
        let told = (0..100).filter(|_| {
            let told = trouble.failed(Extent::Part, "a row is locked");
            trouble.wrote(&Ok(()));
            told
        });
        assert_eq!(told.count(), 1);
    }
}
