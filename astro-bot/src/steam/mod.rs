//! A thin client of Steam's web: what the bot needs and no more. It has floors, and each of them
//! imports only those beneath it: `wire`, `traffic`, `session`, `endpoints`.

mod endpoints;
mod session;
mod traffic;
mod wire;

#[cfg(test)]
pub(crate) use wire::Signal;
pub(crate) use {
    endpoints::{
        Confirmation, FriendList, Hold, InventoryPage, NewOffer, OffersQuery, Profile,
        Relationship, Settings, Steam, TRADE_OFFER,
    },
    session::Settings as SessionSettings,
    traffic::{Addresses, Settings as TrafficSettings},
    wire::{
        ActError, Asset, AssetKey, Cause, Class, Description, MovedAsset, Offer, OfferId,
        OfferState, OffersPage, Reason, SendError, SteamError, SteamId, Trade, TradeId,
        TradeStatus, TradeToken,
    },
};
pub use {session::Account, wire::AppContext};
