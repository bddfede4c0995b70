//! What the listeners and the library share: the world behind its lock, clock, faults and journal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::clock::{Clock, SimTime};
use crate::edge::Edge;
use crate::faults::Faults;
use crate::http::Call;
use crate::ids::SteamId;
use crate::journal::Journal;
use crate::options::Options;
use crate::rsa::PasswordKey;
use crate::world::World;

pub(crate) struct Core {
    pub clock: Clock,
    pub options: Options,
    pub password_key: PasswordKey,
    world: Mutex<World>,
    faults: Mutex<Faults>,
    edge: Mutex<Edge>,
    journal: Mutex<Journal>,
    /// Whether the proxy leads nowhere.
    pub proxy_closed: watch::Sender<bool>,
    changed: watch::Sender<()>,
    replan: Notify,
}

impl Core {
    pub(crate) fn new(options: Options) -> Arc<Self> {
        let world = World::new(&options);
        let edge = Edge::new(options.rate_limits);
        Arc::new(Self {
            clock: Clock::start(options.start_time),
            options,
            password_key: PasswordKey::fixed(),
            world: Mutex::new(world),
            faults: Mutex::default(),
            edge: Mutex::new(edge),
            journal: Mutex::default(),
            proxy_closed: watch::Sender::new(false),
            changed: watch::Sender::new(()),
            replan: Notify::new(),
        })
    }

    /// Looks at the world.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&lock(&self.world))
    }

    /// Changes the world: first everything which is due by now happens, then the change, then what
    /// became due by it.
    pub(crate) fn change<R>(&self, act: impl FnOnce(&mut World, SimTime) -> R) -> R {
        let result = {
            let mut world = lock(&self.world);
            let now = self.clock.now();
            world.run_due(now);
            let result = act(&mut world, now);
            world.run_due(now);
            result
        };
        self.changed.send_replace(());
        self.replan.notify_one();
        result
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn edge(&self) -> MutexGuard<'_, Edge> {
        lock(&self.edge)
    }

    /// Works with the journal, and wakes those who wait for an entry.
    pub(crate) fn journal<R>(&self, act: impl FnOnce(&mut Journal) -> R) -> R {
        let result = act(&mut lock(&self.journal));
        self.changed.send_replace(());
        result
    }

    /// Reads the journal.
    pub(crate) fn read_journal<R>(&self, look: impl FnOnce(&Journal) -> R) -> R {
        look(&lock(&self.journal))
    }

    /// Tells of each change of the world or the journal.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Whose session a request belongs to: the cookie on web pages, the token on the Web API.
    pub(crate) fn account_of(&self, call: &Call) -> Option<SteamId> {
        let now = self.clock.now();
        if call.host == crate::web::API_HOST {
            let token = call.field("access_token")?;
            return self.read(|world| world.sessions.owner_of(token, now));
        }
        let (id, token) = call.token_cookie("steamLoginSecure")?;
        let owner = self.read(|world| world.sessions.owner_of(&token, now))?;
        (id == owner).then_some(owner)
    }

    /// Runs people and expiries at their times, for ever.
    pub(crate) async fn keep_agenda(&self) {
        loop {
            let due = self.read(|world| world.agenda.next_due());
            let replanned = self.replan.notified();
            let Some(due) = due else {
                replanned.await;
                continue;
            };
            let wait = u64::try_from(due.0 - self.clock.now().0).unwrap_or(0);
            if wait == 0 {
                self.change(|_, _| ());
                continue;
            }
            tokio::select! {
                () = replanned => {}
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
            }
        }
    }
}

/// A test's predicate may panic while it looks at the world; the world itself is then unharmed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
