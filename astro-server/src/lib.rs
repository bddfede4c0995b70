//! The Astro server.
//!
//! Reading order: `kernel` (the vocabulary), `db` (the database), `events` (the log every write
//! appends to), `auth` (who calls), then the slices: `orgs`, `users`, `bots`, `items`,
//! `assignments`, `donations`, `sync`, `sessions` (the stream with the bots). A slice has `mod.rs` (types and pure rules), `store.rs` (all
//! SQL on its tables), `ops.rs` (use cases, one transaction each) and `service.rs` (the wire).
pub mod admin_key;
pub mod assignments;
pub mod auth;
pub mod bots;
pub mod cli;
pub mod config;
pub mod crash;
pub mod db;
pub mod donations;
pub mod edge;
pub mod events;
pub mod items;
pub mod jobs;
pub mod kernel;
pub mod orgs;
pub mod private;
pub mod serve;
pub mod sessions;
pub mod supervise;
pub mod sync;
pub mod users;
pub mod wire;

pub use config::Config;
pub use serve::Server;
