//! The program `astro`, run as people run it, against a server that answers from a script.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assignments;
mod bots;
mod call;
mod connection;
mod errors;
mod events;
mod generated;
mod items;
mod manual;
mod orgs;
mod program;
mod stub;
