//! Identifiers of people on Steam, in the forms that people type and copy.

use std::fmt;
use std::str::FromStr;

/// What every individual account in the public universe adds to its account id.
const INDIVIDUAL_BASE: u64 = 76_561_197_960_265_728;
/// Where profiles and trade URLs are.
const SITE: &str = "steamcommunity.com/";
/// Where trade URLs lead there.
const TRADE_URL_PATH: &str = "tradeoffer/new";

/// The SteamID64 of one person's account.
///
/// Only individual accounts of the public universe exist here: groups, game servers and the account
/// 0 cannot trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SteamId(u64);

impl SteamId {
    /// The account with this SteamID64.
    ///
    /// # Errors
    /// When it is not an individual account.
    pub fn new(steam_id64: u64) -> Result<Self, SteamIdError> {
        let account = steam_id64.checked_sub(INDIVIDUAL_BASE).and_then(|id| u32::try_from(id).ok());
        Self::from_account_id(account.unwrap_or(0))
    }

    /// The account with this account id, the number in `[U:1:…]` and in trade URLs.
    ///
    /// # Errors
    /// When it is 0.
    pub fn from_account_id(account_id: u32) -> Result<Self, SteamIdError> {
        match account_id {
            0 => Err(SteamIdError::NotAPerson),
            account_id => Ok(Self(INDIVIDUAL_BASE + u64::from(account_id))),
        }
    }

    /// The SteamID64: 76561197960265729 to 76561202255233023; what requests take.
    pub fn steam_id64(self) -> u64 {
        self.0
    }

    /// The account id: 1 and up.
    pub fn account_id(self) -> u32 {
        u32::try_from(self.0 - INDIVIDUAL_BASE).expect("checked when it was made")
    }

    /// The form of game servers: `STEAM_1:1:43351236`.
    pub fn steam2(self) -> String {
        let account = self.account_id();
        format!("STEAM_1:{}:{}", account % 2, account / 2)
    }

    /// The form of newer games: `[U:1:86702473]`.
    pub fn steam3(self) -> String {
        format!("[U:1:{}]", self.account_id())
    }

    /// The address of the profile: `https://steamcommunity.com/profiles/76561198046968201`.
    pub fn profile_url(self) -> String {
        format!("https://steamcommunity.com/profiles/{self}")
    }
}

impl FromStr for SteamId {
    type Err = SteamIdError;

    /// Parses `76561198000000000`, `STEAM_0:1:…`, `[U:1:…]`, `U:1:…`, profile addresses
    /// (`https://steamcommunity.com/profiles/…`) and trade URLs, of which it takes the owner.
    fn from_str(text: &str) -> Result<Self, SteamIdError> {
        let text = text.trim();
        let Some(path) = path_on_steam(text) else { return parse_id(text) };
        if let Some(query) = trade_query(path) {
            let partner = value(query, "partner").ok_or(SteamIdError::NotAnId)?;
            return Self::from_account_id(number(partner)?);
        }
        let rest = path.strip_prefix("profiles/").ok_or(SteamIdError::NotAnId)?;
        parse_id(rest.split(['/', '?', '#']).next().unwrap_or_default())
    }
}

impl From<SteamId> for u64 {
    fn from(id: SteamId) -> Self {
        id.0
    }
}

impl fmt::Display for SteamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text or number is not a [`SteamId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SteamIdError {
    /// It has none of the known forms. A custom address (`…/id/name`) does not tell the number.
    #[error(
        "not a Steam id: write 7656119…, STEAM_0:…, [U:1:…] or \
         https://steamcommunity.com/profiles/7656119… (an address with /id/ does not tell the number)"
    )]
    NotAnId,
    /// It is the id of something else than a person: a group, a game server, nobody.
    #[error("not the Steam id of a person's account")]
    NotAPerson,
}

fn parse_id(text: &str) -> Result<SteamId, SteamIdError> {
    if let Some(rest) = text.strip_prefix("STEAM_") {
        return parse_steam2(rest);
    }
    let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bare = unbracketed.unwrap_or(text);
    if let Some(account) = bare.strip_prefix("U:1:") {
        return SteamId::from_account_id(number(account)?);
    }
    SteamId::new(number(text)?)
}

/// `X:Y:Z` after `STEAM_`: the universe, which old games write as 0, the lowest bit, the rest.
fn parse_steam2(text: &str) -> Result<SteamId, SteamIdError> {
    let parts: Vec<&str> = text.split(':').collect();
    let [universe @ ("0" | "1"), low @ ("0" | "1"), high] = parts.as_slice() else {
        return Err(SteamIdError::NotAnId);
    };
    let _ = universe;
    let high: u32 = number(high)?;
    let doubled = high.checked_mul(2).ok_or(SteamIdError::NotAPerson)?;
    SteamId::from_account_id(doubled + u32::from(*low == "1"))
}

/// Digits only: `parse` alone would take a sign.
fn number<T: FromStr>(text: &str) -> Result<T, SteamIdError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(SteamIdError::NotAnId)
}

/// What follows `steamcommunity.com/`, with or without a scheme before it.
fn path_on_steam(text: &str) -> Option<&str> {
    let text = strip_ignoring_case(text, "https://")
        .or_else(|| strip_ignoring_case(text, "http://"))
        .unwrap_or(text);
    let text = strip_ignoring_case(text, "www.").unwrap_or(text);
    strip_ignoring_case(text, SITE)
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The query of a trade URL; none of any other address.
fn trade_query(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(TRADE_URL_PATH)?;
    let query = rest.strip_prefix('/').unwrap_or(rest).strip_prefix('?')?;
    query.split('#').next()
}

/// The first value with this name, as it is written.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

/// A trade URL: lets anybody who has it send offers to its owner.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TradeUrl {
    partner: SteamId,
    token: String,
}

impl TradeUrl {
    /// Its owner.
    pub fn partner(&self) -> SteamId {
        self.partner
    }

    /// The secret part: eight letters, digits, `-` or `_`.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl FromStr for TradeUrl {
    type Err = TradeUrlError;

    /// Parses `https://steamcommunity.com/tradeoffer/new/?partner=…&token=…`, also without its scheme.
    fn from_str(text: &str) -> Result<Self, TradeUrlError> {
        let query = path_on_steam(text.trim()).and_then(trade_query);
        let query = query.ok_or(TradeUrlError::NotATradeUrl)?;
        let partner = value(query, "partner").ok_or(TradeUrlError::PartnerInvalid)?;
        let partner = number(partner)
            .and_then(SteamId::from_account_id)
            .map_err(|_| TradeUrlError::PartnerInvalid)?;
        let token = value(query, "token").filter(|token| is_token(token));
        let token = token.ok_or(TradeUrlError::TokenInvalid)?.to_owned();
        Ok(Self { partner, token })
    }
}

impl fmt::Display for TradeUrl {
    /// The whole address, secret included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.partner.account_id();
        write!(f, "https://{SITE}{TRADE_URL_PATH}/?partner={account}&token={}", self.token)
    }
}

impl fmt::Debug for TradeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TradeUrl")
            .field("partner", &self.partner)
            .field("token", &"<redacted>")
            .finish()
    }
}

/// Why a text is not a [`TradeUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TradeUrlError {
    /// It leads elsewhere.
    #[error(
        "not a trade URL: it looks like https://steamcommunity.com/tradeoffer/new/?partner=…&token=…"
    )]
    NotATradeUrl,
    /// Its `partner` is missing or is not a person's account id.
    #[error("the trade URL has no valid partner; copy it whole")]
    PartnerInvalid,
    /// Its `token` is missing or is not eight letters, digits, `-` or `_`.
    #[error("the trade URL has no valid token; copy it whole")]
    TokenInvalid,
}

fn is_token(text: &str) -> bool {
    text.len() == 8
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_id(text: &str, expected: Result<u64, SteamIdError>) {
        assert_eq!(text.parse().map(SteamId::steam_id64), expected, "{text:?}");
    }

    #[test]
    fn every_form_names_the_same_person() {
        for text in [
            "76561198046968201",
            " 76561198046968201\n",
            "STEAM_0:1:43351236",
            "STEAM_1:1:43351236",
            "[U:1:86702473]",
            "U:1:86702473",
            "https://steamcommunity.com/profiles/76561198046968201",
            "https://steamcommunity.com/profiles/76561198046968201/",
            "http://www.steamcommunity.com/profiles/76561198046968201/inventory/#440",
            "steamcommunity.com/profiles/[U:1:86702473]",
            "HTTPS://WWW.SteamCommunity.com/profiles/76561198046968201",
            "steamcommunity.com/tradeoffer/new/?partner=86702473&token=AbC-_123",
        ] {
            check_id(text, Ok(76_561_198_046_968_201));
        }
    }

    #[test]
    fn the_range_is_that_of_people() {
        check_id("76561197960265728", Err(SteamIdError::NotAPerson));
        check_id("76561197960265729", Ok(76_561_197_960_265_729));
        check_id("76561202255233023", Ok(76_561_202_255_233_023));
        check_id("76561202255233024", Err(SteamIdError::NotAPerson));
        check_id("STEAM_0:0:0", Err(SteamIdError::NotAPerson));
        check_id("STEAM_0:1:2147483647", Ok(76_561_202_255_233_023));
        check_id("STEAM_0:0:2147483648", Err(SteamIdError::NotAPerson));
        check_id("[U:1:0]", Err(SteamIdError::NotAPerson));
        // A group.
        check_id("103582791429521412", Err(SteamIdError::NotAPerson));
        check_id("0", Err(SteamIdError::NotAPerson));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "gaben",
            "+76561198046968201",
            "-1",
            "STEAM_0:2:1",
            "STEAM_0:1",
            "STEAM_0:1:1:1",
            "STEAM_5:1:1",
            "[U:1:86702473",
            "[U:2:1]",
            "[g:1:4]",
            "[76561198046968201]",
            "99999999999999999999999",
            "https://steamcommunity.com/id/gabelogannewell",
            "https://example.com/profiles/76561198046968201",
        ] {
            check_id(text, Err(SteamIdError::NotAnId));
        }
    }

    #[test]
    fn an_id_is_shown_in_every_form() {
        let id = SteamId::new(76_561_198_046_968_201).unwrap();
        assert_eq!((id.to_string().as_str(), id.account_id()), ("76561198046968201", 86_702_473));
        assert_eq!(id.steam2(), "STEAM_1:1:43351236");
        assert_eq!(id.steam3(), "[U:1:86702473]");
        assert_eq!(id.profile_url(), "https://steamcommunity.com/profiles/76561198046968201");
        for text in [id.steam2(), id.steam3(), id.profile_url()] {
            assert_eq!(text.parse(), Ok(id));
        }
    }

    #[test]
    fn a_trade_url_has_a_partner_and_a_token() {
        for text in [
            "https://steamcommunity.com/tradeoffer/new/?partner=86702473&token=AbC-_123",
            "http://www.steamcommunity.com/tradeoffer/new?token=AbC-_123&x=1&partner=86702473#a",
        ] {
            let url: TradeUrl = text.parse().unwrap();
            assert_eq!(url.partner().steam_id64(), 76_561_198_046_968_201);
            assert_eq!(url.token(), "AbC-_123");
            assert_eq!(
                url.to_string(),
                "https://steamcommunity.com/tradeoffer/new/?partner=86702473&token=AbC-_123"
            );
            assert!(!format!("{url:?}").contains("AbC"));
        }
    }

    #[test]
    fn a_damaged_trade_url_says_what_is_missing() {
        let parse = |text: &str| text.parse::<TradeUrl>().unwrap_err();
        let url = "https://steamcommunity.com/tradeoffer/new/";
        assert_eq!(
            parse("https://example.com/?partner=1&token=AbC-_123"),
            TradeUrlError::NotATradeUrl
        );
        assert_eq!(
            parse("https://steamcommunity.com.example/tradeoffer/new/?"),
            TradeUrlError::NotATradeUrl
        );
        assert_eq!(parse(url), TradeUrlError::NotATradeUrl);
        assert_eq!(parse(&format!("{url}?token=AbC-_123")), TradeUrlError::PartnerInvalid);
        assert_eq!(
            parse(&format!("{url}?partner=0&token=AbC-_123")),
            TradeUrlError::PartnerInvalid
        );
        assert_eq!(parse(&format!("{url}?partner=1")), TradeUrlError::TokenInvalid);
        assert_eq!(parse(&format!("{url}?partner=1&token=short")), TradeUrlError::TokenInvalid);
        assert_eq!(parse(&format!("{url}?partner=1&token=12345 78")), TradeUrlError::TokenInvalid);
    }
}
