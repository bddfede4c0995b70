//! Runs, from the question to the answer.
use super::reconcile::{Change, Circumstances, Snapshot, reconcile};
use super::store::{self, Progress};
use super::{Discrepancy, DiscrepancyKind, Sync, SyncState, discrepancies};
use crate::bots::{self, Bot};
use crate::db::{Conn, Document};
use crate::events::{self, NewEvent, Severity};
use crate::items::asset::{Origin, SeenAsset};
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::{
    AssetId, BotId, Caller, Error, ItemId, OrgId, Page, Result, SyncId, Timestamp,
};
use crate::{assignments, donations, orgs};
use std::collections::HashMap;
use std::time::Duration;

/// A run that the bot never finished is given up after this time.
const RUN_MAX: Duration = Duration::from_secs(1800);

/// Asks for a run; the open one, if there is one already.
///
/// # Errors
/// Those of the database.
pub fn start(conn: &mut Conn, bot: &Bot, by: By<'_>) -> Result<Sync> {
    if let Some(open) = store::open(conn, bot.id)? {
        return Ok(open);
    }
    let sync = Sync {
        id: SyncId::new(),
        org_id: bot.org,
        bot_id: bot.id,
        sync_status: SyncState::Pending,
        sync_started_at: None,
        sync_completed_at: None,
        steam_inventory_count: 0,
        database_available_count: 0,
        database_assigned_count: 0,
        database_delivered_count: 0,
        database_total_count: 0,
        items_added_count: 0,
        items_removed_count: 0,
        items_updated_count: 0,
        discrepancies_found: 0,
        error_message: None,
        error_details: Document(serde_json::json!({})),
        sync_duration_ms: 0,
        created_at: by.now,
    };
    if !store::insert(conn, &sync)? {
        return Err(Error::Conflict(format!("bot {} just got another sync", bot.id)));
    }
    append(conn, &sync, "sync.requested", "A full inventory was asked for", by)?;
    Ok(sync)
}

fn append(conn: &mut Conn, sync: &Sync, name: &'static str, text: &str, by: By<'_>) -> Result<()> {
    let failed = name == "sync.failed";
    let event = NewEvent::new(sync.org_id, name, by.source, text)
        .bot(sync.bot_id)
        .with("sync_id", sync.id.to_string())
        .severity(if failed { Severity::Warning } else { Severity::Info });
    events::append(conn, event, by.now)
}

/// Whether [`start_if_due`] would do something.
///
/// # Errors
/// Those of the database.
pub fn is_due(conn: &mut Conn, bot: BotId, every: Duration, now: Timestamp) -> Result<bool> {
    let last = store::last_asked(conn, bot)?;
    Ok(last.is_none_or(|at| now.since(at) >= every))
}

/// Asks for a run if the last one was asked for longer than `every` ago; gives up one that hangs.
///
/// # Errors
/// Those of the database.
pub fn start_if_due(conn: &mut Conn, bot: BotId, every: Duration, now: Timestamp) -> Result<bool> {
    let by = By { source: events::SYSTEM, now };
    if let Some(open) = store::open(conn, bot)?
        && open.sync_status == SyncState::Running
        && now.since(open.sync_started_at.unwrap_or(open.created_at)) > RUN_MAX
    {
        fail(conn, &open, "the bot did not finish in time", by)?;
    }
    if !is_due(conn, bot, every, now)? {
        return Ok(false);
    }
    let bot = bots::ops::get(conn, bot)?;
    start(conn, &bot, by)?;
    Ok(true)
}

/// The open run of the bot.
///
/// # Errors
/// Those of the database.
pub fn open(conn: &mut Conn, bot: BotId) -> Result<Option<Sync>> {
    store::open(conn, bot)
}

/// The bot is asked to read now. A run of an earlier session begins anew.
///
/// # Errors
/// Those of the database.
pub fn begin(conn: &mut Conn, sync: &Sync, now: Timestamp) -> Result<()> {
    let progress = Progress {
        sync_status: Some(SyncState::Running),
        sync_started_at: Some(now),
        ..Progress::default()
    };
    store::progress(conn, sync, &progress)?;
    append(
        conn,
        sync,
        "sync.started",
        "The bot reads its inventory",
        By { source: events::SYSTEM, now },
    )
}

/// The inventory could not be read: nothing is concluded from it.
///
/// # Errors
/// Those of the database.
pub fn failed(conn: &mut Conn, bot: &Bot, id: SyncId, why: &str, now: Timestamp) -> Result<()> {
    let Some(sync) = running(conn, bot, id)? else { return Ok(()) };
    let source = bots::source(bot.id);
    fail(conn, &sync, why, By { source: &source, now })
}

fn running(conn: &mut Conn, bot: &Bot, id: SyncId) -> Result<Option<Sync>> {
    let sync = store::get(conn, id)?.filter(|sync| sync.bot_id == bot.id);
    let sync = sync.ok_or_else(|| Error::BotProtocol(format!("sync_id {id}")))?;
    Ok((sync.sync_status == SyncState::Running).then_some(sync))
}

fn fail(conn: &mut Conn, sync: &Sync, why: &str, by: By<'_>) -> Result<()> {
    let progress = Progress {
        sync_status: Some(SyncState::Failed),
        sync_completed_at: Some(by.now),
        error_message: Some(why.to_owned()),
        sync_duration_ms: Some(duration_ms(sync, by.now)),
        ..Progress::default()
    };
    store::progress(conn, sync, &progress)?;
    append(conn, sync, "sync.failed", &format!("The inventory was not read: {why}"), by)
}

fn duration_ms(sync: &Sync, now: Timestamp) -> i32 {
    let since = sync.sync_started_at.unwrap_or(sync.created_at);
    i32::try_from(now.since(since).as_millis()).unwrap_or(i32::MAX)
}

fn circumstances(conn: &mut Conn, bot: &Bot, sync: &Sync) -> Result<Circumstances> {
    // The server's own time of asking: earlier than the bot's reading, whatever its clock says.
    let read_started = sync.sync_started_at.unwrap_or(sync.created_at);
    let mut moving = donations::ops::moving(conn, bot.id, read_started)?;
    moving.extend(assignments::delivery::delivered_since(conn, bot.id, read_started)?);
    Ok(Circumstances {
        read_started,
        moving,
        adopt: orgs::ops::get(conn, bot.org)?.adopt_unknown_items,
        ignored: store::ignored(conn, bot.id)?,
    })
}

/// The unknown assets of a complete inventory that are to be taken into the pool; to be adopted
/// in portions, since there may be many.
///
/// # Errors
/// Those of the database.
pub fn to_adopt(
    conn: &mut Conn,
    bot: &Bot,
    id: SyncId,
    snapshot: &Snapshot,
) -> Result<Vec<SeenAsset>> {
    let Some(sync) = running(conn, bot, id)? else { return Ok(Vec::new()) };
    let circumstances = circumstances(conn, bot, &sync)?;
    let known = items::ops::of_bot(conn, bot.id)?;
    let adopted = reconcile(snapshot, &known, &circumstances)
        .into_iter()
        .filter_map(|change| if let Change::Adopt(asset) = change { Some(asset) } else { None });
    Ok(adopted.collect())
}

/// Takes unknown assets into the pool.
///
/// # Errors
/// Those of the database.
pub fn adopt(conn: &mut Conn, bot: &Bot, assets: &[SeenAsset], by: By<'_>) -> Result<()> {
    let text = "was found in the bot's inventory";
    let gone: HashMap<_, _> = items::ops::withdrawn(conn, bot.id)?
        .into_iter()
        .filter_map(|item| Some(((item.steam_app_id, item.steam_asset_id?), item)))
        .collect();
    let origin = Origin { org: bot.org, bot: bot.id, via: "sync", donation: None, at: by.now };
    let mut fresh = Vec::new();
    for asset in assets {
        match gone.get(&asset.key()) {
            Some(item) => {
                let changes = items::Changes {
                    missing_since: Some(None),
                    ..items::Changes::to(asset.pool_state())
                };
                items::ops::change(conn, item, &changes, "item.found", text, by)?;
            }
            None => fresh.push(asset.item(asset.pool_state(), &origin)),
        }
    }
    items::ops::record(conn, &fresh, "item.adopted", text, by)
}

/// Makes the rest of the changes and ends the run.
///
/// # Errors
/// Those of the database.
pub fn complete(
    conn: &mut Conn,
    bot: &Bot,
    id: SyncId,
    snapshot: &Snapshot,
    adopted: usize,
    now: Timestamp,
) -> Result<()> {
    let Some(sync) = running(conn, bot, id)? else { return Ok(()) };
    let circumstances = circumstances(conn, bot, &sync)?;
    let known = items::ops::of_bot(conn, bot.id)?;
    let changes = reconcile(snapshot, &known, &circumstances);
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    let mut tally = Tally { added: adopted, ..Tally::default() };
    let known: HashMap<ItemId, Item> = known.into_iter().map(|item| (item.id, item)).collect();
    for change in changes {
        apply(conn, &sync, &known, change, &mut tally, by)?;
    }
    discrepancies::close_vanished(conn, bot, snapshot, &known, by)?;
    finish(conn, &sync, bot, snapshot, &tally, by)
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    added: usize,
    removed: usize,
    updated: usize,
}

fn apply(
    conn: &mut Conn,
    sync: &Sync,
    known: &HashMap<ItemId, Item>,
    change: Change,
    tally: &mut Tally,
    by: By<'_>,
) -> Result<()> {
    let item = |id: &ItemId| {
        known.get(id).ok_or_else(|| Error::Internal(format!("item {id} is not in the books")))
    };
    let (id, changes, name, text) = match &change {
        // What appeared after the portions were adopted waits for the next run.
        Change::Adopt(_) => return Ok(()),
        Change::Unknown(asset) => return report_unknown(conn, sync, asset, by),
        Change::FirstMiss(id) => {
            let since = Some(sync.sync_started_at.unwrap_or(by.now));
            let changes =
                items::Changes { missing_since: Some(since), ..items::Changes::default() };
            (id, changes, "item.not_seen", "was not in the inventory: once more, and it is missing")
        }
        Change::Missing(id, kind) => {
            tally.removed += 1;
            return missing(conn, sync, item(id)?, *kind, by);
        }
        Change::Back(id) => {
            let promised = item(id)?.assignment_id.is_some();
            let state = if promised { ItemState::Assigned } else { ItemState::Available };
            let changes = items::Changes {
                missing_since: Some(None),
                reservation_id: Some(None),
                ..items::Changes::to(state)
            };
            (id, changes, "item.found", "is there again")
        }
        Change::Seen(id) => {
            let changes = items::Changes { missing_since: Some(None), ..items::Changes::default() };
            (id, changes, "item.seen", "is there after all")
        }
        Change::Quarantine(id) => {
            let to = items::Changes::to(ItemState::Quarantined);
            (id, to, "item.quarantined", "cannot be traded")
        }
        Change::Release(id) => {
            let to = items::Changes::to(ItemState::Available);
            (id, to, "item.released", "can be traded now")
        }
        Change::TradableAt(id, at) => {
            let changes = items::Changes { tradable_at: Some(*at), ..items::Changes::default() };
            (id, changes, "item.updated", "has another date from which it can be traded")
        }
    };
    tally.updated += 1;
    items::ops::change(conn, item(id)?, &changes, name, text, by).map(drop)
}

fn missing(
    conn: &mut Conn,
    sync: &Sync,
    item: &Item,
    kind: DiscrepancyKind,
    by: By<'_>,
) -> Result<()> {
    // Its reservation keeps it, so that it is not assigned as if it were whole.
    let changes = items::Changes::to(ItemState::Missing);
    items::ops::change(conn, item, &changes, "item.missing", "is missing", by)?;
    if let Some(assignment) = item.assignment_id {
        assignments::ops::block_for_missing(conn, assignment, by)?;
    }
    let asset = item.steam_asset_id.unwrap_or(AssetId::new(0));
    let row = discrepancies::found(sync, kind, (item.steam_app_id, asset), &item.item_name, by.now);
    discrepancies::report(conn, Discrepancy { item_id: Some(item.id), ..row }, by)
}

fn report_unknown(conn: &mut Conn, sync: &Sync, asset: &SeenAsset, by: By<'_>) -> Result<()> {
    let details = serde_json::to_value(asset)
        .map_err(|e| Error::Internal(format!("details of an asset: {e}")))?;
    let row =
        discrepancies::found(sync, DiscrepancyKind::UnknownAsset, asset.key(), &asset.name, by.now);
    discrepancies::report(conn, Discrepancy { details: Document(details), ..row }, by)
}

fn finish(
    conn: &mut Conn,
    sync: &Sync,
    bot: &Bot,
    snapshot: &Snapshot,
    tally: &Tally,
    by: By<'_>,
) -> Result<()> {
    let counts = items::ops::counts(conn, bot.id)?;
    let sum = |states: &[ItemState]| {
        let total: i64 = counts.iter().filter(|(s, _)| states.contains(s)).map(|(_, n)| *n).sum();
        Some(i32::try_from(total).unwrap_or(i32::MAX))
    };
    let number = |n: usize| Some(i32::try_from(n).unwrap_or(i32::MAX));
    let open = store::open_discrepancies(conn, bot.id)?.len();
    let progress = Progress {
        sync_status: Some(SyncState::Succeeded),
        sync_completed_at: Some(by.now),
        steam_inventory_count: number(snapshot.assets.len()),
        database_available_count: sum(&[
            ItemState::Pending,
            ItemState::Available,
            ItemState::Reserved,
            ItemState::Quarantined,
        ]),
        database_assigned_count: sum(&[
            ItemState::Assigned,
            ItemState::InOffer,
            ItemState::InEscrow,
        ]),
        database_delivered_count: sum(&[ItemState::Delivered]),
        database_total_count: sum(ItemState::ALL),
        items_added_count: number(tally.added),
        items_removed_count: number(tally.removed),
        items_updated_count: number(tally.updated),
        discrepancies_found: number(open),
        sync_duration_ms: Some(duration_ms(sync, by.now)),
        ..Progress::default()
    };
    store::progress(conn, sync, &progress)?;
    let text = format!(
        "{} assets on Steam: {} added, {} missing, {} corrected",
        snapshot.assets.len(),
        tally.added,
        tally.removed,
        tally.updated
    );
    append(conn, sync, "sync.completed", &text, by)
}

/// The run, if the caller sees it.
///
/// # Errors
/// [`Error::SyncNotFound`].
pub fn visible(conn: &mut Conn, caller: &Caller, id: SyncId) -> Result<Sync> {
    store::get(conn, id)?.filter(|s| caller.sees(s.org_id)).ok_or(Error::SyncNotFound(id))
}

/// A page of runs, newest first, one more than its size.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    org: Option<OrgId>,
    bot: Option<BotId>,
    page: &Page,
) -> Result<Vec<Sync>> {
    store::list(conn, org, bot, page)
}
