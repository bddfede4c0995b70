//! SQL on `api_keys`, `request_log` and `server_settings`.
use super::schema::{api_keys, request_log};
use super::{ApiKey, Kind};
use crate::db::schema::server_settings;
use crate::db::seek::{Side, beside};
use crate::db::{Document, Engine, Guid, Prepare, each, within};
use crate::kernel::{BotId, Error, OrgId, Page, Rates, Reach, Result, Timestamp};
use diesel::prelude::*;

#[derive(Insertable, Queryable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
struct KeyRow {
    id: String,
    kind: Kind,
    display_name: String,
    org_id: Option<OrgId>,
    bot_id: Option<BotId>,
    secret_hash: Vec<u8>,
    scopes: Document,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    read_rate: i32,
    write_rate: i32,
    stream_rate: i32,
    session_of: Option<String>,
}

impl KeyRow {
    fn key(self) -> Result<(ApiKey, Vec<u8>)> {
        let scopes = serde_json::from_value(self.scopes.0)
            .map_err(|e| Error::Internal(format!("scopes of key {}: {e}", self.id)))?;
        let key = ApiKey {
            id: self.id,
            kind: self.kind.into(),
            display_name: self.display_name,
            org: self.org_id,
            bot: self.bot_id,
            scopes,
            expires_at: self.expires_at,
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            revoked_at: self.revoked_at,
            rates: Rates {
                read: rate(self.read_rate),
                write: rate(self.write_rate),
                stream: rate(self.stream_rate),
            },
            session_of: self.session_of,
        };
        Ok((key, self.secret_hash))
    }
}

/// A rate as it is kept; the usual for what is none.
fn rate(kept: i32) -> u32 {
    u32::try_from(kept).unwrap_or_default()
}

/// A rate to be kept, which fits.
fn kept(rate: u32) -> i32 {
    i32::try_from(rate).unwrap_or(i32::MAX)
}

pub(super) fn insert_key(conn: &mut Engine, key: &ApiKey, secret_hash: Vec<u8>) -> Result<()> {
    let row = KeyRow {
        id: key.id.clone(),
        kind: key.kind.into(),
        display_name: key.display_name.clone(),
        org_id: key.org,
        bot_id: key.bot,
        secret_hash,
        scopes: Document(serde_json::json!(key.scopes)),
        expires_at: key.expires_at,
        created_at: key.created_at,
        last_used_at: key.last_used_at,
        revoked_at: key.revoked_at,
        read_rate: kept(key.rates.read),
        write_rate: kept(key.rates.write),
        stream_rate: kept(key.rates.stream),
        session_of: key.session_of.clone(),
    };
    diesel::insert_into(api_keys::table).values(row).execute(conn)?;
    Ok(())
}

pub(super) fn key_with_hash(conn: &mut Engine, id: &str) -> Result<Option<(ApiKey, Vec<u8>)>> {
    let row: Option<KeyRow> = each!(conn, api_keys::table.find(id).first(conn).optional())?;
    row.map(KeyRow::key).transpose()
}

/// The keys that are good now, so many at most, with the hashes of their secrets.
pub(super) fn good_keys(
    conn: &mut Engine,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(String, Vec<u8>)>> {
    let unended = api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now));
    Ok(api_keys::table
        .filter(api_keys::revoked_at.is_null().and(unended))
        .select((api_keys::id, api_keys::secret_hash))
        .order(api_keys::created_at.desc())
        .limit(limit)
        .load(conn)?)
}

pub(super) fn keys_exist(conn: &mut Engine) -> Result<bool> {
    Ok(api_keys::table.select(api_keys::id).first::<String>(conn).optional()?.is_some())
}

/// Which rows a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Key,
    Session,
}

pub(super) fn keys(
    conn: &mut Engine,
    sort: Sort,
    reach: Reach,
    page: &Page,
) -> Result<Vec<ApiKey>> {
    let mut query = within!(api_keys::table.into_boxed(), api_keys::org_id, reach);
    query = match sort {
        Sort::Key => query.filter(api_keys::session_of.is_null()),
        Sort::Session => query.filter(api_keys::session_of.is_not_null()),
    };
    if let Some(after) = &page.after {
        // The id is no UUID, so the cursor has creation time and id in its text.
        let (at, id) = after.key.split_once(' ').ok_or(Error::PageToken)?;
        let micros = at.parse().map_err(|_| Error::PageToken)?;
        let at = Timestamp::from_micros("page_token", micros)?;
        query = query.filter(beside(
            (api_keys::created_at, api_keys::id),
            Side::Before,
            (at, id.to_owned()),
        ));
    }
    let rows: Vec<KeyRow> = query
        .order((api_keys::created_at.desc(), api_keys::id.desc()))
        .limit(page.size + 1)
        .load(conn)?;
    rows.into_iter().map(|row| row.key().map(|(key, _)| key)).collect()
}

/// Keys of the bot.
pub(super) fn keys_of_bot(conn: &mut Engine, bot: BotId) -> Result<Vec<ApiKey>> {
    let rows: Vec<KeyRow> =
        api_keys::table.filter(api_keys::bot_id.eq(bot)).order(api_keys::id).load(conn)?;
    rows.into_iter().map(|row| row.key().map(|(key, _)| key)).collect()
}

/// Has the bot's keys stay without it.
pub(super) fn unbind_keys(conn: &mut Engine, bot: BotId) -> Result<()> {
    diesel::update(api_keys::table.filter(api_keys::bot_id.eq(bot)))
        .set(api_keys::bot_id.eq(None::<BotId>))
        .prepared()
        .execute(conn)?;
    Ok(())
}

pub(super) fn set_used(conn: &mut Engine, id: &str, now: Timestamp) -> Result<()> {
    diesel::update(api_keys::table.find(id))
        .set(api_keys::last_used_at.eq(now))
        .prepared()
        .execute(conn)?;
    Ok(())
}

/// Gives the key the name and rates of `after`, unless somebody changed them meanwhile: then the
/// transaction runs again.
pub(super) fn update_key(conn: &mut Engine, before: &ApiKey, after: &ApiKey) -> Result<()> {
    let as_it_was = api_keys::display_name
        .eq(&before.display_name)
        .and(api_keys::read_rate.eq(kept(before.rates.read)))
        .and(api_keys::write_rate.eq(kept(before.rates.write)))
        .and(api_keys::stream_rate.eq(kept(before.rates.stream)));
    let changed = diesel::update(api_keys::table.find(&before.id).filter(as_it_was))
        .set((
            api_keys::display_name.eq(&after.display_name),
            api_keys::read_rate.eq(kept(after.rates.read)),
            api_keys::write_rate.eq(kept(after.rates.write)),
            api_keys::stream_rate.eq(kept(after.rates.stream)),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Err(Error::Conflict(format!("key {} was changed meanwhile", before.id)));
    }
    Ok(())
}

/// Revokes the key; tells whether it was not revoked before.
pub(super) fn set_revoked(conn: &mut Engine, id: &str, now: Timestamp) -> Result<bool> {
    let changed = diesel::update(api_keys::table.find(id).filter(api_keys::revoked_at.is_null()))
        .set(api_keys::revoked_at.eq(now))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}

/// The sessions of the key that were not ended.
pub(super) fn sessions_of(conn: &mut Engine, key: &str) -> Result<Vec<ApiKey>> {
    let rows: Vec<KeyRow> = api_keys::table
        .filter(api_keys::session_of.eq(key).and(api_keys::revoked_at.is_null()))
        .order(api_keys::id)
        .load(conn)?;
    rows.into_iter().map(|row| row.key().map(|(key, _)| key)).collect()
}

/// Forgets sessions whose time was over before `before`, so many at most.
pub(super) fn forget_sessions(conn: &mut Engine, before: Timestamp, limit: i64) -> Result<usize> {
    let old: Vec<String> = api_keys::table
        .filter(api_keys::session_of.is_not_null().and(api_keys::expires_at.lt(before)))
        .order(api_keys::expires_at)
        .select(api_keys::id)
        .limit(limit)
        .load(conn)?;
    Ok(diesel::delete(api_keys::table.filter(api_keys::id.eq_any(old))).execute(conn)?)
}

/// Those of the keys that were revoked.
pub(super) fn revoked_among(conn: &mut Engine, ids: &[String]) -> Result<Vec<String>> {
    Ok(api_keys::table
        .filter(api_keys::id.eq_any(ids.to_vec()).and(api_keys::revoked_at.is_not_null()))
        .select(api_keys::id)
        .load(conn)?)
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = request_log, treat_none_as_default_value = false)]
pub(super) struct RequestRow {
    pub(super) key_id: String,
    pub(super) request_id: Guid,
    pub(super) method: String,
    pub(super) request_hash: Vec<u8>,
    pub(super) response: Vec<u8>,
    pub(super) created_at: Timestamp,
}

pub(super) fn request(conn: &mut Engine, key: &str, id: Guid) -> Result<Option<RequestRow>> {
    Ok(each!(conn, request_log::table.find((key, id)).first(conn).optional())?)
}

/// Claims the request id: the same request at the same time waits here until this one is
/// committed, then runs again and finds its answer.
pub(super) fn claim_request(conn: &mut Engine, row: &RequestRow) -> Result<()> {
    each!(conn, diesel::insert_into(request_log::table).values(row).execute(conn))?;
    Ok(())
}

pub(super) fn keep_response(
    conn: &mut Engine,
    key: &str,
    id: Guid,
    response: Vec<u8>,
) -> Result<()> {
    diesel::update(request_log::table.find((key, id)))
        .set(request_log::response.eq(response))
        .prepared()
        .execute(conn)?;
    Ok(())
}

/// Forgets requests kept before `before`, the oldest `limit` and those of the same moment.
pub(super) fn forget_requests(conn: &mut Engine, before: Timestamp, limit: i64) -> Result<usize> {
    let old = request_log::table.filter(request_log::created_at.lt(before));
    let last: Option<Timestamp> = old
        .order(request_log::created_at)
        .offset(limit - 1)
        .select(request_log::created_at)
        .first(conn)
        .optional()?;
    let upto = last.unwrap_or(before);
    Ok(diesel::delete(old.filter(request_log::created_at.le(upto))).execute(conn)?)
}

/// The setting, after writing `value` if there was none.
pub(super) fn setting(conn: &mut Engine, name: &str, value: Vec<u8>) -> Result<Vec<u8>> {
    each!(
        conn,
        diesel::insert_into(server_settings::table)
            .values((server_settings::name.eq(name), server_settings::value.eq(value)))
            .on_conflict_do_nothing()
            .execute(conn)
    )?;
    Ok(server_settings::table.find(name).select(server_settings::value).first(conn)?)
}
