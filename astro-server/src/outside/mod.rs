//! What the server takes from outside: the time, chance, connections and threads. In production they
//! are the machine's; a simulation hands in its own, and then keys, ids and events follow from its
//! seed. Three things do not yet: the order in which tokio's unbiased `select!` looks, the log's own
//! id, which the database draws, and what TLS draws. What waits by tokio's clock needs no seam: a simulation pauses it. SQLite's file stays a
//! file, and the pool's own threads open connections, which their callers wait for.

mod chance;
mod clock;
mod network;
mod threads;

use chrono::{DateTime, Utc};

pub use {
    chance::Chance,
    clock::Clock,
    network::{Listening, Network, Pending, Stream},
};
pub(crate) use {network::Net, threads::Threads};

/// The handles, cheap to clone; the machine's own by default.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// The clock.
    pub clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) net: Net,
    pub(crate) threads: Threads,
}

impl Outside {
    /// With the time that this tells.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self { clock: Clock::set(now), ..self }
    }

    /// With the bytes that this draws.
    #[must_use]
    pub fn with_chance(self, draw: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self { chance: Chance::drawn(draw), ..self }
    }

    /// With a simulated network.
    #[must_use]
    pub fn with_network(self, network: impl Network) -> Self {
        Self { net: Net::simulated(network), ..self }
    }

    /// With no thread but the caller's, whose runtime has one: SQLite's writer, its probe and all
    /// that blocks are tasks there, and run one at a time.
    #[must_use]
    pub fn on_one_thread(self) -> Self {
        Self { threads: Threads::Callers, ..self }
    }
}
