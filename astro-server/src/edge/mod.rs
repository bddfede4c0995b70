//! Where calls come in: the only place, beside each `service.rs` and what mounts them, that knows how
//! they travel. Behind it are plain messages and a [`Caller`](crate::kernel::Caller).
mod admit;
mod call;
mod connections;
mod deadline;
mod door;
pub mod figures;
mod guesses;
pub mod health;
mod intake;
pub mod limits;
mod listen;
mod measure;
mod origin;
pub mod otlp;
mod rates;
mod refusals;
mod serve;
mod stack;
mod status;
pub mod tls;
mod ways;

pub use admit::Admit;
pub use call::{call, unary};
pub use connections::Connections;
pub use guesses::Guesses;
pub use intake::Intake;
pub use listen::{Listener, raise_file_limit, room};
pub use origin::{Network, Proxies};
pub use rates::Rate;
pub use serve::serve;
pub use stack::stack;
pub use ways::ways;
