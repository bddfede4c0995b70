//! Differences between Steam and the books: reported, closed when they vanish, resolved by people.
use super::apply::adopt;
use super::reconcile::{Key, Snapshot};
use super::{Discrepancy, DiscrepancyId, DiscrepancyKind, Resolution, Sync, claims, stacks, store};
use crate::assignments;
use crate::auth::gate::Context;
use crate::bots::{self, Bot};
use crate::db::{Conn, Document};
use crate::events::{self, EventType, NewEvent, Severity};
use crate::items::asset::SeenAsset;
use crate::items::ops::By;
use crate::items::{self, Booked, ItemState};
use crate::kernel::page::Piece;
use crate::kernel::{AssetId, Error, ItemId, Page, Reach, Result, Timestamp};
use std::collections::{HashMap, HashSet};

/// Stands for an asset that is not known.
const NO_ASSET: AssetId = AssetId(0);

/// A new difference about an asset.
pub(super) fn found(
    conn: &Conn,
    bot: &Bot,
    kind: DiscrepancyKind,
    (app_id, asset_id): Key,
    name: &str,
    now: Timestamp,
) -> Discrepancy {
    Discrepancy {
        id: conn.id(now),
        org_id: bot.org,
        bot_id: bot.id,
        sync_id: None,
        kind,
        item_id: None,
        app_id,
        asset_id,
        item_name: name.to_owned(),
        details: Document(serde_json::json!({})),
        trade_id: None,
        trade_offer_id: None,
        user_id: None,
        offer_open: false,
        resolution: None,
        note: String::new(),
        created_at: now,
        resolved_at: None,
        subject: String::new(),
        assignment_id: None,
    }
}

/// Tells of an item that is missing and has no asset by which an inventory could show it.
pub(super) fn lost(conn: &mut Conn, bot: &Bot, sync: &Sync, id: ItemId, by: By<'_>) -> Result<()> {
    let item = items::ops::get(conn, id)?;
    if item.state != ItemState::Missing || item.steam_asset_id.is_some() {
        return Ok(());
    }
    let (kind, key) = (DiscrepancyKind::MissingAsset, (item.steam_app_id, NO_ASSET));
    let row = Discrepancy {
        sync_id: Some(sync.id),
        item_id: Some(item.id),
        assignment_id: item.assignment_id,
        subject: format!("item {}", item.id),
        ..found(conn, bot, kind, key, &item.item_name, by.now)
    };
    let text = format!(
        "{kind}: {} came back in a reversed trade as an asset that is not known, or that was given \
         away meanwhile",
        item.item_name
    );
    report(conn, &row, &text, by)
}

/// Records a difference unless it is known, and tells people.
pub(super) fn report(conn: &mut Conn, row: &Discrepancy, text: &str, by: By<'_>) -> Result<()> {
    let of_asset = row.trade_offer_id.is_none() && row.subject.is_empty();
    if row.kind != DiscrepancyKind::Stack && of_asset {
        stacks::give_way(conn, row.bot_id, (row.app_id, row.asset_id), by)?;
    }
    if store::insert_discrepancy(conn, row)? {
        let event = event(row, EventType::SyncDiscrepancyFound, text, by);
        events::append(conn, event.severity(severity(row.kind)), by.now)?;
    }
    Ok(())
}

/// What Astro did not do wants somebody at once, since the account may be in other hands too; and
/// so does a report that was not recorded.
fn severity(kind: DiscrepancyKind) -> Severity {
    match kind {
        DiscrepancyKind::UnknownTrade
        | DiscrepancyKind::UnknownOffer
        | DiscrepancyKind::ReportRefused => Severity::Error,
        DiscrepancyKind::UnknownAsset
        | DiscrepancyKind::MissingAsset
        | DiscrepancyKind::AssignedMissing
        | DiscrepancyKind::Stack
        | DiscrepancyKind::ClaimedTwice => Severity::Warning,
    }
}

pub(super) fn tell(
    conn: &mut Conn,
    row: &Discrepancy,
    name: EventType,
    text: &str,
    by: By<'_>,
) -> Result<()> {
    events::append(conn, event(row, name, text, by), by.now)
}

/// An event about the difference.
pub(super) fn event(row: &Discrepancy, name: EventType, text: &str, by: By<'_>) -> NewEvent {
    let mut event = NewEvent::new(row.org_id, name, by.source, text)
        .bot(row.bot_id)
        .with("discrepancy_id", row.id.to_string())
        .with("kind", row.kind.as_str())
        .with("asset_id", row.asset_id.get().to_string())
        .with("trade_id", row.trade_id.clone().unwrap_or_default())
        .with("trade_offer_id", row.trade_offer_id.clone().unwrap_or_default())
        .user(row.user_id);
    if let Some(item) = row.item_id {
        event = event.item(item);
    }
    if row.kind == DiscrepancyKind::Stack {
        event = event.with("amount", row.amount()).with("recorded_amount", row.recorded_amount());
    }
    if let Some(assignment) = row.assignment_id {
        event = event.assignment(assignment, None);
    }
    event
}

/// Open differences that the inventory shows to be none any more: the item is there again, the
/// asset left or is known. That of an item which is missing in the books goes with the item's return.
pub(super) fn vanished(
    conn: &mut Conn,
    bot: &Bot,
    snapshot: &Snapshot,
    known: &[Booked],
) -> Result<Vec<Discrepancy>> {
    let seen: HashMap<_, _> = snapshot.assets.iter().map(|asset| (asset.key(), asset)).collect();
    let in_books: HashSet<_> =
        known.iter().filter_map(|i| Some((i.steam_app_id, i.steam_asset_id?))).collect();
    let missing = known.iter().filter(|item| item.state == ItemState::Missing);
    let missing: HashSet<ItemId> = missing.map(|item| item.id).collect();
    let open = store::open_discrepancies(conn, bot.id)?;
    let claimed = claims::claimed(conn, bot, &open)?;
    let is_gone = |row: &Discrepancy| {
        let key = (row.app_id, row.asset_id);
        let covered = || snapshot.covered.iter().any(|(app, _)| *app == row.app_id);
        match row.kind {
            DiscrepancyKind::UnknownAsset => {
                let there = seen.contains_key(&key) || snapshot.unreadable.contains(&key);
                in_books.contains(&key) || (covered() && !there)
            }
            // An item that is not seen is missed first.
            DiscrepancyKind::Stack => match seen.get(&key) {
                Some(asset) => !asset.is_stack(),
                None => {
                    let there = in_books.contains(&key) || snapshot.unreadable.contains(&key);
                    covered() && !there
                }
            },
            DiscrepancyKind::MissingAsset
            | DiscrepancyKind::AssignedMissing
            | DiscrepancyKind::UnknownTrade => {
                let there = seen.contains_key(&key) || row.asset_id == NO_ASSET;
                there && row.item_id.is_none_or(|item| !missing.contains(&item))
            }
            DiscrepancyKind::ClaimedTwice => !in_books.contains(&key) || !claimed.contains(&key),
            DiscrepancyKind::UnknownOffer | DiscrepancyKind::ReportRefused => false,
        }
    };
    Ok(open.into_iter().filter(is_gone).collect())
}

/// Closes a difference that went away by itself, if it is still open; `how` may be empty.
pub(super) fn vanish(conn: &mut Conn, row: &Discrepancy, how: &str, by: By<'_>) -> Result<()> {
    if store::resolve(conn, row.id, Resolution::Vanished, how, by.now)? {
        let (kind, name) = (row.kind, &row.item_name);
        let text = match how {
            "" => format!("{kind}: {name} went away by itself"),
            how => format!("{kind}: {name}: {how}"),
        };
        tell(conn, row, EventType::SyncDiscrepancyResolved, &text, by)?;
    }
    Ok(())
}

/// The next piece of the list of differences, newest first.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    reach: Reach,
    open_only: bool,
    page: &Page,
) -> Result<Piece<Discrepancy>> {
    store::list_discrepancies(conn, reach, open_only, page)
}

/// Resolves a difference by hand.
///
/// # Errors
/// `DISCREPANCY_NOT_FOUND`, `DISCREPANCY_STATE`, [`Error::Invalid`] for a
/// resolution that the kind does not take.
pub fn resolve(
    conn: &mut Conn,
    context: &Context,
    id: DiscrepancyId,
    resolution: Resolution,
    note: &str,
) -> Result<Discrepancy> {
    let found = store::discrepancy(conn, id)?.filter(|d| context.caller.sees(d.org_id));
    let row = found.ok_or(super::DISCREPANCY.missing(id))?;
    if row.resolution.is_some() {
        return Err(super::resolved_already(id));
    }
    if !row.kind.takes(resolution) {
        let taken: Vec<&str> = row.kind.remedies().map(Resolution::as_str).collect();
        let (kind, taken) = (row.kind, taken.join(" or "));
        let problem = format!("{resolution} makes no sense for {kind}, which takes {taken}");
        return Err(Error::invalid("resolution", problem));
    }
    if resolution == Resolution::Adopt && row.amount() != 1 {
        let amount = row.amount();
        let problem = format!("ADOPT makes no sense for a stack of {amount}: IGNORE it");
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
        // The session asks the bot to, as long as the offer is open.
        Resolution::CancelOffer | Resolution::Ignore | Resolution::Vanished => {}
    }
    let text = format!("{}: {} was resolved: {resolution}", row.kind, row.item_name);
    tell(conn, &row, EventType::SyncDiscrepancyResolved, &text, by)?;
    store::discrepancy(conn, id)?.ok_or(super::DISCREPANCY.missing(id))
}

fn write_off(conn: &mut Conn, row: &Discrepancy, by: By<'_>) -> Result<()> {
    let Some(id) = row.item_id else { return Ok(()) };
    let item = items::ops::get(conn, id)?;
    let stack = item.state == ItemState::Quarantined && row.kind == DiscrepancyKind::Stack;
    if item.state == ItemState::Missing || stack {
        let changes = items::Changes::to(ItemState::Withdrawn);
        items::ops::change(conn, &item, &changes, EventType::ItemWithdrawn, "was written off", by)?;
    }
    match item.assignment_id {
        Some(assignment) => {
            let text = "given up: one of its items is gone for good";
            assignments::ending::fail(conn, assignment, text, by)
        }
        None => Ok(()),
    }
}
