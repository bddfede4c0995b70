//! Steam's numbers. Each kind is its own type and travels as a JSON string, as on Steam.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The first SteamID64 of an individual in the public universe; an account id is added to it.
const STEAM_ID_BASE: u64 = 76_561_197_960_265_728;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Number).map(Self)
            }
        }
    };
}

id! {
    /// A SteamID64 of an individual, such as `76561197961265729`.
    SteamId
}
id! {
    /// An asset in an inventory; unique within its app, replaced whenever the asset moves.
    AssetId
}
id! {
    /// A trade offer.
    OfferId
}
id! {
    /// A trade: what an accepted offer became.
    TradeId
}
id! {
    /// A mobile confirmation.
    ConfirmationId
}

impl SteamId {
    /// The SteamID64 of an account id, the number which trade URLs call `partner`.
    pub const fn from_account_id(account_id: u32) -> Self {
        Self(STEAM_ID_BASE + account_id as u64)
    }

    /// The account id: the lower 32 bits.
    pub const fn account_id(self) -> u32 {
        (self.0 & 0xFFFF_FFFF) as u32
    }
}

// The counters are the process's, not a simulator's, so that an id seen in a log of a test run with
// several simulators names one thing. They start where Steam's own numbers were in 2024.
static LAST_ASSET: AtomicU64 = AtomicU64::new(17_145_000_000);
static LAST_OFFER: AtomicU64 = AtomicU64::new(6_149_531_000);
// Above 2^53: a client which reads a trade id as a floating point number is caught.
static LAST_TRADE: AtomicU64 = AtomicU64::new(4_857_754_652_343_132_001);
static LAST_CONFIRMATION: AtomicU64 = AtomicU64::new(13_799_599_000);

fn next(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed) + 1
}

impl AssetId {
    pub(crate) fn fresh() -> Self {
        Self(next(&LAST_ASSET))
    }

    /// Makes every later `fresh` id greater than `self`, which came from a saved document.
    pub(crate) fn skip_past(self) {
        LAST_ASSET.fetch_max(self.0, Ordering::Relaxed);
    }
}

impl OfferId {
    pub(crate) fn fresh() -> Self {
        Self(next(&LAST_OFFER))
    }
}

impl TradeId {
    pub(crate) fn fresh() -> Self {
        Self(next(&LAST_TRADE))
    }
}

impl ConfirmationId {
    pub(crate) fn fresh() -> Self {
        Self(next(&LAST_CONFIRMATION))
    }
}

/// Reads a `u64` from a JSON string or number: Steam uses both.
pub(crate) struct Number;

impl de::Visitor<'_> for Number {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or a string of one")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<u64, E> {
        value.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(value), &self))
    }
}

/// For `#[serde(deserialize_with)]` on plain `u64` fields which Steam writes as strings.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_a_string_and_read_from_either_form() {
        let id = SteamId(76_561_197_961_265_729);
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""76561197961265729""#);
        assert_eq!(serde_json::from_str::<SteamId>("76561197961265729").unwrap(), id);
        assert_eq!(serde_json::from_str::<SteamId>(r#""76561197961265729""#).unwrap(), id);
        assert!(serde_json::from_str::<SteamId>(r#""bob""#).is_err());
    }

    #[test]
    fn the_account_id_is_the_lower_half() {
        assert_eq!(SteamId(76_561_197_961_265_729).account_id(), 1_000_001);
        assert_eq!(SteamId::from_account_id(1_000_001), SteamId(76_561_197_961_265_729));
    }
}
