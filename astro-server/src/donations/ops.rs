//! A donation from the offer to the pool.
use super::rules::{self, Decline, LIMIT_SPAN, judge, worth};
use super::{Donation, DonationId, DonationState, Filter, Offer, store};
use crate::bots::{self, Bot};
use crate::db::{Conn, Document};
use crate::events::{self, EventType, NewEvent};
use crate::items::asset::{Class, Origin, SeenAsset};
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::page::Piece;
use crate::kernel::{AssetId, BotId, Caller, Error, Page, Reach, Result, SteamId, Timestamp};
use crate::{orgs, users};
use std::collections::{HashMap, HashSet};

/// The donation, if the caller sees it.
///
/// # Errors
/// `DONATION_NOT_FOUND`.
pub fn visible(conn: &mut Conn, caller: &Caller, id: DonationId) -> Result<Donation> {
    let found = store::get(conn, id)?.filter(|donation| caller.sees(donation.org_id));
    found.ok_or(super::DONATION.missing(id))
}

/// The next piece of the list of donations, newest first.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    reach: Reach,
    filter: &Filter,
    page: &Page,
) -> Result<Piece<Donation>> {
    store::list(conn, reach, filter, page)
}

/// Records an offer that came in and decides on it. An offer that is known changes nothing.
///
/// # Errors
/// Those of the database.
pub fn received(conn: &mut Conn, bot: &Bot, offer: &Offer, now: Timestamp) -> Result<()> {
    if store::of_offer(conn, bot.id, &offer.trade_offer_id)?.is_some() {
        return Ok(());
    }
    // This writes the donor's row: two offers of one donor are judged one after the other, even if
    // they came to different bots, so that both count.
    users::ops::meet(conn, bot.org, offer.donor, now)?;
    let org = orgs::ops::get(conn, bot.org)?;
    let before = store::given_since(conn, bot.org, offer.donor, now.minus(LIMIT_SPAN))?;
    let (state, decline_reason, status_message) = match judge(offer, &org, before) {
        Ok(()) => (DonationState::Accepting, None, "the bot accepts the offer".to_owned()),
        Err(Decline { reason, words }) => (DonationState::Declining, Some(reason), words),
    };
    let assets = serde_json::to_value(&offer.gives)
        .map_err(|e| Error::Internal(format!("assets of an offer: {e}")))?;
    let donation = Donation {
        id: conn.id(now),
        org_id: bot.org,
        bot_id: bot.id,
        trade_offer_id: offer.trade_offer_id.clone(),
        donor_id: offer.donor,
        state,
        decline_reason,
        status_message,
        message: offer.message.clone(),
        assets: Document(assets),
        items_count: i32::try_from(offer.gives.len()).unwrap_or(i32::MAX),
        estimated_usd_cents: worth(&offer.gives),
        trade_id: None,
        settles_at: None,
        created_at: now,
        updated_at: now,
    };
    if !store::insert(conn, &donation)? {
        return Ok(());
    }
    let text = if decline_reason.is_none() {
        format!("{} offers {} items as a donation", offer.donor, offer.gives.len())
    } else {
        format!("An offer of {} is declined: {}", offer.donor, donation.status_message)
    };
    append(conn, &donation, EventType::DonationOffered, &text, now)
}

fn append(
    conn: &mut Conn,
    donation: &Donation,
    name: EventType,
    text: &str,
    now: Timestamp,
) -> Result<()> {
    events::append(conn, event(donation, name, text), now)
}

/// An event about the donation, with what a donor may be told of it.
pub(super) fn event(donation: &Donation, name: EventType, text: &str) -> NewEvent {
    let reason = donation.decline_reason.map(super::DeclineReason::as_str);
    NewEvent::new(donation.org_id, name, &bots::source(donation.bot_id), text)
        .bot(donation.bot_id)
        .user(Some(donation.donor_id))
        .with("donation_id", donation.id.to_string())
        .with("trade_offer_id", donation.trade_offer_id.as_str())
        .with("trade_id", donation.trade_id.clone().unwrap_or_default())
        .with("decline_reason", reason.unwrap_or_default())
        .with("status_message", donation.status_message.as_str())
        .personal("message", donation.message.as_str())
        .with("items_count", donation.items_count)
        .with("estimated_usd_cents", donation.estimated_usd_cents)
}

/// The receipt: what was received, from whom and when it is final.
fn receipt(
    conn: &mut Conn,
    bot: &Bot,
    donation: &Donation,
    text: &str,
    now: Timestamp,
) -> Result<()> {
    let items: Vec<_> = items::ops::of_donation(conn, bot.id, &donation.trade_offer_id)?
        .into_iter()
        .map(|item| {
            serde_json::json!({
                "item_id": item.id.to_string(),
                "app_id": item.steam_app_id,
                "market_hash_name": item.market_hash_name,
                "amount": item.amount,
            })
        })
        .collect();
    let event = event(donation, EventType::DonationReceived, text)
        .with("items", items)
        .with("settle_time", donation.settles_at.map(|at| at.to_string()));
    events::append(conn, event, now)
}

/// The donation that came to the bot by this offer.
///
/// # Errors
/// Those of the database.
pub fn of_offer(conn: &mut Conn, bot: BotId, offer: &str) -> Result<Option<Donation>> {
    store::of_offer(conn, bot, offer)
}

/// Deletes what the books keep of the bot's donations, unless some were taken; tells whether it did.
///
/// # Errors
/// Those of the database.
pub fn clear(conn: &mut Conn, bot: BotId) -> Result<bool> {
    store::clear(conn, bot)
}

/// The donations that the bot has something to do for, oldest first.
///
/// # Errors
/// Those of the database.
pub fn open(conn: &mut Conn, bot: BotId) -> Result<Vec<Donation>> {
    store::open(conn, bot)
}

/// Whether a donation brought what came in this trade, or a donor's offer that is open may have.
///
/// # Errors
/// Those of the database.
pub fn explains(conn: &mut Conn, bot: BotId, trade: &str, donor: SteamId) -> Result<bool> {
    if store::of_trade(conn, bot, trade)?.is_some() {
        return Ok(true);
    }
    Ok(store::open(conn, bot)?.iter().any(|donation| donation.donor_id == donor))
}

/// Classes of what donations may be bringing to the bot, or did since `since`.
///
/// # Errors
/// Those of the database.
pub fn moving(conn: &mut Conn, bot: BotId, since: Timestamp) -> Result<HashSet<Class>> {
    let mut moving = HashSet::new();
    for donation in store::open_or_since(conn, bot, since)? {
        moving.extend(donation.given()?.iter().map(SeenAsset::class_key));
    }
    Ok(moving)
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
        return Err(bots::protocol_broken(format!("trade_offer_id {offer} was never received")));
    };
    if donation.state.is_answered() {
        return Ok(());
    }
    match outcome {
        Outcome::Accepted { trade_id, assets, settles_at } => {
            let trade = Trade { trade_id, assets, settles_at: *settles_at };
            accepted(conn, bot, &donation, &trade, now)
        }
        Outcome::Declined => {
            let after = Donation { state: DonationState::Declined, ..donation.clone() };
            store::change(conn, &donation, &after, now)?;
            let why = &donation.status_message;
            let text = format!("The offer of {} was declined: {why}", donation.donor_id);
            append(conn, &after, EventType::DonationDeclined, &text, now)
        }
        Outcome::Ended(why) => {
            let ended = Donation {
                state: DonationState::Ended,
                status_message: format!("the offer ended: {why}"),
                ..donation.clone()
            };
            store::change(conn, &donation, &ended, now)?;
            undo(conn, bot, &donation, now)?;
            let text = format!("The offer of {} ended: {why}", donation.donor_id);
            append(conn, &ended, EventType::DonationEnded, &text, now)
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
            items::ops::change(conn, &item, &changes, EventType::ItemWithdrawn, text, by)?;
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
    let other = store::of_trade(conn, bot.id, trade.trade_id)?;
    if let Some(other) = other.filter(|other| other.id != donation.id) {
        return duplicate(conn, donation, &other, now);
    }
    if donation.state == DonationState::Declining {
        let text = format!("Offer {} was accepted against the decision", donation.trade_offer_id);
        let event = event(donation, EventType::DonationContradiction, &text);
        events::append(conn, event, now)?;
    }
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    if items::ops::of_donation(conn, bot.id, &donation.trade_offer_id)?.is_empty() {
        expect(conn, bot, donation, by)?;
    }
    let mut complete = true;
    for item in items::ops::of_donation(conn, bot.id, &donation.trade_offer_id)? {
        complete &= arrive(conn, &item, trade, by)?;
    }
    let state = if complete { DonationState::Received } else { DonationState::Accepted };
    if state == donation.state {
        return Ok(());
    }
    let status_message = if complete {
        thanks(conn, donation)?
    } else {
        "accepted; the items are on their way".to_owned()
    };
    let after = Donation {
        state,
        decline_reason: None,
        status_message,
        trade_id: Some(trade.trade_id.to_owned()),
        settles_at: trade.settles_at,
        ..donation.clone()
    };
    store::change(conn, donation, &after, now)?;
    if complete {
        let text = format!("{} items of {} were received", after.items_count, after.donor_id);
        receipt(conn, bot, &after, &text, now)?;
    }
    Ok(())
}

/// The same trade under another offer: its items are in the books, and nothing came beside them.
fn duplicate(conn: &mut Conn, donation: &Donation, other: &Donation, now: Timestamp) -> Result<()> {
    let why = format!("its trade was recorded with offer {}", other.trade_offer_id);
    let after =
        Donation { state: DonationState::Ended, status_message: why.clone(), ..donation.clone() };
    store::change(conn, donation, &after, now)?;
    let text = format!("Offer {} changes nothing: {why}", donation.trade_offer_id);
    let event = event(&after, EventType::DonationDuplicate, &text);
    events::append(conn, event, now)
}

/// Records what the donation brings, under the numbers that it has with the donor.
fn expect(conn: &mut Conn, bot: &Bot, donation: &Donation, by: By<'_>) -> Result<()> {
    let origin = Origin {
        org: bot.org,
        bot: bot.id,
        via: "donation",
        donation: Some((donation.donor_id, donation.trade_offer_id.clone())),
        at: by.now,
    };
    let pending: Vec<Item> = donation
        .given()?
        .iter()
        .map(|asset| Item {
            steam_asset_id: None,
            ..asset.item(conn.id(by.now), ItemState::Pending, &origin)
        })
        .collect();
    items::ops::record(conn, &pending, EventType::ItemAccepted, "was accepted as a donation", by)
}

/// The organisation's thank-you, or one of ours.
fn thanks(conn: &mut Conn, donation: &Donation) -> Result<String> {
    let org = orgs::ops::get(conn, donation.org_id)?;
    if !org.donation_rules.thanks.is_empty() {
        return Ok(org.donation_rules.thanks);
    }
    let items = if donation.items_count == 1 { "item" } else { "items" };
    let worth = match donation.estimated_usd_cents {
        0 => String::new(),
        cents => format!(" worth about {}", rules::dollars(cents)),
    };
    let count = donation.items_count;
    Ok(format!("{} thanks you for {count} {items}{worth}", org.display_name))
}

/// Puts a pending item into the pool once its new asset id is known; tells whether it is there.
fn arrive(conn: &mut Conn, item: &Item, trade: &Trade<'_>, by: By<'_>) -> Result<bool> {
    if item.state != ItemState::Pending {
        return Ok(true);
    }
    let new =
        item.received_asset_id.and_then(|old| trade.assets.get(&(item.steam_app_id, old)).copied());
    let Some((asset, context)) = new else { return Ok(false) };
    // The trade history may have told of the asset first: it is in the books once.
    if let Some(known) = items::ops::holder(conn, item.bot_id, item.steam_app_id, asset)? {
        let changes = items::Changes::to(ItemState::Withdrawn);
        let text = format!("is in the pool already, as item {}", known.id);
        items::ops::change(conn, item, &changes, EventType::ItemWithdrawn, &text, by)?;
        return Ok(true);
    }
    // One that somebody accepted against the decision; the next run tells of it.
    let (state, text) = if item.is_stack() {
        (ItemState::Quarantined, "came, and is a stack")
    } else {
        (ItemState::Available, "came into the pool")
    };
    let changes = items::Changes {
        steam_asset_id: Some(Some(asset)),
        steam_context_id: Some(context),
        tradable_at: Some(trade.settles_at),
        ..items::Changes::to(state)
    };
    items::ops::change(conn, item, &changes, EventType::ItemReceived, text, by)?;
    Ok(true)
}
