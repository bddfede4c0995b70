//! Rust SDK for Astro.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use astro_sdk::Client;
//! use astro_sdk::v1::{ErrorReason, GetItemRequest};
//!
//! // Reads ASTRO_ENDPOINT and ASTRO_API_KEY.
//! let client = Client::from_env()?;
//! let request = GetItemRequest { item_id: "0199…".into() };
//! match client.items().get(request).await {
//!     Ok(response) => println!("{:?}", response.item),
//!     Err(error) if error.is(ErrorReason::ItemNotFound) => println!("no such item"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`Client`] connects and gives the [`services`], one method for each RPC; a method
//! gives a [`Call`], a [`List`] or a [`Watch`]; [`v1`] has the messages; [`Error`] is what a refused
//! call answers; [`steam`] parses the identifiers that people type. Beneath: [`rpc`] ties each
//! request to its RPC, [`methods`] is the contract as a table, `client/connection.rs` sends again
//! what may be sent again.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "dynamic")]
pub mod dynamic;
#[cfg(feature = "client")]
mod error;
mod event_type;
pub mod methods;
#[cfg(feature = "client")]
pub mod rpc;
#[cfg(feature = "server")]
#[macro_use]
mod served;
#[cfg(feature = "client")]
pub mod services;
pub mod steam;
mod unknown;

#[cfg(feature = "client")]
pub use client::call::Call;
#[cfg(feature = "client")]
pub use client::connection::Connection;
#[cfg(feature = "client")]
pub use client::list::{List, Pages};
#[cfg(feature = "client")]
pub use client::watch::Watch;
#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, ConfigError, DEFAULT_ENDPOINT, new_request_id};
#[cfg(feature = "client")]
pub use error::{Error, FieldViolation, Refusal};
pub use event_type::EventType;
pub use tonic::Code;
pub use unknown::UnknownFields;

/// Version of this SDK.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

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

/// The fault service of the conformance runner.
#[cfg(feature = "testing")]
pub mod testing {
    /// Generated from `proto/astro/testing/v1`.
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
        include!("gen/astro.testing.v1.rs");
    }
}

/// The whole contract as a serialised `google.protobuf.FileDescriptorSet`, with its options and
/// comments: for server reflection and dynamic clients.
///
/// # Panics
/// Never: what is unpacked at the first call is a part of this crate.
pub fn file_descriptor_set() -> &'static [u8] {
    static SET: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let packed = include_bytes!("gen/astro.fds.z");
        miniz_oxide::inflate::decompress_to_vec(packed).expect("the generator packed it")
    });
    &SET
}
