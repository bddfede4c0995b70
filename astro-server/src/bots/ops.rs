//! Bots: registered, paused, removed, and the sessions of their workers.
use super::limits::TOKEN_WARNING;
use super::{Bot, Hello, Opened, SteamStatus, source, store};
use crate::auth;
use crate::db::Conn;
use crate::events::{self, EventType, NewEvent, Severity};
use crate::kernel::{BotId, Caller, Error, OrgId, Page, Reach, Result, SteamId, Timestamp, limits};
use crate::orgs::Org;
use std::time::Duration;

/// Registers the Steam account as a bot of `org`; without a name it is called by its number.
///
/// # Errors
/// [`Error::Invalid`], `BOT_EXISTS`.
pub fn register(
    conn: &mut Conn,
    caller: &Caller,
    org: &Org,
    steam_id: SteamId,
    display_name: &str,
    now: Timestamp,
) -> Result<Bot> {
    limits::text("display_name", display_name, limits::NAME_CHARS_MAX)?;
    let name = match display_name.trim() {
        "" => steam_id.to_string(),
        name => name.to_owned(),
    };
    let id = conn.id(now);
    store::insert(conn, &store::NewBot { id, org: org.id, steam_id, display_name: &name }, now)?;
    let text = format!("Bot {name} was registered");
    let event = NewEvent::new(org.id, EventType::BotRegistered, &caller.source(), text)
        .bot(id)
        .with("steam_id", steam_id.to_string());
    events::append(conn, event, now)?;
    get(conn, id)
}

/// Pauses a bot that the caller sees, or lets it go on; saying so again changes nothing.
///
/// # Errors
/// `BOT_NOT_FOUND`.
pub fn set_paused(
    conn: &mut Conn,
    caller: &Caller,
    id: BotId,
    paused: bool,
    now: Timestamp,
) -> Result<Bot> {
    let bot = visible(conn, caller, id)?;
    if !store::set_paused(conn, id, paused, now)? {
        return Ok(bot);
    }
    let (name, verb) = if paused {
        (EventType::BotPaused, "was paused")
    } else {
        (EventType::BotResumed, "goes on")
    };
    let text = format!("Bot {} {verb}", bot.display_name);
    events::append(conn, NewEvent::new(bot.org, name, &caller.source(), text).bot(id), now)?;
    get(conn, id)
}

/// Removes a bot that the caller sees, with its keys; `clear` removes what other tables keep of it,
/// or refuses.
///
/// # Errors
/// `BOT_NOT_FOUND`, `BOT_IN_USE`.
pub fn remove(
    conn: &mut Conn,
    caller: &Caller,
    id: BotId,
    clear: fn(&mut Conn, &Bot) -> Result<()>,
    now: Timestamp,
) -> Result<Bot> {
    let bot = visible(conn, caller, id)?;
    clear(conn, &bot)?;
    auth::ops::revoke_keys_of(conn, caller, id, now)?;
    if !store::delete(conn, id)? {
        let why = "its history names it".to_owned();
        return Err(super::in_use(id, why));
    }
    let text = format!("Bot {} was removed", bot.display_name);
    let event = NewEvent::new(bot.org, EventType::BotRemoved, &caller.source(), text)
        .bot(id)
        .with("steam_id", bot.steam_id.to_string());
    events::append(conn, event, now)?;
    Ok(bot)
}

/// The bot `id`.
///
/// # Errors
/// `BOT_NOT_FOUND`.
pub fn get(conn: &mut Conn, id: BotId) -> Result<Bot> {
    store::get(conn, id)?.ok_or(super::BOT.missing(id))
}

/// The bot `id`, if the caller sees it: a bot's key sees that bot only.
///
/// # Errors
/// `BOT_NOT_FOUND`.
pub fn visible(conn: &mut Conn, caller: &Caller, id: BotId) -> Result<Bot> {
    let bot = get(conn, id)?;
    let sees = caller.sees(bot.org) && caller.bot.is_none_or(|own| own == id);
    if sees { Ok(bot) } else { Err(super::BOT.missing(id)) }
}

/// Passes when `org` has the bot.
///
/// # Errors
/// `BOT_NOT_FOUND`.
pub fn belongs(conn: &mut Conn, org: OrgId, id: BotId) -> Result<()> {
    if get(conn, id)?.org == org { Ok(()) } else { Err(super::BOT.missing(id)) }
}

/// The bot with this Steam account, of whichever organisation.
///
/// # Errors
/// Those of the database.
pub fn of_steam_id(conn: &mut Conn, steam_id: SteamId) -> Result<Option<Bot>> {
    store::of_steam_id(conn, steam_id)
}

/// Every bot there is, for jobs.
///
/// # Errors
/// Those of the database.
pub fn all_ids(conn: &mut Conn) -> Result<Vec<(OrgId, BotId)>> {
    store::all_ids(conn)
}

/// Bots of `org`, or all, newest first, one more than the page has.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Conn, reach: Reach, page: &Page) -> Result<Vec<Bot>> {
    store::list(conn, reach, page)
}

/// Opens a session: the worker gets the lease for `ttl`, under a new epoch.
///
/// # Errors
/// `BOT_NOT_FOUND`, `BOT_LEASE_HELD`, `BOT_PROTOCOL` without a worker id,
/// [`Error::Conflict`] when the session went on at the same time.
pub fn open_session(
    conn: &mut Conn,
    bot: BotId,
    hello: Hello,
    ttl: Duration,
    now: Timestamp,
) -> Result<Opened> {
    if hello.worker_id.is_empty() {
        return Err(super::protocol_broken("hello.worker_id is required".to_owned()));
    }
    let before = get(conn, bot)?;
    before.grant(&hello, now)?;
    let lease = store::Lease { worker_id: &hello.worker_id, expires_at: now.plus(ttl) };
    if !store::begin_epoch(conn, &before, &lease, now)? {
        return Err(Error::Conflict(format!("the session of bot {bot} went on")));
    }
    let epoch = before.lease_epoch + 1;
    let text = format!("A worker connected for bot {}", before.display_name);
    let event = NewEvent::new(before.org, EventType::BotConnected, &source(bot), text)
        .bot(bot)
        .with("worker_id", hello.worker_id.as_str())
        .with("lease_epoch", epoch);
    events::append(conn, event, now)?;
    let committed_event_seq = before.committed(hello.last_epoch);
    Ok(Opened { bot: get(conn, bot)?, epoch, committed_event_seq })
}

/// Keeps the lease for `ttl` from now. There is no event: nothing happened.
///
/// # Errors
/// `BOT_LEASE_LOST` when the session was closed or a newer one took over.
pub fn extend_lease(
    conn: &mut Conn,
    bot: BotId,
    epoch: i64,
    ttl: Duration,
    now: Timestamp,
) -> Result<()> {
    let kept = store::extend_lease(conn, bot, epoch, now.plus(ttl), now)?;
    if kept { Ok(()) } else { Err(super::lease_lost(bot)) }
}

/// Ends the session and frees the lease; nothing happens when a newer one took over.
///
/// # Errors
/// Those of the database.
pub fn close_session(
    conn: &mut Conn,
    bot: BotId,
    epoch: i64,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    if !store::free_lease(conn, bot, epoch, now)? {
        return Ok(());
    }
    let bot = get(conn, bot)?;
    let text = format!("The worker of bot {} disconnected", bot.display_name);
    let event = NewEvent::new(bot.org, EventType::BotDisconnected, &source(bot.id), text)
        .bot(bot.id)
        .with("reason", reason)
        .with("lease_epoch", epoch);
    events::append(conn, event, now)
}

/// Counts the event `seq` of the session `epoch`, in the transaction that applies it: false for
/// one that was applied before.
///
/// # Errors
/// `BOT_LEASE_LOST` when a newer session took over, `BOT_PROTOCOL` for an event
/// that leaves others out, `BOT_NOT_FOUND`.
pub fn take_event(conn: &mut Conn, bot: BotId, epoch: i64, seq: i64) -> Result<bool> {
    if seq < 1 {
        return Err(super::protocol_broken("event_seq starts at 1".to_owned()));
    }
    if store::count_event(conn, bot, epoch, seq)? {
        return Ok(true);
    }
    let now = get(conn, bot)?;
    if now.lease_epoch != epoch {
        return Err(super::lease_lost(bot));
    }
    if seq <= now.event_seq {
        return Ok(false);
    }
    let expected = now.event_seq + 1;
    Err(super::protocol_broken(format!("event_seq is {seq} where {expected} is next")))
}

/// Keeps what the worker tells of the account's connection to Steam: "online", "reconnecting",
/// "rate_limited", "maintenance" or "needs_operator", more for people, and when the refresh token
/// ends, if it is known.
///
/// # Errors
/// `BOT_PROTOCOL` for another word, `BOT_NOT_FOUND`, [`Error::Conflict`].
pub fn set_steam_status(
    conn: &mut Conn,
    bot: BotId,
    status: &str,
    detail: &str,
    token_expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let status: SteamStatus = status
        .parse()
        .map_err(|_| super::protocol_broken(format!("steam_status.status is {status:?}")))?;
    let before = get(conn, bot)?;
    if token_expires_at.is_some() && token_expires_at != before.steam_token_expires_at {
        store::set_token(conn, bot, token_expires_at)?;
        let bot = get(conn, bot)?;
        warn_of_token(conn, &bot, now)?;
    }
    if before.steam_status == status && before.steam_status_detail == detail {
        return Ok(());
    }
    if !store::set_steam_status(conn, &before, status, detail, now)? {
        return Err(Error::Conflict(format!("the status of bot {bot} changed")));
    }
    let text = format!("Bot {} is {status} on Steam", before.display_name);
    let event = NewEvent::new(before.org, EventType::BotSteamStatus, &source(bot), text)
        .bot(bot)
        .moved(Some(before.steam_status.as_str()), status.as_str())
        .with("detail", detail)
        .severity(severity(status));
    events::append(conn, event, now)
}

/// Tells people once that the bot's token ends within [`TOKEN_WARNING`]; tells whether it did now.
fn warn_of_token(conn: &mut Conn, bot: &Bot, now: Timestamp) -> Result<bool> {
    let Some(end) = bot.steam_token_expires_at else { return Ok(false) };
    if end > now.plus(TOKEN_WARNING) || !store::set_token_warned(conn, bot)? {
        return Ok(false);
    }
    let name = &bot.display_name;
    let text = format!("The Steam login of bot {name} ends at {end}: log in again before");
    let event = NewEvent::new(bot.org, EventType::BotSteamTokenExpires, events::SYSTEM, text)
        .bot(bot.id)
        .with("expire_time", end.to_string());
    events::append(conn, event, now)?;
    Ok(true)
}

/// Bots whose Steam login ends soon, of which nobody was warned, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn unwarned(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<Bot>> {
    store::unwarned(conn, now.plus(TOKEN_WARNING), limit)
}

/// Warns of a bot's login.
///
/// # Errors
/// Those of the database.
pub fn warn(conn: &mut Conn, bot: &Bot, now: Timestamp) -> Result<()> {
    warn_of_token(conn, bot, now).map(drop)
}

/// Notes that the bot's inventory changed by a trade: what was read before does not show it.
///
/// # Errors
/// Those of the database.
pub fn note_trade(conn: &mut Conn, bot: BotId, now: Timestamp) -> Result<()> {
    store::set_traded(conn, bot, now)
}

fn severity(status: SteamStatus) -> Severity {
    match status {
        SteamStatus::NeedsOperator => Severity::Warning,
        SteamStatus::Unknown
        | SteamStatus::Online
        | SteamStatus::Reconnecting
        | SteamStatus::RateLimited
        | SteamStatus::Maintenance => Severity::Info,
    }
}

/// The bots within reach, with their names.
///
/// # Errors
/// Those of the database.
pub fn names(conn: &mut Conn, reach: Reach) -> Result<Vec<(BotId, String)>> {
    store::names(conn, reach)
}
