//! Between the protocol's messages and what the bot works with.

use astro_sdk::bot::v1 as wire;
pub(crate) use wire::{
    AttemptFailure, FriendState, OfferOutcome, TradeOutcome, TradeSeen, bot_event::Event,
};

use crate::{
    decide::{AnswerOrder, Command, Condition, Order, Phase, Standing},
    steam::{
        Asset, AssetKey, Description, MovedAsset, Offer, OfferId, Profile, SteamId, Trade, TradeId,
        TradeToken,
    },
};

/// Reads a command.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn command(command: wire::Command) -> Result<Command, String> {
    use wire::command::Command as Wire;
    match command.command.ok_or("an unknown kind of command")? {
        Wire::Deliver(deliver) => Ok(Command::Deliver(order(deliver)?)),
        Wire::CancelDelivery(cancel) => Ok(Command::Cancel { attempt_id: cancel.attempt_id }),
        Wire::AnswerOffer(answer) => Ok(Command::Answer(AnswerOrder {
            offer: offer_id(&answer.trade_offer_id)?,
            partner: SteamId(answer.partner_steam_id),
            accept: answer.accept,
            accepted_before: answer.accepted_before,
            reason: answer.reason,
        })),
        Wire::ReadInventory(read) => Ok(Command::ReadInventory { sync_id: read.sync_id }),
        Wire::Befriend(befriend) => Ok(Command::Befriend(SteamId(befriend.partner_steam_id))),
        Wire::CancelOffer(cancel) => Ok(Command::CancelOffer(offer_id(&cancel.trade_offer_id)?)),
    }
}

fn order(deliver: wire::Deliver) -> Result<Order, String> {
    let about = |problem: &str| format!("attempt {}: {problem}", deliver.attempt_id);
    if deliver.marker.is_empty() || !deliver.message.contains(&deliver.marker) {
        return Err(about("the message lacks the marker, so the offer could not be found again"));
    }
    if deliver.give.is_empty() {
        return Err(about("nothing to give"));
    }
    let offer = match deliver.trade_offer_id.as_str() {
        "" => None,
        text => Some(offer_id(text)?),
    };
    let phase = match (deliver.phase(), offer) {
        (wire::AttemptPhase::Planned, _) => Phase::Planned,
        (wire::AttemptPhase::Started, _) => Phase::Started,
        (wire::AttemptPhase::Sent, Some(offer)) => Phase::Sent(offer),
        (wire::AttemptPhase::Offered, Some(offer)) => Phase::Offered(offer),
        (wire::AttemptPhase::Held, Some(offer)) => Phase::Held(offer),
        (
            wire::AttemptPhase::Sent | wire::AttemptPhase::Offered | wire::AttemptPhase::Held,
            None,
        ) => {
            return Err(about("no offer id"));
        }
        (wire::AttemptPhase::Unspecified, _) => return Err(about("no phase")),
    };
    let key = |asset: &wire::Asset| AssetKey {
        app_id: asset.app_id,
        context_id: asset.context_id,
        asset_id: asset.asset_id,
    };
    Ok(Order {
        give: deliver.give.iter().map(|asset| (key(asset), asset.amount.max(1))).collect(),
        attempt_id: deliver.attempt_id,
        marker: deliver.marker,
        partner: SteamId(deliver.partner_steam_id),
        token: Some(TradeToken(deliver.trade_token)).filter(|token| !token.is_empty()),
        message: deliver.message,
        started_at: deliver.start_time.map(|time| time.seconds),
        age: deliver.start_age.and_then(|age| age.try_into().ok()).unwrap_or_default(),
        phase,
    })
}

fn offer_id(text: &str) -> Result<OfferId, String> {
    text.parse().map(OfferId).map_err(|_| format!("'{text}' is no offer id"))
}

/// A moment, from Unix seconds; none for one that the contract cannot carry (years 1 to 9999), as
/// an odd date of Steam's is: what it belongs to is told all the same.
pub(crate) fn timestamp(unix: i64) -> Option<prost_types::Timestamp> {
    const YEAR_1: i64 = -62_135_596_800;
    const YEAR_9999: i64 = 253_402_300_799;
    (YEAR_1..=YEAR_9999)
        .contains(&unix)
        .then_some(prost_types::Timestamp { seconds: unix, nanos: 0 })
}

pub(crate) fn asset(asset: &Asset) -> wire::Asset {
    wire::Asset {
        app_id: asset.app_id,
        context_id: asset.context_id,
        asset_id: asset.asset_id,
        class_id: asset.class_id,
        instance_id: asset.instance_id,
        amount: asset.amount,
        estimated_usd_cents: asset.estimated_usd_cents,
    }
}

/// An asset of which only the id is known.
pub(crate) fn known_asset(key: AssetKey) -> wire::Asset {
    let AssetKey { app_id, context_id, asset_id } = key;
    wire::Asset { app_id, context_id, asset_id, ..Default::default() }
}

pub(crate) fn description(description: &Description) -> wire::AssetDescription {
    wire::AssetDescription {
        app_id: description.app_id,
        class_id: description.class_id,
        instance_id: description.instance_id,
        market_hash_name: description.market_hash_name.clone(),
        name: description.name.clone(),
        r#type: description.kind.clone(),
        rarity: description.rarity(),
        tradable: description.tradable,
        tradable_time: description.tradable_at().and_then(timestamp),
        metadata_json: description.metadata(),
        marketable: description.marketable,
    }
}

/// What changed hands. `moved` is what Steam says of it; what it does not mention keeps new id 0.
pub(crate) fn moved(
    keys: impl IntoIterator<Item = AssetKey>,
    moved: &[MovedAsset],
) -> Vec<wire::ReceivedAsset> {
    keys.into_iter()
        .map(|key| {
            let same =
                |seen: &&MovedAsset| (seen.app_id, seen.asset_id) == (key.app_id, key.asset_id);
            let unseen = wire::ReceivedAsset {
                app_id: key.app_id,
                asset_id: key.asset_id,
                ..Default::default()
            };
            moved.iter().find(same).map_or(unseen, moved_asset)
        })
        .collect()
}

fn moved_asset(moved: &MovedAsset) -> wire::ReceivedAsset {
    wire::ReceivedAsset {
        app_id: moved.app_id,
        asset_id: moved.asset_id,
        new_asset_id: moved.new_asset_id,
        new_context_id: moved.new_context_id,
        returned_asset_id: moved.returned_asset_id,
        returned_context_id: moved.returned_context_id,
    }
}

/// A trade of the history.
pub(crate) fn trade_seen(trade: &Trade, outcome: TradeOutcome) -> TradeSeen {
    TradeSeen {
        trade_id: trade.id.to_string(),
        partner_steam_id: trade.partner.0,
        outcome: outcome.into(),
        given: trade.given.iter().map(moved_asset).collect(),
        received: trade.received.iter().map(moved_asset).collect(),
        init_time: timestamp(trade.began_at),
        settle_time: trade.settles_at.and_then(timestamp),
    }
}

/// At most 100.
pub(crate) fn trades_seen(trades: Vec<TradeSeen>) -> Event {
    Event::TradesSeen(wire::TradesSeen { trades })
}

/// An offer of the account that no attempt explains.
pub(crate) fn strange_offer(offer: &Offer, open: bool) -> Event {
    Event::StrangeOffer(wire::StrangeOffer {
        trade_offer_id: offer.id.to_string(),
        partner_steam_id: offer.partner.0,
        give: offer.give.iter().map(asset).collect(),
        message: offer.message.clone(),
        open,
    })
}

pub(crate) fn friend_changed(who: SteamId, state: FriendState, message: String) -> Event {
    Event::FriendChanged(wire::FriendChanged { steam_id: who.0, state: state.into(), message })
}

pub(crate) fn offer_received(offer: &Offer, descriptions: &[Description]) -> Event {
    let concerns = |description: &&Description| {
        offer.give.iter().chain(&offer.receive).any(|asset| {
            (asset.app_id, asset.class_id, asset.instance_id)
                == (description.app_id, description.class_id, description.instance_id)
        })
    };
    Event::OfferReceived(wire::OfferReceived {
        trade_offer_id: offer.id.to_string(),
        partner_steam_id: offer.partner.0,
        give: offer.give.iter().map(asset).collect(),
        receive: offer.receive.iter().map(asset).collect(),
        descriptions: descriptions.iter().filter(concerns).map(description).collect(),
        message: offer.message.clone(),
    })
}

/// A received offer that was not accepted.
pub(crate) fn offer_over(id: OfferId, outcome: OfferOutcome, message: impl Into<String>) -> Event {
    Event::OfferAnswered(wire::OfferAnswered {
        trade_offer_id: id.to_string(),
        outcome: outcome.into(),
        message: message.into(),
        ..Default::default()
    })
}

/// A received offer that was accepted.
pub(crate) fn offer_accepted(
    id: OfferId,
    trade: TradeId,
    assets: Vec<wire::ReceivedAsset>,
    settles_at: Option<i64>,
) -> Event {
    Event::OfferAnswered(wire::OfferAnswered {
        trade_offer_id: id.to_string(),
        outcome: OfferOutcome::Accepted.into(),
        trade_id: trade.to_string(),
        assets,
        settle_time: settles_at.and_then(timestamp),
        message: String::new(),
    })
}

pub(crate) fn attempt_started(attempt_id: String) -> Event {
    Event::AttemptStarted(wire::AttemptStarted { attempt_id })
}

pub(crate) fn attempt_sent(attempt_id: String, offer: OfferId) -> Event {
    Event::AttemptSent(wire::AttemptSent { attempt_id, trade_offer_id: offer.to_string() })
}

pub(crate) fn attempt_offered(attempt_id: String, offer: OfferId) -> Event {
    Event::AttemptOffered(wire::AttemptOffered { attempt_id, trade_offer_id: offer.to_string() })
}

pub(crate) fn attempt_held(attempt_id: String, escrow_end_at: Option<i64>) -> Event {
    let escrow_end_time = escrow_end_at.and_then(timestamp);
    Event::AttemptHeld(wire::AttemptHeld { attempt_id, escrow_end_time })
}

pub(crate) fn attempt_delivered(
    attempt_id: String,
    offer: OfferId,
    trade: TradeId,
    assets: Vec<wire::ReceivedAsset>,
    settles_at: Option<i64>,
) -> Event {
    Event::AttemptDelivered(wire::AttemptDelivered {
        attempt_id,
        trade_offer_id: offer.to_string(),
        trade_id: trade.to_string(),
        assets,
        settle_time: settles_at.and_then(timestamp),
    })
}

pub(crate) fn attempt_ended(
    attempt_id: String,
    failure: AttemptFailure,
    message: String,
    offer: Option<OfferId>,
) -> Event {
    Event::AttemptEnded(wire::AttemptEnded {
        attempt_id,
        failure: failure.into(),
        message,
        trade_offer_id: offer.map(|offer| offer.to_string()).unwrap_or_default(),
        returned: vec![],
    })
}

/// An attempt whose trade Steam undid: what had left came back, under the ids that are told as new.
pub(crate) fn attempt_undone(attempt_id: String, offer: OfferId, given: &[MovedAsset]) -> Event {
    let returned = given.iter().filter(|moved| moved.returned_asset_id != 0).map(|moved| {
        let (new_asset_id, new_context_id) = (moved.returned_asset_id, moved.returned_context_id);
        wire::ReceivedAsset { new_asset_id, new_context_id, ..moved_asset(moved) }
    });
    Event::AttemptEnded(wire::AttemptEnded {
        attempt_id,
        failure: AttemptFailure::Other.into(),
        message: "Steam undid the trade".to_owned(),
        trade_offer_id: offer.to_string(),
        returned: returned.collect(),
    })
}

pub(crate) fn steam_status(standing: Standing) -> Event {
    let status = match standing.condition {
        Condition::Online => "online",
        Condition::Reconnecting => "reconnecting",
        Condition::RateLimited => "rate_limited",
        Condition::Maintenance => "maintenance",
        Condition::NeedsOperator => "needs_operator",
    };
    Event::SteamStatus(wire::SteamStatus {
        status: status.to_owned(),
        detail: standing.detail,
        refresh_token_expire_time: standing.token_ends_at.and_then(timestamp),
    })
}

pub(crate) fn profiles(profiles: Vec<Profile>) -> Event {
    let profile = |profile: Profile| wire::UserProfile {
        steam_id: profile.steam_id,
        display_name: profile.name,
        avatar_url: profile.avatar_url,
        profile_url: profile.profile_url,
        account_create_time: (profile.created_at != 0)
            .then(|| timestamp(profile.created_at))
            .flatten(),
        country_code: profile.country_code,
    };
    let profiles = profiles.into_iter().map(profile).collect();
    Event::UserProfiles(wire::UserProfiles { profiles })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_that_the_contract_cannot_carry_is_left_out() {
        assert_eq!(timestamp(0).map(|time| time.seconds), Some(0));
        assert!(timestamp(253_402_300_799).is_some());
        for odd in [253_402_300_800, 1_764_000_000_000, i64::MAX, -62_135_596_801, i64::MIN] {
            assert_eq!(timestamp(odd), None);
        }
    }
}
