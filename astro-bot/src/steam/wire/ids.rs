//! Steam's kinds of identifiers.

use std::{fmt, ops::Deref, str::FromStr};

/// SteamID64 of account 0: individual, public universe, desktop.
const STEAM_ID_BASE: u64 = 76_561_197_960_265_728;

/// A person or a bot: SteamID64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SteamId(pub(crate) u64);

impl SteamId {
    /// The SteamID64 of a 32-bit account id.
    pub(crate) fn of_account(account_id: u32) -> Self {
        Self(STEAM_ID_BASE + u64::from(account_id))
    }

    /// The 32-bit account id.
    pub(crate) fn account_id(self) -> u32 {
        (self.0 & u64::from(u32::MAX)) as u32
    }
}

impl fmt::Display for SteamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A trade offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OfferId(pub(crate) u64);

impl fmt::Display for OfferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The token of somebody's trade URL: whoever knows it can send them offers, so it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TradeToken(pub(crate) String);

impl Deref for TradeToken {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TradeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// A trade: what an accepted offer became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TradeId(pub(crate) u64);

impl fmt::Display for TradeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One asset where it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AssetKey {
    pub(crate) app_id: u32,
    pub(crate) context_id: u64,
    pub(crate) asset_id: u64,
}

/// One inventory of an account, written `440/2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppContext {
    /// Application, such as 440 for Team Fortress 2.
    pub app_id: u32,
    /// Context within the application, 2 for most.
    pub context_id: u64,
}

impl FromStr for AppContext {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (app, context) = text.split_once('/').ok_or("write it as application/context")?;
        let app_id = app.parse().map_err(|_| format!("'{app}' is not an application"))?;
        let context_id = context.parse().map_err(|_| format!("'{context}' is not a context"))?;
        Ok(Self { app_id, context_id })
    }
}

impl fmt::Display for AppContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app_id, self.context_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_makes_the_steam_id_and_back() {
        let id = SteamId::of_account(1_000_001);
        assert_eq!(id.0, 76_561_197_961_265_729);
        assert_eq!(id.account_id(), 1_000_001);
    }

    #[test]
    fn an_app_context_is_read_as_written() {
        assert_eq!("440/2".parse(), Ok(AppContext { app_id: 440, context_id: 2 }));
        assert!("440".parse::<AppContext>().is_err());
        assert!("440/x".parse::<AppContext>().is_err());
    }
}
