//! Clients of Steam which nobody here wrote, unmodified, against the simulator: see
//! `conformance/README.md`.

#![allow(clippy::unwrap_used, reason = "clippy knows test functions, not the code they share")]

mod client;
mod driver;
mod journeys;
mod stage;

mod npm;
mod pypi;
mod table;
