//! The Astro server.
//!
//! Reading order, from the ground up: `kernel` (the vocabulary), `db` (the database), `jobs` (work on a
//! schedule); `events` (the log every write appends to), `auth` (who calls), `orgs`, `users`, `edge`
//! (how calls travel); then what is about Steam: `bots`, `items`, `assignments`, `donations`, `sync`,
//! `sessions` (the stream with the bots), `reports` (counts); and `serve`, which mounts them.
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
pub mod metrics;
pub mod orgs;
pub mod outside;
pub mod private;
pub mod reports;
pub mod serve;
pub mod sessions;
pub mod supervise;
pub mod sync;
pub mod users;
pub mod wire;

pub use config::Config;
pub use serve::Server;
