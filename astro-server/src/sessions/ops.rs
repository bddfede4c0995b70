//! Events of bots, applied; commands for bots, derived.
use super::{BotEvent, Command, Subject};
use crate::assignments::{self, delivery, rules::Failure};
use crate::bots::{self, Bot, Hello, Opened};
use crate::db::Conn;
use crate::donations::{self, DonationState};
use crate::events;
use crate::items::ops::By;
use crate::kernel::{BotId, Caller, Error, Result, SteamId, Timestamp};
use crate::sync::{self, SyncState};
use crate::users;
use std::collections::HashSet;
use std::time::Duration;

/// Opens a session for the bot with this account, and asks for its inventory.
///
/// # Errors
/// [`Error::BotProtocol`] for an account that is no bot the caller sees, [`Error::BotLeaseHeld`].
pub fn open(
    conn: &mut Conn,
    caller: &Caller,
    steam_id: SteamId,
    hello: Hello,
    ttl: Duration,
    now: Timestamp,
) -> Result<Opened> {
    let bot = bots::ops::of_steam_id(conn, steam_id)?
        .filter(|bot| caller.sees(bot.org) && caller.bot.is_none_or(|own| own == bot.id))
        .ok_or_else(|| Error::BotProtocol(format!("{steam_id} is not the bot of this key")))?;
    let opened = bots::ops::open_session(conn, bot.id, hello, ttl, now)?;
    sync::ops::start(conn, &opened.bot, By { source: events::SYSTEM, now })?;
    Ok(opened)
}

/// Applies an event once. The answer to [`BotEvent::AttemptStarted`] is whether the bot may send;
/// none for other events and for one that was applied before.
///
/// # Errors
/// [`Error::BotLeaseLost`] from an older session, [`Error::BotProtocol`].
pub fn apply(
    conn: &mut Conn,
    bot: BotId,
    epoch: i64,
    seq: i64,
    event: &BotEvent,
    now: Timestamp,
) -> Result<Option<bool>> {
    if !bots::ops::take_event(conn, bot, epoch, seq)? {
        return Ok(None);
    }
    let bot = bots::ops::get(conn, bot)?;
    match event {
        BotEvent::OfferReceived(offer) => donations::ops::received(conn, &bot, offer, now)?,
        BotEvent::OfferAnswered(offer, outcome) => {
            donations::ops::answered(conn, &bot, offer, outcome, now)?;
        }
        BotEvent::AttemptStarted(id) => {
            return delivery::started(conn, &bot, *id, now).map(Some);
        }
        BotEvent::AttemptSent(id, offer) => delivery::sent(conn, &bot, *id, offer, now)?,
        BotEvent::AttemptOffered(id, offer) => delivery::offered(conn, &bot, *id, offer, now)?,
        BotEvent::AttemptHeld(id, until) => delivery::held(conn, &bot, *id, *until, now)?,
        BotEvent::AttemptDelivered(id, done) => delivery::delivered(conn, &bot, *id, done, now)?,
        BotEvent::AttemptEnded(id, failure, message) => {
            delivery::ended(conn, &bot, *id, *failure, message, now)?;
            if *failure == Failure::ItemsUnavailable {
                // The books and Steam differ: look at once.
                sync::ops::start(conn, &bot, By { source: events::SYSTEM, now })?;
            }
        }
        BotEvent::SteamStatus(status, detail) => {
            bots::ops::set_steam_status(conn, bot.id, status, detail, now)?;
        }
        BotEvent::UserProfiles(profiles) => {
            let source = bots::source(bot.id);
            users::ops::record_profiles(conn, bot.org, profiles, &source, now)?;
        }
    }
    Ok(None)
}

/// Whether [`advance`] has something to do: reading first keeps idle sessions from writing.
///
/// # Errors
/// Those of the database.
pub fn is_due(
    conn: &mut Conn,
    bot: BotId,
    sent: &HashSet<Subject>,
    now: Timestamp,
) -> Result<bool> {
    let bot = bots::ops::get(conn, bot)?;
    Ok(delivery::is_due(conn, &bot, now)? || unsent_sync(conn, &bot, sent)?.is_some())
}

fn unsent_sync(conn: &mut Conn, bot: &Bot, sent: &HashSet<Subject>) -> Result<Option<sync::Sync>> {
    Ok(sync::ops::open(conn, bot.id)?.filter(|sync| !sent.contains(&Subject::Sync(sync.id))))
}

/// Plans deliveries as far as there is room, and begins a run that waits.
///
/// # Errors
/// [`Error::BotLeaseLost`] from an older session.
pub fn advance(
    conn: &mut Conn,
    bot: BotId,
    epoch: i64,
    sent: &HashSet<Subject>,
    now: Timestamp,
) -> Result<()> {
    let bot = fenced(conn, bot, epoch)?;
    delivery::plan(conn, &bot, now)?;
    if let Some(sync) = unsent_sync(conn, &bot, sent)? {
        sync::ops::begin(conn, &sync, now)?;
    }
    Ok(())
}

/// The bot, if `epoch` is its current session.
///
/// # Errors
/// [`Error::BotLeaseLost`].
pub fn fenced(conn: &mut Conn, bot: BotId, epoch: i64) -> Result<Bot> {
    let bot = bots::ops::get(conn, bot)?;
    if bot.lease_epoch == epoch { Ok(bot) } else { Err(Error::BotLeaseLost(bot.id)) }
}

/// The commands that were not sent in this session yet.
///
/// # Errors
/// Those of the database.
pub fn commands(conn: &mut Conn, bot: BotId, sent: &HashSet<Subject>) -> Result<Vec<Command>> {
    let bot = bots::ops::get(conn, bot)?;
    let mut commands = Vec::new();
    for attempt in delivery::open_attempts(conn, &bot)? {
        let (id, cancel) = (attempt.id, attempt.cancel_wanted);
        let waits = bot.paused && attempt.phase == assignments::Phase::Planned;
        if !waits && !sent.contains(&Subject::Attempt(id)) {
            commands.push(Command::Deliver(delivery::work(conn, attempt)?));
        }
        if cancel && !sent.contains(&Subject::Cancel(id)) {
            commands.push(Command::CancelDelivery(id));
        }
    }
    for donation in donations::ops::open(conn, bot.id)? {
        let waits = bot.paused && donation.state != DonationState::Accepted;
        if !waits && !sent.contains(&Subject::Donation(donation.id)) {
            commands.push(Command::AnswerOffer(donation));
        }
    }
    if let Some(sync) = unsent_sync(conn, &bot, sent)?
        && sync.sync_status == SyncState::Running
    {
        commands.push(Command::ReadInventory(sync.id));
    }
    Ok(commands)
}
