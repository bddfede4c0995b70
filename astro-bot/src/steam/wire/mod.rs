//! What Steam's answers mean: the lowest floor, which asks nobody for anything.

pub(super) mod answer;
mod error;
#[cfg(test)]
mod error_tests;
mod ids;
pub(super) mod loose;
mod objects;
mod odd;

pub use ids::AppContext;
pub(crate) use {
    answer::Answer,
    error::{ActError, Cause, Class, Purpose, Reason, SendError, Signal, SteamError},
    ids::{AssetKey, OfferId, SteamId, TradeId, TradeToken},
    objects::{
        ASSET, Asset, CLASS, Description, MovedAsset, Offer, OfferState, OffersPage, Trade,
        TradeStatus, Unread,
    },
    odd::{SetAside, Source},
};
