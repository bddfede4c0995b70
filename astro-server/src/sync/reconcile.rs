//! Pure: a complete inventory against the books gives the changes to make.
use super::DiscrepancyKind;
use crate::items::asset::{Class, SeenAsset};
use crate::items::{Item, ItemState};
use crate::kernel::limits::MISSING_AFTER;
use crate::kernel::{AssetId, ItemId, Timestamp};
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
}

/// What the decision depends on beside the inventory and the books.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// When the bot began to read.
    pub read_started: Timestamp,
    /// Classes of assets that trades may have moved meanwhile: unknown ones prove nothing.
    pub moving: HashSet<Class>,
    /// Take unknown assets into the pool.
    pub adopt: bool,
    /// Differences that a person decided to leave alone.
    pub ignored: HashSet<Key>,
}

/// A change to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Take an unknown asset into the pool.
    Adopt(SeenAsset),
    /// Report an unknown asset.
    Unknown(SeenAsset),
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
            Self::Adopt(_) | Self::Unknown(_) => None,
            Self::FirstMiss(id)
            | Self::Missing(id, _)
            | Self::Back(id)
            | Self::Seen(id)
            | Self::Quarantine(id)
            | Self::Release(id)
            | Self::TradableAt(id, _)
            | Self::Placed(id, ..) => Some(*id),
        }
    }
}

/// Compares `snapshot` with the items that the books place with the bot (`known`).
pub fn reconcile(
    snapshot: &Snapshot,
    known: &[Item],
    circumstances: &Circumstances,
) -> Vec<Change> {
    let seen: HashMap<Key, &SeenAsset> = snapshot.assets.iter().map(|a| (a.key(), a)).collect();
    let mut changes: Vec<Change> =
        known.iter().filter_map(|item| of_item(item, &seen, snapshot, circumstances)).collect();
    let in_books: HashSet<Key> = known.iter().filter_map(key).collect();
    let mut unknown: Vec<_> = seen
        .values()
        .filter(|a| !in_books.contains(&a.key()) && !circumstances.ignored.contains(&a.key()))
        .filter(|a| !circumstances.moving.contains(&a.class_key()))
        .map(|a| (*a).clone())
        .collect();
    unknown.sort_by_key(|a| (a.app, a.asset));
    let report = if circumstances.adopt { Change::Adopt } else { Change::Unknown };
    changes.extend(unknown.into_iter().map(report));
    changes
}

fn key(item: &Item) -> Option<Key> {
    item.steam_asset_id.map(|asset| (item.steam_app_id, asset))
}

fn of_item(
    item: &Item,
    seen: &HashMap<Key, &SeenAsset>,
    snapshot: &Snapshot,
    circumstances: &Circumstances,
) -> Option<Change> {
    let key = key(item)?;
    // What changed after the reading began, the reading cannot judge.
    if !item.state.is_in_inventory() || item.updated_at >= circumstances.read_started {
        return None;
    }
    match seen.get(&key) {
        Some(asset) => present(item, asset, circumstances.read_started),
        None if was_looked_for(item, snapshot, circumstances.read_started) => {
            absent(item, circumstances, &key)
        }
        None => None,
    }
}

/// Whether the reading would have shown the item. One that cannot be traded yet may be where Steam
/// keeps protected items, and cannot have been traded away.
fn was_looked_for(item: &Item, snapshot: &Snapshot, read_started: Timestamp) -> bool {
    let covered = |context| snapshot.covered.contains(&(item.steam_app_id, context));
    let protected = item.tradable_at.is_some_and(|at| at > read_started);
    covered(item.steam_context_id) && (!protected || covered(AssetId::new(PROTECTED)))
}

fn present(item: &Item, asset: &SeenAsset, read_started: Timestamp) -> Option<Change> {
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

fn absent(item: &Item, circumstances: &Circumstances, key: &Key) -> Option<Change> {
    if item.state == ItemState::Missing || circumstances.ignored.contains(key) {
        return None;
    }
    let Some(since) = item.missing_since else { return Some(Change::FirstMiss(item.id)) };
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
pub fn accuracy(snapshot: &Snapshot, known: &[Item], circumstances: &Circumstances) -> i32 {
    let seen: HashSet<Key> = snapshot.assets.iter().map(SeenAsset::key).collect();
    let (mut right, mut all) = (0_u64, 0_u64);
    let mut in_books = HashSet::new();
    for item in known {
        let Some(key) = key(item) else { continue };
        in_books.insert(key);
        let fresh = item.updated_at >= circumstances.read_started;
        if fresh || circumstances.ignored.contains(&key) {
            continue;
        }
        let missing = item.state == ItemState::Missing;
        let expected = item.state.is_in_inventory()
            && was_looked_for(item, snapshot, circumstances.read_started);
        match (seen.contains(&key), missing) {
            // The asset and the item.
            (true, false) => (right, all) = (right + 2, all + 2),
            (true, true) => all += 1,
            (false, false) if expected => all += 1,
            (false, _) => {}
        }
    }
    let unknown = |asset: &&SeenAsset| {
        !in_books.contains(&asset.key())
            && !circumstances.ignored.contains(&asset.key())
            && !circumstances.moving.contains(&asset.class_key())
    };
    all += u64::try_from(snapshot.assets.iter().filter(unknown).count()).unwrap_or(0);
    let share = (right * MILLION).checked_div(all).unwrap_or(MILLION);
    i32::try_from(share).unwrap_or(0)
}

const MILLION: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::asset::Origin;
    use crate::kernel::{AssignmentId, BotId, OrgId};
    use std::time::Duration;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros("t", 0).unwrap().plus(Duration::from_secs(seconds))
    }

    fn asset(id: u64, tradable: bool) -> SeenAsset {
        SeenAsset {
            app: 440,
            context: 2,
            asset: id,
            class: 1,
            instance: 0,
            amount: 1,
            market_hash_name: "Key".to_owned(),
            name: "Key".to_owned(),
            kind: String::new(),
            rarity: String::new(),
            tradable,
            tradable_at_micros: None,
            marketable: true,
            estimated_usd_cents: 0,
            metadata: serde_json::json!({}).into(),
        }
    }

    fn item(id: u64, state: ItemState) -> Item {
        let origin =
            Origin { org: OrgId::new(), bot: BotId::new(), via: "sync", donation: None, at: at(0) };
        asset(id, true).item(state, &origin)
    }

    fn circumstances() -> Circumstances {
        Circumstances {
            read_started: at(1000),
            moving: HashSet::new(),
            adopt: true,
            ignored: HashSet::new(),
        }
    }

    fn snapshot(assets: Vec<SeenAsset>) -> Snapshot {
        Snapshot { assets, covered: HashSet::from([(440, AssetId::new(2))]) }
    }

    #[track_caller]
    fn check(seen: Vec<SeenAsset>, known: &[Item], with: &Circumstances, expected: &[Change]) {
        assert_eq!(reconcile(&snapshot(seen), known, with), expected);
    }

    #[test]
    fn an_inventory_that_matches_changes_nothing() {
        let known = [item(1, ItemState::Available), item(2, ItemState::Assigned)];
        check(vec![asset(1, true), asset(2, true)], &known, &circumstances(), &[]);
        check(vec![], &[], &circumstances(), &[]);
    }

    #[test]
    fn an_unknown_asset_is_adopted_or_reported_unless_trades_are_in_flight() {
        let seen = || vec![asset(7, true)];
        let review = Circumstances { adopt: false, ..circumstances() };
        let moving = HashSet::from([asset(7, true).class_key()]);
        let busy = Circumstances { moving, ..circumstances() };
        let ignored =
            Circumstances { ignored: HashSet::from([asset(7, true).key()]), ..circumstances() };
        check(seen(), &[], &circumstances(), &[Change::Adopt(asset(7, true))]);
        check(seen(), &[], &review, &[Change::Unknown(asset(7, true))]);
        check(seen(), &[], &busy, &[]);
        check(seen(), &[], &ignored, &[]);
        check(seen(), &[item(7, ItemState::InOffer)], &circumstances(), &[]);
    }

    #[test]
    fn an_item_is_missing_only_after_two_reads_a_minute_apart() {
        let first = item(1, ItemState::Available);
        check(
            vec![],
            std::slice::from_ref(&first),
            &circumstances(),
            &[Change::FirstMiss(first.id)],
        );
        let soon = Item { missing_since: Some(at(990)), ..first.clone() };
        check(vec![], &[soon], &circumstances(), &[]);
        let late = Item { missing_since: Some(at(900)), ..first.clone() };
        let missing = Change::Missing(first.id, DiscrepancyKind::MissingAsset);
        check(vec![], std::slice::from_ref(&late), &circumstances(), &[missing]);
        let promised = Item {
            assignment_id: Some(AssignmentId::new()),
            state: ItemState::Assigned,
            ..late.clone()
        };
        let missing = Change::Missing(first.id, DiscrepancyKind::AssignedMissing);
        check(vec![], &[promised], &circumstances(), &[missing]);
        check(vec![asset(1, true)], &[late], &circumstances(), &[Change::Seen(first.id)]);
    }

    #[test]
    fn what_is_not_in_the_inventory_by_the_books_is_not_missed() {
        let away =
            [ItemState::InOffer, ItemState::InEscrow, ItemState::Pending, ItemState::Missing];
        for state in away {
            check(vec![], &[item(1, state)], &circumstances(), &[]);
        }
        let fresh = Item { updated_at: at(1001), ..item(1, ItemState::Available) };
        check(vec![], &[fresh], &circumstances(), &[]);
    }

    #[test]
    fn an_inventory_that_was_not_read_proves_nothing() {
        let other = Item { steam_app_id: 730, ..item(1, ItemState::Available) };
        check(vec![], &[other], &circumstances(), &[]);
    }

    #[test]
    fn a_missing_item_comes_back_when_it_is_seen() {
        let missing = item(1, ItemState::Missing);
        check(
            vec![asset(1, true)],
            std::slice::from_ref(&missing),
            &circumstances(),
            &[Change::Back(missing.id)],
        );
    }

    #[test]
    fn what_cannot_be_traded_is_quarantined_until_it_can() {
        let free = item(1, ItemState::Available);
        let stuck = item(2, ItemState::Quarantined);
        let expected = [Change::Quarantine(free.id), Change::Release(stuck.id)];
        check(vec![asset(1, false), asset(2, true)], &[free, stuck], &circumstances(), &expected);
    }

    #[test]
    fn an_asset_in_another_context_is_the_same_and_waits_for_its_time() {
        let books = item(1, ItemState::Available);
        let protected = SeenAsset {
            context: PROTECTED,
            tradable_at_micros: Some(at(9000).micros()),
            ..asset(1, false)
        };
        let context = AssetId::new(PROTECTED);
        let placed = Change::Placed(books.id, context, Some(at(9000)));
        check(vec![protected], std::slice::from_ref(&books), &circumstances(), &[placed]);
        let waits =
            Item { steam_context_id: context, tradable_at: Some(at(9000)), ..books.clone() };
        let undated = SeenAsset { context: PROTECTED, ..asset(1, false) };
        check(vec![undated], std::slice::from_ref(&waits), &circumstances(), &[]);
        let free = Change::Placed(books.id, AssetId::new(2), None);
        check(vec![asset(1, true)], &[waits], &circumstances(), &[free]);
    }

    #[test]
    fn a_protected_item_is_missed_only_where_protected_items_were_read() {
        let waits = Item {
            tradable_at: Some(at(9000)),
            missing_since: Some(at(900)),
            ..item(1, ItemState::Available)
        };
        check(vec![], std::slice::from_ref(&waits), &circumstances(), &[]);
        let mut all = snapshot(vec![]);
        all.covered.insert((440, AssetId::new(PROTECTED)));
        let missing = Change::Missing(waits.id, DiscrepancyKind::MissingAsset);
        assert_eq!(reconcile(&all, &[waits], &circumstances()), [missing]);
    }

    #[track_caller]
    fn agree(seen: Vec<SeenAsset>, known: &[Item], with: &Circumstances, percent: f64) {
        let found = accuracy(&snapshot(seen), known, with);
        assert!((f64::from(found) / 10_000.0 - percent).abs() < 0.001, "{found} for {percent} %");
    }

    #[test]
    fn accuracy_is_the_share_of_assets_and_items_that_agree() {
        let with = circumstances();
        let known = [item(1, ItemState::Available), item(2, ItemState::Assigned)];
        agree(vec![], &[], &with, 100.0);
        agree(vec![asset(1, true), asset(2, true)], &known, &with, 100.0);
        agree(vec![asset(1, true)], &known, &with, 200.0 / 3.0);
        agree(vec![asset(1, true), asset(2, true), asset(3, true)], &known, &with, 80.0);
        agree(vec![asset(3, true)], &known, &with, 0.0);
        // Known to be missing, and so it is; seen all the same.
        let missing = [item(1, ItemState::Missing)];
        agree(vec![], &missing, &with, 100.0);
        agree(vec![asset(1, true)], &missing, &with, 0.0);
        // On its way out: there or not.
        let offered = [item(1, ItemState::InOffer)];
        agree(vec![asset(1, true)], &offered, &with, 100.0);
        agree(vec![], &offered, &with, 100.0);
        // Changed meanwhile, or left alone by a person.
        let fresh = [Item { updated_at: at(1001), ..item(1, ItemState::Available) }];
        agree(vec![], &fresh, &with, 100.0);
        let ignored = HashSet::from([asset(1, true).key(), asset(2, true).key()]);
        let told = Circumstances { ignored, ..circumstances() };
        agree(vec![asset(2, true)], &[item(1, ItemState::Available)], &told, 100.0);
        let moving = HashSet::from([asset(7, true).class_key()]);
        agree(vec![asset(7, true)], &[], &Circumstances { moving, ..circumstances() }, 100.0);
    }
}
