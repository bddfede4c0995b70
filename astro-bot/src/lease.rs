//! The lease: whether this worker may still act for the account.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use crate::outside::Moment;

/// A session with the server, as far as this side can tell.
#[derive(Debug, Clone, Copy)]
struct Term {
    epoch: u64,
    /// Unless the server is heard before, another worker may have the account from then on.
    ends_at: Instant,
}

/// Keeps the lease known.
#[derive(Debug)]
pub(crate) struct Keeper(watch::Sender<Option<Term>>);

/// Looks at the lease.
#[derive(Debug, Clone)]
pub(crate) struct Lease(watch::Receiver<Option<Term>>);

/// Leave to move items in one session. It ends with the session, and is looked at last thing before
/// a request goes out: what waited for its turn may have waited for too long.
#[derive(Debug, Clone)]
pub(crate) struct Warrant {
    lease: Lease,
    epoch: u64,
    /// It lasts for so long from then on, if it does not end before.
    term: Option<(Moment, Duration)>,
}

/// Nobody has the lease yet.
pub(crate) fn lease() -> (Keeper, Lease) {
    let (keeper, seen) = watch::channel(None);
    (Keeper(keeper), Lease(seen))
}

impl Keeper {
    /// A session begins.
    pub(crate) fn begin(&self, epoch: u64, ends_at: Instant) {
        self.0.send_replace(Some(Term { epoch, ends_at }));
    }

    /// The server was heard.
    pub(crate) fn extend(&self, ends_at: Instant) {
        self.0.send_if_modified(|term| {
            if let Some(term) = term {
                term.ends_at = ends_at;
            }
            // Nobody waits for this.
            false
        });
    }

    /// When the lease ends unless the server is heard; now, if there is none.
    pub(crate) fn ends_at(&self) -> Instant {
        self.0.borrow().map_or_else(Instant::now, |term| term.ends_at)
    }

    /// The session has ended; tells whether there was one.
    pub(crate) fn end(&self) -> bool {
        self.0.send_replace(None).is_some()
    }
}

impl Lease {
    /// Leave to act in the session of this epoch, whether it goes on or not.
    pub(crate) fn warrant(&self, epoch: u64) -> Warrant {
        Warrant { lease: self.clone(), epoch, term: None }
    }

    /// Leave to act in the session that there is now.
    pub(crate) fn current(&self) -> Option<Warrant> {
        let term = (*self.0.borrow()).filter(|term| Instant::now() < term.ends_at)?;
        Some(self.warrant(term.epoch))
    }

    /// Waits until there is a session.
    pub(crate) async fn held(&mut self) {
        if self.0.wait_for(Option::is_some).await.is_err() {
            // The link is gone: the bot stops.
            std::future::pending::<()>().await;
        }
    }
}

impl Warrant {
    /// The same leave, for so long from this moment on.
    pub(crate) fn within(self, since: Moment, span: Duration) -> Self {
        Self { term: Some((since, span)), ..self }
    }

    /// Why the leave has ended, for people; none while it lasts.
    pub(crate) fn lapse(&self) -> Option<&'static str> {
        let session = *self.lease.0.borrow();
        let goes_on = |term: Term| term.epoch == self.epoch && Instant::now() < term.ends_at;
        if !session.is_some_and(goes_on) {
            return Some("the session with the server was lost");
        }
        let late = self.term.as_ref().is_some_and(|(since, span)| since.passed() >= *span);
        late.then_some("too much time went by since the server was asked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::Clock;

    #[test]
    fn a_warrant_holds_in_its_session_while_the_server_is_heard() {
        let (keeper, lease) = lease();
        let holds = |warrant: &Warrant| warrant.lapse().is_none();
        assert!(lease.current().is_none() && !holds(&lease.warrant(1)));
        let now = Instant::now();
        let later = now + std::time::Duration::from_secs(3600);
        keeper.begin(1, now);
        assert!(lease.current().is_none() && !holds(&lease.warrant(1)), "the server is silent");
        keeper.extend(later);
        let warrant = lease.current().unwrap();
        assert!(holds(&warrant) && !holds(&lease.warrant(2)));
        keeper.begin(2, later);
        assert!(!holds(&warrant), "it is of a session before");
        assert!(keeper.end() && !keeper.end());
        assert!(lease.current().is_none());
    }
    #[test]
    fn a_warrant_for_a_time_ends_with_it_although_the_session_goes_on() {
        let (keeper, lease) = lease();
        let hour = Duration::from_secs(3600);
        keeper.begin(1, Instant::now() + hour);
        let asked = Clock::default().moment();
        assert_eq!(lease.warrant(1).within(asked.clone(), hour).lapse(), None);
        let late = lease.warrant(1).within(asked, Duration::ZERO);
        assert!(late.lapse().is_some_and(|why| why.starts_with("too much time")));
        keeper.end();
        assert!(late.lapse().is_some_and(|why| why.contains("session")), "that comes first");
    }
}
