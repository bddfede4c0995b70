//! Organisations: made and found.
use super::{NewOrg, Org, Setting, store};
use crate::db::Conn;
use crate::events::{self, EventType, NewEvent};
use crate::kernel::ORGANIZATION;
use crate::kernel::{Caller, Error, OrgId, Page, Reach, Result, Timestamp};

/// Makes an organisation for `caller`, who must hold a platform key.
///
/// # Errors
/// [`Error::ScopeMissing`], [`Error::Invalid`], `ORGANIZATION_EXISTS`.
pub fn create(conn: &mut Conn, caller: &Caller, new: NewOrg, now: Timestamp) -> Result<Org> {
    if caller.reach != Reach::Platform {
        return Err(Error::ScopeMissing("*".to_owned()));
    }
    let org = new.check(conn.id(now), now)?;
    store::insert(conn, &org)?;
    let text = format!("Organisation {} was created", org.display_name);
    let event = NewEvent::new(org.id, EventType::OrgCreated, &caller.source(), text)
        .with("slug", org.slug.as_str());
    events::append(conn, event, now)?;
    Ok(org)
}

/// Changes these settings of the organisation asked for, else of the caller's own. Settings that are
/// so already change nothing.
///
/// # Errors
/// [`Error::Invalid`], `ORGANIZATION_NOT_FOUND`.
pub fn update(
    conn: &mut Conn,
    caller: &Caller,
    asked: &str,
    settings: Vec<Setting>,
    now: Timestamp,
) -> Result<Org> {
    let before = home(conn, caller, asked)?;
    let mut after = before.clone();
    let mut changed = Vec::new();
    for setting in settings {
        let (name, was) = (setting.name(), after.clone());
        setting.apply(&mut after)?;
        if after != was && !changed.contains(&name) {
            changed.push(name);
        }
    }
    if changed.is_empty() {
        return Ok(before);
    }
    after.updated_at = now;
    store::update(conn, &before, &after)?;
    let text = format!("Organisation {}: {} changed", after.display_name, changed.join(", "));
    let event = NewEvent::new(after.id, EventType::OrgUpdated, &caller.source(), text)
        .with("fields", changed);
    events::append(conn, event, now)?;
    Ok(after)
}

/// The organisation `id`.
///
/// # Errors
/// `ORGANIZATION_NOT_FOUND`.
pub fn get(conn: &mut Conn, id: OrgId) -> Result<Org> {
    store::get(conn, id)?.ok_or(ORGANIZATION.missing(id))
}

/// The organisation that a new thing belongs to: the one asked for, else the key's own.
///
/// # Errors
/// [`Error::Invalid`] when neither says, `ORGANIZATION_NOT_FOUND` for one the key does not see.
pub fn home(conn: &mut Conn, caller: &Caller, asked: &str) -> Result<Org> {
    let id = caller.home(asked)?;
    get(conn, id)
}

/// The organisations that `caller` sees, by slug, one more than the page has.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Conn, caller: &Caller, page: &Page) -> Result<Vec<Org>> {
    store::list(conn, caller.reach, page)
}

/// The organisation that a thing belongs to: the one asked for, else the caller's own.
///
/// # Errors
/// [`Error::Invalid`] when neither says, `ORGANIZATION_NOT_FOUND` for one the key does not see.
pub fn of_new(conn: &mut Conn, caller: &Caller, asked: &str) -> Result<OrgId> {
    existing(conn, caller.home(asked)?)
}

/// What a list shows: what the caller sees, or the organisation asked for alone, which exists.
///
/// # Errors
/// [`Error::Invalid`] for a malformed id, `ORGANIZATION_NOT_FOUND` for one the caller does not see.
pub fn narrowed(conn: &mut Conn, caller: &Caller, asked: &str) -> Result<Reach> {
    let reach = caller.narrow(asked)?;
    must_exist(conn, reach)?;
    Ok(reach)
}

/// Passes when an organisation that is meant exists.
///
/// # Errors
/// `ORGANIZATION_NOT_FOUND`.
pub fn must_exist(conn: &mut Conn, reach: Reach) -> Result<()> {
    match reach {
        Reach::Organization(org) => existing(conn, org).map(drop),
        Reach::Platform | Reach::Commons => Ok(()),
    }
}

/// Passes when the organisation exists.
///
/// # Errors
/// `ORGANIZATION_NOT_FOUND`.
pub fn existing(conn: &mut Conn, org: OrgId) -> Result<OrgId> {
    store::exists(conn, org)?.then_some(org).ok_or(ORGANIZATION.missing(org))
}
