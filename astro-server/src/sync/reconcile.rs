//! Pure: a complete inventory against the books gives the changes to make.
use super::DiscrepancyKind;
use crate::items::asset::{Class, SeenAsset};
use crate::items::{Booked, ItemState};
use crate::kernel::{AssetId, ItemId, Timestamp};
use crate::sync::limits::MISSING_AFTER;
use std::collections::{HashMap, HashSet};

/// The context in which Steam keeps items that a trade brought until it cannot be reversed any more.
const PROTECTED: u64 = 16;

/// Application and asset id.
pub type Key = (i32, AssetId);

/// A complete inventory of one bot.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// What was seen, each asset once.
    pub assets: Vec<SeenAsset>,
    /// Inventories that were read completely.
    pub covered: HashSet<(i32, AssetId)>,
    /// Assets that are there and whose entries make no sense: neither seen nor missed.
    pub unreadable: HashSet<Key>,
}

/// Assets of which a person decided to leave a difference alone: that one, and none of another
/// kind. A missing item is missing whatever was decided, and is missed anew once it was seen.
#[derive(Debug, Clone, Default)]
pub struct Ignored {
    /// They are no items, and shall be none.
    pub unknown: HashSet<Key>,
    /// They are stacks.
    pub stacks: HashSet<Key>,
}

impl Ignored {
    /// Whether the asset, which is no item, is left alone.
    pub fn is_unknown(&self, asset: &SeenAsset) -> bool {
        let of_kind = if asset.is_stack() { &self.stacks } else { &self.unknown };
        of_kind.contains(&asset.key())
    }
}

/// What the decision depends on beside the inventory and the books.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// When the bot began to read.
    pub read_started: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// Classes of assets that trades may have moved meanwhile: unknown ones prove nothing.
    pub moving: HashSet<Class>,
    /// Take unknown assets into the pool.
    pub adopt: bool,
    /// What a person decided to leave alone.
    pub ignored: Ignored,
    /// Stacks that are told of, with the amounts that are.
    pub told: HashMap<Key, u32>,
}

impl Circumstances {
    /// Whether the item changed after the reading began, so that the reading cannot judge it. What
    /// was changed by a clock that ran ahead is judged all the same: it would not be for long.
    pub fn is_fresh(&self, item: &Booked) -> bool {
        item.updated_at >= self.read_started && !item.updated_at.is_ahead_of(self.now)
    }

    /// Whether the item is missing without an asset that a reading could show, for as long as a
    /// missing item is looked for.
    pub fn is_lost(&self, item: &Booked) -> bool {
        let since = item.missing_since.filter(|since| *since <= self.read_started);
        item.state == ItemState::Missing
            && item.steam_asset_id.is_none()
            && !self.is_fresh(item)
            && since.is_some_and(|since| self.read_started.since(since) >= MISSING_AFTER)
    }
}

/// A change to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Take an unknown asset into the pool.
    Adopt(SeenAsset),
    /// Report an unknown asset.
    Unknown(SeenAsset),
    /// Report an unknown stack, or another amount of it.
    Stack(SeenAsset),
    /// The item is a stack, or another amount of one, or a single one again.
    Amount(ItemId, SeenAsset),
    /// Note the first read without the item.
    FirstMiss(ItemId),
    /// The second read without it: it is missing.
    Missing(ItemId, DiscrepancyKind),
    /// A missing item is there again.
    Back(ItemId),
    /// It was missed once and is there after all.
    Seen(ItemId),
    /// A free item turned out not to be tradable.
    Quarantine(ItemId),
    /// A quarantined item became tradable.
    Release(ItemId),
    /// The time from which it can be traded changed.
    TradableAt(ItemId, Option<Timestamp>),
    /// Steam keeps it in another context, and it can be traded from then on: trade protection began
    /// or ended.
    Placed(ItemId, AssetId, Option<Timestamp>),
}

impl Change {
    /// The item that is changed; none for an asset that is no item.
    pub fn item(&self) -> Option<ItemId> {
        match self {
            Self::Adopt(_) | Self::Unknown(_) | Self::Stack(_) => None,
            Self::FirstMiss(id)
            | Self::Missing(id, _)
            | Self::Back(id)
            | Self::Seen(id)
            | Self::Quarantine(id)
            | Self::Release(id)
            | Self::TradableAt(id, _)
            | Self::Amount(id, _)
            | Self::Placed(id, ..) => Some(*id),
        }
    }
}

/// Compares `snapshot` with the items that the books place with the bot (`known`).
pub fn reconcile(
    snapshot: &Snapshot,
    known: &[Booked],
    circumstances: &Circumstances,
) -> Vec<Change> {
    let seen: HashMap<Key, &SeenAsset> = snapshot.assets.iter().map(|a| (a.key(), a)).collect();
    let mut changes: Vec<Change> =
        known.iter().filter_map(|item| of_item(item, &seen, snapshot, circumstances)).collect();
    let in_books: HashSet<Key> = known.iter().filter_map(key).collect();
    let mut unknown: Vec<_> = seen
        .values()
        .filter(|a| !in_books.contains(&a.key()) && !circumstances.ignored.is_unknown(a))
        .filter(|a| !circumstances.moving.contains(&a.class_key()))
        .map(|a| (*a).clone())
        .collect();
    unknown.sort_by_key(|a| (a.app, a.asset));
    let report = |asset: SeenAsset| {
        if asset.is_stack() {
            (!circumstances.tells(&asset)).then_some(Change::Stack(asset))
        } else if circumstances.adopt {
            Some(Change::Adopt(asset))
        } else {
            Some(Change::Unknown(asset))
        }
    };
    changes.extend(unknown.into_iter().filter_map(report));
    changes
}

impl Circumstances {
    /// Whether the stack is told of with its amount, or shall not be.
    fn tells(&self, asset: &SeenAsset) -> bool {
        let key = asset.key();
        self.told.get(&key) == Some(&asset.amount) || self.ignored.stacks.contains(&key)
    }
}

fn key(item: &Booked) -> Option<Key> {
    item.steam_asset_id.map(|asset| (item.steam_app_id, asset))
}

fn of_item(
    item: &Booked,
    seen: &HashMap<Key, &SeenAsset>,
    snapshot: &Snapshot,
    circumstances: &Circumstances,
) -> Option<Change> {
    let key = key(item)?;
    if !item.state.is_in_inventory() || circumstances.is_fresh(item) {
        return None;
    }
    match seen.get(&key) {
        Some(asset) => amount(item, asset, circumstances)
            .or_else(|| present(item, asset, circumstances.read_started)),
        None if was_looked_for(item, snapshot, circumstances.read_started) => {
            absent(item, circumstances)
        }
        None => None,
    }
}

/// Whether the reading would have shown the item. One that cannot be traded yet may be where Steam
/// keeps protected items, and cannot have been traded away.
fn was_looked_for(item: &Booked, snapshot: &Snapshot, read_started: Timestamp) -> bool {
    let covered = |context| snapshot.covered.contains(&(item.steam_app_id, context));
    if key(item).is_some_and(|key| snapshot.unreadable.contains(&key)) {
        return false;
    }
    let protected = item.tradable_at.is_some_and(|at| at > read_started);
    covered(item.steam_context_id) && (!protected || covered(AssetId::new(PROTECTED)))
}

/// What the units of an asset that is there mean: they come before everything else, since nothing
/// of a stack may be promised.
fn amount(item: &Booked, asset: &SeenAsset, circumstances: &Circumstances) -> Option<Change> {
    let booked = item.amount == i64::from(asset.amount);
    let out = item.state == ItemState::Quarantined && circumstances.tells(asset);
    let done = booked && (out || !asset.is_stack());
    (!done).then(|| Change::Amount(item.id, asset.clone()))
}

fn present(item: &Booked, asset: &SeenAsset, read_started: Timestamp) -> Option<Change> {
    let tradable = asset.pool_state() == ItemState::Available;
    let context = AssetId::new(asset.context);
    let waits = item.tradable_at.is_some_and(|at| at > read_started);
    match item.state {
        ItemState::Missing => Some(Change::Back(item.id)),
        _ if item.missing_since.is_some() => Some(Change::Seen(item.id)),
        _ if item.steam_context_id != context => {
            let known = if asset.tradable { None } else { item.tradable_at };
            Some(Change::Placed(item.id, context, asset.tradable_at().or(known)))
        }
        ItemState::Quarantined if tradable => Some(Change::Release(item.id)),
        // What waits for its time is not tradable, and needs nobody.
        ItemState::Available if !tradable && !waits => Some(Change::Quarantine(item.id)),
        ItemState::Available | ItemState::Quarantined
            if asset.tradable_at_micros.is_some() && item.tradable_at != asset.tradable_at() =>
        {
            Some(Change::TradableAt(item.id, asset.tradable_at()))
        }
        ItemState::Pending
        | ItemState::Available
        | ItemState::Reserved
        | ItemState::Assigned
        | ItemState::InOffer
        | ItemState::InEscrow
        | ItemState::Delivered
        | ItemState::Withdrawn
        | ItemState::Quarantined => None,
    }
}

fn absent(item: &Booked, circumstances: &Circumstances) -> Option<Change> {
    if item.state == ItemState::Missing {
        return None;
    }
    // A first miss of a clock that ran ahead is none.
    let since = item.missing_since.filter(|since| *since <= circumstances.read_started);
    let Some(since) = since else { return Some(Change::FirstMiss(item.id)) };
    if circumstances.read_started.since(since) < MISSING_AFTER {
        return None;
    }
    let kind = if item.assignment_id.is_some() {
        DiscrepancyKind::AssignedMissing
    } else {
        DiscrepancyKind::MissingAsset
    };
    Some(Change::Missing(item.id, kind))
}

/// How far books and Steam agreed, in millionths: assets that the books had rightly and items that
/// Steam has, as a share of all of both. What changed while the bot read counts on neither side, nor
/// does what a person decided to leave alone.
pub fn accuracy(snapshot: &Snapshot, known: &[Booked], circumstances: &Circumstances) -> i32 {
    let seen: HashMap<Key, i64> =
        snapshot.assets.iter().map(|asset| (asset.key(), i64::from(asset.amount))).collect();
    let (mut right, mut all) = (0_u64, 0_u64);
    let mut in_books = HashSet::new();
    for item in known {
        let Some(key) = key(item) else { continue };
        in_books.insert(key);
        let left_alone = item.is_stack() && circumstances.ignored.stacks.contains(&key);
        if circumstances.is_fresh(item) || left_alone {
            continue;
        }
        let missing = item.state == ItemState::Missing;
        let expected = item.state.is_in_inventory()
            && was_looked_for(item, snapshot, circumstances.read_started);
        match (seen.get(&key), missing) {
            // The asset and the item.
            (Some(amount), false) if *amount == item.amount => (right, all) = (right + 2, all + 2),
            (Some(_), false) => all += 2,
            (Some(_), true) => all += 1,
            (None, false) if expected => all += 1,
            (None, _) => {}
        }
    }
    let unknown = |asset: &&SeenAsset| {
        !in_books.contains(&asset.key())
            && !circumstances.ignored.is_unknown(asset)
            && !circumstances.moving.contains(&asset.class_key())
    };
    all += u64::try_from(snapshot.assets.iter().filter(unknown).count()).unwrap_or(0);
    let share = (right * MILLION).checked_div(all).unwrap_or(MILLION);
    i32::try_from(share).unwrap_or(0)
}

const MILLION: u64 = 1_000_000;

#[cfg(test)]
mod tests;
