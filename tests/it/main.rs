//! The end-to-end tests, in reading order.

#![allow(clippy::unwrap_used, reason = "all of it is tests")]

mod access;
mod columns;
mod contract;
mod crashes;
mod database;
mod deliveries;
mod events;
mod idempotency;
mod input;
mod races;
mod requests;
mod sessions;
mod shutdown;
mod steam_faults;
mod story;
mod syncs;
mod tenancy;
mod tidy;
mod world;

/// `astro-node`: server and bot as processes.
const NODE: &str = env!("CARGO_BIN_EXE_astro-node");
