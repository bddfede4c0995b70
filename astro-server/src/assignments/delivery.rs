//! The life of a delivery attempt, step by step as the bot reports it. The row of an attempt is
//! committed before Steam is asked, so that a crash leaves a trace to follow.
use super::ops::{change, finish, settle};
use super::rules::{Failure, Verdict, offer_message, remedy, verdict};
use super::store::{self, Step};
use super::{Assignment, AssignmentState, Attempt, Changes, Phase};
use crate::auth::keys::marker;
use crate::bots::{self, Bot};
use crate::db::Conn;
use crate::events::{self, NewEvent, Severity};
use crate::items::asset::Class;
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::limits::{OFFERS_PER_BOT_MAX, OFFERS_PER_PARTNER_MAX};
use crate::kernel::{AssetId, AttemptId, BotId, Error, Result, SteamId, Timestamp};
use crate::users;
use std::collections::{HashMap, HashSet};

/// All that a bot needs to go on with an attempt.
#[derive(Debug, Clone)]
pub struct Work {
    /// The attempt.
    pub attempt: Attempt,
    /// Its items.
    pub items: Vec<Item>,
    /// Token of the recipient's trade URL.
    pub trade_token: Option<String>,
    /// Message of the offer.
    pub message: String,
}

/// Room for more offers, by Steam's limits and what is out already.
struct Room {
    offers: i64,
    /// Open offers by person.
    by_person: HashMap<SteamId, i64>,
}

impl Room {
    /// None when the bot can send nothing now: it is paused, not on Steam, or has its fill.
    fn of(conn: &mut Conn, bot: &Bot) -> Result<Option<Self>> {
        if bot.paused || !bot.steam_status.can_trade() {
            return Ok(None);
        }
        let open = store::open_attempts(conn, bot.id)?;
        let offers = OFFERS_PER_BOT_MAX - i64::try_from(open.len()).unwrap_or(i64::MAX);
        let mut by_person = HashMap::new();
        for attempt in open {
            *by_person.entry(attempt.user_id).or_default() += 1;
        }
        Ok((offers > 0).then_some(Self { offers, by_person }))
    }

    fn full_people(&self) -> Vec<SteamId> {
        let full = self.by_person.iter().filter(|(_, open)| **open >= OFFERS_PER_PARTNER_MAX);
        full.map(|(person, _)| *person).collect()
    }

    /// Takes the place of an offer to `person`, if there is one.
    fn take(&mut self, person: SteamId) -> bool {
        let open = self.by_person.entry(person).or_default();
        if *open >= OFFERS_PER_PARTNER_MAX {
            return false;
        }
        *open += 1;
        true
    }
}

/// Plans attempts for queued assignments as far as Steam's limits of open offers allow; tells
/// how many.
///
/// # Errors
/// Those of the database.
pub fn plan(conn: &mut Conn, bot: &Bot, now: Timestamp) -> Result<usize> {
    let Some(mut room) = Room::of(conn, bot)? else { return Ok(0) };
    let by = By { source: events::SYSTEM, now };
    let mut planned = 0;
    // People with their fill of offers are left out by the query, so that they hold up nobody.
    for assignment in store::queued(conn, bot.id, &room.full_people(), now, room.offers)? {
        if room.take(assignment.user_id) {
            plan_one(conn, bot, &assignment, by)?;
            planned += 1;
        }
    }
    Ok(planned)
}

/// Whether [`plan`] would plan something.
///
/// # Errors
/// Those of the database.
pub fn is_due(conn: &mut Conn, bot: &Bot, now: Timestamp) -> Result<bool> {
    let Some(room) = Room::of(conn, bot)? else { return Ok(false) };
    Ok(!store::queued(conn, bot.id, &room.full_people(), now, 1)?.is_empty())
}

fn plan_one(conn: &mut Conn, bot: &Bot, assignment: &Assignment, by: By<'_>) -> Result<()> {
    let number = assignment.delivery_attempts + 1;
    let attempt = Attempt {
        id: AttemptId::new(),
        org_id: assignment.org_id,
        assignment_id: assignment.id,
        bot_id: bot.id,
        user_id: assignment.user_id,
        number,
        phase: Phase::Planned,
        marker: marker(),
        trade_offer_id: None,
        trade_id: None,
        failure: None,
        error_message: None,
        cancel_wanted: false,
        started_at: None,
        ended_at: None,
        created_at: by.now,
        updated_at: by.now,
    };
    store::insert_attempt(conn, &attempt)?;
    let changes = Changes {
        delivery_attempts: Some(number),
        processing_started_at: Some(Some(assignment.processing_started_at.unwrap_or(by.now))),
        last_delivery_attempt_at: Some(Some(by.now)),
        ..Changes::to(AssignmentState::Delivering, "the bot prepares the offer")
    };
    let text = format!("attempt {number} was planned");
    change(conn, assignment, &changes, "assignment.delivering", &text, by).map(drop)
}

/// The attempts of the bot that are not over, oldest first.
///
/// # Errors
/// Those of the database.
pub fn open_attempts(conn: &mut Conn, bot: &Bot) -> Result<Vec<Attempt>> {
    store::open_attempts(conn, bot.id)
}

/// Classes of what the bot delivered since `since`.
///
/// # Errors
/// Those of the database.
pub fn delivered_since(conn: &mut Conn, bot: BotId, since: Timestamp) -> Result<HashSet<Class>> {
    let mut classes = HashSet::new();
    for assignment in store::delivered_since(conn, bot, since)? {
        let items = items::ops::of_assignment(conn, assignment)?;
        classes.extend(items.iter().map(|item| (item.steam_app_id, item.steam_class_id)));
    }
    Ok(classes)
}

/// All that the bot needs to go on with `attempt`.
///
/// # Errors
/// Those of the database.
pub fn work(conn: &mut Conn, attempt: Attempt) -> Result<Work> {
    let assignment = super::ops::get(conn, attempt.assignment_id)?;
    Ok(Work {
        items: items::ops::of_assignment(conn, assignment.id)?,
        trade_token: users::ops::trade_token(conn, assignment.org_id, assignment.user_id)?,
        message: offer_message(&attempt.marker, &assignment.assignment_reason),
        attempt,
    })
}

/// Ends an attempt that nothing was asked of Steam for.
pub(super) fn drop_attempt(conn: &mut Conn, attempt: &Attempt, now: Timestamp) -> Result<()> {
    let step = Step { phase: Some(Phase::Ended), ended_at: Some(now), ..Step::default() };
    store::step(conn, attempt, &step, now)
}

/// Asks the bot to withdraw the offer.
pub(super) fn want_cancelled(conn: &mut Conn, attempt: &Attempt, now: Timestamp) -> Result<()> {
    let step = Step { cancel_wanted: Some(true), ..Step::default() };
    store::step(conn, attempt, &step, now)
}

/// The open attempt of this bot; none for one that is over, or of another bot.
fn open(conn: &mut Conn, bot: &Bot, id: AttemptId) -> Result<Option<(Attempt, Assignment)>> {
    let attempt = store::attempt(conn, id)?.filter(|a| a.bot_id == bot.id);
    let attempt = attempt.ok_or_else(|| Error::BotProtocol(format!("attempt_id {id}")))?;
    if attempt.ended_at.is_some() {
        return Ok(None);
    }
    let assignment = super::ops::get(conn, attempt.assignment_id)?;
    Ok(Some((attempt, assignment)))
}

/// The bot is about to send the offer; tells whether it may: once, since whoever asks again may
/// not know that another worker has sent it meanwhile. The attempt is then looked for on Steam.
///
/// # Errors
/// Those of the database.
pub fn started(conn: &mut Conn, bot: &Bot, id: AttemptId, now: Timestamp) -> Result<bool> {
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(false) };
    if attempt.phase != Phase::Planned {
        return Ok(false);
    }
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    let items = items::ops::of_assignment(conn, assignment.id)?;
    let whole = items.len() == usize::try_from(assignment.total_items_count).unwrap_or(0);
    let here = items.iter().all(|item| item.state == ItemState::Assigned);
    if bot.paused || !whole || !here {
        drop_attempt(conn, &attempt, now)?;
        let changes = Changes::to(AssignmentState::Queued, "waits for the bot");
        change(conn, &assignment, &changes, "assignment.queued", "waits again", by)?;
        if !bot.paused {
            super::ops::block_for_missing(conn, assignment.id, by)?;
        }
        return Ok(false);
    }
    let step = Step { phase: Some(Phase::Started), started_at: Some(now), ..Step::default() };
    store::step(conn, &attempt, &step, now)?;
    for item in &items {
        let changes = items::Changes::to(ItemState::InOffer);
        items::ops::change(conn, item, &changes, "item.offered", "goes into an offer", by)?;
    }
    let changes = Changes {
        status_message: Some("the bot sends the offer".to_owned()),
        ..Changes::default()
    };
    let text = format!("attempt {} was started", attempt.number);
    change(conn, &assignment, &changes, "assignment.attempt_started", &text, by)?;
    Ok(true)
}

/// The offer is on Steam.
///
/// # Errors
/// Those of the database.
pub fn sent(conn: &mut Conn, bot: &Bot, id: AttemptId, offer: &str, now: Timestamp) -> Result<()> {
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(()) };
    if attempt.phase != Phase::Started {
        return Ok(());
    }
    let step = Step {
        phase: Some(Phase::Sent),
        trade_offer_id: Some(offer.to_owned()),
        ..Step::default()
    };
    store::step(conn, &attempt, &step, now)?;
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    for item in items::ops::of_assignment(conn, assignment.id)? {
        let changes = items::Changes {
            delivery_trade_offer_id: Some(Some(offer.to_owned())),
            ..items::Changes::default()
        };
        items::ops::change(conn, &item, &changes, "item.offer_sent", "is in an offer", by)?;
    }
    let changes = Changes {
        delivery_trade_offer_id: Some(Some(offer.to_owned())),
        status_message: Some("the offer waits for the bot's confirmation".to_owned()),
        ..Changes::default()
    };
    let text = format!("offer {offer} was sent");
    change(conn, &assignment, &changes, "assignment.offer_sent", &text, by).map(drop)
}

/// The recipient sees the offer.
///
/// # Errors
/// Those of the database.
pub fn offered(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    offer: &str,
    now: Timestamp,
) -> Result<()> {
    sent(conn, bot, id, offer, now)?;
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(()) };
    if attempt.phase != Phase::Sent {
        return Ok(());
    }
    let step = Step { phase: Some(Phase::Offered), ..Step::default() };
    store::step(conn, &attempt, &step, now)?;
    let changes = Changes::to(AssignmentState::Offered, "the offer waits for the recipient");
    let by = &bots::source(bot.id);
    let text = format!("offer {offer} waits for the recipient");
    change(conn, &assignment, &changes, "assignment.offered", &text, By { source: by, now })
        .map(drop)
}

/// The recipient accepted, and Steam holds the items.
///
/// # Errors
/// Those of the database.
pub fn held(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(()) };
    if !matches!(attempt.phase, Phase::Sent | Phase::Offered) {
        return Ok(());
    }
    let step = Step { phase: Some(Phase::Held), ..Step::default() };
    store::step(conn, &attempt, &step, now)?;
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    for item in items::ops::of_assignment(conn, assignment.id)? {
        let changes = items::Changes::to(ItemState::InEscrow);
        items::ops::change(conn, &item, &changes, "item.in_escrow", "is held by Steam", by)?;
    }
    let text = match until {
        Some(until) => format!("accepted; Steam holds the items until {until}"),
        None => "accepted; Steam holds the items".to_owned(),
    };
    let changes = Changes::to(AssignmentState::Held, text.as_str());
    change(conn, &assignment, &changes, "assignment.held", &text, by).map(drop)
}

/// The end of a delivery, as the bot reports it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Offer.
    pub trade_offer_id: String,
    /// Trade.
    pub trade_id: String,
    /// New asset id and context of each asset, by application and old asset id.
    pub assets: HashMap<(i32, AssetId), (AssetId, AssetId)>,
    /// End of the trade protection.
    pub settles_at: Option<Timestamp>,
}

/// The recipient has the items.
///
/// # Errors
/// Those of the database.
pub fn delivered(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<()> {
    let Some((attempt, assignment)) = open(conn, bot, id)? else {
        return contradiction(conn, bot, id, delivery, now);
    };
    let step = Step {
        phase: Some(Phase::Delivered),
        trade_offer_id: Some(delivery.trade_offer_id.clone()),
        trade_id: Some(delivery.trade_id.clone()),
        ended_at: Some(now),
        ..Step::default()
    };
    store::step(conn, &attempt, &step, now)?;
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    for item in items::ops::of_assignment(conn, assignment.id)? {
        hand_over(conn, &item, delivery, by)?;
    }
    let changes = Changes {
        ending: Some(None),
        delivery_trade_offer_id: Some(Some(delivery.trade_offer_id.clone())),
        delivery_error_message: Some(None),
        delivered_at: Some(Some(now)),
        settles_at: Some(delivery.settles_at),
        ..Changes::to(AssignmentState::Delivered, "delivered")
    };
    let text = format!("was delivered in trade {}", delivery.trade_id);
    let after = change(conn, &assignment, &changes, "assignment.delivered", &text, by)?;
    if delivery.settles_at.is_none() {
        settle(conn, &after, by)?;
    }
    Ok(())
}

fn hand_over(conn: &mut Conn, item: &Item, delivery: &Delivery, by: By<'_>) -> Result<()> {
    let new =
        item.steam_asset_id.and_then(|old| delivery.assets.get(&(item.steam_app_id, old)).copied());
    let changes = items::Changes {
        steam_asset_id: Some(new.map(|(asset, _)| asset)),
        steam_context_id: new.map(|(_, context)| context),
        delivered_at: Some(Some(by.now)),
        delivery_trade_offer_id: Some(Some(delivery.trade_offer_id.clone())),
        ..items::Changes::to(ItemState::Delivered)
    };
    let after = items::ops::change(conn, item, &changes, "item.delivered", "was delivered", by)?;
    if let Some(assignment) = after.assignment_id {
        store::set_item_delivered(conn, assignment, after.id, after.steam_asset_id, by.now)?;
    }
    Ok(())
}

/// A delivery of an attempt that had ended otherwise: the books cannot follow by themselves, and
/// a person must know. The next complete inventory shows the items as missing.
fn contradiction(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<()> {
    let attempt = store::attempt(conn, id)?;
    let Some(attempt) = attempt.filter(|a| a.phase == Phase::Ended) else { return Ok(()) };
    let text =
        format!("Offer {} was accepted after its attempt had ended", delivery.trade_offer_id);
    let event = NewEvent::new(bot.org, "assignment.contradiction", &bots::source(bot.id), text)
        .assignment(attempt.assignment_id, None)
        .bot(bot.id)
        .user(Some(attempt.user_id))
        .with("trade_offer_id", delivery.trade_offer_id.as_str())
        .with("trade_id", delivery.trade_id.as_str())
        .severity(Severity::Error);
    events::append(conn, event, now)
}

/// The attempt ended and nothing moved.
///
/// # Errors
/// Those of the database.
pub fn ended(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    failure: Failure,
    message: &str,
    now: Timestamp,
) -> Result<()> {
    let Some((attempt, assignment)) = open(conn, bot, id)? else { return Ok(()) };
    let step = Step {
        phase: Some(Phase::Ended),
        failure: Some(failure.to_string()),
        error_message: Some(message.to_owned()),
        ended_at: Some(now),
        ..Step::default()
    };
    store::step(conn, &attempt, &step, now)?;
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    if let Some(ending) = assignment.ending {
        return finish(conn, &assignment, ending, "the offer was withdrawn", by).map(drop);
    }
    for item in items::ops::of_assignment(conn, assignment.id)? {
        if matches!(item.state, ItemState::InOffer | ItemState::InEscrow) {
            let changes = items::Changes {
                delivery_trade_offer_id: Some(None),
                ..items::Changes::to(ItemState::Assigned)
            };
            items::ops::change(conn, &item, &changes, "item.kept", "stays with the bot", by)?;
        }
    }
    let shown = if message.is_empty() { failure.as_str() } else { message };
    let error = Some(Some(shown.to_owned()));
    let (changes, name) = match verdict(failure, attempt.number) {
        Verdict::Requeue(pause) => {
            let next_attempt_at = now.plus(pause);
            let text = format!("attempt {} failed; next at {next_attempt_at}", attempt.number);
            let to = Changes::to(AssignmentState::Queued, text);
            let changes = Changes { next_attempt_at: Some(next_attempt_at), ..to };
            (changes, "assignment.queued")
        }
        Verdict::Block(reason) => {
            let to = Changes::to(AssignmentState::Blocked, remedy(reason));
            (Changes { blocked_reason: Some(Some(reason)), ..to }, "assignment.blocked")
        }
    };
    let changes = Changes { delivery_error_message: error, ..changes };
    let text = format!("attempt {} ended: {failure}", attempt.number);
    change(conn, &assignment, &changes, name, &text, by).map(drop)
}
