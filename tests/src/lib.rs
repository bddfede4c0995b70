//! Support of the end-to-end tests: a whole Astro with a simulated Steam, on either database.

mod app;
mod crew;
mod database;
pub mod fill;
mod fold;
mod missing;
mod node;
mod pgbouncer;
pub mod postgres;
mod raw;
mod relay;
mod scene;
mod second;
pub mod sql;
pub mod witness;
mod worker;

pub use app::{App, DEADLINE};
pub use crew::FurtherBot;
pub use database::Backend;
pub use fold::{fact, fold};
pub use missing::not_run;
pub use node::Node;
pub use pgbouncer::PgBouncer;
pub use raw::{BareBytes, Raw};
pub use relay::Relay;
pub use second::SecondServer;
pub use worker::{Worker, fast_pace};
