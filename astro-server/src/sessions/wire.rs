//! Frames of the session protocol to the domain and back.
use super::limits::{
    ADDRESS_BYTES_MAX, ASSETS_MAX, METADATA_BYTES_MAX, PROFILES_MAX, TEXT_MAX, TRADES_MAX,
};
use super::{BotEvent, Command, FriendState, ToldTrade, concern};
use crate::assignments::delivery::{Ended, Work};
use crate::assignments::failure::Failure;
use crate::assignments::handover::Delivery;
use crate::assignments::{AttemptId, Phase};
use crate::bots;
use crate::donations::ops::Outcome;
use crate::donations::{Donation, DonationState, Offer};
use crate::items::Item;
use crate::items::asset::{NewIds, SeenAsset};
use crate::kernel::limits::NAME_CHARS_MAX;
use crate::kernel::steam::{PICTURE_HOSTS, PROFILE_HOSTS};
use crate::kernel::{AssetId, Error, Result, SteamId, Timestamp, text};
use crate::sync::history::{Moved, SeenTrade, TradeOutcome};
use crate::sync::offers::StrangeOffer;
use crate::users::Profile;
use crate::wire;
use astro_sdk::bot::v1 as bot;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

fn wrong(what: &str) -> Error {
    bots::protocol_broken(what.to_owned())
}

/// Keeps what databases and terminals can take.
pub fn clean(text: &str) -> String {
    text::clean(text, TEXT_MAX)
}

/// Steam's ids of offers and trades are numbers, kept as text.
pub(super) fn steam_number(field: &str, text: &str) -> Result<String> {
    if text.is_empty() || text.len() > 20 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong(field));
    }
    Ok(text.to_owned())
}

pub(super) fn attempt_id(text: &str) -> Result<AttemptId> {
    AttemptId::parse("attempt_id", text).map_err(|_| wrong("attempt_id"))
}

pub(super) fn person(raw: u64) -> Result<SteamId> {
    SteamId::parse("steam_id", raw).map_err(|_| wrong("steam_id"))
}

fn time(field: &'static str, at: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>> {
    wire::parse_timestamp(field, at).map_err(|_| wrong(field))
}

/// Reads an event.
///
/// # Errors
/// `BOT_PROTOCOL` naming the field.
pub fn decode_event(event: bot::BotEvent) -> Result<BotEvent> {
    use bot::bot_event::Event;
    Ok(match event.event.ok_or_else(|| wrong("event"))? {
        Event::OfferReceived(e) => BotEvent::OfferReceived(offer(e)?),
        Event::OfferAnswered(e) => {
            let id = steam_number("trade_offer_id", &e.trade_offer_id)?;
            BotEvent::OfferAnswered(id, outcome(e)?)
        }
        Event::AttemptStarted(e) => BotEvent::AttemptStarted(attempt_id(&e.attempt_id)?),
        Event::AttemptSent(e) => BotEvent::AttemptSent(
            attempt_id(&e.attempt_id)?,
            steam_number("trade_offer_id", &e.trade_offer_id)?,
        ),
        Event::AttemptOffered(e) => BotEvent::AttemptOffered(
            attempt_id(&e.attempt_id)?,
            steam_number("trade_offer_id", &e.trade_offer_id)?,
        ),
        Event::AttemptHeld(e) => BotEvent::AttemptHeld(
            attempt_id(&e.attempt_id)?,
            time("escrow_end_time", e.escrow_end_time)?,
        ),
        Event::AttemptDelivered(e) => {
            let delivery = Delivery {
                trade_offer_id: steam_number("trade_offer_id", &e.trade_offer_id)?,
                trade_id: steam_number("trade_id", &e.trade_id)?,
                assets: new_ids(&e.assets)?,
                settles_at: time("settle_time", e.settle_time)?,
            };
            BotEvent::AttemptDelivered(attempt_id(&e.attempt_id)?, delivery)
        }
        Event::AttemptEnded(e) => {
            let ended = Ended {
                failure: failure(e.failure())?,
                message: clean(&e.message),
                returned: returned_ids(&e.returned)?,
            };
            BotEvent::AttemptEnded(attempt_id(&e.attempt_id)?, ended)
        }
        Event::SteamStatus(e) => {
            let ends = time("refresh_token_expire_time", e.refresh_token_expire_time)?;
            BotEvent::SteamStatus(clean(&e.status), clean(&e.detail), ends)
        }
        Event::UserProfiles(e) => {
            if e.profiles.len() > PROFILES_MAX {
                return Err(wrong("user_profiles"));
            }
            let profiles: Result<_> = e.profiles.into_iter().map(profile).collect();
            BotEvent::UserProfiles(profiles?)
        }
        Event::FriendChanged(e) => {
            let state = friend_state(e.state())?;
            BotEvent::FriendChanged(person(e.steam_id)?, state, clean(&e.message))
        }
        Event::TradesSeen(e) => {
            if e.trades.len() > TRADES_MAX {
                return Err(wrong("trades"));
            }
            BotEvent::TradesSeen(e.trades.iter().map(told).collect())
        }
        Event::StrangeOffer(e) => BotEvent::StrangeOffer(StrangeOffer {
            trade_offer_id: steam_number("trade_offer_id", &e.trade_offer_id)?,
            partner: person(e.partner_steam_id)?,
            gives: e.give.len(),
            message: clean(&e.message),
            open: e.open,
        }),
    })
}

fn offer(e: bot::OfferReceived) -> Result<Offer> {
    Ok(Offer {
        trade_offer_id: steam_number("trade_offer_id", &e.trade_offer_id)?,
        donor: person(e.partner_steam_id)?,
        asks_for: e.give.len(),
        gives: seen_assets(e.receive, &Descriptions::from(e.descriptions))?,
        message: clean(&e.message),
    })
}

fn outcome(e: bot::OfferAnswered) -> Result<Outcome> {
    match e.outcome() {
        bot::OfferOutcome::Accepted => Ok(Outcome::Accepted {
            trade_id: steam_number("trade_id", &e.trade_id)?,
            assets: new_ids(&e.assets)?,
            settles_at: time("settle_time", e.settle_time)?,
        }),
        bot::OfferOutcome::Declined => Ok(Outcome::Declined),
        bot::OfferOutcome::Ended => Ok(Outcome::Ended(clean(&e.message))),
        bot::OfferOutcome::Unspecified => Err(wrong("outcome")),
    }
}

fn new_ids(assets: &[bot::ReceivedAsset]) -> Result<NewIds> {
    if assets.len() > ASSETS_MAX {
        return Err(wrong("assets"));
    }
    assets
        .iter()
        .filter(|a| a.new_asset_id != 0)
        .map(|a| {
            let key = (app(a.app_id)?, AssetId::new(a.asset_id));
            Ok((key, (AssetId::new(a.new_asset_id), AssetId::new(a.new_context_id))))
        })
        .collect()
}

/// The assets that came back, by the ids that they had before they left.
fn returned_ids(assets: &[bot::ReceivedAsset]) -> Result<NewIds> {
    let moved = moved(assets)?;
    Ok(moved.iter().filter_map(|a| Some(((a.app, a.asset), a.returned?))).collect())
}

/// Reads an application id.
///
/// # Errors
/// `BOT_PROTOCOL`.
pub fn app(raw: u32) -> Result<i32> {
    i32::try_from(raw).map_err(|_| wrong("app_id"))
}

fn failure(failure: bot::AttemptFailure) -> Result<Failure> {
    use bot::AttemptFailure as Wire;
    Ok(match failure {
        Wire::Unspecified => return Err(wrong("failure")),
        Wire::Cancelled => Failure::Cancelled,
        Wire::Declined => Failure::Declined,
        Wire::Countered => Failure::Countered,
        Wire::Expired => Failure::Expired,
        Wire::ItemsUnavailable => Failure::ItemsUnavailable,
        Wire::TradeUrlNeeded => Failure::TradeUrlNeeded,
        Wire::RecipientTradeBanned => Failure::RecipientTradeBanned,
        Wire::RecipientCannotReceive => Failure::RecipientCannotReceive,
        Wire::HoldTooLong => Failure::HoldTooLong,
        Wire::BotRestricted => Failure::BotRestricted,
        Wire::NotConfirmed => Failure::NotConfirmed,
        Wire::OfferLimit => Failure::OfferLimit,
        Wire::SteamUnavailable => Failure::SteamUnavailable,
        Wire::Other => Failure::Other,
        Wire::RecipientInventoryFull => Failure::RecipientInventoryFull,
        Wire::RecipientInventoryPrivate => Failure::RecipientInventoryPrivate,
        Wire::BotNewDevice => Failure::BotNewDevice,
        Wire::TradeUrlInvalid => Failure::TradeUrlInvalid,
    })
}

fn friend_state(state: bot::FriendState) -> Result<FriendState> {
    match state {
        bot::FriendState::Unspecified => Err(wrong("state")),
        bot::FriendState::Invited => Ok(FriendState::Invited),
        bot::FriendState::Friend => Ok(FriendState::Friend),
        bot::FriendState::Refused => Ok(FriendState::Refused),
    }
}

fn told(seen: &bot::TradeSeen) -> ToldTrade {
    ToldTrade { concern: concern::wire::trade(seen), trade: trade(seen) }
}

fn trade(trade: &bot::TradeSeen) -> Result<SeenTrade> {
    let outcome = match trade.outcome() {
        bot::TradeOutcome::Unspecified => return Err(wrong("outcome")),
        bot::TradeOutcome::Complete => TradeOutcome::Complete,
        bot::TradeOutcome::Reversed => TradeOutcome::Reversed,
        bot::TradeOutcome::Undone => TradeOutcome::Undone,
    };
    Ok(SeenTrade {
        trade_id: steam_number("trade_id", &trade.trade_id)?,
        partner: person(trade.partner_steam_id)?,
        outcome,
        given: moved(&trade.given)?,
        received: moved(&trade.received)?,
    })
}

fn moved(assets: &[bot::ReceivedAsset]) -> Result<Vec<Moved>> {
    if assets.len() > ASSETS_MAX {
        return Err(wrong("assets"));
    }
    let place = |asset: u64, context: u64| {
        (asset != 0).then(|| (AssetId::new(asset), AssetId::new(context)))
    };
    let moved = |a: &bot::ReceivedAsset| {
        Ok(Moved {
            app: app(a.app_id)?,
            asset: AssetId::new(a.asset_id),
            new: place(a.new_asset_id, a.new_context_id),
            returned: place(a.returned_asset_id, a.returned_context_id),
        })
    };
    assets.iter().map(moved).collect()
}

/// What a bot tells of a person is shown to others: what is not Steam's is left out.
fn profile(p: bot::UserProfile) -> Result<Profile> {
    Ok(Profile {
        steam_id: person(p.steam_id)?,
        display_name: text::clean(&p.display_name, NAME_CHARS_MAX).trim().to_owned(),
        avatar_url: text::https_address(&p.avatar_url, &PICTURE_HOSTS, ADDRESS_BYTES_MAX),
        profile_url: text::https_address(&p.profile_url, &PROFILE_HOSTS, ADDRESS_BYTES_MAX),
        account_created_at: time("account_create_time", p.account_create_time)?,
        country_code: text::country(&p.country_code),
    })
}

/// Descriptions by application, class and instance, cut and cleaned.
#[derive(Debug, Default)]
pub struct Descriptions(HashMap<(u32, u64, u64), Described>);

#[derive(Debug)]
struct Described {
    market_hash_name: String,
    name: String,
    kind: String,
    rarity: String,
    tradable: bool,
    tradable_time: Option<prost_types::Timestamp>,
    marketable: bool,
    metadata: Arc<Value>,
}

impl From<bot::AssetDescription> for Described {
    fn from(d: bot::AssetDescription) -> Self {
        let json = Some(&d.metadata_json).filter(|json| json.len() <= METADATA_BYTES_MAX);
        let metadata = json
            .and_then(|json| serde_json::from_str::<Value>(json).ok())
            // PostgreSQL's jsonb takes no NUL.
            .filter(|value| value.is_object() && !value.to_string().contains("\\u0000"));
        Self {
            market_hash_name: clean(&d.market_hash_name),
            name: clean(&d.name),
            kind: clean(&d.r#type),
            rarity: clean(&d.rarity),
            tradable: d.tradable,
            tradable_time: d.tradable_time,
            marketable: d.marketable,
            metadata: Arc::new(metadata.unwrap_or_else(|| serde_json::json!({}))),
        }
    }
}

impl Described {
    /// Bytes that it takes in memory.
    fn size(&self) -> usize {
        let texts = [&self.market_hash_name, &self.name, &self.kind, &self.rarity];
        size_of::<Self>() + texts.map(String::len).iter().sum::<usize>() + json_size(&self.metadata)
    }
}

/// Bytes that a JSON value takes in memory, about.
fn json_size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(json_size).sum(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| size_of::<String>() + name.len() + json_size(value))
                .sum(),
        }
}

impl From<Vec<bot::AssetDescription>> for Descriptions {
    fn from(list: Vec<bot::AssetDescription>) -> Self {
        let mut descriptions = Self::default();
        descriptions.add(list);
        descriptions
    }
}

impl Descriptions {
    /// Adds descriptions; tells how many bytes they take in memory.
    pub fn add(&mut self, list: Vec<bot::AssetDescription>) -> usize {
        let mut bytes = 0;
        self.0.extend(list.into_iter().map(|d| {
            let key = (d.app_id, d.class_id, d.instance_id);
            let described = Described::from(d);
            bytes += described.size();
            (key, described)
        }));
        bytes
    }
}

/// Joins assets with their descriptions. One without a description cannot be traded: it waits for
/// a person.
///
/// # Errors
/// `BOT_PROTOCOL`.
pub fn seen_assets(assets: Vec<bot::Asset>, descriptions: &Descriptions) -> Result<Vec<SeenAsset>> {
    if assets.len() > ASSETS_MAX {
        return Err(wrong("assets"));
    }
    assets
        .into_iter()
        .map(|asset| {
            let key = (asset.app_id, asset.class_id, asset.instance_id);
            seen(&asset, descriptions.0.get(&key))
        })
        .collect()
}

fn seen(asset: &bot::Asset, described: Option<&Described>) -> Result<SeenAsset> {
    let text = |get: fn(&Described) -> &String| described.map(get).cloned().unwrap_or_default();
    let tradable_at = match described {
        Some(d) => time("tradable_time", d.tradable_time)?,
        None => None,
    };
    let metadata = described.map(|d| d.metadata.clone());
    Ok(SeenAsset {
        app: app(asset.app_id)?,
        context: asset.context_id,
        asset: asset.asset_id,
        class: asset.class_id,
        instance: asset.instance_id,
        amount: asset.amount,
        market_hash_name: text(|d| &d.market_hash_name),
        name: text(|d| &d.name),
        kind: text(|d| &d.kind),
        rarity: text(|d| &d.rarity),
        tradable: described.is_some_and(|d| d.tradable),
        tradable_at_micros: tradable_at.map(Timestamp::micros),
        marketable: described.is_some_and(|d| d.marketable),
        estimated_usd_cents: asset.estimated_usd_cents,
        metadata: metadata.unwrap_or_else(|| Arc::new(serde_json::json!({}))),
    })
}

/// Writes a command.
pub fn encode(command: Command) -> bot::Command {
    use bot::command::Command as Wire;
    let command = match command {
        Command::Deliver(work) => Wire::Deliver(deliver(work)),
        Command::CancelDelivery(id) => {
            Wire::CancelDelivery(bot::CancelDelivery { attempt_id: id.to_string() })
        }
        Command::AnswerOffer(donation) => Wire::AnswerOffer(answer(donation)),
        Command::ReadInventory(id) => {
            Wire::ReadInventory(bot::ReadInventory { sync_id: id.to_string() })
        }
        Command::Befriend(person) => {
            Wire::Befriend(bot::Befriend { partner_steam_id: person.get() })
        }
        Command::CancelOffer(_, trade_offer_id) => {
            Wire::CancelOffer(bot::CancelOffer { trade_offer_id })
        }
    };
    bot::Command { command: Some(command) }
}

fn answer(donation: Donation) -> bot::AnswerOffer {
    bot::AnswerOffer {
        trade_offer_id: donation.trade_offer_id,
        partner_steam_id: donation.donor_id.get(),
        accept: donation.state != DonationState::Declining,
        accepted_before: donation.state == DonationState::Accepted,
        reason: donation.status_message,
    }
}

fn deliver(work: Work) -> bot::Deliver {
    let attempt = work.attempt;
    let phase = match attempt.phase {
        Phase::Planned => bot::AttemptPhase::Planned,
        Phase::Started => bot::AttemptPhase::Started,
        Phase::Sent => bot::AttemptPhase::Sent,
        Phase::Offered => bot::AttemptPhase::Offered,
        Phase::Held => bot::AttemptPhase::Held,
        Phase::Delivered | Phase::Ended => bot::AttemptPhase::Unspecified,
    };
    bot::Deliver {
        attempt_id: attempt.id.to_string(),
        assignment_id: attempt.assignment_id.to_string(),
        phase: phase.into(),
        marker: attempt.marker,
        partner_steam_id: attempt.user_id.get(),
        trade_token: work.trade_token.unwrap_or_default(),
        give: work.items.iter().map(asset).collect(),
        message: work.message,
        start_time: wire::optional_timestamp(attempt.started_at),
        trade_offer_id: attempt.trade_offer_id.unwrap_or_default(),
        start_age: work.start_age.and_then(|age| prost_types::Duration::try_from(age).ok()),
    }
}

fn asset(item: &Item) -> bot::Asset {
    bot::Asset {
        app_id: item.steam_app_id.cast_unsigned(),
        context_id: item.steam_context_id.get(),
        asset_id: item.steam_asset_id.map_or(0, AssetId::get),
        class_id: item.steam_class_id.get(),
        instance_id: item.steam_instance_id.get(),
        amount: u32::try_from(item.amount).unwrap_or(u32::MAX),
        estimated_usd_cents: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_bot_are_cut_and_cleaned() {
        assert_eq!(clean("a\0b\nc"), "abc");
        assert_eq!(clean(&"ü".repeat(10_000)).chars().count(), TEXT_MAX);
    }

    #[test]
    fn a_malformed_event_names_its_field() {
        let sent = |attempt: &str, offer: &str| {
            let event = bot::bot_event::Event::AttemptSent(bot::AttemptSent {
                attempt_id: attempt.to_owned(),
                trade_offer_id: offer.to_owned(),
            });
            decode_event(bot::BotEvent { event_time: None, event: Some(event) })
        };
        let id = AttemptId::new().to_string();
        assert!(sent(&id, "123").is_ok());
        assert_eq!(sent("x", "123").unwrap_err(), wrong("attempt_id"));
        for offer in ["", "12x", "-1", "123456789012345678901"] {
            assert_eq!(sent(&id, offer).unwrap_err(), wrong("trade_offer_id"), "{offer}");
        }
        assert_eq!(decode_event(bot::BotEvent::default()).unwrap_err(), wrong("event"));
    }

    #[test]
    fn an_asset_without_a_description_cannot_be_traded() {
        let assets = vec![bot::Asset { app_id: 440, asset_id: 1, ..bot::Asset::default() }];
        let seen = seen_assets(assets, &Descriptions::default()).unwrap();
        assert!(!seen[0].tradable);
        assert!(seen[0].is_stack(), "an amount of 0 is not taken for 1");
    }
}
