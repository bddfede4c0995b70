//! Limits, each with its reason.

/// Bytes of the address of a picture or a profile: Steam's have below 120.
pub const ADDRESS_BYTES_MAX: usize = 300;
/// Assets of one inventory: bounds the memory a session can take.
pub const INVENTORY_ASSETS_MAX: usize = 250_000;
/// Bytes that an inventory takes in memory while it comes in: so many assets with their names, and
/// some ten thousand different descriptions.
pub const INVENTORY_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Longest text taken from a bot; what is longer is cut, since it is only shown.
pub const TEXT_MAX: usize = 500;
/// Longest description of an asset, in bytes of JSON; a longer one is left out.
pub const METADATA_BYTES_MAX: usize = 8 * 1024;
/// Profiles in one event.
pub const PROFILES_MAX: usize = 100;
/// Trades in one event.
pub const TRADES_MAX: usize = 100;
/// Assets in one frame: an offer has at most a few hundred, a chunk of an inventory 500.
pub const ASSETS_MAX: usize = 1000;
