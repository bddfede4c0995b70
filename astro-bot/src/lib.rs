//! The Astro bot worker: one Steam account, one session with the server.
//!
//! The worker keeps nothing on disk but its Steam refresh token and decides nothing about items:
//! the server says what to do, the worker does it on Steam, and reports what Steam shows. Before
//! it asks Steam to send items it waits for the server's decision; what Steam leaves unclear it
//! finds out by reading Steam again, never by trying a second time.

mod args;
mod backoff;
mod befriend;
mod bots_folder;
mod causes;
mod config;
mod confirm;
mod crash;
mod decide;
#[cfg(test)]
mod decide_tests;
mod deliver;
mod desk;
mod donate;
mod fleet;
mod frames;
mod lease;
mod link;
mod outbox;
mod outside;
mod pace;
mod pem_file;
mod poller;
mod probe;
mod remedy;
mod run;
mod search;
mod secret;
mod server_address;
mod steam;
mod stock;
mod supervise;
mod sweep;
mod verdict;
mod withdraw;

pub use args::Args;
pub use bots_folder::{BotFlags, bot_flags};
pub use config::Config;
pub use fleet::{Member, run_all};
pub use outside::{Failure, Network, Outside, Pending, Stream};
pub use pace::Pace;
pub use probe::Probe;
pub use run::run;
pub use secret::Secret;
pub use steam::{Account, AppContext};
