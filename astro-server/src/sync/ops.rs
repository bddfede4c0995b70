//! Runs, from the question to the answer.
use super::store::{self, Progress};
use super::{Sync, SyncId, SyncState, Trigger, schedule};
use crate::bots::{self, Bot};
use crate::db::{Conn, Document};
use crate::donations;
use crate::events::{self, EventType, NewEvent};
use crate::items::ops::By;
use crate::items::{self, ItemState};
use crate::kernel::page::Piece;
use crate::kernel::{BotId, Caller, Error, Page, Reach, Result, Timestamp};
use std::time::Duration;

/// A run that the bot never finished is given up after this time.
const RUN_MAX: Duration = Duration::from_secs(1800);

/// Asks for a run; the open one, if there is one already.
///
/// # Errors
/// Those of the database.
pub fn start(conn: &mut Conn, bot: &Bot, trigger: Trigger, by: By<'_>) -> Result<Sync> {
    if let Some(open) = store::open(conn, bot.id)? {
        return Ok(open);
    }
    let sync = Sync::new(conn.id(by.now), bot.org, bot.id, trigger, by.now);
    if !store::insert(conn, &sync)? {
        return Err(Error::Conflict(format!("bot {} just got another sync", bot.id)));
    }
    append(conn, &sync, EventType::SyncRequested, "A full inventory was asked for", by)?;
    Ok(sync)
}

/// Clears what the books keep of a bot that is removed: comparisons, and donations of which nothing
/// came.
///
/// # Errors
/// `BOT_IN_USE` when items have gone through it, or are about to.
pub fn clear(conn: &mut Conn, bot: &Bot) -> Result<()> {
    let in_use = |why: String| Err(bots::in_use(bot.id, why));
    let counts = items::ops::counts(conn, bot.id)?;
    let gone = [ItemState::Delivered, ItemState::Withdrawn];
    let (past, held): (Vec<_>, Vec<_>) = counts.iter().partition(|(state, _)| gone.contains(state));
    let sum = |counts: &[&(ItemState, i64)]| counts.iter().map(|(_, count)| count).sum::<i64>();
    match (sum(&held), sum(&past)) {
        (0, 0) => {}
        (0, past) => return in_use(format!("{past} items have gone through it")),
        (held, _) => return in_use(format!("it holds {held} items")),
    }
    if !donations::ops::clear(conn, bot.id)? {
        return in_use("it has taken donations".to_owned());
    }
    store::clear(conn, bot.id)
}

pub(super) fn append(
    conn: &mut Conn,
    sync: &Sync,
    name: EventType,
    text: &str,
    by: By<'_>,
) -> Result<()> {
    let event = NewEvent::new(sync.org_id, name, by.source, text)
        .bot(sync.bot_id)
        .with("sync_id", sync.id.to_string())
        .with("trigger", sync.sync_trigger.as_str());
    events::append(conn, event, by.now)
}

/// What [`tend`] would do.
enum Due {
    /// A run that hangs is given up.
    GiveUp(Sync),
    /// A run begins.
    Start(Trigger),
}

fn look(conn: &mut Conn, bot: &Bot, every: Duration, now: Timestamp) -> Result<Option<Due>> {
    // One that a clock that ran ahead began would hang for longer than any.
    let hangs = |sync: &Sync| {
        let began = sync.read_started();
        sync.sync_status == SyncState::Running
            && (now.since(began) > RUN_MAX || began.is_ahead_of(now))
    };
    if let Some(open) = store::open(conn, bot.id)? {
        return Ok(hangs(&open).then_some(Due::GiveUp(open)));
    }
    let recent = store::recent(conn, bot.id, now, schedule::RECENT)?;
    Ok(schedule::due(&recent, bot.traded_at, bot.id, every, now).map(Due::Start))
}

/// Whether [`tend`] would do something.
///
/// # Errors
/// Those of the database.
pub fn is_due(conn: &mut Conn, bot: &Bot, every: Duration, now: Timestamp) -> Result<bool> {
    look(conn, bot, every, now).map(|due| due.is_some())
}

/// Asks for a run if one is due, as [`schedule::due`] has it; gives up one that hangs.
///
/// # Errors
/// Those of the database.
pub fn tend(conn: &mut Conn, bot: &Bot, every: Duration, now: Timestamp) -> Result<()> {
    let by = By { source: events::SYSTEM, now };
    match look(conn, bot, every, now)? {
        None => Ok(()),
        Some(Due::GiveUp(sync)) => fail(conn, &sync, "the bot did not finish in time", by),
        Some(Due::Start(trigger)) => start(conn, bot, trigger, by).map(drop),
    }
}

/// The open run of the bot.
///
/// # Errors
/// Those of the database.
pub fn open(conn: &mut Conn, bot: BotId) -> Result<Option<Sync>> {
    store::open(conn, bot)
}

/// The bot is asked to read now. A run of an earlier session begins anew.
///
/// # Errors
/// Those of the database.
pub fn begin(conn: &mut Conn, sync: &Sync, now: Timestamp) -> Result<()> {
    let progress = Progress {
        sync_status: Some(SyncState::Running),
        sync_started_at: Some(now),
        ..Progress::default()
    };
    store::progress(conn, sync, &progress)?;
    append(
        conn,
        sync,
        EventType::SyncStarted,
        "The bot reads its inventory",
        By { source: events::SYSTEM, now },
    )
}

/// The inventory could not be read: nothing is concluded from it.
///
/// # Errors
/// Those of the database.
pub fn failed(conn: &mut Conn, bot: &Bot, id: SyncId, why: &str, now: Timestamp) -> Result<()> {
    let Some(sync) = running(conn, bot, id)? else { return Ok(()) };
    let source = bots::source(bot.id);
    fail(conn, &sync, why, By { source: &source, now })
}

pub(super) fn running(conn: &mut Conn, bot: &Bot, id: SyncId) -> Result<Option<Sync>> {
    let sync = store::get(conn, id)?.filter(|sync| sync.bot_id == bot.id);
    let sync = sync.ok_or_else(|| bots::protocol_broken(format!("sync_id {id}")))?;
    Ok((sync.sync_status == SyncState::Running).then_some(sync))
}

fn fail(conn: &mut Conn, sync: &Sync, why: &str, by: By<'_>) -> Result<()> {
    let before = schedule::failures(&store::recent_but(conn, sync, by.now)?);
    let details = serde_json::json!({
        "cause": why,
        "trigger": sync.sync_trigger.as_str(),
        "asked_at": sync.created_at.to_string(),
        "failed_at": by.now.to_string(),
        "failures_in_a_row": before + 1,
    });
    let progress = Progress {
        sync_status: Some(SyncState::Failed),
        sync_completed_at: Some(by.now),
        error_message: Some(why.to_owned()),
        error_details: Some(Document(details)),
        sync_duration_ms: Some(duration_ms(sync, by.now)),
        ..Progress::default()
    };
    store::progress(conn, sync, &progress)?;
    append(conn, sync, EventType::SyncFailed, &format!("The inventory was not read: {why}"), by)
}

pub(super) fn duration_ms(sync: &Sync, now: Timestamp) -> i32 {
    i32::try_from(now.since(sync.read_started()).as_millis()).unwrap_or(i32::MAX)
}

/// The run, if the caller sees it.
///
/// # Errors
/// `SYNC_NOT_FOUND`.
pub fn visible(conn: &mut Conn, caller: &Caller, id: SyncId) -> Result<Sync> {
    store::get(conn, id)?.filter(|s| caller.sees(s.org_id)).ok_or(super::SYNC.missing(id))
}

/// The newest run that is over of each of these bots.
///
/// # Errors
/// Those of the database.
pub fn last_over(conn: &mut Conn, bots: &[BotId]) -> Result<Vec<Sync>> {
    store::newest(conn, bots, &[SyncState::Succeeded, SyncState::Failed])
}

/// The next piece of the list of runs, newest first.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Conn, reach: Reach, bot: Option<BotId>, page: &Page) -> Result<Piece<Sync>> {
    store::list(conn, reach, bot, page)
}

/// How many differences of these bots wait for a person.
///
/// # Errors
/// Those of the database.
pub fn open_count(conn: &mut Conn, bots: &[BotId]) -> Result<i64> {
    store::open_count(conn, bots)
}

/// Accuracy, in millionths, and end of the last run of each of these bots that has had one.
///
/// # Errors
/// Those of the database.
pub fn last_accuracies(
    conn: &mut Conn,
    bots: &[BotId],
) -> Result<Vec<(BotId, i32, Option<Timestamp>)>> {
    let runs = store::newest(conn, bots, &[SyncState::Succeeded])?.into_iter();
    Ok(runs.map(|run| (run.bot_id, run.accuracy_ppm, run.sync_completed_at)).collect())
}
