//! Offers, trades and items, as the rest of the bot knows them, and how they are read.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{
    ids::{AssetKey, OfferId, SteamId, TradeId},
    loose,
};

/// The field that names an asset.
pub(crate) const ASSET: &str = "assetid";
/// The field that names a description.
pub(crate) const CLASS: &str = "classid";
/// Longest `metadata_json` of a description.
const METADATA_BYTES_MAX: usize = 8 * 1024;

/// One asset as Steam lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Asset {
    #[serde(rename = "appid", deserialize_with = "loose::u32")]
    pub(crate) app_id: u32,
    #[serde(rename = "contextid", deserialize_with = "loose::u64")]
    pub(crate) context_id: u64,
    #[serde(rename = "assetid", deserialize_with = "loose::id")]
    pub(crate) asset_id: u64,
    #[serde(rename = "classid", default, deserialize_with = "loose::u64")]
    pub(crate) class_id: u64,
    #[serde(rename = "instanceid", default, deserialize_with = "loose::u64")]
    pub(crate) instance_id: u64,
    #[serde(default = "one", deserialize_with = "loose::u32")]
    pub(crate) amount: u32,
    /// Steam's estimate of its worth in US cents; 0 when it tells none.
    #[serde(rename = "est_usd", default, deserialize_with = "cents")]
    pub(crate) estimated_usd_cents: u32,
}

impl Asset {
    pub(crate) fn key(&self) -> AssetKey {
        AssetKey { app_id: self.app_id, context_id: self.context_id, asset_id: self.asset_id }
    }
}

fn one() -> u32 {
    1
}

/// An amount of money. One that makes no sense is none: no offer fails for it.
fn cents<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let value = Value::deserialize(input)?;
    let cents = loose::u64(value).unwrap_or(0);
    Ok(u32::try_from(cents).unwrap_or(u32::MAX))
}

/// What all assets of one class and instance have in common.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Description {
    #[serde(rename = "appid", deserialize_with = "loose::u32")]
    pub(crate) app_id: u32,
    #[serde(rename = "classid", deserialize_with = "loose::u64")]
    pub(crate) class_id: u64,
    #[serde(rename = "instanceid", default, deserialize_with = "loose::u64")]
    pub(crate) instance_id: u64,
    #[serde(default, deserialize_with = "loose::text")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub(crate) market_hash_name: String,
    #[serde(rename = "type", default, deserialize_with = "loose::text")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "loose::boolish")]
    pub(crate) tradable: bool,
    #[serde(default, deserialize_with = "loose::boolish")]
    pub(crate) marketable: bool,
    #[serde(default, deserialize_with = "loose::list")]
    tags: Vec<Value>,
    #[serde(default, deserialize_with = "loose::list")]
    owner_descriptions: Vec<Value>,
    #[serde(default, deserialize_with = "loose::text")]
    icon_url: String,
    #[serde(default, deserialize_with = "loose::text")]
    name_color: String,
    #[serde(default, deserialize_with = "loose::text")]
    background_color: String,
}

impl Description {
    /// The name of the rarity tag; may be empty.
    pub(crate) fn rarity(&self) -> String {
        let rarity = self.tags.iter().find(|tag| tag["category"] == "Rarity");
        rarity.map(|tag| tag_name(tag).to_owned()).unwrap_or_default()
    }

    /// When the item becomes tradable, Unix seconds, if Steam says so.
    pub(crate) fn tradable_at(&self) -> Option<i64> {
        self.owner_descriptions.iter().find_map(|line| {
            let (_, rest) = line["value"].as_str()?.split_once("[date]")?;
            rest.split_once("[/date]")?.0.trim().parse().ok()
        })
    }

    /// What else is worth keeping, as a JSON object of at most 8 KiB.
    pub(crate) fn metadata(&self) -> String {
        let tags: Vec<Value> = self.tags.iter().map(|tag| {
            json!({ "category": tag["category"], "internal_name": tag["internal_name"], "name": tag_name(tag) })
        }).collect();
        let mut metadata = json!({
            "background_color": self.background_color,
            "icon_url": self.icon_url,
            "name_color": self.name_color,
            "tags": tags,
        });
        let text = metadata.to_string();
        if text.len() <= METADATA_BYTES_MAX {
            return text;
        }
        metadata["tags"] = json!([]);
        let text = metadata.to_string();
        if text.len() <= METADATA_BYTES_MAX { text } else { "{}".to_owned() }
    }
}

fn tag_name(tag: &Value) -> &str {
    let name = tag["localized_tag_name"].as_str();
    name.or_else(|| tag["name"].as_str()).unwrap_or_default()
}

/// State of a trade offer. New ones are kept as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfferState {
    Invalid,
    Active,
    Accepted,
    Countered,
    Expired,
    Canceled,
    Declined,
    InvalidItems,
    NeedsConfirmation,
    CanceledBySecondFactor,
    InEscrow,
    Reverted,
    Unknown(i64),
}

impl From<i64> for OfferState {
    fn from(number: i64) -> Self {
        match number {
            1 => Self::Invalid,
            2 => Self::Active,
            3 => Self::Accepted,
            4 => Self::Countered,
            5 => Self::Expired,
            6 => Self::Canceled,
            7 => Self::Declined,
            8 => Self::InvalidItems,
            9 => Self::NeedsConfirmation,
            10 => Self::CanceledBySecondFactor,
            11 => Self::InEscrow,
            12 => Self::Reverted,
            other => Self::Unknown(other),
        }
    }
}

/// A trade offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) id: OfferId,
    pub(crate) partner: SteamId,
    pub(crate) message: String,
    pub(crate) state: OfferState,
    /// Items of this account.
    pub(crate) give: Vec<Asset>,
    /// Items of the partner.
    pub(crate) receive: Vec<Asset>,
    /// Steam's time, Unix seconds.
    pub(crate) created_at: i64,
    pub(crate) trade_id: Option<TradeId>,
    /// End of the escrow, Unix seconds.
    pub(crate) escrow_end_at: Option<i64>,
    /// What of its items could not be read, for people; such an offer is left alone.
    pub(crate) odd: Option<String>,
}

/// Why an offer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    /// Steam shows any offer so at times, for a moment.
    #[error("it is without partner or items")]
    Glitched,
    #[error("{0}")]
    Odd(String),
}

#[derive(Deserialize)]
struct WireOffer {
    #[serde(rename = "tradeofferid", deserialize_with = "loose::u64")]
    id: u64,
    #[serde(rename = "accountid_other", default, deserialize_with = "loose::u32")]
    partner: u32,
    #[serde(default, deserialize_with = "loose::text")]
    message: String,
    #[serde(rename = "trade_offer_state", deserialize_with = "loose::i64")]
    state: i64,
    #[serde(default, deserialize_with = "loose::list")]
    items_to_give: Vec<Value>,
    #[serde(default, deserialize_with = "loose::list")]
    items_to_receive: Vec<Value>,
    #[serde(default, deserialize_with = "loose::i64")]
    time_created: i64,
    #[serde(rename = "tradeid", default, deserialize_with = "loose::u64")]
    trade_id: u64,
    #[serde(default, deserialize_with = "loose::i64")]
    escrow_end_date: i64,
}

impl Offer {
    /// Whether it can still be accepted or confirmed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, OfferState::Active | OfferState::NeedsConfirmation)
    }

    /// Reads one offer.
    ///
    /// # Errors
    /// Steam gave a glitched one, or one that makes no sense.
    pub(crate) fn read(value: &Value) -> Result<Self, Unread> {
        let offer =
            WireOffer::deserialize(value).map_err(|error| Unread::Odd(error.to_string()))?;
        let empty = offer.items_to_give.is_empty() && offer.items_to_receive.is_empty();
        if offer.id == 0 || offer.partner == 0 || empty {
            return Err(Unread::Glitched);
        }
        let (give, odd_give) = loose::entries(offer.items_to_give, ASSET);
        let (receive, odd_receive) = loose::entries(offer.items_to_receive, ASSET);
        let odd = odd_give.into_iter().chain(odd_receive).next();
        Ok(Self {
            id: OfferId(offer.id),
            partner: SteamId::of_account(offer.partner),
            message: offer.message,
            state: offer.state.into(),
            give,
            receive,
            created_at: offer.time_created,
            trade_id: (offer.trade_id != 0).then_some(TradeId(offer.trade_id)),
            escrow_end_at: (offer.escrow_end_date != 0).then_some(offer.escrow_end_date),
            odd: odd.map(|odd| odd.why),
        })
    }
}

/// One reading of the trade offers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OffersPage {
    pub(crate) sent: Vec<Offer>,
    pub(crate) received: Vec<Offer>,
    pub(crate) descriptions: Vec<Description>,
    /// Offers that could not be read at all.
    pub(crate) skipped: usize,
    /// What was set aside because it could not be read, for people.
    pub(crate) set_aside: Vec<String>,
    /// Whether all pages were read.
    pub(crate) complete: bool,
}

impl OffersPage {
    /// Whether an offer that is not here does not exist.
    pub(crate) fn is_whole(&self) -> bool {
        self.complete && self.skipped == 0
    }
}

/// State of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TradeStatus {
    /// Init, pre-committed or committed.
    Moving,
    Complete,
    Failed,
    /// Rolled back by Steam, in whole or in part.
    RolledBack,
    InEscrow,
    /// Reversed under trade protection, after it was complete.
    Reversed,
    Unknown(i64),
}

impl From<i64> for TradeStatus {
    fn from(number: i64) -> Self {
        match number {
            0..=2 => Self::Moving,
            3 => Self::Complete,
            4 => Self::Failed,
            5..=7 | 11 => Self::RolledBack,
            10 => Self::InEscrow,
            12 => Self::Reversed,
            other => Self::Unknown(other),
        }
    }
}

/// An asset that changed hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct MovedAsset {
    #[serde(rename = "appid", deserialize_with = "loose::u32")]
    pub(crate) app_id: u32,
    #[serde(rename = "assetid", deserialize_with = "loose::id")]
    pub(crate) asset_id: u64,
    /// 0 until the transfer has finished.
    #[serde(rename = "new_assetid", default, deserialize_with = "loose::u64")]
    pub(crate) new_asset_id: u64,
    #[serde(rename = "new_contextid", default, deserialize_with = "loose::u64")]
    pub(crate) new_context_id: u64,
    /// At its first owner again, after the trade was taken back; 0 otherwise.
    #[serde(rename = "rollback_new_assetid", default, deserialize_with = "loose::u64")]
    pub(crate) returned_asset_id: u64,
    #[serde(rename = "rollback_new_contextid", default, deserialize_with = "loose::u64")]
    pub(crate) returned_context_id: u64,
}

/// A trade: what an accepted offer became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trade {
    pub(crate) id: TradeId,
    pub(crate) partner: SteamId,
    pub(crate) status: TradeStatus,
    /// Steam's time, Unix seconds.
    pub(crate) began_at: i64,
    /// When it cannot be reversed any more, Unix seconds.
    pub(crate) settles_at: Option<i64>,
    pub(crate) given: Vec<MovedAsset>,
    pub(crate) received: Vec<MovedAsset>,
    /// What of its items could not be read, for people: they are in neither list.
    pub(crate) odd: Option<String>,
}

#[derive(Deserialize)]
struct WireTrade {
    #[serde(rename = "tradeid", deserialize_with = "loose::id")]
    id: u64,
    #[serde(rename = "steamid_other", default, deserialize_with = "loose::u64")]
    partner: u64,
    #[serde(deserialize_with = "loose::i64")]
    status: i64,
    #[serde(default, deserialize_with = "loose::i64")]
    time_init: i64,
    #[serde(default, deserialize_with = "loose::i64")]
    time_settlement: i64,
    #[serde(default, deserialize_with = "loose::list")]
    assets_given: Vec<Value>,
    #[serde(default, deserialize_with = "loose::list")]
    assets_received: Vec<Value>,
}

impl Trade {
    /// Reads one trade.
    ///
    /// # Errors
    /// Why it makes no sense, for people.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let trade = WireTrade::deserialize(value).map_err(|error| error.to_string())?;
        let (given, odd_given) = loose::entries(trade.assets_given, ASSET);
        let (received, odd_received) = loose::entries(trade.assets_received, ASSET);
        let odd = odd_given.into_iter().chain(odd_received).next();
        Ok(Self {
            id: TradeId(trade.id),
            partner: SteamId(trade.partner),
            status: trade.status.into(),
            began_at: trade.time_init,
            settles_at: (trade.time_settlement != 0).then_some(trade.time_settlement),
            given,
            received,
            odd: odd.map(|odd| odd.why),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(state: i64) -> Value {
        json!({
            "tradeofferid": "77", "accountid_other": 5, "message": "hi", "trade_offer_state": state,
            "items_to_give": [{"appid": 440, "contextid": "2", "assetid": "9", "amount": "1"}],
            "time_created": "1641951429", "escrow_end_date": 0, "something_new": [1],
        })
    }

    #[test]
    fn an_offer_with_an_unheard_of_state_is_read() {
        let seen = Offer::read(&offer(99)).unwrap();
        assert_eq!(seen.state, OfferState::Unknown(99));
        assert_eq!((seen.id, seen.partner), (OfferId(77), SteamId::of_account(5)));
        assert_eq!(seen.created_at, 1_641_951_429);
        assert_eq!((seen.trade_id, seen.escrow_end_at), (None, None));
        assert_eq!(Offer::read(&offer(12)).unwrap().state, OfferState::Reverted);
    }

    #[test]
    fn an_estimate_of_worth_is_read_from_text_and_number_and_never_fails_an_offer() {
        for (worth, cents) in [
            (json!("220"), 220),
            (json!(220), 220),
            (json!(null), 0),
            (json!("$2.20"), 0),
            (json!(u64::MAX), u32::MAX),
        ] {
            let mut value = offer(2);
            value["items_to_give"][0]["est_usd"] = worth;
            assert_eq!(Offer::read(&value).unwrap().give[0].estimated_usd_cents, cents);
        }
        assert_eq!(Offer::read(&offer(2)).unwrap().give[0].estimated_usd_cents, 0);
    }

    #[test]
    fn a_glitched_offer_is_told_apart() {
        let mut without_items = offer(2);
        without_items["items_to_give"] = json!([]);
        let mut without_partner = offer(2);
        without_partner["accountid_other"] = json!(0);
        for value in [without_items, without_partner, json!(null), json!({"tradeofferid": "x"})] {
            assert!(Offer::read(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn an_offer_with_an_item_that_makes_no_sense_is_known_and_odd() {
        let key = |amount: Value| json!({"appid": 440, "contextid": "2", "assetid": "8", "amount": amount});
        let currency = json!({"appid": 440, "contextid": "2", "currencyid": "1", "amount": "5"});
        for odd in [key(json!("-5")), key(json!("4294967296")), key(json!(1.5)), currency] {
            let mut value = offer(2);
            value["items_to_receive"] = json!([odd]);
            let seen = Offer::read(&value).unwrap();
            assert_eq!((seen.id, seen.give.len(), seen.receive.len()), (OfferId(77), 1, 0));
            assert!(seen.odd.is_some_and(|why| why.contains("assetid")), "{odd}");
        }
        assert_eq!(Offer::read(&offer(2)).unwrap().odd, None);
    }

    #[test]
    fn a_description_tells_its_rarity_and_date() {
        let seen: Description = serde_json::from_value(json!({
            "appid": 730, "classid": "1", "tradable": 0, "name": "AK", "market_hash_name": "AK",
            "tags": [{"category": "Rarity", "localized_tag_name": "Covert"}],
            "owner_descriptions": [{"value": "protected until [date]1752644003[/date]"}],
        }))
        .unwrap();
        assert_eq!((seen.rarity().as_str(), seen.tradable), ("Covert", false));
        assert_eq!(seen.tradable_at(), Some(1_752_644_003));
        assert!(seen.metadata().contains("Covert"));
    }

    #[test]
    fn metadata_never_grows_beyond_its_limit() {
        let tag = json!({"category": "Rarity", "localized_tag_name": "x".repeat(9000)});
        let seen: Description =
            serde_json::from_value(json!({"appid": 730, "classid": "1", "tags": [tag]})).unwrap();
        assert!(seen.metadata().len() <= METADATA_BYTES_MAX);
    }

    #[test]
    fn a_trade_tells_new_ids_and_its_settlement() {
        let seen = Trade::read(&json!({
            "tradeid": "5", "status": 3, "time_settlement": 1_753_248_803,
            "steamid_other": "76561197961265729", "time_init": "1752644003",
            "assets_given": [{"appid": 440, "assetid": "9", "new_assetid": "10", "new_contextid": "2"}],
            "assets_received": [{"appid": 440, "assetid": "11", "rollback_new_assetid": "12"}],
        }))
        .unwrap();
        assert_eq!((seen.status, seen.settles_at), (TradeStatus::Complete, Some(1_753_248_803)));
        assert_eq!((seen.partner, seen.began_at), (SteamId(76_561_197_961_265_729), 1_752_644_003));
        assert_eq!((seen.given[0].new_asset_id, seen.given[0].returned_asset_id), (10, 0));
        assert_eq!((seen.received[0].new_asset_id, seen.received[0].returned_asset_id), (0, 12));
    }
}
