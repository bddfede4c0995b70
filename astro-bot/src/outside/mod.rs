//! What the bot takes from outside: the time, chance and connections. In production they are the
//! machine's; a simulation hands in its own, and then a run with the same seed is the same run. What
//! waits by tokio's clock needs no seam: a simulation pauses it. Nothing of the bot blocks a thread
//! for long, so there is no pool to hand in.

mod chance;
mod clock;
mod network;

use chrono::{DateTime, Utc};

pub use network::{Failure, Network, Pending, Stream};
pub(crate) use {
    chance::Chance,
    clock::{Clock, Moment},
    network::{Net, Web},
};

/// The handles, cheap to clone; the machine's own by default.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) net: Net,
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
}
