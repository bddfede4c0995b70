//! The client against a server that answers from a script.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod follow;
mod keys;
mod pages;
mod script;
mod tls;
