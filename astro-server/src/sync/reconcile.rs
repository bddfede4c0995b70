//! Pure: a complete inventory against the books gives the changes to make.
use super::DiscrepancyKind;
use crate::items::asset::{Class, SeenAsset};
use crate::items::{Item, ItemState};
use crate::kernel::limits::MISSING_AFTER;
use crate::kernel::{AssetId, ItemId, Timestamp};
use std::collections::{HashMap, HashSet};

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
        Some(asset) => present(item, asset),
        None if snapshot.covered.contains(&(item.steam_app_id, item.steam_context_id)) => {
            absent(item, circumstances, &key)
        }
        None => None,
    }
}

fn present(item: &Item, asset: &SeenAsset) -> Option<Change> {
    let tradable = asset.pool_state() == ItemState::Available;
    match item.state {
        ItemState::Missing => Some(Change::Back(item.id)),
        _ if item.missing_since.is_some() => Some(Change::Seen(item.id)),
        ItemState::Quarantined if tradable => Some(Change::Release(item.id)),
        ItemState::Available if !tradable => Some(Change::Quarantine(item.id)),
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
            metadata: serde_json::json!({}),
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
}
