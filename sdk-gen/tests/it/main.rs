//! The generator against small contracts in temporary folders.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod drift;
mod go;
mod java;
mod languages;
mod openapi;
mod proto;
mod python;
mod rules;
mod rust;
mod sourcepawn;
mod tools;
mod typescript;
