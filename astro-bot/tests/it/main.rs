//! Whole sessions: the bot between a scripted server and a simulated Steam.

#![allow(clippy::unwrap_used, reason = "a test fails where its world is not as it should be")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test names the frames it waits for")]

#[cfg(feature = "crash-points")]
mod crashes;
mod deliveries;
mod donations;
mod doubts;
mod inventories;
mod links;
mod logins;
mod processes;
mod server;
mod stage;
