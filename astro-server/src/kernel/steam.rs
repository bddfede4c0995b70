//! Steam's numbers. They are kept bit for bit in an `i64`, which both databases have.
use super::error::{Error, Result};
use astro_sdk::steam::{TradeUrl, TradeUrlError};
use serde::{Deserialize, Serialize};

/// Hosts on or below which Steam keeps pictures of people.
pub const PICTURE_HOSTS: [&str; 4] =
    ["steamstatic.com", "steamcommunity.com", "steamcdn-a.akamaihd.net", "steamusercontent.com"];
/// Hosts of people's profiles.
pub const PROFILE_HOSTS: [&str; 1] = ["steamcommunity.com"];

/// SteamID64 of account 0 among the individual accounts of the public universe.
const INDIVIDUAL_BASE: u64 = 76_561_197_960_265_728;

/// A person's or bot's Steam account: a SteamID64 of an individual account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SteamId(pub(crate) i64);

impl SteamId {
    /// Checks that `raw` is the SteamID64 of an individual account.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `field`.
    pub fn parse(field: &'static str, raw: u64) -> Result<Self> {
        if raw == 0 {
            return Err(Error::invalid(field, "is required"));
        }
        match raw.checked_sub(INDIVIDUAL_BASE) {
            Some(account) if account > 0 && account <= u64::from(u32::MAX) => {
                Ok(Self(raw.cast_signed()))
            }
            Some(_) | None => {
                Err(Error::invalid(field, "must be the SteamID64 of a person (7656119…)"))
            }
        }
    }

    /// The same, where 0 means none.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `field`.
    pub fn parse_optional(field: &'static str, raw: u64) -> Result<Option<Self>> {
        if raw == 0 { Ok(None) } else { Self::parse(field, raw).map(Some) }
    }

    /// The SteamID64.
    pub fn get(self) -> u64 {
        self.0.cast_unsigned()
    }

    /// The account number that trade URLs and offers use.
    pub fn account(self) -> u32 {
        u32::try_from(self.get() - INDIVIDUAL_BASE).expect("checked when it was made")
    }
}

impl std::fmt::Display for SteamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

/// Any other 64-bit number of Steam's: asset, class, instance and context ids. Compared only for
/// equality, so that the sign does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AssetId(pub(crate) i64);

impl AssetId {
    /// Wraps Steam's number.
    pub fn new(raw: u64) -> Self {
        Self(raw.cast_signed())
    }

    /// Steam's number.
    pub fn get(self) -> u64 {
        self.0.cast_unsigned()
    }
}

/// Reads the owner and the token of a trade URL, as every SDK does.
///
/// # Errors
/// [`Error::Invalid`] naming `field` when it is no trade URL of steamcommunity.com.
pub fn parse_trade_url(field: &'static str, text: &str) -> Result<(SteamId, String)> {
    let url: TradeUrl = text.parse().map_err(|wrong| {
        let problem = match wrong {
            TradeUrlError::PartnerInvalid => "has no valid partner; copy it whole",
            TradeUrlError::TokenInvalid => "has no valid token; copy it whole",
            TradeUrlError::NotATradeUrl | _ => {
                "must be https://steamcommunity.com/tradeoffer/new/?partner=…&token=…"
            }
        };
        Error::invalid(field, problem)
    })?;
    let owner = SteamId::parse(field, url.partner().steam_id64())?;
    Ok((owner, url.token().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_accounts_of_people_are_taken() {
        assert_eq!(SteamId::parse("u", 76_561_197_961_265_729).unwrap().account(), 1_000_001);
        for raw in [0, 1, INDIVIDUAL_BASE, 103_582_791_429_521_408, u64::MAX] {
            assert!(SteamId::parse("user_id", raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_trade_url_gives_its_owner_and_token() {
        let url = "https://steamcommunity.com/tradeoffer/new/?partner=1000001&token=AbCd-_12";
        let (owner, token) = parse_trade_url("trade_url", url).unwrap();
        assert_eq!((owner.get(), token.as_str()), (76_561_197_961_265_729, "AbCd-_12"));
        for same in ["steamcommunity.com", "www.steamcommunity.com", "HTTP://SteamCommunity.com"] {
            let same = format!("{same}/tradeoffer/new?token=AbCd-_12&partner=1000001");
            assert_eq!(parse_trade_url("trade_url", &same), Ok((owner, token.clone())), "{same}");
        }
        for bad in [
            "",
            "https://evil.example/tradeoffer/new/?partner=1&token=a",
            "https://steamcommunity.com/tradeoffer/new/?partner=x&token=a",
            "https://steamcommunity.com/tradeoffer/new/?partner=0&token=a",
            "https://steamcommunity.com/tradeoffer/new/?partner=1",
            "https://steamcommunity.com/tradeoffer/new/?partner=1&token=a%20b",
            "javascript:alert(1)",
        ] {
            let error = parse_trade_url("trade_url", bad).unwrap_err();
            assert!(error.to_string().starts_with("trade_url"), "{bad}");
        }
    }
}
