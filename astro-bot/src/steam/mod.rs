//! A thin client of Steam's web: what the bot needs and no more.

mod confirmations;
mod econ;
mod error;
#[cfg(test)]
mod error_tests;
mod friends;
mod guard;
mod headers;
mod history;
mod http;
mod ids;
mod inventory;
mod login;
mod maintenance;
mod objects;
mod odd;
mod offers;
#[cfg(test)]
mod reader_tests;
mod session;
mod time;
mod token_file;
mod traffic;
#[cfg(test)]
mod traffic_tests;
mod users;
mod wire;

use std::sync::{Arc, atomic::AtomicI64};

use anyhow::Context as _;

use crate::{
    config::{Config, Secret},
    lease::Warrant,
};
pub use ids::AppContext;
pub(crate) use {
    confirmations::{Confirmation, TRADE_OFFER},
    econ::{Hold, OffersQuery},
    error::{ActError, Cause, Class, Purpose, Reason, SendError, Signal, SteamError},
    friends::{FriendList, Relationship},
    ids::{AssetKey, OfferId, SteamId, TradeId, TradeToken},
    inventory::InventoryPage,
    objects::{Asset, Description, MovedAsset, Offer, OfferState, OffersPage, Trade, TradeStatus},
    offers::NewOffer,
    users::Profile,
};
use {
    http::{Answer, Http, Request},
    odd::{SetAside, Source},
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
    set_aside: SetAside,
}

impl Steam {
    /// Prepares the client; asks Steam nothing yet.
    ///
    /// # Errors
    /// A proxy, CA file, secret, token file or header profile that cannot be used.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        if let Some(secret) = &config.identity_secret {
            guard::confirmation_key(secret, 0, "").context("the identity secret is of no use")?;
        }
        let time = Arc::new(SteamTime::new(config.pace.time_sync));
        let http = Arc::new(Http::new(config, Arc::clone(&time))?);
        Ok(Self {
            session: Session::new(config, Arc::clone(&http), Arc::clone(&time))?,
            http,
            time,
            identity_secret: config.identity_secret.clone(),
            device_id: config.device_id.clone(),
            last_key_at: AtomicI64::new(0),
            set_aside: SetAside::default(),
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

    /// Has the next request open a fresh session, unless this one is new.
    pub(crate) async fn renew_session(&self) {
        self.session.renew().await;
    }

    /// Keeps the difference between Steam's clock and ours known.
    pub(crate) async fn keep_time(&self) {
        self.time.refresh(&self.http).await;
    }

    /// Whether Steam is in its weekly maintenance.
    pub(crate) fn in_maintenance(&self) -> bool {
        maintenance::is_on(self.now())
    }

    /// Why requests to one of Steam's hosts are held back now.
    pub(crate) fn trouble(&self) -> Option<SteamError> {
        self.http.trouble().map(SteamError::from)
    }

    /// Keeps what a reading of the trade offers set aside.
    pub(crate) fn note_odd_offers(&self, odd: Vec<String>) {
        self.set_aside.note(Source::Offers, odd);
    }

    /// What the last readings set aside because it makes no sense, in words; none if there is
    /// nothing.
    pub(crate) fn set_aside(&self) -> Option<String> {
        self.set_aside.words()
    }

    /// When the refresh token ends, Unix seconds, if that is known.
    pub(crate) fn token_ends_at(&self) -> Option<i64> {
        self.session.token_ends_at()
    }

    /// Performs a request within the session. If the session has ended, nothing was done: the next
    /// caller opens a new one, and what may be done twice is done again within it.
    ///
    /// A send is not. The server said go in one session of the bot, for one request; while the bot
    /// logs in again that may be over, and another worker may have sent the offer. So the attempt
    /// ends as not sent, and the server, which knows, orders another one with the same items.
    async fn call<T>(
        &self,
        purpose: Purpose,
        request: impl Fn(&Access) -> Request,
        read: impl Fn(&Answer) -> Result<T, Signal>,
    ) -> Result<T, Signal> {
        let access = self.session.access().await?;
        let first = self.once(request(&access).purpose(purpose), &read).await;
        let Err(signal) = &first else { return first };
        if !signal.wants_new_session(purpose) || self.session.give_up(&access).await.is_err() {
            return first;
        }
        match purpose {
            Purpose::Send => first,
            Purpose::Read | Purpose::Act => {
                let access = self.session.access().await?;
                self.once(request(&access).purpose(purpose), &read).await
            }
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
