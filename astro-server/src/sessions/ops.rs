//! Events of bots, applied; commands for bots, derived.
use super::concern::Concern;
use super::{BotEvent, Command, FriendState, Lease, Subject};
use crate::assignments::AttemptId;
use crate::assignments::handover::Delivery;
use crate::assignments::{self, delivery, failure::Failure, handover, invites, room};
use crate::auth;
use crate::bots::{self, Bot, Hello, Opened};
use crate::db::Conn;
use crate::donations::ops::Outcome;
use crate::donations::{self, DonationState};
use crate::events::{self, EventType, NewEvent};
use crate::items::asset::NewIds;
use crate::items::ops::By;
use crate::kernel::{AssetId, BotId, Caller, Result, SteamId, Timestamp};
use crate::sync::history::SeenTrade;
use crate::sync::refusals::{self, Refusal};
use crate::sync::{self, SyncState, Trigger, claims, reversals};
use crate::users;
use std::collections::HashSet;
use std::time::Duration;

/// Opens a session for the bot with this account, and asks for its inventory.
///
/// # Errors
/// `KEY_INVALID` for a key that was revoked since the call came, `BOT_PROTOCOL` for
/// an account that is no bot the caller sees, `BOT_LEASE_HELD`.
pub fn open(
    conn: &mut Conn,
    caller: &Caller,
    steam_id: SteamId,
    hello: Hello,
    ttl: Duration,
    now: Timestamp,
) -> Result<Opened> {
    auth::ops::still_good(conn, caller.principal.id(), now)?;
    let bot = bots::ops::of_steam_id(conn, steam_id)?
        .filter(|bot| caller.sees(bot.org) && caller.bot.is_none_or(|own| own == bot.id))
        .ok_or_else(|| bots::protocol_broken(format!("{steam_id} is not the bot of this key")))?;
    let opened = bots::ops::open_session(conn, bot.id, hello, ttl, now)?;
    let by = By { source: events::SYSTEM, now };
    sync::ops::start(conn, &opened.bot, Trigger::Session, by)?;
    Ok(opened)
}

/// Applies an event once. The answer to [`BotEvent::AttemptStarted`] is whether the bot may send;
/// none for other events and for one that was applied before.
///
/// # Errors
/// `BOT_LEASE_LOST` from an older session, `KEY_INVALID` once its key has ended,
/// `BOT_PROTOCOL`.
pub fn apply(
    conn: &mut Conn,
    lease: &Lease,
    seq: i64,
    (concern, event): (&Concern, &BotEvent),
    now: Timestamp,
) -> Result<Option<bool>> {
    auth::ops::still_good(conn, &lease.key, now)?;
    if !bots::ops::take_event(conn, lease.bot, lease.epoch, seq)? {
        return Ok(None);
    }
    let bot = bots::ops::get(conn, lease.bot)?;
    if event.may_have_moved_items() {
        bots::ops::note_trade(conn, bot.id, now)?;
    }
    let by = By { source: &bots::source(bot.id), now };
    refusals::recorded(conn, &bot, &concern.subject(), by)?;
    record(conn, &bot, event, by)
}

/// Applies a trade of the history. One that was applied before changes nothing.
///
/// # Errors
/// Those of [`fenced`].
pub fn trade(
    conn: &mut Conn,
    lease: &Lease,
    (concern, trade): (&Concern, &SeenTrade),
    now: Timestamp,
) -> Result<()> {
    let bot = fenced(conn, lease, now)?;
    let by = By { source: &bots::source(bot.id), now };
    refusals::recorded(conn, &bot, &concern.subject(), by)?;
    sync::history::seen(conn, &bot, trade, by)
}

fn record(conn: &mut Conn, bot: &Bot, event: &BotEvent, by: By<'_>) -> Result<Option<bool>> {
    let now = by.now;
    match event {
        BotEvent::OfferReceived(offer) => donations::ops::received(conn, bot, offer, now)?,
        BotEvent::OfferAnswered(offer, outcome) => {
            donations::ops::answered(conn, bot, offer, outcome, now)?;
            if let Outcome::Accepted { trade_id, assets, .. } = outcome {
                claims::tell(conn, bot, places(assets), by)?;
                reversals::trade_known(conn, bot, trade_id, now)?;
            }
        }
        BotEvent::AttemptStarted(id) => {
            return delivery::started(conn, bot, *id, now).map(Some);
        }
        BotEvent::AttemptSent(id, offer) => delivery::sent(conn, bot, *id, offer, now)?,
        BotEvent::AttemptOffered(id, offer) => delivery::offered(conn, bot, *id, offer, now)?,
        BotEvent::AttemptHeld(id, until) => delivery::held(conn, bot, *id, *until, now)?,
        BotEvent::AttemptDelivered(id, done) => delivered(conn, bot, *id, done, now)?,
        BotEvent::AttemptEnded(id, ended) => {
            delivery::ended(conn, bot, *id, ended, now)?;
            claims::tell(conn, bot, places(&ended.returned), by)?;
            if ended.failure == Failure::ItemsUnavailable {
                // The books and Steam differ: look at once.
                let by = By { source: events::SYSTEM, now };
                sync::ops::start(conn, bot, Trigger::Failure, by)?;
            }
        }
        BotEvent::SteamStatus(status, detail, ends) => {
            bots::ops::set_steam_status(conn, bot.id, status, detail, *ends, now)?;
        }
        BotEvent::UserProfiles(profiles) => {
            users::ops::record_profiles(conn, bot.org, profiles, by.source, now)?;
        }
        BotEvent::FriendChanged(person, state, message) => match state {
            FriendState::Invited => invites::invited(conn, bot, *person, now)?,
            FriendState::Friend => invites::befriended(conn, bot, *person, now)?,
            FriendState::Refused => invites::refused(conn, bot, *person, message, now)?,
        },
        // Each of its trades was recorded by itself.
        BotEvent::TradesSeen(_) => {}
        BotEvent::StrangeOffer(offer) => sync::offers::seen(conn, bot, offer, now)?,
    }
    Ok(None)
}

/// The assets that something became.
fn places(ids: &NewIds) -> impl Iterator<Item = (i32, AssetId)> {
    ids.iter().map(|((app, _), (asset, _))| (*app, *asset))
}

/// A delivery, and its way back if the history told that first.
fn delivered(
    conn: &mut Conn,
    bot: &Bot,
    id: AttemptId,
    done: &Delivery,
    now: Timestamp,
) -> Result<()> {
    if !reversals::is_kept(conn, bot, &done.trade_id)? {
        return handover::delivered(conn, bot, id, done, now);
    }
    // What came back is not settled in between.
    let done = Delivery { settles_at: done.settles_at.or(Some(now)), ..done.clone() };
    handover::delivered(conn, bot, id, &done, now)?;
    reversals::trade_known(conn, bot, &done.trade_id, now)
}

/// Counts an event that cannot be applied, unless it is only a part of one, and tells people: sent
/// again it would be refused again, and all that comes after it would wait for ever. Gives what the
/// bot is to be told again.
///
/// # Errors
/// `BOT_LEASE_LOST` from an older session, `KEY_INVALID` once its key has ended,
/// `BOT_PROTOCOL` for an event that leaves others out.
pub fn refuse(
    conn: &mut Conn,
    lease: &Lease,
    seq: Option<i64>,
    (concern, why): (&Concern, &str),
    now: Timestamp,
) -> Result<Vec<Subject>> {
    let bot = fenced(conn, lease, now)?;
    if let Some(seq) = seq
        && !bots::ops::take_event(conn, lease.bot, lease.epoch, seq)?
    {
        return Ok(Vec::new());
    }
    let source = bots::source(bot.id);
    let text = format!("A report of bot {} could not be recorded: {why}", bot.display_name);
    let event = NewEvent::new(bot.org, EventType::BotEventRefused, &source, text)
        .bot(bot.id)
        .with("report", concern.report)
        .with("error", why);
    events::append(conn, event, now)?;
    let (refusal, again) = refusal(conn, &bot, concern, why)?;
    refusals::refused(conn, &bot, &refusal, By { source: &source, now })?;
    Ok(again)
}

/// Whom and what a refused report concerns, as far as the books know it, and what the bot was told
/// about it.
fn refusal<'a>(
    conn: &mut Conn,
    bot: &Bot,
    concern: &Concern,
    why: &'a str,
) -> Result<(Refusal<'a>, Vec<Subject>)> {
    let mut refusal = Refusal {
        subject: concern.subject(),
        report: concern.report,
        why,
        assignment: None,
        item: None,
        person: concern.person,
    };
    let mut again = Vec::new();
    if let (Some(person), None) = (concern.person, &concern.trade) {
        again.push(Subject::Friend(person));
    }
    if let Some(id) = concern.attempt
        && let Some(attempt) = delivery::of_bot(conn, bot, id)?
    {
        refusal.assignment = Some(attempt.assignment_id);
        refusal.person = Some(attempt.user_id);
        if let [item] = assignments::ops::items(conn, attempt.assignment_id)?.as_slice() {
            refusal.item = Some(item.item_id);
        }
        again.extend([Subject::Attempt(id), Subject::Cancel(id)]);
    }
    if let Some(offer) = &concern.offer {
        if let Some(donation) = donations::ops::of_offer(conn, bot.id, offer)? {
            refusal.person = Some(donation.donor_id);
            again.push(Subject::Donation(donation.id));
        }
        let strange = sync::offers::to_withdraw(conn, bot)?;
        let strange = strange.into_iter().filter(|(_, id)| id == offer);
        again.extend(strange.map(|(id, _)| Subject::Offer(id)));
    }
    Ok((refusal, again))
}

/// Whether [`advance`] has something to do: reading first keeps idle sessions from writing.
///
/// # Errors
/// Those of the database.
pub fn is_due(
    conn: &mut Conn,
    bot: BotId,
    sent: &HashSet<Subject>,
    sync_every: Duration,
    now: Timestamp,
) -> Result<bool> {
    let bot = bots::ops::get(conn, bot)?;
    Ok(room::is_due(conn, &bot, now)?
        || unsent_sync(conn, &bot, sent)?.is_some()
        || sync::ops::is_due(conn, &bot, sync_every, now)?)
}

fn unsent_sync(conn: &mut Conn, bot: &Bot, sent: &HashSet<Subject>) -> Result<Option<sync::Sync>> {
    Ok(sync::ops::open(conn, bot.id)?.filter(|sync| !sent.contains(&Subject::Sync(sync.id))))
}

/// Plans deliveries as far as there is room, asks for a run if one is due, and begins one that
/// waits.
///
/// # Errors
/// Those of [`fenced`].
pub fn advance(
    conn: &mut Conn,
    lease: &Lease,
    sent: &HashSet<Subject>,
    sync_every: Duration,
    now: Timestamp,
) -> Result<()> {
    let bot = fenced(conn, lease, now)?;
    room::plan(conn, &bot, now)?;
    sync::ops::tend(conn, &bot, sync_every, now)?;
    if let Some(sync) = unsent_sync(conn, &bot, sent)? {
        sync::ops::begin(conn, &sync, now)?;
    }
    Ok(())
}

/// The bot, if `lease` is its current session and the key is good.
///
/// # Errors
/// `BOT_LEASE_LOST`, `KEY_INVALID`.
pub fn fenced(conn: &mut Conn, lease: &Lease, now: Timestamp) -> Result<Bot> {
    auth::ops::still_good(conn, &lease.key, now)?;
    let bot = bots::ops::get(conn, lease.bot)?;
    if bot.lease_epoch == lease.epoch { Ok(bot) } else { Err(bots::lease_lost(bot.id)) }
}

/// Holds the lease for `ttl` from now on.
///
/// # Errors
/// `BOT_LEASE_LOST` from an older session, `KEY_INVALID` once its key has ended.
pub fn extend(conn: &mut Conn, lease: &Lease, ttl: Duration, now: Timestamp) -> Result<()> {
    auth::ops::still_good(conn, &lease.key, now)?;
    bots::ops::extend_lease(conn, lease.bot, lease.epoch, ttl, now)
}

/// What a bot has to do.
#[derive(Debug, Default)]
pub struct Agenda {
    /// What was not sent in this session yet.
    pub commands: Vec<Command>,
    /// All that is open, sent or not.
    pub open: HashSet<Subject>,
}

/// What the bot has to do, with the commands that were not `sent` in this session yet. They carry
/// trade tokens: nobody gets them whose lease or key has ended.
///
/// # Errors
/// Those of [`fenced`].
pub fn agenda(
    conn: &mut Conn,
    lease: &Lease,
    sent: &HashSet<Subject>,
    now: Timestamp,
) -> Result<Agenda> {
    let bot = fenced(conn, lease, now)?;
    let Agenda { mut commands, mut open } = Agenda::default();
    for attempt in delivery::open_attempts(conn, &bot)? {
        let (id, cancel) = (attempt.id, attempt.cancel_wanted);
        open.extend([Subject::Attempt(id), Subject::Cancel(id)]);
        let waits = bot.paused && attempt.phase == assignments::Phase::Planned;
        if !waits && !sent.contains(&Subject::Attempt(id)) {
            commands.push(Command::Deliver(delivery::work(conn, attempt, now)?));
        }
        if cancel && !sent.contains(&Subject::Cancel(id)) {
            commands.push(Command::CancelDelivery(id));
        }
    }
    for person in invites::wanted(conn, &bot)? {
        open.insert(Subject::Friend(person));
        if !bot.paused && !sent.contains(&Subject::Friend(person)) {
            commands.push(Command::Befriend(person));
        }
    }
    for donation in donations::ops::open(conn, bot.id)? {
        open.insert(Subject::Donation(donation.id));
        let waits = bot.paused && donation.state != DonationState::Accepted;
        if !waits && !sent.contains(&Subject::Donation(donation.id)) {
            commands.push(Command::AnswerOffer(donation));
        }
    }
    for (id, offer) in sync::offers::to_withdraw(conn, &bot)? {
        open.insert(Subject::Offer(id));
        if !sent.contains(&Subject::Offer(id)) {
            commands.push(Command::CancelOffer(id, offer));
        }
    }
    if let Some(sync) = sync::ops::open(conn, bot.id)? {
        open.insert(Subject::Sync(sync.id));
        if sync.sync_status == SyncState::Running && !sent.contains(&Subject::Sync(sync.id)) {
            commands.push(Command::ReadInventory(sync.id));
        }
    }
    Ok(Agenda { commands, open })
}
