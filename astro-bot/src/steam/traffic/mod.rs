//! How requests reach Steam: when, with which headers, over which connection.

mod gate;
#[cfg(test)]
mod gate_tests;
mod headers;
mod host;
mod http;
pub(super) mod maintenance;
mod tls;

pub(crate) use {
    gate::{Addresses, Lane},
    http::{Http, Request, Settings},
};
