//! Keys: made, used, revoked; and what the server keeps for itself.
use super::keys::Secret;
use super::{ApiKey, store};
use crate::auth::limits::REQUEST_IDS_KEPT;
use crate::db::Conn;
use crate::events::{self, EventType, NewEvent};
use crate::kernel::caller::holds;
use crate::kernel::{BotId, Caller, Error, KeyKind, OrgId, Reach, Result, Timestamp};

/// Keys that one statement asks for: both databases take far more values.
const KEYS_OF_ONE_STATEMENT: usize = 500;

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Kind.
    pub kind: KeyKind,
    /// Name for people.
    pub display_name: String,
    /// Organisation; none for a platform key.
    pub org: Option<OrgId>,
    /// Bot, for a bot's key.
    pub bot: Option<BotId>,
    /// Scopes; empty: the kind's usual ones.
    pub scopes: Vec<String>,
    /// Expiry.
    pub expires_at: Option<Timestamp>,
}

/// Makes the key `secret` for `caller`, who cannot give what they do not hold: no further scope,
/// no other organisation or bot, no longer life.
///
/// # Errors
/// [`Error::ScopeMissing`], [`Error::Invalid`].
pub fn create_key(
    conn: &mut Conn,
    caller: &Caller,
    new: NewKey,
    secret: &Secret,
    now: Timestamp,
) -> Result<ApiKey> {
    if new.kind == KeyKind::Admin && caller.reach != Reach::Platform {
        return Err(Error::ScopeMissing("*".to_owned()));
    }
    if caller.bot.is_some() && new.bot != caller.bot {
        return Err(Error::invalid("bot_id", "must be the bot of your own key"));
    }
    let scopes = if new.scopes.is_empty() {
        new.kind.usual_scopes().iter().map(|&s| s.to_owned()).collect()
    } else {
        new.scopes.clone()
    };
    if let Some(scope) = scopes.iter().find(|scope| !holds(&caller.scopes, scope)) {
        return Err(Error::ScopeMissing(scope.clone()));
    }
    check_end(caller, new.expires_at, now)?;
    insert(conn, new, scopes, secret, &caller.source(), now)
}

/// A key ends in the future, and no later than the one that makes it.
fn check_end(caller: &Caller, end: Option<Timestamp>, now: Timestamp) -> Result<()> {
    if end.is_some_and(|end| end <= now) {
        return Err(Error::invalid("expire_time", "must be in the future"));
    }
    match caller.expires_at {
        Some(own) if end.is_none_or(|end| end > own) => {
            let problem = format!("is required and at most {own}, when your own key ends");
            Err(Error::invalid("expire_time", problem))
        }
        Some(_) | None => Ok(()),
    }
}

/// Makes the first admin key `secret`, unless the database has keys or another server is making
/// one, for which this waits; tells whether it did.
///
/// # Errors
/// Those of the database.
pub fn bootstrap(conn: &mut Conn, secret: &Secret, now: Timestamp) -> Result<bool> {
    if store::keys_exist(conn)? {
        return Ok(false);
    }
    let own = secret.id().as_bytes();
    if store::setting(conn, "first_key", own.to_vec())? != own {
        return Ok(false);
    }
    recover(conn, secret, now).map(|_| true)
}

/// Whether the database has this key.
///
/// # Errors
/// Those of the database.
pub fn is_known(conn: &mut Conn, secret: &Secret) -> Result<bool> {
    let found = store::key_with_hash(conn, secret.id())?;
    Ok(found.is_some_and(|(_, hash)| hash == secret.hash()))
}

/// Makes an admin key `secret` for whoever can reach the database.
///
/// # Errors
/// Those of the database.
pub fn recover(conn: &mut Conn, secret: &Secret, now: Timestamp) -> Result<ApiKey> {
    let new = NewKey {
        kind: KeyKind::Admin,
        display_name: "admin".to_owned(),
        org: None,
        bot: None,
        scopes: vec![],
        expires_at: None,
    };
    insert(conn, new, vec!["*".to_owned()], secret, events::SYSTEM, now)
}

fn insert(
    conn: &mut Conn,
    new: NewKey,
    scopes: Vec<String>,
    secret: &Secret,
    source: &str,
    now: Timestamp,
) -> Result<ApiKey> {
    let key = ApiKey {
        id: secret.id().to_owned(),
        kind: new.kind,
        display_name: new.display_name,
        org: new.org,
        bot: new.bot,
        scopes,
        expires_at: new.expires_at,
        created_at: now,
        last_used_at: None,
        revoked_at: None,
    };
    store::insert_key(conn, &key, secret.hash())?;
    events::append(conn, event(&key, EventType::KeyCreated, source, "created"), now)?;
    Ok(key)
}

fn event(key: &ApiKey, name: EventType, source: &str, verb: &str) -> NewEvent {
    let text = format!("Key {} ({}) was {verb}", key.display_name, key.id);
    NewEvent::new(key.org, name, source, text)
        .with("key_id", key.id.as_str())
        .with("kind", key.kind.as_str())
}

/// Revokes a key that the caller sees; revoking it again changes nothing.
///
/// # Errors
/// `API_KEY_NOT_FOUND`.
pub fn revoke_key(conn: &mut Conn, caller: &Caller, id: &str, now: Timestamp) -> Result<ApiKey> {
    let found = store::key_with_hash(conn, id)?.map(|(key, _)| key);
    let visible = |key: &ApiKey| caller.reach.covers(key.org);
    let mut key = found.filter(visible).ok_or_else(|| super::API_KEY.missing(id.to_owned()))?;
    if store::set_revoked(conn, id, now)? {
        key.revoked_at = Some(now);
        events::append(conn, event(&key, EventType::KeyRevoked, &caller.source(), "revoked"), now)?;
    }
    Ok(key)
}

/// Passes while the key is neither revoked nor expired: what goes on for longer than a call asks
/// again.
///
/// # Errors
/// [`Error::KeyInvalid`].
pub fn still_good(conn: &mut Conn, id: &str, now: Timestamp) -> Result<()> {
    match store::key_with_hash(conn, id)? {
        Some((key, _)) if key.is_good(now) => Ok(()),
        Some(_) | None => Err(Error::KeyInvalid),
    }
}

/// Those of the keys that were revoked.
///
/// # Errors
/// Those of the database.
pub fn revoked_among(conn: &mut Conn, ids: &[String]) -> Result<Vec<String>> {
    let mut revoked = Vec::new();
    for some in ids.chunks(KEYS_OF_ONE_STATEMENT) {
        revoked.extend(store::revoked_among(conn, some)?);
    }
    Ok(revoked)
}

/// Revokes all keys of a bot, which is about to be removed, and keeps them without it.
///
/// # Errors
/// Those of the database.
pub fn revoke_keys_of(conn: &mut Conn, caller: &Caller, bot: BotId, now: Timestamp) -> Result<()> {
    for key in store::keys_of_bot(conn, bot)? {
        if store::set_revoked(conn, &key.id, now)? {
            let event = event(&key, EventType::KeyRevoked, &caller.source(), "revoked");
            events::append(conn, event, now)?;
        }
    }
    store::unbind_keys(conn, bot)
}

/// Notes that a key was used.
///
/// # Errors
/// Those of the database.
pub fn record_use(conn: &mut Conn, id: &str, now: Timestamp) -> Result<()> {
    store::set_used(conn, id, now)
}

/// The key of the page and resume tokens, which all servers of one database share: the one given
/// when there is none yet.
///
/// # Errors
/// Those of the database.
pub fn seal_key(conn: &mut Conn, fresh: [u8; 32]) -> Result<[u8; 32]> {
    let kept = store::setting(conn, "seal_key", fresh.to_vec())?;
    let length = "server_settings: seal_key has the wrong length";
    kept.try_into().map_err(|_| Error::Internal(length.to_owned()))
}

/// Forgets the answers to requests so old that nobody repeats them, about `limit` at most.
///
/// # Errors
/// Those of the database.
pub fn forget_requests(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<usize> {
    store::forget_requests(conn, now.minus(REQUEST_IDS_KEPT), limit)
}
