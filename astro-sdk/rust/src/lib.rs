//! Rust SDK for Astro.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use astro_sdk::Client;
//! use astro_sdk::v1::GetItemRequest;
//!
//! // Reads ASTRO_ENDPOINT and ASTRO_API_KEY.
//! let client = Client::from_env()?;
//! let request = GetItemRequest { item_id: "0199…".into() };
//! match client.items().get_item(request).await.map_err(astro_sdk::Error::from) {
//!     Ok(response) => println!("{:?}", response.into_inner().item),
//!     Err(error) if error.reason == "ITEM_NOT_FOUND" => println!("no such item"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`v1`] are the messages and services, [`Client`] connects to them and sends again
//! what may be sent again, [`Error`] is what they answer when they refuse, [`steam`] parses the
//! identifiers that people type.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod error;
pub mod methods;
pub mod steam;

#[cfg(feature = "client")]
pub use client::connection::Connection;
#[cfg(feature = "client")]
pub use client::follow::pages;
#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, ConfigError, DEFAULT_ENDPOINT, new_request_id};
#[cfg(feature = "client")]
pub use error::{Error, FieldViolation};
pub use tonic::Code;

/// The public API, generated from `proto/astro/v1`.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    rustdoc::all,
    unreachable_pub,
    reason = "generated code"
)]
pub mod v1 {
    include!("gen/astro.v1.rs");
}

/// The protocol between the server and the bot workers.
#[cfg(feature = "bot")]
pub mod bot {
    /// Generated from `proto/astro/bot/v1`.
    #[allow(
        clippy::all,
        clippy::pedantic,
        clippy::wildcard_enum_match_arm,
        missing_docs,
        rustdoc::all,
        unreachable_pub,
        reason = "generated code"
    )]
    pub mod v1 {
        include!("gen/astro.bot.v1.rs");
    }
}

/// The whole contract as a serialised `google.protobuf.FileDescriptorSet`, with its options and
/// comments: for server reflection and dynamic clients.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/astro.fds");
