//! The client of one account: asks within the session.

use std::sync::{Arc, atomic::AtomicI64};

use anyhow::Context as _;

use crate::{
    outside::Outside,
    secret::Secret,
    steam::{
        session::{self, Access, Session, guard},
        traffic::{self, Http, Request, maintenance},
        wire::{Answer, Purpose, SetAside, Signal, Source, SteamError, SteamId},
    },
};

/// What the client is told by whoever makes it.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) traffic: traffic::Settings,
    pub(crate) session: session::Settings,
    /// Makes the keys of confirmations, base64.
    pub(crate) identity_secret: Option<Secret>,
    /// Device id of the authenticator; derived from the SteamID when not set.
    pub(crate) device_id: Option<String>,
}

/// Steam, as one account sees it.
#[derive(Debug)]
pub(crate) struct Steam {
    http: Arc<Http>,
    pub(super) session: Session,
    pub(super) identity_secret: Option<Secret>,
    pub(super) device_id: Option<String>,
    /// The moment of the last confirmation key: none is used twice.
    pub(super) last_key_at: AtomicI64,
    pub(super) set_aside: SetAside,
}

impl Steam {
    /// Prepares the client; asks Steam nothing yet.
    ///
    /// # Errors
    /// A proxy, CA file, secret, token file or header profile that cannot be used.
    pub(crate) fn new(settings: Settings, outside: &Outside) -> anyhow::Result<Self> {
        let Settings { traffic, session, identity_secret, device_id } = settings;
        if let Some(secret) = &identity_secret {
            guard::confirmation_key(secret, 0, "").context("the identity secret is of no use")?;
        }
        let pace = traffic.pace.clone();
        let http = Arc::new(Http::new(traffic, outside)?);
        Ok(Self {
            session: Session::new(session, Arc::clone(&http), &pace, outside)?,
            http,
            identity_secret,
            device_id,
            last_key_at: AtomicI64::new(0),
            set_aside: SetAside::default(),
        })
    }

    /// Steam's time, Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.http.now()
    }

    /// Steam's time when our clock shows `ours`, Unix seconds.
    pub(crate) fn time_at(&self, ours: i64) -> i64 {
        self.http.time_at(ours)
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
        self.session.keep_time().await;
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
    pub(super) async fn call<T>(
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

    pub(super) async fn once<T>(
        &self,
        request: Request,
        read: impl Fn(&Answer) -> Result<T, Signal>,
    ) -> Result<T, Signal> {
        read(&self.http.perform(request).await?)
    }
}

/// A request of the Web API within the session.
pub(super) fn api(endpoint: &'static str, access: &Access) -> Request {
    Request::api(endpoint).query("access_token", access.token.expose()).query("language", "english")
}
