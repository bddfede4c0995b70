//! Differences between Steam and the books: reported, closed when they vanish, resolved by people.
use super::ops::adopt;
use super::reconcile::Snapshot;
use super::{Discrepancy, DiscrepancyKind, Resolution, Sync, store};
use crate::assignments;
use crate::auth::gate::Context;
use crate::bots::{self, Bot};
use crate::db::{Conn, Document};
use crate::events::{self, NewEvent, Severity};
use crate::items::asset::SeenAsset;
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::{AssetId, DiscrepancyId, Error, ItemId, OrgId, Page, Result, Timestamp};
use std::collections::{HashMap, HashSet};

/// A new difference.
pub(super) fn found(
    sync: &Sync,
    kind: DiscrepancyKind,
    (app_id, asset_id): (i32, AssetId),
    name: &str,
    now: Timestamp,
) -> Discrepancy {
    Discrepancy {
        id: DiscrepancyId::new(),
        org_id: sync.org_id,
        bot_id: sync.bot_id,
        sync_id: sync.id,
        kind,
        item_id: None,
        app_id,
        asset_id,
        item_name: name.to_owned(),
        details: Document(serde_json::json!({})),
        resolution: None,
        note: String::new(),
        created_at: now,
        resolved_at: None,
    }
}

/// Records a difference unless it is open already.
pub(super) fn report(conn: &mut Conn, row: Discrepancy, by: By<'_>) -> Result<()> {
    if store::insert_discrepancy(conn, &row)? {
        let text = format!("{}: {}", row.kind, row.item_name);
        tell(conn, &row, "sync.discrepancy_found", &text, Severity::Warning, by)?;
    }
    Ok(())
}

fn tell(
    conn: &mut Conn,
    row: &Discrepancy,
    name: &'static str,
    text: &str,
    severity: Severity,
    by: By<'_>,
) -> Result<()> {
    let mut event = NewEvent::new(row.org_id, name, by.source, text)
        .bot(row.bot_id)
        .with("discrepancy_id", row.id.to_string())
        .with("kind", row.kind.as_str())
        .with("asset_id", row.asset_id.get().to_string())
        .severity(severity);
    if let Some(item) = row.item_id {
        event = event.item(item);
    }
    events::append(conn, event, by.now)
}

/// Closes differences that are none any more: the item is there again, the asset left or is known.
pub(super) fn close_vanished(
    conn: &mut Conn,
    bot: &Bot,
    snapshot: &Snapshot,
    known: &HashMap<ItemId, Item>,
    by: By<'_>,
) -> Result<()> {
    let seen: HashSet<_> = snapshot.assets.iter().map(SeenAsset::key).collect();
    let in_books: HashSet<_> =
        known.values().filter_map(|i| Some((i.steam_app_id, i.steam_asset_id?))).collect();
    for row in store::open_discrepancies(conn, bot.id)? {
        let key = (row.app_id, row.asset_id);
        let gone = match row.kind {
            DiscrepancyKind::UnknownAsset => {
                let covered = snapshot.covered.iter().any(|(app, _)| *app == row.app_id);
                in_books.contains(&key) || (covered && !seen.contains(&key))
            }
            DiscrepancyKind::MissingAsset | DiscrepancyKind::AssignedMissing => seen.contains(&key),
        };
        if gone && store::resolve(conn, row.id, Resolution::Vanished, "", by.now)? {
            let text = format!("{}: {} went away by itself", row.kind, row.item_name);
            tell(conn, &row, "sync.discrepancy_resolved", &text, Severity::Info, by)?;
        }
    }
    Ok(())
}

/// A page of differences, newest first, one more than its size.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    org: Option<OrgId>,
    open_only: bool,
    page: &Page,
) -> Result<Vec<Discrepancy>> {
    store::list_discrepancies(conn, org, open_only, page)
}

/// Resolves a difference by hand.
///
/// # Errors
/// [`Error::DiscrepancyNotFound`], [`Error::DiscrepancyResolved`], [`Error::Invalid`] for a
/// resolution that the kind does not take.
pub fn resolve(
    conn: &mut Conn,
    context: &Context,
    id: DiscrepancyId,
    resolution: Resolution,
    note: &str,
) -> Result<Discrepancy> {
    let found = store::discrepancy(conn, id)?.filter(|d| context.caller.sees(d.org_id));
    let row = found.ok_or(Error::DiscrepancyNotFound(id))?;
    if row.resolution.is_some() {
        return Err(Error::DiscrepancyResolved(id));
    }
    if !row.kind.takes(resolution) {
        let problem = format!("{resolution} makes no sense for {}", row.kind);
        return Err(Error::invalid("resolution", problem));
    }
    if !store::resolve(conn, id, resolution, note, context.now)? {
        return Err(Error::Conflict(format!("discrepancy {id} was resolved just now")));
    }
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    match resolution {
        Resolution::Adopt => {
            let asset: SeenAsset = serde_json::from_value(row.details.0.clone())
                .map_err(|e| Error::Internal(format!("details of discrepancy {id}: {e}")))?;
            let bot = bots::ops::get(conn, row.bot_id)?;
            adopt(conn, &bot, &[asset], by)?;
        }
        Resolution::WriteOff => write_off(conn, &row, by)?,
        Resolution::Ignore | Resolution::Vanished => {}
    }
    let text = format!("{}: {} was resolved: {resolution}", row.kind, row.item_name);
    tell(conn, &row, "sync.discrepancy_resolved", &text, Severity::Info, by)?;
    store::discrepancy(conn, id)?.ok_or(Error::DiscrepancyNotFound(id))
}

fn write_off(conn: &mut Conn, row: &Discrepancy, by: By<'_>) -> Result<()> {
    let Some(id) = row.item_id else { return Ok(()) };
    let item = items::ops::get(conn, id)?;
    if item.state == ItemState::Missing {
        let changes = items::Changes::to(ItemState::Withdrawn);
        items::ops::change(conn, &item, &changes, "item.withdrawn", "was written off", by)?;
    }
    match item.assignment_id {
        Some(assignment) => {
            let text = "given up: one of its items is gone for good";
            assignments::ops::fail(conn, assignment, text, by)
        }
        None => Ok(()),
    }
}
