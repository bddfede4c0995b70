//! People: met, and what becomes known of them.
use super::{Filter, Profile, User, store};
use crate::db::Conn;
use crate::events::{self, EventType, NewEvent};
use crate::kernel::page::Piece;
use crate::kernel::{Error, OrgId, Page, Reach, Result, SteamId, Timestamp};

/// The person `user`, as `org` knows them.
///
/// # Errors
/// `USER_NOT_FOUND`.
pub fn get(conn: &mut Conn, org: OrgId, user: SteamId) -> Result<User> {
    store::get(conn, org, user)?.ok_or(super::unknown(user))
}

/// The next piece of the list of people, in the order in which they were met or from its end.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    reach: Reach,
    filter: &Filter,
    oldest_first: bool,
    page: &Page,
) -> Result<Piece<User>> {
    store::list(conn, reach, filter, oldest_first, page)
}

/// Notes a donation, an assignment or a delivery: the person is known from now on, and was last
/// seen now.
///
/// # Errors
/// Those of the database.
pub fn meet(conn: &mut Conn, org: OrgId, user: SteamId, now: Timestamp) -> Result<()> {
    if store::set_seen(conn, org, user, now)? {
        return Ok(());
    }
    introduce(conn, org, user, events::SYSTEM, now)
}

/// Makes the person known to the organisation, who may be so already.
fn introduce(
    conn: &mut Conn,
    org: OrgId,
    user: SteamId,
    source: &str,
    now: Timestamp,
) -> Result<()> {
    if store::insert_new(conn, org, user, now)? {
        let text = format!("User {user} was met for the first time");
        events::append(
            conn,
            NewEvent::new(org, EventType::UserMet, source, text).user(Some(user)),
            now,
        )?;
    }
    Ok(())
}

/// The token of the person's trade URL, if it is known.
///
/// # Errors
/// Those of the database.
pub fn trade_token(conn: &mut Conn, org: OrgId, user: SteamId) -> Result<Option<String>> {
    store::trade_token(conn, org, user)
}

/// Stores the token of the person's trade URL, whom the organisation need not have met.
///
/// # Errors
/// Those of the database.
pub fn set_trade_token(
    conn: &mut Conn,
    org: OrgId,
    user: SteamId,
    token: &str,
    source: &str,
    now: Timestamp,
) -> Result<User> {
    introduce(conn, org, user, source, now)?;
    if store::set_trade_token(conn, org, user, token, now)? {
        let text = format!("The trade URL of user {user} was set");
        let event = NewEvent::new(org, EventType::UserTradeUrlSet, source, text).user(Some(user));
        events::append(conn, event, now)?;
    }
    get(conn, org, user)
}

/// Keeps what Steam tells about people whom the organisation has met; others are left out.
///
/// # Errors
/// [`Error::Conflict`] when somebody else changed one of them at the same time.
pub fn record_profiles(
    conn: &mut Conn,
    org: OrgId,
    profiles: &[Profile],
    source: &str,
    now: Timestamp,
) -> Result<()> {
    for profile in profiles {
        let Some(before) = store::get(conn, org, profile.steam_id)? else { continue };
        if before.profile() == *profile {
            continue;
        }
        if !store::set_profile(conn, &before, profile, now)? {
            return Err(Error::Conflict(format!("user {} changed", profile.steam_id)));
        }
        let text = format!("The profile of user {} changed", profile.steam_id);
        let event = NewEvent::new(org, EventType::UserProfileUpdated, source, text)
            .user(Some(profile.steam_id))
            .personal("display_name", profile.display_name.as_str());
        events::append(conn, event, now)?;
    }
    Ok(())
}

/// Names of those of these people that are known within reach; of one whom several organisations know,
/// the newest comes last.
///
/// # Errors
/// Those of the database.
pub fn names(conn: &mut Conn, reach: Reach, people: &[SteamId]) -> Result<Vec<(SteamId, String)>> {
    store::names(conn, reach, people)
}
