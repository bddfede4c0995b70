//! The Steam session: an access token that is renewed before it ends, by one caller at a time.

pub(super) mod guard;
mod login;
#[cfg(test)]
mod reader_tests;
mod time;
mod token_file;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    backoff::Ration,
    outside::{Chance, Outside},
    pace::Pace,
    secret::Secret,
    steam::{
        traffic::{Http, maintenance},
        wire::{Signal, SteamId, loose},
    },
};
pub use login::Account;
use login::Tokens;
use time::SteamTime;
use token_file::{Stamp, TokenFile};

/// A token is renewed this long before it ends.
const RENEW_AHEAD_SECONDS: i64 = 300;
/// Codes in a row that Steam calls wrong, until the shared secret counts as wrong. One may be late.
const WRONG_CODES_MAX: u32 = 2;

/// Who logs in, and how.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The account; that of the refresh token when not set.
    pub(crate) steam_id: Option<u64>,
    pub(crate) account: Option<Account>,
    /// Log in with the account's password when there is no valid refresh token.
    pub(crate) password_login: bool,
    pub(crate) refresh_token_file: Option<PathBuf>,
}

/// What a request needs of the session.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) steam_id: SteamId,
    pub(crate) token: Secret,
    /// Made by the client; a POST must repeat it.
    session_id: Secret,
    expires: i64,
    obtained: i64,
    generation: u64,
}

impl Access {
    /// What a POST to the community's site must repeat.
    pub(crate) fn session_id(&self) -> String {
        self.session_id.expose().to_owned()
    }

    /// The cookies of a request to the community's site.
    pub(crate) fn cookie(&self) -> String {
        format!(
            "sessionid={}; steamLoginSecure={}%7C%7C{}; Steam_Language=english; timezoneOffset=0,0",
            self.session_id.expose(),
            self.steam_id,
            self.token.expose()
        )
    }
}

/// The claims of a token that matter here.
#[derive(Debug, Deserialize, PartialEq)]
struct Claims {
    #[serde(deserialize_with = "loose::u64")]
    sub: u64,
    /// 0 if the token does not tell.
    #[serde(default, deserialize_with = "loose::i64")]
    exp: i64,
}

/// The session of one account.
#[derive(Debug)]
pub(crate) struct Session {
    http: Arc<Http>,
    time: SteamTime,
    chance: Chance,
    steam_id: Option<SteamId>,
    account: Option<Account>,
    password_login: bool,
    token_file: Option<TokenFile>,
    cooldown: Duration,
    renew_every: Duration,
    /// End of the refresh token, 0 while it is not known.
    token_ends_at: AtomicI64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Option<Arc<Access>>,
    generation: u64,
    /// The token when there is no file, or when it could not be written.
    refresh: Option<Secret>,
    /// A refresh token that Steam does not take any more: it is not asked again.
    revoked: Option<Secret>,
    obtained_at: Option<Instant>,
    /// Somebody thinks that a fresh session would help.
    renewal_wanted: bool,
    /// Until when nothing is tried, and why.
    failed: Option<(Instant, Signal)>,
    /// What only a person can mend, and how the token file looked then: nothing is tried until it
    /// looks different.
    stuck: Option<(Stamp, Signal)>,
    logins: Ration,
    wrong_codes: u32,
}

impl Session {
    /// Prepares the session; asks Steam nothing yet.
    ///
    /// # Errors
    /// A token file that others can read, or a shared secret that is none.
    pub(crate) fn new(
        settings: Settings,
        http: Arc<Http>,
        pace: &Pace,
        outside: &Outside,
    ) -> anyhow::Result<Self> {
        let Settings { steam_id, account, password_login, refresh_token_file } = settings;
        if let Some(account) = &account {
            guard::login_code(&account.shared_secret, 0)
                .context("the shared secret is of no use")?;
        }
        let session = Self {
            time: SteamTime::new(Arc::clone(&http), outside.clock.clone(), pace.time_sync),
            http,
            chance: outside.chance.clone(),
            steam_id: steam_id.map(SteamId),
            account,
            password_login,
            token_file: refresh_token_file.map(TokenFile::new).transpose()?,
            cooldown: pace.login_cooldown,
            renew_every: pace.session_renewal,
            token_ends_at: AtomicI64::new(0),
            state: Mutex::new(State {
                current: None,
                generation: 0,
                refresh: None,
                revoked: None,
                obtained_at: None,
                renewal_wanted: false,
                failed: None,
                stuck: None,
                logins: Ration::new(pace.login_retry_first, pace.login_retry_cap, &outside.chance),
                wrong_codes: 0,
            }),
        };
        if let Some(claims) = session.stored_claims() {
            session.token_ends_at.store(claims.exp, Ordering::Relaxed);
        }
        Ok(session)
    }

    /// The account, if it can be told without asking Steam.
    pub(crate) fn steam_id(&self) -> Option<SteamId> {
        self.steam_id.or_else(|| self.stored_claims().map(|claims| SteamId(claims.sub)))
    }

    /// When the refresh token ends, if that is known: Unix seconds.
    pub(crate) fn token_ends_at(&self) -> Option<i64> {
        Some(self.token_ends_at.load(Ordering::Relaxed)).filter(|ends_at| *ends_at != 0)
    }

    /// The valid session; renews it or logs in if need be. Whoever comes meanwhile waits.
    ///
    /// # Errors
    /// `Signal::NoSession`, or why Steam could not be asked; the same again while it is too early
    /// to try again, or until a person has done something.
    pub(crate) async fn access(&self) -> Result<Arc<Access>, Signal> {
        let mut state = self.state.lock().await;
        if let Some((stamp, signal)) = &state.stuck {
            if *stamp == self.stamp() {
                return Err(signal.clone());
            }
            tracing::info!("The file of the refresh token has changed: trying again");
            (state.stuck, state.failed, state.revoked) = (None, None, None);
        }
        if let Some(current) = &state.current
            && self.is_fresh(current, &state)
        {
            return Ok(Arc::clone(current));
        }
        let waiting = state.failed.as_ref().filter(|(until, _)| Instant::now() < *until);
        let signal = match waiting {
            Some((_, signal)) => signal.clone(),
            None => {
                // Before the file is read: what is put there from now on is a change.
                let stamp = self.stamp();
                match self.obtain(&mut state).await {
                    Ok(access) => {
                        (state.failed, state.renewal_wanted) = (None, false);
                        state.obtained_at = Some(Instant::now());
                        state.current = Some(Arc::clone(&access));
                        tracing::info!("The Steam session of {} is open", access.steam_id);
                        return Ok(access);
                    }
                    Err(signal) => {
                        self.note(&mut state, stamp, &signal);
                        signal
                    }
                }
            }
        };
        // Renewed early: the old token serves until its end.
        match &state.current {
            Some(current) if current.expires > self.http.now() => Ok(Arc::clone(current)),
            Some(_) | None => Err(signal),
        }
    }

    /// Reads Steam's clock again if that is due.
    pub(crate) async fn keep_time(&self) {
        self.time.refresh().await;
    }

    /// Has Steam's clock read again at its next use.
    pub(crate) async fn doubt_time(&self) {
        self.time.doubt().await;
    }

    /// Gives this session up after Steam refused it, unless somebody did so already.
    ///
    /// # Errors
    /// `Signal::LoggedOut` if the session is so young that another one would not help.
    pub(crate) async fn give_up(&self, stale: &Access) -> Result<(), Signal> {
        let mut state = self.state.lock().await;
        if state.generation != stale.generation {
            return Ok(());
        }
        if state.obtained_at.is_some_and(|at| at.elapsed() < self.cooldown) {
            return Err(Signal::LoggedOut);
        }
        state.current = None;
        Ok(())
    }

    /// Has the next request renew this session, unless it is younger than the cool-down. Until that
    /// succeeds it goes on.
    pub(crate) async fn renew(&self) {
        self.state.lock().await.renewal_wanted = true;
    }

    /// Whether there is no reason to renew yet.
    fn is_fresh(&self, access: &Access, state: &State) -> bool {
        // Another one would be no better, whatever the clocks say.
        if state.obtained_at.is_some_and(|at| at.elapsed() < self.cooldown) {
            return true;
        }
        if state.renewal_wanted {
            return false;
        }
        let now = self.http.now();
        let age = u64::try_from(now.saturating_sub(access.obtained)).unwrap_or(0);
        access.expires.saturating_sub(RENEW_AHEAD_SECONDS) > now && age < self.renew_every.as_secs()
    }

    /// Notes a failure: how long nothing is tried again.
    fn note(&self, state: &mut State, stamp: Stamp, signal: &Signal) {
        if let Signal::NoSession { operator_needed: true, text } = signal {
            tracing::error!("A person must act before the bot can use Steam again: {text}");
            (state.current, state.stuck) = (None, Some((stamp, signal.clone())));
            return;
        }
        if maintenance::is_on(self.http.now()) {
            tracing::info!("No Steam session during the maintenance: {signal}");
        } else {
            tracing::warn!("Could not open the Steam session: {signal}");
        }
        let now = Instant::now();
        let until = match signal {
            // Whether the host is there, `Traffic` knows.
            Signal::NotConnected(_)
            | Signal::Lost(_)
            | Signal::Limited { .. }
            | Signal::Away
            | Signal::Unleased(_)
            | Signal::Spent => None,
            // Too many logins: minutes at first, then hours.
            Signal::EResult { code: 84 | 87, .. } => {
                state.logins.take(now);
                Some(state.logins.due(now))
            }
            Signal::NoSession { .. }
            | Signal::LoggedOut
            | Signal::Http { .. }
            | Signal::EResult { .. }
            | Signal::Said(_)
            | Signal::Garbled(_) => Some(now + self.cooldown),
        };
        state.failed = until.map(|until| (until, signal.clone()));
    }

    async fn obtain(&self, state: &mut State) -> Result<Arc<Access>, Signal> {
        self.time.refresh().await;
        let tokens = match self.renewed(state).await? {
            Some(tokens) => tokens,
            None => self.logged_in(state).await?,
        };
        let Some(claims) = claims(&tokens.access) else {
            return Err(Signal::Garbled("the access token is none".to_owned()));
        };
        self.check_account(claims.sub)?;
        if let Some(refresh) = &tokens.refresh {
            self.keep(state, refresh);
        }
        state.generation += 1;
        let obtained = self.http.now();
        let day = i64::try_from(self.renew_every.as_secs()).unwrap_or(i64::MAX);
        let expires = if claims.exp == 0 { obtained.saturating_add(day) } else { claims.exp };
        Ok(Arc::new(Access {
            steam_id: SteamId(claims.sub),
            token: Secret::new(tokens.access),
            session_id: self.session_id()?,
            expires,
            obtained,
            generation: state.generation,
        }))
    }

    /// New tokens for the refresh token; none if there is no live one.
    async fn renewed(&self, state: &mut State) -> Result<Option<Tokens>, Signal> {
        let stored = self.token_file.as_ref().and_then(TokenFile::read);
        let Some(refresh) = stored.or_else(|| state.refresh.clone()) else {
            return Ok(None);
        };
        if state.revoked.as_ref() == Some(&refresh) {
            return Ok(None);
        }
        let Some(claims) = claims(refresh.expose()) else {
            tracing::error!("The stored refresh token is not a token");
            return Ok(None);
        };
        self.check_account(claims.sub)?;
        self.token_ends_at.store(claims.exp, Ordering::Relaxed);
        if claims.exp != 0 && claims.exp <= self.http.now() {
            tracing::error!("The Steam refresh token has ended");
            return Ok(None);
        }
        match login::renew(&self.http, refresh.expose(), claims.sub).await {
            Ok(tokens) => Ok(Some(tokens)),
            // Revoked: asking again will not help.
            Err(
                Signal::EResult { code: 5 | 9 | 15 | 27, .. } | Signal::Http { status: 401, .. },
            ) => {
                tracing::error!("Steam has revoked the refresh token");
                state.revoked = Some(refresh);
                Ok(None)
            }
            Err(signal) => Err(signal),
        }
    }

    /// Logs in with the password, if that is allowed and not too early.
    async fn logged_in(&self, state: &mut State) -> Result<Tokens, Signal> {
        let Some(account) = self.account.as_ref().filter(|_| self.password_login) else {
            return Err(needs_operator(&self.what_is_missing()));
        };
        let now = Instant::now();
        let due = state.logins.due(now);
        if due > now {
            let text = "it is too early for another login with the password".to_owned();
            return Err(Signal::NoSession { operator_needed: false, text });
        }
        let key = login::password_key(&self.http, account).await?;
        state.logins.take(now);
        let result = login::log_in(&self.http, account, &key, &self.time, &self.chance).await;
        let again = "and start the bot again";
        match result {
            Ok(tokens) => {
                state.wrong_codes = 0;
                Ok(tokens)
            }
            Err(Signal::EResult { code: 5, .. }) => Err(needs_operator(&format!(
                "Steam calls the account name or the password wrong: correct them {again}"
            ))),
            Err(Signal::EResult { code: code @ (15 | 17), .. }) => Err(needs_operator(&format!(
                "Steam denies the login ({code}): look at the account in Steam's own app {again}"
            ))),
            Err(signal @ Signal::EResult { code: 65 | 88, .. }) => {
                state.wrong_codes += 1;
                if state.wrong_codes < WRONG_CODES_MAX {
                    return Err(signal);
                }
                Err(needs_operator(&format!(
                    "Steam calls the authenticator's codes wrong: correct the shared secret {again}"
                )))
            }
            Err(signal) => Err(signal),
        }
    }

    /// What a person can do about a refresh token that is absent or dead.
    fn what_is_missing(&self) -> String {
        let token = match &self.token_file {
            Some(file) => format!("put a new one into {}", file.path().display()),
            None => "give a file with one".to_owned(),
        };
        let password = match &self.account {
            Some(_) => "allow the login with the password",
            None => "give the account's name, password and shared secret",
        };
        format!("there is no valid refresh token: {token}, or {password} and start the bot again")
    }

    fn check_account(&self, steam_id: u64) -> Result<(), Signal> {
        match self.steam_id {
            Some(expected) if expected.0 != steam_id => Err(needs_operator(&format!(
                "the token is of account {steam_id}, not of {expected}: use the token of {expected}, \
                 or correct the SteamID and start the bot again"
            ))),
            Some(_) | None => Ok(()),
        }
    }

    fn stored_claims(&self) -> Option<Claims> {
        claims(self.token_file.as_ref()?.read()?.expose())
    }

    fn stamp(&self) -> Stamp {
        self.token_file.as_ref().map(TokenFile::stamp).unwrap_or_default()
    }

    /// 24 random hexadecimal digits.
    fn session_id(&self) -> Result<Secret, Signal> {
        let bytes: [u8; 12] =
            self.chance.bytes().map_err(|error| Signal::NotConnected(error.to_string()))?;
        Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
    }

    fn keep(&self, state: &mut State, refresh: &str) {
        state.refresh = Some(Secret::new(refresh));
        let ends_at = claims(refresh).map_or(0, |claims| claims.exp);
        self.token_ends_at.store(ends_at, Ordering::Relaxed);
        if let Some(file) = &self.token_file
            && let Err(error) = file.write(refresh)
        {
            tracing::error!("Could not write {}: {error}", file.path().display());
        }
    }
}

fn needs_operator(text: &str) -> Signal {
    Signal::NoSession { operator_needed: true, text: text.to_owned() }
}

/// Reads a token's claims without checking its signature, which only Steam can.
fn claims(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_and_the_end_are_read_from_a_token() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"76561197961265729","exp":1700000000}"#);
        let token = format!("e30.{payload}.sig");
        let seen = claims(&token);
        assert_eq!(seen, Some(Claims { sub: 76_561_197_961_265_729, exp: 1_700_000_000 }));
        for none in ["nonsense", "", ".", "a.b.c", "a.bnVsbA.c", "a.W10.c", "a.eyJzdWIiOltdfQ.c"] {
            assert_eq!(claims(none), None, "{none}");
        }
    }
}
