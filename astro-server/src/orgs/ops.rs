//! Organisations: made and found.
use super::{NewOrg, Org, Setting, store};
use crate::db::Conn;
use crate::events::{self, NewEvent};
use crate::kernel::{Caller, Error, OrgId, Page, Reach, Result, Timestamp};

/// Makes an organisation for `caller`, who must hold a platform key.
///
/// # Errors
/// [`Error::ScopeMissing`], [`Error::Invalid`], [`Error::OrgExists`].
pub fn create(conn: &mut Conn, caller: &Caller, new: NewOrg, now: Timestamp) -> Result<Org> {
    if caller.reach != Reach::Platform {
        return Err(Error::ScopeMissing("*".to_owned()));
    }
    let org = new.check(OrgId::new(), now)?;
    store::insert(conn, &org)?;
    let text = format!("Organisation {} was created", org.display_name);
    let event = NewEvent::new(org.id, "org.created", &caller.source(), text)
        .with("slug", org.slug.as_str());
    events::append(conn, event, now)?;
    Ok(org)
}

/// Changes these settings of the organisation asked for, else of the caller's own. Settings that are
/// so already change nothing.
///
/// # Errors
/// [`Error::Invalid`], [`Error::OrgNotFound`].
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
    let event =
        NewEvent::new(after.id, "org.updated", &caller.source(), text).with("fields", changed);
    events::append(conn, event, now)?;
    Ok(after)
}

/// The organisation `id`.
///
/// # Errors
/// [`Error::OrgNotFound`].
pub fn get(conn: &mut Conn, id: OrgId) -> Result<Org> {
    store::get(conn, id)?.ok_or(Error::OrgNotFound(id))
}

/// The organisation that a new thing belongs to: the one asked for, else the key's own.
///
/// # Errors
/// [`Error::Invalid`] when neither says, [`Error::OrgNotFound`] for one the key does not see.
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
