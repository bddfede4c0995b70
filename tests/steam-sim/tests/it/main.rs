//! Drives the simulator over HTTPS, as a client of Steam would.

#![allow(clippy::unwrap_used, reason = "clippy knows test functions, not the code they share")]

mod client;

mod confirmations;
mod control;
mod faults;
mod inventory;
mod login;
mod offers;
mod people;
mod strict;
mod trades;
