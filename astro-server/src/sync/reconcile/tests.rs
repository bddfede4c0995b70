use super::*;
use crate::kernel::AssignmentId;
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
        metadata: std::sync::Arc::new(serde_json::json!({})),
    }
}

fn item(id: u64, state: ItemState) -> Booked {
    Booked {
        id: ItemId::new(),
        state,
        steam_app_id: 440,
        steam_context_id: AssetId::new(2),
        steam_asset_id: Some(AssetId::new(id)),
        amount: 1,
        tradable_at: None,
        assignment_id: None,
        missing_since: None,
        version: 1,
        updated_at: at(0),
    }
}

fn circumstances() -> Circumstances {
    Circumstances {
        read_started: at(1000),
        now: at(1002),
        moving: HashSet::new(),
        adopt: true,
        ignored: Ignored::default(),
        told: HashMap::new(),
    }
}

fn stack(id: u64, amount: u32) -> SeenAsset {
    SeenAsset { amount, ..asset(id, true) }
}

fn snapshot(assets: Vec<SeenAsset>) -> Snapshot {
    let covered = HashSet::from([(440, AssetId::new(2))]);
    Snapshot { assets, covered, ..Snapshot::default() }
}

#[track_caller]
fn check(seen: Vec<SeenAsset>, known: &[Booked], with: &Circumstances, expected: &[Change]) {
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
    let unknown = HashSet::from([asset(7, true).key()]);
    let ignored = Ignored { unknown, ..Ignored::default() };
    let ignored = Circumstances { ignored, ..circumstances() };
    check(seen(), &[], &circumstances(), &[Change::Adopt(asset(7, true))]);
    check(seen(), &[], &review, &[Change::Unknown(asset(7, true))]);
    check(seen(), &[], &busy, &[]);
    check(seen(), &[], &ignored, &[]);
    check(seen(), &[item(7, ItemState::InOffer)], &circumstances(), &[]);
}

#[test]
fn an_item_is_missing_only_after_two_reads_a_minute_apart() {
    let first = item(1, ItemState::Available);
    check(vec![], std::slice::from_ref(&first), &circumstances(), &[Change::FirstMiss(first.id)]);
    let soon = Booked { missing_since: Some(at(990)), ..first };
    check(vec![], &[soon], &circumstances(), &[]);
    let late = Booked { missing_since: Some(at(900)), ..first };
    let missing = Change::Missing(first.id, DiscrepancyKind::MissingAsset);
    check(vec![], std::slice::from_ref(&late), &circumstances(), &[missing]);
    let promised =
        Booked { assignment_id: Some(AssignmentId::new()), state: ItemState::Assigned, ..late };
    let missing = Change::Missing(first.id, DiscrepancyKind::AssignedMissing);
    check(vec![], &[promised], &circumstances(), &[missing]);
    check(vec![asset(1, true)], &[late], &circumstances(), &[Change::Seen(first.id)]);
}

#[test]
fn what_is_not_in_the_inventory_by_the_books_is_not_missed() {
    let away = [ItemState::InOffer, ItemState::InEscrow, ItemState::Pending, ItemState::Missing];
    for state in away {
        check(vec![], &[item(1, state)], &circumstances(), &[]);
    }
    let fresh = Booked { updated_at: at(1001), ..item(1, ItemState::Available) };
    check(vec![], &[fresh], &circumstances(), &[]);
}

#[test]
fn what_a_clock_that_ran_ahead_stamped_is_judged_all_the_same() {
    let ahead = Booked { updated_at: at(9000), ..item(1, ItemState::Available) };
    let miss = Change::FirstMiss(ahead.id);
    check(vec![], std::slice::from_ref(&ahead), &circumstances(), std::slice::from_ref(&miss));
    let missed_ahead = Booked { missing_since: Some(at(8999)), ..ahead };
    check(vec![], &[missed_ahead], &circumstances(), &[miss]);
}

#[test]
fn an_inventory_that_was_not_read_proves_nothing() {
    let other = Booked { steam_app_id: 730, ..item(1, ItemState::Available) };
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
fn an_unknown_stack_is_reported_once_and_never_adopted() {
    for amount in [0, 2, 40] {
        let expected = [Change::Stack(stack(7, amount))];
        check(vec![stack(7, amount)], &[], &circumstances(), &expected);
    }
    let key = asset(7, true).key();
    let told = Circumstances { told: HashMap::from([(key, 40)]), ..circumstances() };
    check(vec![stack(7, 40)], &[], &told, &[]);
    check(vec![stack(7, 39)], &[], &told, &[Change::Stack(stack(7, 39))]);
    check(vec![stack(7, 1)], &[], &told, &[Change::Adopt(asset(7, true))]);
    let ignored = Ignored { stacks: HashSet::from([key]), ..Ignored::default() };
    let ignored = Circumstances { ignored, ..circumstances() };
    check(vec![stack(7, 40)], &[], &ignored, &[]);
    check(vec![stack(7, 1)], &[], &ignored, &[Change::Adopt(asset(7, true))]);
}

#[test]
fn an_item_that_is_a_stack_is_taken_out_whatever_else_is_the_matter_with_it() {
    let states = [
        ItemState::Available,
        ItemState::Reserved,
        ItemState::Assigned,
        ItemState::Missing,
        ItemState::Quarantined,
    ];
    for state in states {
        let grown = Booked { missing_since: Some(at(900)), ..item(1, state) };
        let change = Change::Amount(grown.id, stack(1, 3));
        check(vec![stack(1, 3)], std::slice::from_ref(&grown), &circumstances(), &[change]);
        let old = Booked { amount: 40, ..grown };
        let change = Change::Amount(old.id, stack(1, 40));
        check(vec![stack(1, 40)], &[old], &circumstances(), &[change]);
    }
    let key = asset(1, true).key();
    let told = Circumstances { told: HashMap::from([(key, 40)]), ..circumstances() };
    let out = Booked { amount: 40, ..item(1, ItemState::Quarantined) };
    check(vec![stack(1, 40)], std::slice::from_ref(&out), &told, &[]);
    let shrunk = Change::Amount(out.id, stack(1, 39));
    check(vec![stack(1, 39)], std::slice::from_ref(&out), &told, &[shrunk]);
    let single = Change::Amount(out.id, stack(1, 1));
    check(vec![stack(1, 1)], &[out], &told, &[single]);
    let away = item(1, ItemState::InOffer);
    check(vec![stack(1, 3)], &[away], &circumstances(), &[]);
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
    let waits = Booked { steam_context_id: context, tradable_at: Some(at(9000)), ..books };
    let undated = SeenAsset { context: PROTECTED, ..asset(1, false) };
    check(vec![undated], std::slice::from_ref(&waits), &circumstances(), &[]);
    let free = Change::Placed(books.id, AssetId::new(2), None);
    check(vec![asset(1, true)], &[waits], &circumstances(), &[free]);
}

#[test]
fn a_protected_item_is_missed_only_where_protected_items_were_read() {
    let waits = Booked {
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
fn agree(seen: Vec<SeenAsset>, known: &[Booked], with: &Circumstances, percent: f64) {
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
    agree(vec![stack(1, 3), asset(2, true)], &known, &with, 50.0);
    // Known to be missing, and so it is; seen all the same.
    let missing = [item(1, ItemState::Missing)];
    agree(vec![], &missing, &with, 100.0);
    agree(vec![asset(1, true)], &missing, &with, 0.0);
    // On its way out: there or not.
    let offered = [item(1, ItemState::InOffer)];
    agree(vec![asset(1, true)], &offered, &with, 100.0);
    agree(vec![], &offered, &with, 100.0);
    // Changed meanwhile, or left alone by a person.
    let fresh = [Booked { updated_at: at(1001), ..item(1, ItemState::Available) }];
    agree(vec![], &fresh, &with, 100.0);
    let keys = || HashSet::from([asset(1, true).key(), asset(2, true).key()]);
    let ignored = Ignored { unknown: keys(), stacks: keys() };
    let told = Circumstances { ignored, ..circumstances() };
    agree(vec![asset(2, true)], &[], &told, 100.0);
    let grown = Booked { amount: 40, ..item(1, ItemState::Quarantined) };
    agree(vec![asset(2, true)], &[grown], &told, 100.0);
    agree(vec![asset(2, true)], &[item(1, ItemState::Available)], &told, 0.0);
    let moving = HashSet::from([asset(7, true).class_key()]);
    agree(vec![asset(7, true)], &[], &Circumstances { moving, ..circumstances() }, 100.0);
}
