//! A local Steam: HTTPS, its own books, scripted people and faults.
//!
//! [`Sim::start`] opens three ports on 127.0.0.1: an HTTPS listener which answers for Steam's names,
//! a CONNECT proxy which leads there and nowhere else, and a control API in JSON. A client needs the
//! proxy's address and the authority's certificate, and nothing else. Tests which run in the same
//! process use the methods of [`Sim`] and [`Steam`] instead of the control API.
//!
//! ```
//! use std::time::Duration;
//!
//! use steam_sim::{Behaviour, ItemSpec, NewAccount, Options, Sim};
//!
//! # #[tokio::main]
//! # async fn main() -> anyhow::Result<()> {
//! let sim = Sim::start(Options::default()).await?;
//! let bot = sim.add_account(NewAccount::named("bot").behaving(Behaviour::ACCEPT))?;
//! let alice = sim.add_account(NewAccount::named("alice"))?;
//! let keys = sim.give_items(alice.steam_id, 440, 2, &[ItemSpec::named("Key")], 2);
//! sim.donate(alice.steam_id, bot.steam_id, &keys, "a gift")?;
//! sim.wait_for(|books| books.assets_of(bot.steam_id).len() == 2, Duration::from_secs(5)).await?;
//! assert!(sim.books().audit().is_empty());
//! # Ok(())
//! # }
//! ```

mod clock;
mod control;
mod core;
mod edge;
mod entropy;
mod faults;
mod guard;
mod http;
mod ids;
mod journal;
mod options;
mod proxy;
mod rsa;
mod scene;
mod server;
mod sim;
mod steam;
mod strict;
mod tls;
mod web;
mod world;

pub use clock::SimTime;
pub use edge::RateLimits;
pub use entropy::chance;
pub use faults::{Fault, FaultKind, LostAnswer, Matcher, When};
pub use guard::{confirmation_key, device_id, login_code};
pub use ids::{AssetId, ConfirmationId, OfferId, SteamId, TradeId};
pub use journal::JournalEntry;
pub use options::Options;
pub use scene::{GiveRequest, OfferRequest, Scene};
pub use sim::Sim;
pub use steam::{AccountChange, Hold, Steam};
pub use strict::EdgeRule;
pub use tls::HOSTS;
pub use world::accounts::{Account, EconomyBan, NewAccount, Standing};
pub use world::books::{Asset, AssetKey, Books, InventoryKey, Origin, PastHolding};
pub use world::class::{Class, ClassKey, ItemSpec};
pub use world::friends::{InviteRefusal, Relationship};
pub use world::offer_state::OfferState;
pub use world::offers::{
    MESSAGE_CHARS_MAX, OFFER_LIFETIME_SECS, OFFERS_PER_PARTNER_MAX, OFFERS_SENT_MAX, Offer,
    OfferItem,
};
pub use world::people::{Answer, Behaviour, InviteAnswer};
pub use world::quirks::{
    FOREVER, InventoryLie, InventoryQuirk, OfferLie, OfferMatcher, OfferQuirk,
};
pub use world::refusals::Refusal;
pub use world::trades::{Moved, Trade, TradeStatus};
