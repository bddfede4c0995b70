//! A donation from the offer to the pool.
use super::{Donation, DonationState, Offer, judge, store};
use crate::bots::{self, Bot};
use crate::db::{Conn, Document};
use crate::events::{self, NewEvent, Severity};
use crate::items::asset::{Class, Origin, SeenAsset};
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::{AssetId, BotId, DonationId, Error, Result, Timestamp};
use crate::{orgs, users};
use std::collections::{HashMap, HashSet};

/// Records an offer that came in and decides on it. An offer that is known changes nothing.
///
/// # Errors
/// Those of the database.
pub fn received(conn: &mut Conn, bot: &Bot, offer: &Offer, now: Timestamp) -> Result<()> {
    if store::of_offer(conn, bot.id, &offer.trade_offer_id)?.is_some() {
        return Ok(());
    }
    let org = orgs::ops::get(conn, bot.org)?;
    let (state, reason) = match judge(offer, &org) {
        Ok(()) => (DonationState::Accepting, String::new()),
        Err(reason) => (DonationState::Declining, reason),
    };
    let assets = serde_json::to_value(&offer.gives)
        .map_err(|e| Error::Internal(format!("assets of an offer: {e}")))?;
    let donation = Donation {
        id: DonationId::new(),
        org_id: bot.org,
        bot_id: bot.id,
        trade_offer_id: offer.trade_offer_id.clone(),
        donor_id: offer.donor,
        state,
        reason: reason.clone(),
        message: offer.message.clone(),
        assets: Document(assets),
        trade_id: None,
        created_at: now,
        updated_at: now,
    };
    if !store::insert(conn, &donation)? {
        return Ok(());
    }
    users::ops::meet(conn, bot.org, offer.donor, now)?;
    let text = if reason.is_empty() {
        format!("{} offers {} items as a donation", offer.donor, offer.gives.len())
    } else {
        format!("An offer of {} is declined: {reason}", offer.donor)
    };
    append(conn, bot, &donation, "donation.offered", &text, now)
}

fn append(
    conn: &mut Conn,
    bot: &Bot,
    donation: &Donation,
    name: &'static str,
    text: &str,
    now: Timestamp,
) -> Result<()> {
    let count = donation.assets.0.as_array().map_or(0, Vec::len);
    let event = NewEvent::new(bot.org, name, &bots::source(bot.id), text)
        .bot(bot.id)
        .user(Some(donation.donor_id))
        .with("trade_offer_id", donation.trade_offer_id.as_str())
        .with("trade_id", donation.trade_id.clone().unwrap_or_default())
        .with("reason", donation.reason.as_str())
        .with("message", donation.message.as_str())
        .with("items", count);
    events::append(conn, event, now)
}

/// The donations that the bot has something to do for, oldest first.
///
/// # Errors
/// Those of the database.
pub fn open(conn: &mut Conn, bot: BotId) -> Result<Vec<Donation>> {
    store::open(conn, bot)
}

/// Classes of what donations may be bringing to the bot, or did since `since`.
///
/// # Errors
/// Those of the database.
pub fn moving(conn: &mut Conn, bot: BotId, since: Timestamp) -> Result<HashSet<Class>> {
    let mut moving = HashSet::new();
    for donation in store::open_or_since(conn, bot, since)? {
        moving.extend(given(&donation)?.iter().map(SeenAsset::class_key));
    }
    Ok(moving)
}

fn given(donation: &Donation) -> Result<Vec<SeenAsset>> {
    serde_json::from_value(donation.assets.0.clone())
        .map_err(|e| Error::Internal(format!("assets of donation {}: {e}", donation.id)))
}

/// How an offer ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The items are the bot's.
    Accepted {
        /// Trade.
        trade_id: String,
        /// New asset id and context by application and old asset id, as far as known.
        assets: HashMap<(i32, AssetId), (AssetId, AssetId)>,
        /// End of the trade protection.
        settles_at: Option<Timestamp>,
    },
    /// Declined by the bot.
    Declined,
    /// Withdrawn, countered, expired, or its items are gone.
    Ended(String),
}

/// Records how an offer ended. What is known already changes nothing.
///
/// # Errors
/// Those of the database.
pub fn answered(
    conn: &mut Conn,
    bot: &Bot,
    offer: &str,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<()> {
    let Some(donation) = store::of_offer(conn, bot.id, offer)? else {
        return Err(Error::BotProtocol(format!("trade_offer_id {offer} was never received")));
    };
    if matches!(
        donation.state,
        DonationState::Received | DonationState::Declined | DonationState::Ended
    ) {
        return Ok(());
    }
    match outcome {
        Outcome::Accepted { trade_id, assets, settles_at } => {
            let trade = Trade { trade_id, assets, settles_at: *settles_at };
            accepted(conn, bot, &donation, &trade, now)
        }
        Outcome::Declined => {
            let state = DonationState::Declined;
            store::set_state(conn, &donation, state, None, &donation.reason, now)?;
            let text = format!("The offer of {} was declined", donation.donor_id);
            append(conn, bot, &donation, "donation.declined", &text, now)
        }
        Outcome::Ended(why) => {
            let trade = donation.trade_id.clone();
            let state = DonationState::Ended;
            store::set_state(conn, &donation, state, trade.as_deref(), why, now)?;
            undo(conn, bot, &donation, now)?;
            let text = format!("The offer of {} ended: {why}", donation.donor_id);
            let donation = Donation { reason: why.clone(), ..donation };
            append(conn, bot, &donation, "donation.ended", &text, now)
        }
    }
}

/// A trade that was accepted and came to nothing: what it was to bring never came.
fn undo(conn: &mut Conn, bot: &Bot, donation: &Donation, now: Timestamp) -> Result<()> {
    let source = bots::source(bot.id);
    for item in items::ops::of_donation(conn, bot.id, &donation.trade_offer_id)? {
        if item.state == ItemState::Pending {
            let by = By { source: &source, now };
            let changes = items::Changes::to(ItemState::Withdrawn);
            let text = "never came: the trade was undone";
            items::ops::change(conn, &item, &changes, "item.withdrawn", text, by)?;
        }
    }
    Ok(())
}

struct Trade<'a> {
    trade_id: &'a str,
    assets: &'a HashMap<(i32, AssetId), (AssetId, AssetId)>,
    settles_at: Option<Timestamp>,
}

fn accepted(
    conn: &mut Conn,
    bot: &Bot,
    donation: &Donation,
    trade: &Trade<'_>,
    now: Timestamp,
) -> Result<()> {
    if donation.state == DonationState::Declining {
        let text = format!("Offer {} was accepted against the decision", donation.trade_offer_id);
        let event = NewEvent::new(bot.org, "donation.contradiction", &bots::source(bot.id), text)
            .bot(bot.id)
            .user(Some(donation.donor_id))
            .with("trade_offer_id", donation.trade_offer_id.as_str())
            .severity(Severity::Error);
        events::append(conn, event, now)?;
    }
    let given = given(donation)?;
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    let known = items::ops::of_donation(conn, bot.id, &donation.trade_offer_id)?;
    if known.is_empty() {
        let origin = Origin {
            org: bot.org,
            bot: bot.id,
            via: "donation",
            donation: Some((donation.donor_id, donation.trade_offer_id.clone())),
            at: now,
        };
        let pending: Vec<Item> = given
            .iter()
            .map(|asset| Item { steam_asset_id: None, ..asset.item(ItemState::Pending, &origin) })
            .collect();
        items::ops::record(conn, &pending, "item.accepted", "was accepted as a donation", by)?;
    }
    let mut complete = true;
    for item in items::ops::of_donation(conn, bot.id, &donation.trade_offer_id)? {
        complete &= arrive(conn, &item, trade, by)?;
    }
    let state = if complete { DonationState::Received } else { DonationState::Accepted };
    if state == donation.state {
        return Ok(());
    }
    store::set_state(conn, donation, state, Some(trade.trade_id), &donation.reason, now)?;
    if complete {
        let donation = Donation { trade_id: Some(trade.trade_id.to_owned()), ..donation.clone() };
        let text = format!("{} items of {} were received", given.len(), donation.donor_id);
        append(conn, bot, &donation, "donation.received", &text, now)?;
    }
    Ok(())
}

/// Puts a pending item into the pool once its new asset id is known; tells whether it is there.
fn arrive(conn: &mut Conn, item: &Item, trade: &Trade<'_>, by: By<'_>) -> Result<bool> {
    if item.state != ItemState::Pending {
        return Ok(true);
    }
    let new =
        item.received_asset_id.and_then(|old| trade.assets.get(&(item.steam_app_id, old)).copied());
    let Some((asset, context)) = new else { return Ok(false) };
    let changes = items::Changes {
        steam_asset_id: Some(Some(asset)),
        steam_context_id: Some(context),
        tradable_at: Some(trade.settles_at),
        ..items::Changes::to(ItemState::Available)
    };
    items::ops::change(conn, item, &changes, "item.received", "came into the pool", by)?;
    Ok(true)
}
