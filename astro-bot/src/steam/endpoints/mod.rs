//! What the bot asks of Steam: each file is about one kind of thing.

mod client;
mod confirmations;
mod econ;
mod friends;
mod history;
mod inventory;
mod offers;
mod users;

pub(crate) use {
    client::{Settings, Steam},
    confirmations::{Confirmation, TRADE_OFFER},
    econ::{Hold, OffersQuery},
    friends::{FriendList, Relationship},
    inventory::InventoryPage,
    offers::NewOffer,
    users::Profile,
};
