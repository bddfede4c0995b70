//! The Astro bot worker: one Steam account, one session with the server.
//!
//! The worker keeps nothing on disk but its Steam refresh token and decides nothing about items:
//! the server says what to do, the worker does it on Steam, and reports what Steam shows. Before
//! it asks Steam to send items it waits for the server's decision; what Steam leaves unclear it
//! finds out by reading Steam again, never by trying a second time.

mod backoff;
mod befriend;
mod clock;
mod config;
mod confirm;
mod crash;
mod decide;
#[cfg(test)]
mod decide_tests;
mod deliver;
mod desk;
mod donate;
mod frames;
mod link;
mod outbox;
mod run;
mod search;
mod steam;
mod stock;
mod sweep;
mod verdict;
mod watch;
mod withdraw;

pub use config::{Account, Args, Config, Pace, Secret};
pub use run::run;
pub use steam::AppContext;
