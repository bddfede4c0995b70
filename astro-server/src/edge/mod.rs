//! Where calls come in: the only place, beside each `service.rs` and what serves them, that knows how
//! they travel. Behind it are plain messages and a [`Caller`](crate::kernel::Caller).
mod call;
mod status;

pub use call::{call, unary};
