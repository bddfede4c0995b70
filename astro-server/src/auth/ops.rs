//! Keys: made, used, revoked; and what the server keeps for itself.
use super::keys::Secret;
use super::{ApiKey, sessions, store};
use crate::auth::limits::{RATE_MAX, REQUEST_IDS_KEPT};
use crate::db::Conn;
use crate::events::{self, EventType, NewEvent};
use crate::kernel::caller::holds;
use crate::kernel::{BotId, Caller, Error, KeyKind, OrgId, Rates, Reach, Result, Timestamp};
use astro_sdk::methods::Bucket;

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
    /// Calls a second of its own.
    pub rates: Rates,
}

/// A change of a key.
#[derive(Debug, Clone)]
pub enum Change {
    /// Name for people.
    DisplayName(String),
    /// Calls a second in one bucket.
    Rate(Bucket, u32),
}

/// Makes the key `secret` for `caller`, who cannot give what they do not hold: no further scope,
/// no other organisation or bot, no longer life, no more calls a second where `usual` are.
///
/// # Errors
/// [`Error::ScopeMissing`], [`Error::Invalid`].
pub fn create_key(
    conn: &mut Conn,
    caller: &Caller,
    usual: Option<Rates>,
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
    for bucket in BUCKETS {
        check_rate(caller, usual, bucket, new.rates.of(bucket), rate_field(bucket))?;
    }
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

/// The rates that there are.
const BUCKETS: [Bucket; 3] = [Bucket::Read, Bucket::Write, Bucket::Stream];

fn rate_field(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Read => "read_rate",
        Bucket::Write => "write_rate",
        Bucket::Stream => "stream_rate",
    }
}

/// An organisation's key gives no more than the usual rate, and no more than its own: all keys of an
/// organisation share a limit that only the platform can pass.
fn check_rate(
    caller: &Caller,
    usual: Option<Rates>,
    bucket: Bucket,
    rate: u32,
    field: &str,
) -> Result<()> {
    if rate > RATE_MAX {
        return Err(Error::invalid(field, format!("must be 0 to {RATE_MAX}")));
    }
    let Some(usual) = usual.filter(|_| caller.reach != Reach::Platform) else { return Ok(()) };
    let most = caller.rates.or(usual).of(bucket).min(usual.of(bucket));
    let wanted = if rate == 0 { usual.of(bucket) } else { rate };
    if wanted > most {
        let problem = format!("must be 1 to {most}: an organisation's key gives no more");
        return Err(Error::invalid(field, problem));
    }
    Ok(())
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
        rates: Rates::default(),
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
        rates: new.rates,
        session_of: None,
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

/// The key, if the caller sees it.
fn seen(conn: &mut Conn, caller: &Caller, id: &str) -> Result<ApiKey> {
    let found = store::key_with_hash(conn, id)?.map(|(key, _)| key);
    let visible = |key: &ApiKey| key.session_of.is_none() && caller.reach.covers(key.org);
    found.filter(visible).ok_or_else(|| super::API_KEY.missing(id.to_owned()))
}

/// Changes a key that the caller sees. What is so already changes nothing.
///
/// # Errors
/// `API_KEY_NOT_FOUND`, [`Error::Invalid`].
pub fn update_key(
    conn: &mut Conn,
    caller: &Caller,
    usual: Option<Rates>,
    id: &str,
    changes: &[Change],
    now: Timestamp,
) -> Result<ApiKey> {
    let before = seen(conn, caller, id)?;
    let (mut after, mut changed) = (before.clone(), Vec::new());
    for change in changes {
        let was = after.clone();
        let field = match change {
            Change::DisplayName(name) => {
                after.display_name.clone_from(name);
                "display_name"
            }
            Change::Rate(bucket, rate) => {
                let field = rate_field(*bucket);
                check_rate(caller, usual, *bucket, *rate, &format!("api_key.{field}"))?;
                after.rates.set(*bucket, *rate);
                field
            }
        };
        if after != was && !changed.contains(&field) {
            changed.push(field);
        }
    }
    if changed.is_empty() {
        return Ok(before);
    }
    store::update_key(conn, &before, &after)?;
    let event = event(&after, EventType::KeyUpdated, &caller.source(), "changed");
    events::append(conn, event.with("fields", changed), now)?;
    Ok(after)
}

/// Revokes a key that the caller sees, and ends its sessions; revoking it again changes nothing.
///
/// # Errors
/// `API_KEY_NOT_FOUND`.
pub fn revoke_key(conn: &mut Conn, caller: &Caller, id: &str, now: Timestamp) -> Result<ApiKey> {
    let mut key = seen(conn, caller, id)?;
    if store::set_revoked(conn, id, now)? {
        key.revoked_at = Some(now);
        events::append(conn, event(&key, EventType::KeyRevoked, &caller.source(), "revoked"), now)?;
        sessions::end_all_of(conn, caller, id, now)?;
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
