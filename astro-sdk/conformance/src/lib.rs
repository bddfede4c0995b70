//! Proves that every SDK behaves as `SPEC.md` says: scenarios against a real server, asked through
//! each language's driver, with failures on the way.
//!
//! Reading order: [`scenario`] reads the files, [`language`] knows how drivers are made, [`world`]
//! is the server, [`proxy`] the faults on the way to it, [`engine`] runs one scenario, [`suite`] all,
//! [`report`] says how it went. [`mutants`] plants faults that scenarios must notice.

pub mod api;
pub mod contract;
pub mod driver;
pub mod engine;
pub mod expect;
pub mod fault;
pub mod language;
pub mod mutants;
pub mod output;
pub mod planted;
pub mod proxy;
mod puppet;
pub mod report;
pub mod scenario;
pub mod serve;
pub mod suite;
pub mod world;

/// Whether a missing tool is an error.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
