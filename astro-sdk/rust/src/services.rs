//! The services of the API: what [`Client`] gives, one type each.

use crate::client::connection::{Connection, MESSAGE_BYTES_MAX};
use crate::{Call, Client, List, Watch, v1};

/// The generated gRPC clients, for what [`Client`] does not show: metadata of answers, streams as they
/// are. They speak tonic's types.
#[derive(Debug, Clone)]
pub struct Raw {
    connection: Connection,
}

impl Raw {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// The connection itself, with the key and the retries: for services that have no client here.
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }
}

include!("gen/services.rs");
