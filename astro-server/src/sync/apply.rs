//! A complete inventory, compared with the books at once and applied in portions.
//!
//! The comparison only reads. Each portion is a transaction of its own, so that other writers get
//! their turn in between, and makes a change only to an item that is as it was when it was
//! compared: what somebody else changed meanwhile is for the next run.
use super::reconcile::{Change, Circumstances, Snapshot, accuracy, reconcile};
use super::store::{self, Progress};
use super::{
    Discrepancy, DiscrepancyKind, Sync, SyncId, SyncState, claims, discrepancies, ops, reversals,
    stacks,
};
use crate::bots::{self, Bot};
use crate::db::{Conn, Document};
use crate::events::EventType;
use crate::items::asset::{Origin, SeenAsset};
use crate::items::ops::By;
use crate::items::{self, Booked, Item, ItemState};
use crate::kernel::{AssetId, AssignmentId, ItemId, Result, Timestamp};
use crate::{assignments, donations, orgs};
use std::collections::{HashMap, HashSet};

/// Steps of one transaction: they keep the writer for about half a millisecond each.
const PORTION: usize = 100;

/// One step of a run.
#[derive(Debug, Clone)]
pub enum Step {
    /// A change, to an item of this version; 0 for an asset that is no item.
    Change(Change, i64),
    /// A difference went away by itself.
    Vanished(Discrepancy),
    /// All that the bot holds of a delivery that waits for a missing item is there.
    Whole(AssignmentId),
    /// An item came back as an asset that is not known, and no later report told which.
    Lost(ItemId),
}

impl Step {
    /// The item that it changes.
    fn item(&self) -> Option<ItemId> {
        match self {
            Self::Change(change, _) => change.item(),
            Self::Vanished(_) | Self::Whole(_) | Self::Lost(_) => None,
        }
    }
}

/// What a complete inventory asks for.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    steps: Vec<Step>,
    /// How far books and Steam agreed, in millionths.
    accuracy_ppm: i32,
    /// Assets on Steam.
    seen: usize,
}

impl Plan {
    /// The steps, a transaction's worth each.
    pub fn portions(&self) -> impl Iterator<Item = &[Step]> {
        self.steps.chunks(PORTION)
    }
}

/// What steps have changed so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Items that are new, or were written off before.
    pub added: usize,
    /// Items that are missing now.
    pub removed: usize,
    /// Items that were corrected.
    pub updated: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.removed += other.removed;
        self.updated += other.updated;
    }
}

/// Compares a complete inventory with the books; reads only. None when the run is over.
///
/// # Errors
/// Those of the database.
pub fn plan(
    conn: &mut Conn,
    bot: &Bot,
    id: SyncId,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<Option<Plan>> {
    let Some(sync) = ops::running(conn, bot, id)? else { return Ok(None) };
    let circumstances = circumstances(conn, bot, &sync, now)?;
    let known = items::ops::of_bot(conn, bot.id)?;
    let versions: HashMap<ItemId, i64> = known.iter().map(|i| (i.id, i.version)).collect();
    let vanished = discrepancies::vanished(conn, bot, snapshot, &known)?;
    let whole = whole(conn, bot, snapshot, &known, &circumstances)?;
    let told = store::told_lost(conn, bot.id)?;
    let is_news = |item: &&Booked| circumstances.is_lost(item) && !told.contains(&item.id);
    let lost: Vec<ItemId> = known.iter().filter(is_news).map(|item| item.id).collect();
    let changes = reconcile(snapshot, &known, &circumstances).into_iter().map(|change| {
        let version = change.item().and_then(|id| versions.get(&id)).copied().unwrap_or(0);
        Step::Change(change, version)
    });
    Ok(Some(Plan {
        steps: vanished
            .into_iter()
            .map(Step::Vanished)
            .chain(changes)
            .chain(whole.into_iter().map(Step::Whole))
            .chain(lost.into_iter().map(Step::Lost))
            .collect(),
        accuracy_ppm: accuracy(snapshot, &known, &circumstances),
        seen: snapshot.assets.len(),
    }))
}

fn circumstances(conn: &mut Conn, bot: &Bot, sync: &Sync, now: Timestamp) -> Result<Circumstances> {
    // The server's own time of asking: earlier than the bot's reading, whatever its clock says.
    let read_started = sync.read_started();
    let mut moving = donations::ops::moving(conn, bot.id, read_started)?;
    moving.extend(assignments::delivery::delivered_since(conn, bot.id, read_started)?);
    let mut ignored = store::ignored(conn, bot.id)?;
    ignored.unknown.extend(reversals::awaited(conn, bot)?);
    Ok(Circumstances {
        read_started,
        now,
        moving,
        adopt: orgs::ops::get(conn, bot.org)?.adopt_unknown_items,
        ignored,
        told: store::told_stacks(conn, bot.id)?,
    })
}

/// Deliveries that wait for a missing item, of which the reading shows all that the bot holds.
fn whole(
    conn: &mut Conn,
    bot: &Bot,
    snapshot: &Snapshot,
    known: &[Booked],
    circumstances: &Circumstances,
) -> Result<Vec<AssignmentId>> {
    let mut waiting = assignments::missing::waiting(conn, bot.id)?;
    if waiting.is_empty() {
        return Ok(waiting);
    }
    let seen: HashSet<_> = snapshot.assets.iter().map(SeenAsset::key).collect();
    let is_there = |item: &Booked| {
        let key = item.steam_asset_id.map(|asset| (item.steam_app_id, asset));
        item.state == ItemState::Assigned
            && !circumstances.is_fresh(item)
            && key.is_some_and(|key| seen.contains(&key))
    };
    waiting.retain(|id| {
        let mut part = known.iter().filter(|item| item.assignment_id == Some(*id)).peekable();
        part.peek().is_some() && part.all(is_there)
    });
    Ok(waiting)
}

/// Makes the steps of one portion, if the run goes on.
///
/// # Errors
/// Those of the database.
pub fn apply(
    conn: &mut Conn,
    bot: &Bot,
    id: SyncId,
    steps: &[Step],
    now: Timestamp,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let Some(sync) = ops::running(conn, bot, id)? else { return Ok(tally) };
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    let changed = steps.iter().filter_map(Step::item).collect::<Vec<_>>();
    items::ops::lock(conn, bot.org, &changed)?;
    let mut unknown = Vec::new();
    for step in steps {
        match step {
            Step::Vanished(row) => discrepancies::vanish(conn, row, "", by)?,
            Step::Change(Change::Adopt(asset) | Change::Unknown(asset), _) => {
                unknown.push(asset.clone());
            }
            Step::Change(Change::Stack(asset), _) => {
                stacks::report(conn, bot, &sync, asset, None, by)?;
            }
            Step::Change(change, version) => {
                correct(conn, bot, &sync, (change, *version), &mut tally, by)?;
            }
            Step::Whole(id) => assignments::missing::not_missing(conn, *id, by)?,
            Step::Lost(id) => discrepancies::lost(conn, bot, &sync, *id, by)?,
        }
    }
    if !unknown.is_empty() {
        tally.added += take_in(conn, bot, &sync, unknown, by)?;
    }
    Ok(tally)
}

/// Adopts or reports unknown assets. Trades that were committed since the inventory was compared
/// may explain them: an asset that they brought or took away, or may have, proves nothing here.
fn take_in(
    conn: &mut Conn,
    bot: &Bot,
    sync: &Sync,
    mut unknown: Vec<SeenAsset>,
    by: By<'_>,
) -> Result<usize> {
    let with = circumstances(conn, bot, sync, by.now)?;
    unknown.retain(|asset| {
        !with.moving.contains(&asset.class_key()) && !with.ignored.is_unknown(asset)
    });
    let keys: Vec<_> = unknown.iter().map(SeenAsset::key).collect();
    let given = store::all_remembered(conn, bot.id, &keys, true)?;
    unknown.retain(|asset| {
        let gone = given.get(&asset.key());
        gone.is_none_or(|trade| trade.created_at < with.read_started)
    });
    if with.adopt {
        return adopt(conn, bot, &unknown, by);
    }
    for asset in &unknown {
        report_unknown(conn, bot, sync, asset, by)?;
    }
    Ok(0)
}

/// Takes unknown assets into the pool, but for those that the books have by now; tells how many.
///
/// # Errors
/// Those of the database.
pub fn adopt(conn: &mut Conn, bot: &Bot, assets: &[SeenAsset], by: By<'_>) -> Result<usize> {
    let text = "was found in the bot's inventory";
    let origin = Origin { org: bot.org, bot: bot.id, via: "sync", donation: None, at: by.now };
    let (mut found, mut bought, mut back) = (Vec::new(), Vec::new(), 0);
    let keys: Vec<_> = assets.iter().map(SeenAsset::key).collect();
    let known = items::returns::held_or_withdrawn(conn, bot.id, &keys)?;
    let traded = store::all_remembered(conn, bot.id, &keys, false)?;
    for asset in assets {
        if let Some(item) = known.get(&asset.key()) {
            if item.state != ItemState::Withdrawn {
                continue;
            }
            let state = asset.pool_state();
            let home = if state == ItemState::Available {
                items::returns::rightful_place(conn, item)?
            } else {
                items::Changes::to(state)
            };
            let changes = items::Changes {
                missing_since: Some(None),
                amount: Some(i64::from(asset.amount)),
                ..home
            };
            items::ops::change(conn, item, &changes, EventType::ItemFound, text, by)?;
            back += 1;
            continue;
        }
        let item = asset.item(conn.id(by.now), asset.pool_state(), &origin);
        match traded.get(&asset.key()) {
            Some(trade) => bought.push(Item {
                received_via: "trade".to_owned(),
                received_from_user_id: Some(trade.partner_id),
                ..item
            }),
            None => found.push(item),
        }
    }
    items::ops::record(conn, &found, EventType::ItemAdopted, text, by)?;
    let text = "came in a trade that was no donation";
    items::ops::record(conn, &bought, EventType::ItemAdopted, text, by)?;
    claims::tell(conn, bot, assets.iter().map(SeenAsset::key), by)?;
    Ok(back + found.len() + bought.len())
}

/// Makes a change to an item that is as it was when it was compared.
fn correct(
    conn: &mut Conn,
    bot: &Bot,
    sync: &Sync,
    (change, version): (&Change, i64),
    tally: &mut Tally,
    by: By<'_>,
) -> Result<()> {
    let Some(id) = change.item() else { return Ok(()) };
    let item = items::ops::get(conn, id)?;
    if item.version != version {
        return Ok(());
    }
    if let Change::Missing(_, kind) = change {
        tally.removed += 1;
        return missing(conn, bot, sync, &item, *kind, by);
    }
    if let Change::Amount(_, asset) = change {
        tally.updated += usize::from(stacks::book(conn, bot, sync, &item, asset, by)?);
        return Ok(());
    }
    let Some((changes, name, text)) = correction(conn, change, &item, sync)? else {
        return Ok(());
    };
    tally.updated += 1;
    let after = items::ops::change(conn, &item, &changes, name, text, by)?;
    if item.state == ItemState::Missing { found(conn, bot, &after, by) } else { Ok(()) }
}

/// A missing item is there again: what waited for it goes on, and its difference says so.
fn found(conn: &mut Conn, bot: &Bot, item: &Item, by: By<'_>) -> Result<()> {
    let how = match item.assignment_id {
        None => "the item was seen again".to_owned(),
        Some(id) if assignments::missing::found(conn, id, by)? => {
            format!("the item was seen again: assignment {id} goes on by itself")
        }
        Some(id) => format!("the item was seen again; assignment {id} waits for something else"),
    };
    let Some(asset) = item.steam_asset_id else { return Ok(()) };
    let key = (item.steam_app_id, asset);
    if let Some(row) = store::open_about(conn, bot.id, key)? {
        discrepancies::vanish(conn, &row, &how, by)?;
    }
    // Another bot's books may have taken it in meanwhile.
    claims::tell(conn, bot, [key], by)
}

/// What a change means for an item, with its event; none for what is no correction.
fn correction(
    conn: &mut Conn,
    change: &Change,
    item: &Item,
    sync: &Sync,
) -> Result<Option<(items::Changes, EventType, &'static str)>> {
    let seen = items::Changes { missing_since: Some(None), ..items::Changes::default() };
    Ok(Some(match change {
        Change::Adopt(_)
        | Change::Unknown(_)
        | Change::Stack(_)
        | Change::Missing(..)
        | Change::Amount(..) => return Ok(None),
        Change::FirstMiss(_) => {
            let since = Some(Some(sync.read_started()));
            let changes = items::Changes { missing_since: since, ..items::Changes::default() };
            (
                changes,
                EventType::ItemNotSeen,
                "was not in the inventory: once more, and it is missing",
            )
        }
        Change::Back(_) => {
            let home = items::returns::rightful_place(conn, item)?;
            (
                items::Changes { missing_since: Some(None), ..home },
                EventType::ItemFound,
                "is there again",
            )
        }
        Change::Seen(_) => (seen, EventType::ItemSeen, "is there after all"),
        Change::Quarantine(_) => (
            items::Changes::to(ItemState::Quarantined),
            EventType::ItemQuarantined,
            "cannot be traded",
        ),
        Change::Release(_) => (
            items::returns::rightful_place(conn, item)?,
            EventType::ItemQuarantineEnded,
            "can be traded now",
        ),
        Change::TradableAt(_, at) => {
            let changes = items::Changes { tradable_at: Some(*at), ..items::Changes::default() };
            (changes, EventType::ItemCorrected, "has another date from which it can be traded")
        }
        Change::Placed(_, context, at) => {
            let changes = items::Changes {
                steam_context_id: Some(*context),
                tradable_at: Some(*at),
                ..items::Changes::default()
            };
            (changes, EventType::ItemCorrected, "is in another part of the inventory")
        }
    }))
}

fn missing(
    conn: &mut Conn,
    bot: &Bot,
    sync: &Sync,
    item: &Item,
    kind: DiscrepancyKind,
    by: By<'_>,
) -> Result<()> {
    // Its reservation keeps it, so that it is not assigned as if it were whole.
    let changes = items::Changes::to(ItemState::Missing);
    items::ops::change(conn, item, &changes, EventType::ItemMissing, "is missing", by)?;
    if let Some(assignment) = item.assignment_id {
        assignments::ops::block_for_missing(conn, assignment, by)?;
    }
    let key = (item.steam_app_id, item.steam_asset_id.unwrap_or(AssetId::new(0)));
    let row = Discrepancy {
        sync_id: Some(sync.id),
        item_id: Some(item.id),
        assignment_id: item.assignment_id,
        ..discrepancies::found(conn, bot, kind, key, &item.item_name, by.now)
    };
    let row = match store::remembered(conn, bot.id, key, true)? {
        Some(trade) => Discrepancy {
            kind: DiscrepancyKind::UnknownTrade,
            trade_id: Some(trade.trade_id),
            user_id: Some(trade.partner_id),
            ..row
        },
        None => row,
    };
    let text = format!("{}: {}", row.kind, row.item_name);
    discrepancies::report(conn, &row, &text, by)
}

fn report_unknown(
    conn: &mut Conn,
    bot: &Bot,
    sync: &Sync,
    asset: &SeenAsset,
    by: By<'_>,
) -> Result<()> {
    let details = serde_json::to_value(asset)
        .map_err(|e| crate::kernel::Error::Internal(format!("details of an asset: {e}")))?;
    let (kind, key) = (DiscrepancyKind::UnknownAsset, asset.key());
    let trade = store::remembered(conn, bot.id, key, false)?;
    let row = Discrepancy {
        sync_id: Some(sync.id),
        details: Document(details),
        trade_id: trade.as_ref().map(|trade| trade.trade_id.clone()),
        user_id: trade.map(|trade| trade.partner_id),
        ..discrepancies::found(conn, bot, kind, key, &asset.name, by.now)
    };
    let text = format!("{}: {}", row.kind, row.item_name);
    discrepancies::report(conn, &row, &text, by)
}

/// Ends the run, after all its portions.
///
/// # Errors
/// Those of the database.
pub fn finish(
    conn: &mut Conn,
    bot: &Bot,
    id: SyncId,
    plan: &Plan,
    tally: Tally,
    now: Timestamp,
) -> Result<()> {
    let Some(sync) = ops::running(conn, bot, id)? else { return Ok(()) };
    let source = bots::source(bot.id);
    let counts = items::ops::counts(conn, bot.id)?;
    let sum = |states: &[ItemState]| {
        let total: i64 = counts.iter().filter(|(s, _)| states.contains(s)).map(|(_, n)| *n).sum();
        Some(i32::try_from(total).unwrap_or(i32::MAX))
    };
    let number = |n: usize| Some(i32::try_from(n).unwrap_or(i32::MAX));
    let open = store::open_discrepancies(conn, bot.id)?.len();
    let progress = Progress {
        sync_status: Some(SyncState::Succeeded),
        sync_completed_at: Some(now),
        steam_inventory_count: number(plan.seen),
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
        accuracy_ppm: Some(plan.accuracy_ppm),
        discrepancies_found: number(open),
        sync_duration_ms: Some(ops::duration_ms(&sync, now)),
        ..Progress::default()
    };
    store::progress(conn, &sync, &progress)?;
    let Tally { added, removed, updated } = tally;
    let text = format!(
        "{} assets on Steam: {added} added, {removed} missing, {updated} corrected",
        plan.seen
    );
    ops::append(conn, &sync, EventType::SyncCompleted, &text, By { source: &source, now })
}
