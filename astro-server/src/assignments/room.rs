//! Room for offers: Steam lets an account have so many open ones, so that deliveries are planned as
//! far as there is room, and offers that nobody answers make room for others.
use super::delivery::want_cancelled;
use super::offers::marker;
use super::ops::{change, get};
use super::{Assignment, AssignmentState, Attempt, Changes, Phase, store};
use crate::assignments::limits::{OFFERS_PER_BOT_MAX, OFFERS_PER_PARTNER_MAX};
use crate::bots::{Bot, Load};
use crate::db::Conn;
use crate::events::{self, EventType};
use crate::items::ops::By;
use crate::kernel::{BotId, Result, SteamId, Timestamp};
use std::collections::HashMap;

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

/// What is on the hands of these bots: as many open offers as [`plan`] counts, and what waits.
///
/// # Errors
/// Those of the database.
pub fn loads(conn: &mut Conn, bots: &[BotId]) -> Result<HashMap<BotId, Load>> {
    let mut loads: HashMap<BotId, Load> = HashMap::new();
    for (bot, open) in store::open_attempts_of(conn, bots)? {
        loads.entry(bot).or_default().open_offers = open;
    }
    for (bot, queued) in store::queued_of(conn, bots)? {
        loads.entry(bot).or_default().queued = queued;
    }
    Ok(loads)
}

fn plan_one(conn: &mut Conn, bot: &Bot, assignment: &Assignment, by: By<'_>) -> Result<()> {
    let number = assignment.delivery_attempts + 1;
    let attempt = Attempt {
        id: conn.id(by.now),
        org_id: assignment.org_id,
        assignment_id: assignment.id,
        bot_id: bot.id,
        user_id: assignment.user_id,
        number,
        phase: Phase::Planned,
        marker: marker(conn.chance()),
        trade_offer_id: None,
        trade_id: None,
        failure: None,
        error_message: None,
        cancel_wanted: false,
        withdraw_at: None,
        started_at: None,
        ended_at: None,
        created_at: by.now,
        updated_at: by.now,
    };
    store::insert_attempt(conn, &attempt)?;
    let changes = Changes {
        delivery_attempts: Some(number),
        tries: Some(assignment.tries + 1),
        processing_started_at: Some(Some(assignment.processing_started_at.unwrap_or(by.now))),
        last_delivery_attempt_at: Some(Some(by.now)),
        ..Changes::to(AssignmentState::Delivering, "the bot prepares the offer")
    };
    let text = format!("attempt {number} was planned");
    change(conn, assignment, &changes, EventType::AssignmentDelivering, &text, by).map(drop)
}

/// Attempts whose offers waited as long as their organisation lets them, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn stale(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<Attempt>> {
    store::stale(conn, now, limit)
}

/// Has such an offer withdrawn. Once it is gone its assignment stands at the end of the queue.
///
/// # Errors
/// [`Error::Conflict`](crate::kernel::Error::Conflict) when the attempt went on in between.
pub fn withdraw(conn: &mut Conn, attempt: &Attempt, now: Timestamp) -> Result<()> {
    want_cancelled(conn, attempt, now)?;
    let by = By { source: events::SYSTEM, now };
    let assignment = get(conn, attempt.assignment_id)?;
    let message = "nobody answers the offer: it is withdrawn, and a new one follows";
    let changes = Changes { status_message: Some(message.to_owned()), ..Changes::default() };
    let text = format!("attempt {} waited long enough for an answer", attempt.number);
    change(conn, &assignment, &changes, EventType::AssignmentOfferWithdrawing, &text, by).map(drop)
}
