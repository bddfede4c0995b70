//! A thin client of Steam's web: what the bot needs and no more.

mod confirmations;
mod econ;
mod error;
#[cfg(test)]
mod error_tests;
mod guard;
mod http;
mod ids;
mod inventory;
mod login;
mod objects;
mod offers;
mod session;
mod time;
mod wire;

use std::sync::{Arc, atomic::AtomicI64};

use anyhow::Context as _;

use crate::config::{Config, Secret};
pub use ids::AppContext;
pub(crate) use {
    confirmations::{Confirmation, TRADE_OFFER},
    econ::{Hold, OffersQuery, Profile},
    error::{ActError, Cause, Class, Purpose, Reason, SendError, Signal, SteamError},
    ids::{AssetKey, OfferId, SteamId, TradeId},
    inventory::InventoryPage,
    objects::{Asset, Description, MovedAsset, Offer, OfferState, OffersPage, Trade, TradeStatus},
    offers::NewOffer,
};
use {
    http::{Answer, Http, Request},
    session::{Access, Session},
    time::SteamTime,
};

/// Steam, as one account sees it.
#[derive(Debug)]
pub(crate) struct Steam {
    http: Arc<Http>,
    time: Arc<SteamTime>,
    session: Session,
    identity_secret: Option<Secret>,
    device_id: Option<String>,
    /// The moment of the last confirmation key: none is used twice.
    last_key_at: AtomicI64,
}

impl Steam {
    /// Prepares the client; asks Steam nothing yet.
    ///
    /// # Errors
    /// A proxy, CA file or identity secret that cannot be used.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        if let Some(secret) = &config.identity_secret {
            guard::confirmation_key(secret, 0, "").context("the identity secret is of no use")?;
        }
        let http = Arc::new(Http::new(config)?);
        let time = Arc::new(SteamTime::new(config.pace.time_sync));
        Ok(Self {
            session: Session::new(config, Arc::clone(&http), Arc::clone(&time)),
            http,
            time,
            identity_secret: config.identity_secret.clone(),
            device_id: config.device_id.clone(),
            last_key_at: AtomicI64::new(0),
        })
    }

    /// Steam's time, Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.time.now()
    }

    /// Steam's time when our clock shows `ours`, Unix seconds.
    pub(crate) fn time_at(&self, ours: i64) -> i64 {
        self.time.at(ours)
    }

    /// The account, if it is known without asking Steam.
    pub(crate) fn steam_id(&self) -> Option<SteamId> {
        self.session.steam_id()
    }

    /// The account; opens the session if need be.
    ///
    /// # Errors
    /// Why there is no session.
    pub(crate) async fn sign_in(&self) -> Result<SteamId, SteamError> {
        Ok(self.session.access().await?.steam_id)
    }

    /// Performs a request within the session. If the session has ended, nothing was done, and the
    /// request is made once more within a new one.
    async fn call<T>(
        &self,
        purpose: Purpose,
        request: impl Fn(&Access) -> Request,
        read: impl Fn(&Answer) -> Result<T, Signal>,
    ) -> Result<T, Signal> {
        let access = self.session.access().await?;
        let first = self.once(request(&access), &read).await;
        match first {
            Err(signal) if signal.wants_new_session(purpose) => {
                if self.session.give_up(&access).await.is_err() {
                    return Err(signal);
                }
                let access = self.session.access().await?;
                self.once(request(&access), &read).await
            }
            answered => answered,
        }
    }

    async fn once<T>(
        &self,
        request: Request,
        read: impl Fn(&Answer) -> Result<T, Signal>,
    ) -> Result<T, Signal> {
        read(&self.http.perform(request).await?)
    }
}
