//! The Steam session: an access token that is renewed before it ends, by one caller at a time.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::{
    error::Signal,
    http::Http,
    ids::SteamId,
    login::{self, Tokens},
    time::SteamTime,
    wire,
};
use crate::config::{Account, Config, Secret};

/// A token is renewed this long before it ends.
const RENEW_AHEAD_SECONDS: i64 = 300;
/// From this long before the refresh token ends, a person is warned.
const WARN_AHEAD_SECONDS: i64 = 14 * 86_400;

/// What a request needs of the session.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) steam_id: SteamId,
    pub(crate) token: Secret,
    /// Made by the client; a POST must repeat it.
    pub(crate) session_id: String,
    expires: i64,
    generation: u64,
}

impl Access {
    /// The cookies of a request to the community's site.
    pub(crate) fn cookie(&self) -> String {
        format!(
            "sessionid={}; steamLoginSecure={}%7C%7C{}; Steam_Language=english; timezoneOffset=0,0",
            self.session_id,
            self.steam_id,
            self.token.expose()
        )
    }
}

/// The claims of a token that matter here.
#[derive(Debug, Deserialize, PartialEq)]
struct Claims {
    #[serde(deserialize_with = "wire::u64")]
    sub: u64,
    #[serde(default, deserialize_with = "wire::i64")]
    exp: i64,
}

/// The session of one account.
#[derive(Debug)]
pub(crate) struct Session {
    http: Arc<Http>,
    time: Arc<SteamTime>,
    steam_id: Option<SteamId>,
    account: Option<Account>,
    token_file: Option<PathBuf>,
    cooldown: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Arc<Access>>,
    generation: u64,
    /// The token when there is no file, or when it could not be written.
    refresh: Option<Secret>,
    obtained_at: Option<Instant>,
    failed: Option<(Instant, Signal)>,
}

impl Session {
    pub(crate) fn new(config: &Config, http: Arc<Http>, time: Arc<SteamTime>) -> Self {
        Self {
            http,
            time,
            steam_id: config.steam_id.map(SteamId),
            account: config.account.clone(),
            token_file: config.refresh_token_file.clone(),
            cooldown: config.pace.login_cooldown,
            state: Mutex::default(),
        }
    }

    /// The account, if it can be told without asking Steam.
    pub(crate) fn steam_id(&self) -> Option<SteamId> {
        let stored = || self.stored_token().and_then(|token| claims(token.expose()));
        self.steam_id.or_else(|| stored().map(|claims| SteamId(claims.sub)))
    }

    /// The valid session; renews it or logs in if need be. Whoever comes meanwhile waits.
    ///
    /// # Errors
    /// `Signal::NoSession`, or why Steam could not be asked; the same again during the cool-down.
    pub(crate) async fn access(&self) -> Result<Arc<Access>, Signal> {
        let mut state = self.state.lock().await;
        if let Some(current) = &state.current
            && current.expires - RENEW_AHEAD_SECONDS > self.time.now()
        {
            return Ok(Arc::clone(current));
        }
        if let Some((at, signal)) = &state.failed
            && at.elapsed() < self.cooldown
        {
            return Err(signal.clone());
        }
        match self.obtain(&mut state).await {
            Ok(access) => {
                state.failed = None;
                state.obtained_at = Some(Instant::now());
                state.current = Some(Arc::clone(&access));
                tracing::info!("The Steam session of {} is open", access.steam_id);
                Ok(access)
            }
            Err(signal) => {
                tracing::warn!("Could not open the Steam session: {signal}");
                // A lost connection needs no cool-down; a refused login does.
                let lost = matches!(signal, Signal::NotConnected(_) | Signal::Lost(_));
                state.failed = (!lost).then(|| (Instant::now(), signal.clone()));
                Err(signal)
            }
        }
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

    async fn obtain(&self, state: &mut State) -> Result<Arc<Access>, Signal> {
        self.time.refresh(&self.http).await;
        let tokens = match self.renewed(state).await? {
            Some(tokens) => tokens,
            None => self.logged_in().await?,
        };
        if let Some(refresh) = &tokens.refresh {
            self.keep(state, refresh);
        }
        let Some(claims) = claims(&tokens.access) else {
            return Err(Signal::Garbled("the access token is none".to_owned()));
        };
        self.check_account(claims.sub)?;
        state.generation += 1;
        Ok(Arc::new(Access {
            steam_id: SteamId(claims.sub),
            token: Secret::new(tokens.access),
            session_id: session_id()?,
            expires: claims.exp,
            generation: state.generation,
        }))
    }

    /// New tokens for the refresh token; none if there is no live one.
    async fn renewed(&self, state: &State) -> Result<Option<Tokens>, Signal> {
        let Some(refresh) = self.stored_token().or_else(|| state.refresh.clone()) else {
            return Ok(None);
        };
        let Some(claims) = claims(refresh.expose()) else {
            tracing::error!("The stored refresh token is not a token");
            return Ok(None);
        };
        self.check_account(claims.sub)?;
        let left = claims.exp - self.time.now();
        if claims.exp != 0 && left <= 0 {
            tracing::error!("The Steam refresh token has ended");
            return Ok(None);
        }
        if claims.exp != 0 && left < WARN_AHEAD_SECONDS {
            tracing::warn!("The Steam refresh token ends in {} days", left / 86_400);
        }
        match login::renew(&self.http, refresh.expose(), claims.sub).await {
            Ok(tokens) => Ok(Some(tokens)),
            // Revoked: asking again will not help.
            Err(
                Signal::EResult { code: 5 | 9 | 15 | 27, .. }
                | Signal::Http { status: 401 | 403, .. },
            ) => {
                tracing::error!("Steam has revoked the refresh token");
                Ok(None)
            }
            Err(signal) => Err(signal),
        }
    }

    async fn logged_in(&self) -> Result<Tokens, Signal> {
        let Some(account) = &self.account else {
            return Err(needs_operator("there is no valid refresh token and no password"));
        };
        match login::log_in(&self.http, account, &self.time).await {
            Ok(tokens) => Ok(tokens),
            Err(Signal::EResult { code: 5, .. }) => Err(needs_operator("the password is wrong")),
            Err(signal) => Err(signal),
        }
    }

    fn check_account(&self, steam_id: u64) -> Result<(), Signal> {
        match self.steam_id {
            Some(expected) if expected.0 != steam_id => Err(needs_operator(&format!(
                "the token is of account {steam_id}, not of {expected}"
            ))),
            Some(_) | None => Ok(()),
        }
    }

    fn stored_token(&self) -> Option<Secret> {
        let text = fs::read_to_string(self.token_file.as_ref()?).ok()?;
        Some(Secret::new(text.trim())).filter(|token| !token.expose().is_empty())
    }

    fn keep(&self, state: &mut State, refresh: &str) {
        state.refresh = Some(Secret::new(refresh));
        if let Some(path) = &self.token_file
            && let Err(error) = write_secret(path, refresh)
        {
            tracing::error!("Could not write {}: {error}", path.display());
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

/// 24 random hexadecimal digits.
fn session_id() -> Result<String, Signal> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes).map_err(|error| Signal::NotConnected(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Replaces a file that only its owner may read; after a crash it holds the old text or the new.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_account_and_the_end_are_read_from_a_token() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"76561197961265729","exp":1700000000}"#);
        let token = format!("e30.{payload}.sig");
        let seen = claims(&token);
        assert_eq!(seen, Some(Claims { sub: 76_561_197_961_265_729, exp: 1_700_000_000 }));
        assert_eq!(claims("nonsense"), None);
        assert_eq!(claims("a.b.c"), None);
    }

    #[test]
    fn a_token_file_is_replaced_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        write_secret(&path, "one").unwrap();
        write_secret(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
