//! The end-to-end tests, in reading order.

#![allow(clippy::unwrap_used, reason = "all of it is tests")]

mod access;
mod bots;
mod canaries;
mod clocks;
mod columns;
mod connections;
mod console;
mod contract;
mod crashes;
mod database;
mod deliveries;
mod donations;
mod events;
mod evidence;
mod failures;
mod figures;
mod heirs;
mod history;
mod http;
mod idempotency;
mod input;
mod invites;
mod jobs;
mod limits;
mod log;
mod log_pages;
mod oddities;
mod offers;
mod orgs;
mod outages;
mod pages;
mod panics;
mod parts;
mod people;
mod plans;
mod promises;
mod puppet;
mod races;
mod rates;
mod remedies;
mod reports;
mod requests;
mod reversals;
mod rights;
mod secrets;
mod seeds;
mod sessions;
mod shutdown;
mod sign_ins;
mod sourcemod;
mod stacks;
mod statements;
mod steam_faults;
mod stock;
mod story;
mod strangers;
mod syncs;
mod tenancy;
mod tidy;
mod tls;
mod tour;
mod world;

/// `astro-node`: the project's programs as processes.
const NODE: &str = env!("CARGO_BIN_EXE_astro-node");
