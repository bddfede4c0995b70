//! SQL on `organizations`.
use super::schema::organizations as t;
use super::{CLAIM_TTL_DEFAULT, OFFER_TTL_DEFAULT, Org};
use crate::db::{Document, Engine, Prepare, each, within};
use crate::kernel::{Error, OrgId, Page, Reach, Result, Timestamp};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DbError};
use std::time::Duration;

#[derive(Insertable, Queryable, AsChangeset)]
#[diesel(table_name = t, treat_none_as_default_value = false)]
struct Row {
    id: OrgId,
    slug: String,
    display_name: String,
    donation_keyword: String,
    donation_app_ids: Document,
    claim_ttl_seconds: i32,
    adopt_unknown_items: bool,
    donation_rules: Document,
    friend_invites: bool,
    offer_ttl_seconds: i32,
    cancel_unknown_offers: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Row {
    fn of(org: &Org) -> Result<Self> {
        let rules = serde_json::to_value(&org.donation_rules)
            .map_err(|e| Error::Internal(format!("donation rules of {}: {e}", org.id)))?;
        Ok(Self {
            id: org.id,
            slug: org.slug.clone(),
            display_name: org.display_name.clone(),
            donation_keyword: org.donation_keyword.clone(),
            donation_app_ids: Document(serde_json::json!(org.donation_app_ids)),
            claim_ttl_seconds: seconds(org.claim_ttl),
            adopt_unknown_items: org.adopt_unknown_items,
            donation_rules: Document(rules),
            friend_invites: org.friend_invites,
            offer_ttl_seconds: seconds(org.offer_ttl),
            cancel_unknown_offers: org.cancel_unknown_offers,
            created_at: org.created_at,
            updated_at: org.updated_at,
        })
    }

    fn org(self) -> Result<Org> {
        let app_ids = serde_json::from_value(self.donation_app_ids.0)
            .map_err(|e| Error::Internal(format!("applications of {}: {e}", self.id)))?;
        let donation_rules = serde_json::from_value(self.donation_rules.0)
            .map_err(|e| Error::Internal(format!("donation rules of {}: {e}", self.id)))?;
        let span = |seconds: i32| u64::try_from(seconds).map(Duration::from_secs);
        Ok(Org {
            id: self.id,
            slug: self.slug,
            display_name: self.display_name,
            donation_keyword: self.donation_keyword,
            donation_app_ids: app_ids,
            claim_ttl: span(self.claim_ttl_seconds).unwrap_or(CLAIM_TTL_DEFAULT),
            adopt_unknown_items: self.adopt_unknown_items,
            donation_rules,
            friend_invites: self.friend_invites,
            offer_ttl: span(self.offer_ttl_seconds).unwrap_or(OFFER_TTL_DEFAULT),
            cancel_unknown_offers: self.cancel_unknown_offers,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn seconds(span: Duration) -> i32 {
    i32::try_from(span.as_secs()).unwrap_or(i32::MAX)
}

pub(super) fn insert(conn: &mut Engine, org: &Org) -> Result<()> {
    match diesel::insert_into(t::table).values(Row::of(org)?).execute(conn) {
        Ok(_) => Ok(()),
        Err(DbError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(super::slug_taken(org.slug.clone()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes what `before` has become, if nobody changed it since it was read.
pub(super) fn update(conn: &mut Engine, before: &Org, after: &Org) -> Result<()> {
    let same = t::table.find(before.id).filter(t::updated_at.eq(before.updated_at));
    let changed = diesel::update(same).set(Row::of(after)?).prepared().execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Conflict(format!("organisation {} was changed", before.id)))
    }
}

pub(super) fn get(conn: &mut Engine, id: OrgId) -> Result<Option<Org>> {
    let row: Option<Row> = each!(conn, t::table.find(id).first(conn).optional())?;
    row.map(Row::org).transpose()
}

/// Organisations by slug, one more than the page has.
pub(super) fn list(conn: &mut Engine, reach: Reach, page: &Page) -> Result<Vec<Org>> {
    let mut query = within!(t::table.into_boxed(), t::id, reach);
    if let Some(after) = &page.after {
        query = query.filter(t::slug.gt(after.key.clone()));
    }
    let rows: Vec<Row> = query.order(t::slug).limit(page.size + 1).load(conn)?;
    rows.into_iter().map(Row::org).collect()
}

/// Whether the organisation exists.
pub(super) fn exists(conn: &mut Engine, id: OrgId) -> Result<bool> {
    Ok(t::table.find(id).select(t::id).first::<OrgId>(conn).optional()?.is_some())
}

/// An organisation for the tests of others.
#[cfg(test)]
pub(crate) fn insert_for_test(conn: &mut Engine, id: OrgId, now: Timestamp) -> Result<()> {
    let row = (
        t::id.eq(id),
        t::slug.eq("red"),
        t::display_name.eq("Red"),
        t::donation_keyword.eq("donation"),
        t::donation_app_ids.eq(Document(serde_json::json!([]))),
        t::claim_ttl_seconds.eq(60),
        t::adopt_unknown_items.eq(true),
        t::created_at.eq(now),
        t::updated_at.eq(now),
    );
    diesel::insert_into(t::table).values(row).execute(conn)?;
    Ok(())
}
