//! Sessions: what somebody who signed in with a key calls with. In the books a session is a key of its
//! own, so that whatever holds for keys holds for it; it has a short life, and ends with its key.
use super::keys::Secret;
use super::limits::SESSIONS_KEPT;
use super::{ApiKey, SESSION, store};
use crate::db::Conn;
use crate::events::{self, EventType, NewEvent};
use crate::kernel::caller::holds;
use crate::kernel::{Caller, Error, KeyKind, OrgId, Principal, Result, Timestamp};
use std::time::Duration;

/// What it takes to end the session of somebody else.
const END_OTHERS: &str = "keys.write";

/// What a session is made of.
#[derive(Debug)]
pub(super) struct NewSession {
    /// Organisation; none: the whole platform.
    pub(super) org: Option<OrgId>,
    /// Scopes; none: all of the key's.
    pub(super) scopes: Vec<String>,
    /// Time until its end, at the latest.
    pub(super) life: Duration,
    /// Name for people.
    pub(super) display_name: String,
}

/// Makes the session `secret` of the caller's key.
///
/// # Errors
/// [`Error::ScopeMissing`] for a scope that the key does not hold, [`Error::Invalid`] for who makes no
/// sessions.
pub(super) fn create(
    conn: &mut Conn,
    caller: &Caller,
    new: NewSession,
    secret: &Secret,
    now: Timestamp,
) -> Result<ApiKey> {
    let key = own_key(conn, caller)?;
    let scopes = if new.scopes.is_empty() { key.scopes.clone() } else { new.scopes };
    if let Some(scope) = scopes.iter().find(|scope| !holds(&key.scopes, scope)) {
        return Err(Error::ScopeMissing(scope.clone()));
    }
    let end = now.plus(new.life);
    let session = ApiKey {
        id: secret.id().to_owned(),
        // Whoever stays within one organisation is no administrator of the platform.
        kind: if new.org.is_some() { KeyKind::Client } else { key.kind },
        display_name: new.display_name,
        org: new.org,
        bot: None,
        scopes,
        expires_at: Some(key.expires_at.map_or(end, |last| last.min(end))),
        created_at: now,
        last_used_at: None,
        revoked_at: None,
        rates: key.rates,
        session_of: Some(key.id),
    };
    store::insert_key(conn, &session, secret.hash())?;
    append(conn, &session, EventType::SessionCreated, &caller.source(), now)?;
    Ok(session)
}

/// The key of a caller who may make sessions: no session makes another, which would not end with it,
/// and a bot's worker is nobody who signs in.
fn own_key(conn: &mut Conn, caller: &Caller) -> Result<ApiKey> {
    if caller.kind == KeyKind::Bot || matches!(caller.principal, Principal::Session(_)) {
        let problem = "must be a key that is no bot's, and no session: those make no sessions";
        return Err(Error::invalid("authorization", problem));
    }
    let found = store::key_with_hash(conn, caller.principal.id())?;
    found.map(|(key, _)| key).ok_or(Error::KeyInvalid)
}

/// Ends a session that the caller sees; ending it again changes nothing.
///
/// # Errors
/// `SESSION_NOT_FOUND`, [`Error::ScopeMissing`].
pub(super) fn end(conn: &mut Conn, caller: &Caller, id: &str, now: Timestamp) -> Result<ApiKey> {
    if caller.principal != Principal::Session(id.to_owned()) {
        caller.may(END_OTHERS)?;
    }
    let visible = |key: &ApiKey| key.session_of.is_some() && caller.reach.covers(key.org);
    let found = store::key_with_hash(conn, id)?.map(|(key, _)| key).filter(visible);
    let mut session = found.ok_or_else(|| SESSION.missing(id.to_owned()))?;
    if store::set_revoked(conn, id, now)? {
        session.revoked_at = Some(now);
        append(conn, &session, EventType::SessionEnded, &caller.source(), now)?;
    }
    Ok(session)
}

/// Ends all sessions of a key, which is being revoked.
///
/// # Errors
/// Those of the database.
pub(super) fn end_all_of(
    conn: &mut Conn,
    caller: &Caller,
    key: &str,
    now: Timestamp,
) -> Result<()> {
    for session in store::sessions_of(conn, key)? {
        if store::set_revoked(conn, &session.id, now)? {
            append(conn, &session, EventType::SessionEnded, &caller.source(), now)?;
        }
    }
    Ok(())
}

fn append(
    conn: &mut Conn,
    session: &ApiKey,
    name: EventType,
    source: &str,
    now: Timestamp,
) -> Result<()> {
    let verb = if name == EventType::SessionCreated { "was made" } else { "has ended" };
    let key = session.session_of.as_deref().unwrap_or_default();
    let text = format!("Session {} of key {key} {verb}", session.id);
    let event = NewEvent::new(session.org, name, source, text);
    events::append(conn, event.with("session_id", session.id.as_str()).with("key_id", key), now)
}

/// Forgets sessions that ended so long ago that nobody asks any more, `limit` at most.
///
/// # Errors
/// Those of the database.
pub(super) fn forget(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<usize> {
    store::forget_sessions(conn, now.minus(SESSIONS_KEPT), limit)
}
