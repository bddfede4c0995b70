//! Drives the simulator over HTTPS, as a client of Steam would.

#![allow(clippy::unwrap_used, reason = "clippy knows test functions, not the code they share")]

mod client;

mod confirmations;
mod control;
mod counters;
mod edge;
mod faults;
mod friends;
mod inventory;
mod login;
mod notifications;
mod offers;
mod openid;
mod people;
mod protection;
mod quirks;
mod stacks;
mod standing;
mod strict;
mod trades;
