//! The lease: whether this worker may still act for the account.

use tokio::{sync::watch, time::Instant};

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
        Warrant { lease: self.clone(), epoch }
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
    /// Whether the session goes on.
    pub(crate) fn holds(&self) -> bool {
        let term = *self.lease.0.borrow();
        term.is_some_and(|term| term.epoch == self.epoch && Instant::now() < term.ends_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warrant_holds_in_its_session_while_the_server_is_heard() {
        let (keeper, lease) = lease();
        assert!(lease.current().is_none() && !lease.warrant(1).holds());
        let now = Instant::now();
        let later = now + std::time::Duration::from_secs(3600);
        keeper.begin(1, now);
        assert!(lease.current().is_none() && !lease.warrant(1).holds(), "the server is silent");
        keeper.extend(later);
        let warrant = lease.current().unwrap();
        assert!(warrant.holds() && !lease.warrant(2).holds());
        keeper.begin(2, later);
        assert!(!warrant.holds(), "it is of a session before");
        assert!(keeper.end() && !keeper.end());
        assert!(lease.current().is_none());
    }
}
