//! SQL on `users`.
use super::schema::users as t;
use super::{Filter, Profile, User, cursor, place};
use crate::db::seek::piece;
use crate::db::{Engine, MultiBackend, Prepare, each, has_part, within};
use crate::kernel::page::Piece;
use crate::kernel::{OrgId, Page, Reach, Result, SteamId, Timestamp};
use diesel::prelude::*;

#[derive(Insertable, Queryable)]
#[diesel(table_name = t, treat_none_as_default_value = false)]
struct Row {
    org_id: OrgId,
    steam_id: SteamId,
    display_name: String,
    avatar_url: String,
    profile_url: String,
    account_created_at: Option<Timestamp>,
    country_code: String,
    trade_token: Option<String>,
    trade_token_set_at: Option<Timestamp>,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Row {
    fn user(self) -> User {
        User {
            org: self.org_id,
            steam_id: self.steam_id,
            display_name: self.display_name,
            avatar_url: self.avatar_url,
            profile_url: self.profile_url,
            account_created_at: self.account_created_at,
            country_code: self.country_code,
            has_trade_url: self.trade_token.is_some(),
            first_seen_at: self.first_seen_at,
            last_seen_at: self.last_seen_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// Inserts a person of whom only the account is known; tells whether they are new.
pub(super) fn insert_new(
    conn: &mut Engine,
    org: OrgId,
    steam_id: SteamId,
    now: Timestamp,
) -> Result<bool> {
    let row = Row {
        org_id: org,
        steam_id,
        display_name: String::new(),
        avatar_url: String::new(),
        profile_url: String::new(),
        account_created_at: None,
        country_code: String::new(),
        trade_token: None,
        trade_token_set_at: None,
        first_seen_at: now,
        last_seen_at: now,
        created_at: now,
        updated_at: now,
    };
    let inserted = each!(
        conn,
        diesel::insert_into(t::table).values(&row).on_conflict_do_nothing().execute(conn)
    )?;
    Ok(inserted == 1)
}

pub(super) fn get(conn: &mut Engine, org: OrgId, steam_id: SteamId) -> Result<Option<User>> {
    let row: Option<Row> = t::table.find((org, steam_id)).first(conn).optional()?;
    Ok(row.map(Row::user))
}

/// Names of those of these people that are known within reach.
pub(super) fn names(
    conn: &mut Engine,
    reach: Reach,
    people: &[SteamId],
) -> Result<Vec<(SteamId, String)>> {
    let names = t::table.select((t::steam_id, t::display_name)).into_boxed::<MultiBackend>();
    let names = within!(names, t::org_id, reach).filter(t::steam_id.eq_any(people.to_vec()));
    Ok(names.order(t::updated_at.asc()).load(conn)?)
}

fn filtered(reach: Reach, filter: &Filter) -> t::BoxedQuery<'static, MultiBackend> {
    let mut query = within!(t::table.into_boxed(), t::org_id, reach);
    if let Some(steam_id) = filter.steam_id {
        query = query.filter(t::steam_id.eq(steam_id));
    }
    if filter.has_trade_url {
        query = query.filter(t::trade_token.is_not_null());
    }
    if !filter.text.is_empty() {
        query = query.filter(has_part("display_name", &filter.text));
    }
    query
}

/// The next piece of the list.
pub(super) fn list(
    conn: &mut Engine,
    reach: Reach,
    filter: &Filter,
    oldest_first: bool,
    page: &Page,
) -> Result<Piece<User>> {
    if matches!(reach, Reach::Organization(_)) && filter.steam_id.is_some() {
        // One at most, found by the key of the table.
        let found: Vec<Row> = filtered(reach, filter).load(conn)?;
        return Ok(Piece { rows: found.into_iter().map(Row::user).collect(), upto: None });
    }
    let led = filter.led();
    let led = (led != *filter).then(|| filtered(reach, &led));
    let found: Result<Piece<Row>> = piece!(
        conn, page, oldest_first, t(created_at: Timestamp, steam_id: SteamId, org_id: OrgId),
        |after| place(after)?, cursor, led, filtered(reach, filter)
    );
    found?.map(|row| Ok(row.user()))
}

pub(super) fn trade_token(
    conn: &mut Engine,
    org: OrgId,
    steam_id: SteamId,
) -> Result<Option<String>> {
    let token: Option<Option<String>> =
        t::table.find((org, steam_id)).select(t::trade_token).first(conn).optional()?;
    Ok(token.flatten())
}

/// Tells whether the person is known.
pub(super) fn set_seen(
    conn: &mut Engine,
    org: OrgId,
    steam_id: SteamId,
    now: Timestamp,
) -> Result<bool> {
    let changed = diesel::update(t::table.find((org, steam_id)))
        .set(t::last_seen_at.eq(now))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}

/// Tells whether the token is another one than before.
pub(super) fn set_trade_token(
    conn: &mut Engine,
    org: OrgId,
    steam_id: SteamId,
    token: &str,
    now: Timestamp,
) -> Result<bool> {
    let other = t::trade_token.is_null().or(t::trade_token.assume_not_null().ne(token));
    let changed = diesel::update(t::table.find((org, steam_id)).filter(other))
        .set((t::trade_token.eq(token), t::trade_token_set_at.eq(now), t::updated_at.eq(now)))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}

/// Writes the profile unless the person changed since `before` was read; tells whether it did.
pub(super) fn set_profile(
    conn: &mut Engine,
    before: &User,
    profile: &Profile,
    now: Timestamp,
) -> Result<bool> {
    let same =
        t::table.find((before.org, before.steam_id)).filter(t::updated_at.eq(before.updated_at));
    let changed = diesel::update(same)
        .set((
            t::display_name.eq(&profile.display_name),
            t::avatar_url.eq(&profile.avatar_url),
            t::profile_url.eq(&profile.profile_url),
            t::account_created_at.eq(profile.account_created_at),
            t::country_code.eq(&profile.country_code),
            t::updated_at.eq(now),
        ))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}
