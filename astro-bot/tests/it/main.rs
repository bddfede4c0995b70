//! Whole sessions: the bot between a scripted server and a simulated Steam.

#![allow(clippy::unwrap_used, reason = "a test fails where its world is not as it should be")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test names the frames it waits for")]

mod ambiguity;
mod confirmations;
#[cfg(feature = "crash-points")]
mod crashes;
mod deliveries;
mod donations;
mod doubts;
mod failures;
mod fleets;
mod friendships;
mod histories;
mod inventories;
mod limits;
mod links;
mod logins;
mod oddities;
mod polls;
mod processes;
mod recipients;
mod remedies;
mod secrets;
mod seeds;
mod server;
mod stage;
mod strangers;
