//! Logins under way, refresh tokens and access tokens.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::clock::SimTime;
use crate::entropy;
use crate::ids::SteamId;

/// A refresh token is replaced by a renewal only when it has less than this left.
const RENEWAL_WINDOW_SECS: i64 = 30 * 86_400;
/// A login which is not finished in this time is forgotten.
const LOGIN_SECS: i64 = 300;
/// A transfer of a session to another host must be used in this time.
const TRANSFER_SECS: i64 = 300;
/// Wrong passwords and codes are held against the address for half an hour.
const THROTTLE_SECS: i64 = 1800;

/// Steam's `EAuthTokenPlatformType`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Platform {
    SteamClient,
    WebBrowser,
    MobileApp,
}

impl Platform {
    pub(crate) fn from_number(number: i32) -> Option<Self> {
        match number {
            1 => Some(Self::SteamClient),
            2 => Some(Self::WebBrowser),
            3 => Some(Self::MobileApp),
            _ => None,
        }
    }

    fn audience(self) -> Vec<&'static str> {
        match self {
            Self::SteamClient => vec!["client", "web"],
            Self::WebBrowser => vec!["web"],
            Self::MobileApp => vec!["web", "mobile"],
        }
    }
}

/// A login between its first call and the poll which hands out the tokens.
pub(crate) struct Login {
    pub steam_id: SteamId,
    pub request_id: Vec<u8>,
    pub platform: Platform,
    /// By a code or on the phone.
    pub accepted: bool,
    /// Whether it was the phone.
    pub on_phone: bool,
    started: i64,
}

#[derive(Clone)]
struct Refresh {
    steam_id: SteamId,
    jti: String,
    platform: Platform,
    expires: i64,
    revoked: bool,
}

struct Access {
    steam_id: SteamId,
    expires: i64,
    revoked: bool,
}

/// What a browser takes to another host to get its cookies there.
struct Transfer {
    refresh: String,
    expires: i64,
}

/// Why a refresh token gave no access token; Steam says 15 for all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Denied;

/// How long tokens live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    pub access: Duration,
    pub refresh: Duration,
}

pub(crate) struct Sessions {
    lifetimes: Lifetimes,
    logins: HashMap<u64, Login>,
    refresh: HashMap<String, Refresh>,
    access: HashMap<String, Access>,
    transfers: HashMap<String, Transfer>,
    serial: u64,
    /// Polls without tokens which still give their login a new client id.
    pub rotations: u32,
    /// When passwords and codes were wrong.
    failures: VecDeque<i64>,
    failures_max: Option<usize>,
}

impl Sessions {
    pub(crate) fn new(lifetimes: Lifetimes, failures_max: Option<usize>) -> Self {
        let (logins, refresh, access, transfers, failures) = Default::default();
        let (serial, rotations) = (0, 0);
        Self {
            lifetimes,
            logins,
            refresh,
            access,
            transfers,
            serial,
            rotations,
            failures,
            failures_max,
        }
    }

    /// Counts a wrong password or code.
    pub(crate) fn count_failure(&mut self, now: SimTime) {
        self.failures.push_back(now.secs());
    }

    /// Whether there were too many wrong passwords and codes lately to try another.
    pub(crate) fn is_throttled(&mut self, now: SimTime) -> bool {
        self.failures.retain(|time| now.secs() - time < THROTTLE_SECS);
        self.failures_max.is_some_and(|max| self.failures.len() >= max)
    }

    /// The phone's owner approves all logins of the account; false when none waits.
    pub(crate) fn approve(&mut self, who: SteamId, now: SimTime) -> bool {
        let live = |login: &&mut Login| now.secs() - login.started < LOGIN_SECS;
        let waiting = self.logins.values_mut().filter(live).filter(|login| login.steam_id == who);
        waiting.fold(false, |_, login| {
            (login.accepted, login.on_phone) = (true, true);
            true
        })
    }

    /// Gives a login another client id, if such changes are due.
    pub(crate) fn rotate(&mut self, client_id: u64) -> Option<u64> {
        self.rotations = self.rotations.checked_sub(1)?;
        let login = self.logins.remove(&client_id)?;
        let fresh = new_client_id();
        self.logins.insert(fresh, login);
        Some(fresh)
    }

    /// Begins a login; gives its client id.
    pub(crate) fn begin(&mut self, steam_id: SteamId, platform: Platform, now: SimTime) -> u64 {
        self.logins.retain(|_, login| now.secs() - login.started < LOGIN_SECS);
        let client_id = new_client_id();
        let request_id = entropy::bytes::<16>().to_vec();
        let started = now.secs();
        let (accepted, on_phone) = (false, false);
        let login = Login { steam_id, request_id, platform, accepted, on_phone, started };
        self.logins.insert(client_id, login);
        client_id
    }

    pub(crate) fn login(&mut self, client_id: u64, now: SimTime) -> Option<&mut Login> {
        let login = self.logins.get_mut(&client_id)?;
        (now.secs() - login.started < LOGIN_SECS).then_some(login)
    }

    pub(crate) fn end_login(&mut self, client_id: u64) {
        self.logins.remove(&client_id);
    }

    /// Makes a refresh token.
    pub(crate) fn mint_refresh(
        &mut self,
        who: SteamId,
        platform: Platform,
        now: SimTime,
    ) -> String {
        let jti = self.next_jti();
        let expires = (now + self.lifetimes.refresh).secs();
        let mut audience = platform.audience();
        audience.extend(["renew", "derive"]);
        let token = jwt(&json!({
            "iss": "steam", "sub": who, "aud": audience, "exp": expires,
            "nbf": now.secs() - 8_640_000, "iat": now.secs(), "jti": jti, "oat": now.secs(),
            "per": 1, "ip_subject": "127.0.0.1", "ip_confirmer": "127.0.0.1",
        }));
        let record = Refresh { steam_id: who, jti, platform, expires, revoked: false };
        self.refresh.insert(token.clone(), record);
        token
    }

    /// Makes an access token of a refresh token; with `renew`, a new refresh token too when the
    /// old one ends soon.
    ///
    /// # Errors
    /// When the refresh token is unknown, over, revoked, somebody else's or of a browser.
    pub(crate) fn derive(
        &mut self,
        refresh: &str,
        who: SteamId,
        renew: bool,
        now: SimTime,
    ) -> Result<(String, Option<String>), Denied> {
        let found = self.valid_refresh(refresh, now).ok_or(Denied)?;
        if found.steam_id != who || found.platform == Platform::WebBrowser {
            return Err(Denied);
        }
        let platform = found.platform;
        let ends_soon = found.expires - now.secs() < RENEWAL_WINDOW_SECS;
        let access = self.mint_access(refresh, now)?;
        let renewed = (renew && ends_soon).then(|| self.mint_refresh(who, platform, now));
        Ok((access, renewed))
    }

    /// Makes an access token of any valid refresh token.
    pub(crate) fn mint_access(&mut self, refresh: &str, now: SimTime) -> Result<String, Denied> {
        let from = self.valid_refresh(refresh, now).ok_or(Denied)?.clone();
        self.access.retain(|_, access| access.expires > now.secs());
        let expires = (now + self.lifetimes.access).secs();
        let token = jwt(&json!({
            "iss": format!("r:{}", from.jti), "sub": from.steam_id,
            "aud": from.platform.audience(), "exp": expires, "nbf": now.secs() - 8_640_000,
            "iat": now.secs(), "jti": self.next_jti(), "oat": now.secs(),
            "rt_exp": from.expires, "per": 0,
            "ip_subject": "127.0.0.1", "ip_confirmer": "127.0.0.1",
        }));
        let record = Access { steam_id: from.steam_id, expires, revoked: false };
        self.access.insert(token.clone(), record);
        Ok(token)
    }

    /// Begins a transfer of a refresh token's session to another host; gives its nonce.
    pub(crate) fn begin_transfer(&mut self, refresh: &str, now: SimTime) -> String {
        self.transfers.retain(|_, transfer| transfer.expires > now.secs());
        let nonce = URL_SAFE_NO_PAD.encode(entropy::bytes::<24>());
        let transfer =
            Transfer { refresh: refresh.to_owned(), expires: now.secs() + TRANSFER_SECS };
        self.transfers.insert(nonce.clone(), transfer);
        nonce
    }

    /// Makes an access token of a transfer, as often as its host is asked in time: clients ask
    /// again when an answer is lost.
    pub(crate) fn finish_transfer(
        &mut self,
        nonce: &str,
        who: SteamId,
        now: SimTime,
    ) -> Result<String, Denied> {
        let transfer = self.transfers.get(nonce).filter(|transfer| transfer.expires > now.secs());
        let refresh = transfer.ok_or(Denied)?.refresh.clone();
        let owner = self.owner_of_refresh(&refresh, now);
        if owner == Some(who) { self.mint_access(&refresh, now) } else { Err(Denied) }
    }

    /// Whose valid access token this is.
    pub(crate) fn owner_of(&self, access: &str, now: SimTime) -> Option<SteamId> {
        let found = self.access.get(access)?;
        (found.expires > now.secs() && !found.revoked).then_some(found.steam_id)
    }

    /// Whose valid refresh token this is.
    pub(crate) fn owner_of_refresh(&self, refresh: &str, now: SimTime) -> Option<SteamId> {
        self.valid_refresh(refresh, now).map(|found| found.steam_id)
    }

    pub(crate) fn revoke_refresh(&mut self, who: SteamId) {
        self.refresh.values_mut().filter(|it| it.steam_id == who).for_each(|it| it.revoked = true);
    }

    pub(crate) fn revoke_access(&mut self, who: SteamId) {
        self.access.values_mut().filter(|it| it.steam_id == who).for_each(|it| it.revoked = true);
    }

    fn valid_refresh(&self, token: &str, now: SimTime) -> Option<&Refresh> {
        let found = self.refresh.get(token)?;
        (found.expires > now.secs() && !found.revoked).then_some(found)
    }

    fn next_jti(&mut self) -> String {
        self.serial += 1;
        format!("{:04X}_{:09X}_{:05X}", self.serial, entropy::number() >> 28, self.serial)
    }
}

/// With the top bit set: a client which reads the id as a signed number is caught.
fn new_client_id() -> u64 {
    entropy::number() | 1 << 63
}

/// A token in a JWT's shape. Clients read its claims and cannot check its signature.
fn jwt(claims: &Value) -> String {
    let header = json!({"typ": "JWT", "alg": "EdDSA"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode(entropy::bytes::<64>());
    format!("{}.{}.{signature}", part(&header), part(claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: SteamId = SteamId(76_561_197_961_265_729);
    const NOW: SimTime = SimTime(1_700_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn sessions() -> Sessions {
        Sessions::new(Lifetimes { access: DAY, refresh: DAY * 200 }, None)
    }

    #[test]
    fn an_access_token_ends_after_its_lifetime() {
        let mut sessions = sessions();
        let refresh = sessions.mint_refresh(WHO, Platform::MobileApp, NOW);
        let (access, renewed) = sessions.derive(&refresh, WHO, true, NOW).unwrap();
        assert_eq!(renewed, None, "renewal is for tokens near their end");
        assert_eq!(sessions.owner_of(&access, NOW), Some(WHO));
        assert_eq!(sessions.owner_of(&access, NOW + DAY), None);
        assert_eq!(sessions.owner_of(&refresh, NOW), None, "a refresh token opens no session");
    }

    #[test]
    fn a_refresh_token_is_renewed_near_its_end_only() {
        let mut sessions = sessions();
        let refresh = sessions.mint_refresh(WHO, Platform::MobileApp, NOW);
        let late = NOW + DAY * 180;
        assert!(sessions.derive(&refresh, WHO, false, late).unwrap().1.is_none());
        assert!(sessions.derive(&refresh, WHO, true, late).unwrap().1.is_some());
        assert_eq!(sessions.derive(&refresh, WHO, true, NOW + DAY * 200), Err(Denied));
    }

    #[test]
    fn a_revoked_or_foreign_or_browser_token_is_denied() {
        let mut sessions = sessions();
        let refresh = sessions.mint_refresh(WHO, Platform::MobileApp, NOW);
        assert_eq!(sessions.derive(&refresh, SteamId(WHO.0 + 1), false, NOW), Err(Denied));
        let browser = sessions.mint_refresh(WHO, Platform::WebBrowser, NOW);
        assert_eq!(sessions.derive(&browser, WHO, false, NOW), Err(Denied));
        sessions.revoke_refresh(WHO);
        assert_eq!(sessions.derive(&refresh, WHO, false, NOW), Err(Denied));
    }
}
