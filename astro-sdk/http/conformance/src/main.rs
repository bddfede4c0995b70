//! The conformance driver of HTTP and JSON: what the Rust SDK does, with nothing but HTTP/1.1 and
//! JSON on the wire, so that whatever an SDK promises can be had by these.
//!
//! Reading order: [`gateway`] stands between the SDK's client and the server; [`request`] writes
//! gRPC calls as HTTP, [`connection`] sends them, [`answer`], [`error`] and [`stream`] read what
//! comes back.

mod answer;
mod connection;
mod contract;
mod error;
mod gateway;
mod request;
mod stream;

use astro_sdk::{Client, ConfigError};
use astro_sdk_driver::{Given, Kind, drive};

use connection::Way;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    drive(Kind { language: "http", open }).await;
}

/// A client of the SDK that calls a gateway in this process, which calls the server.
fn open(given: Given) -> Result<Client, ConfigError> {
    // What is wrong with the settings the SDK says.
    given.builder.clone().build()?;
    let way = Way::new(&given)?;
    let gateway = gateway::start(way)
        .map_err(|error| ConfigError::EndpointInvalid(format!("no gateway: {error:#}")))?;
    given.builder.endpoint(gateway).build()
}
