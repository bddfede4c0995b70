//! Runs against a database: portions, versions, and how long the writer is busy.
use super::apply::{Tally, apply, finish, plan};
use super::reconcile::Snapshot;
use super::{Sync, SyncId, SyncState, Trigger, ops, store};
use crate::bots::{self, Bot};
use crate::db::{Address, Conn};
use crate::donations::{self, Offer, ops::Outcome};
use crate::events::{self, EventType};
use crate::items::asset::SeenAsset;
use crate::items::ops::By;
use crate::items::{self, ItemState};
use crate::kernel::{AssetId, Caller, Clock, KeyKind, Principal, Reach, SteamId, Timestamp};
use crate::orgs::{self, NewOrg};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

struct Books {
    conn: Conn,
    bot: Bot,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

fn books() -> Books {
    let folder = tempfile::tempdir().unwrap();
    let mut conn = Conn::open(&Address::Sqlite(folder.path().join("astro.db"))).unwrap();
    conn.migrate().unwrap();
    let now = Clock::default().now();
    let scopes = vec!["*".to_owned()];
    let caller = Caller {
        principal: Principal::Key("k".to_owned()),
        kind: KeyKind::Admin,
        reach: Reach::Platform,
        bot: None,
        scopes,
        expires_at: None,
        rates: Default::default(),
    };
    let bot = conn.write(|conn| {
        let new = NewOrg { slug: "red".to_owned(), ..NewOrg::default() };
        let org = orgs::ops::create(conn, &caller, new, now)?;
        let account = SteamId::parse("s", 76_561_197_961_265_729)?;
        bots::ops::register(conn, &caller, &org, account, "bot", now)
    });
    Books { conn, bot: bot.unwrap(), now, _folder: folder }
}

impl Books {
    /// A run that the bot reads for now, long after the last one.
    fn begin(&mut self) -> SyncId {
        self.now = self.now.plus(Duration::from_secs(300));
        let (bot, now) = (self.bot.clone(), self.now);
        let begun = self.conn.write(|conn| {
            let sync =
                ops::start(conn, &bot, Trigger::Schedule, By { source: events::SYSTEM, now })?;
            ops::begin(conn, &sync, now)?;
            Ok(sync.id)
        });
        begun.unwrap()
    }

    /// A whole run; gives it, and how long the comparison took, the longest transaction, and all of
    /// them.
    fn run(&mut self, snapshot: &Snapshot) -> (Sync, [Duration; 3]) {
        let id = self.begin();
        let (bot, now) = (self.bot.clone(), self.now.plus(Duration::from_secs(1)));
        let start = Instant::now();
        let plan = plan(&mut self.conn, &bot, id, snapshot, now).unwrap().unwrap();
        let compared = start.elapsed();
        let mut tally = Tally::default();
        let (mut longest, mut whole) = (Duration::ZERO, Duration::ZERO);
        let mut write = |conn: &mut Conn, work: &mut dyn FnMut(&mut Conn)| {
            let start = Instant::now();
            conn.write(|conn| {
                work(conn);
                Ok(())
            })
            .unwrap();
            longest = longest.max(start.elapsed());
            whole += start.elapsed();
        };
        for portion in plan.portions() {
            assert!(portion.len() <= 100);
            write(&mut self.conn, &mut |conn| {
                tally += apply(conn, &bot, id, portion, now).unwrap();
            });
        }
        write(&mut self.conn, &mut |conn| finish(conn, &bot, id, &plan, tally, now).unwrap());
        let sync = store::get(&mut self.conn, id).unwrap().unwrap();
        assert_eq!(sync.sync_status, SyncState::Succeeded);
        (sync, [compared, longest, whole])
    }
}

fn inventory(count: u64, context: u64) -> Snapshot {
    let asset = |asset| SeenAsset {
        app: 440,
        context,
        asset,
        class: asset,
        instance: 0,
        amount: 1,
        market_hash_name: format!("Thing {asset}"),
        name: format!("Thing {asset}"),
        kind: String::new(),
        rarity: String::new(),
        tradable: true,
        tradable_at_micros: None,
        marketable: true,
        estimated_usd_cents: 0,
        metadata: serde_json::json!({"icon_url": "x".repeat(200)}).into(),
    };
    let covered = HashSet::from([(440, AssetId::new(2)), (440, AssetId::new(16))]);
    Snapshot { assets: (1..=count).map(asset).collect(), covered, ..Snapshot::default() }
}

/// `ASTRO_TEST_ASSETS=100000 cargo test --release -p astro-server portions -- --nocapture` tells
/// how long the writer is busy.
#[test]
fn a_large_inventory_is_applied_in_portions() {
    let asked = std::env::var("ASTRO_TEST_ASSETS").ok().and_then(|n| n.parse().ok());
    let count: u64 = asked.unwrap_or(1200);
    let number = i32::try_from(count).unwrap();
    let mut books = books();
    let told = |what: &str, (sync, times): &(Sync, [Duration; 3])| {
        let [compared, longest, whole] = times;
        println!(
            "{count} {what}: compared in {compared:.1?} beside the writer, which was busy \
             {longest:.1?} at a time, {whole:.1?} in all"
        );
        let changes = (sync.items_added_count, sync.items_removed_count, sync.items_updated_count);
        (changes, sync.accuracy_ppm)
    };
    let adopted = books.run(&inventory(count, 2));
    assert_eq!(told("adopted", &adopted), ((number, 0, 0), 0));
    let same = books.run(&inventory(count, 2));
    assert_eq!(told("as they were", &same), ((0, 0, 0), 1_000_000));
    let placed = books.run(&inventory(count, 16));
    assert_eq!(told("in another context", &placed), ((0, 0, number), 1_000_000));
    let missed = books.run(&inventory(0, 16));
    assert_eq!(told("not seen", &missed), ((0, 0, number), 0));
    let missing = books.run(&inventory(0, 16));
    assert_eq!(told("missing", &missing), ((0, number, 0), 0));
    let back = books.run(&inventory(count, 16));
    assert_eq!(told("back", &back), ((0, 0, number), 0));
    assert_eq!(back.0.discrepancies_found, 0, "they went away by themselves");
}

#[test]
fn a_portion_leaves_alone_what_changed_since_it_was_planned() {
    let mut books = books();
    books.run(&inventory(2, 2));
    let id = books.begin();
    let (bot, now) = (books.bot.clone(), books.now);
    let plan = plan(&mut books.conn, &bot, id, &inventory(0, 2), now).unwrap().unwrap();
    let by = By { source: events::SYSTEM, now };
    let items = items::ops::of_bot(&mut books.conn, bot.id).unwrap();
    let to = items::Changes::to(ItemState::Quarantined);
    let tally = books.conn.write(|conn| {
        let item = items::ops::get(conn, items[0].id)?;
        items::ops::change(conn, &item, &to, EventType::ItemQuarantined, "by hand", by)?;
        let portion = plan.portions().next().unwrap();
        apply(conn, &bot, id, portion, now)
    });
    assert_eq!(tally.unwrap(), Tally { updated: 1, ..Tally::default() });
    let after = items::ops::of_bot(&mut books.conn, bot.id).unwrap();
    let missed: Vec<bool> = after.iter().map(|item| item.missing_since.is_some()).collect();
    assert_eq!(missed, [false, true]);
}

#[test]
fn what_a_donation_brings_while_an_inventory_is_compared_is_taken_in_once() {
    let mut books = books();
    let id = books.begin();
    let (bot, now) = (books.bot.clone(), books.now.plus(Duration::from_secs(1)));
    let snapshot = inventory(1, 2);
    let plan = plan(&mut books.conn, &bot, id, &snapshot, now).unwrap().unwrap();
    // With its donor the asset had another number; the new one is not told yet.
    let gift = SeenAsset { asset: 77, ..snapshot.assets[0].clone() };
    let offer = Offer {
        trade_offer_id: "1".to_owned(),
        donor: SteamId::parse("s", 76_561_197_961_265_730).unwrap(),
        asks_for: 0,
        gives: vec![gift.clone()],
        message: "donation".to_owned(),
    };
    let accepted =
        |assets| Outcome::Accepted { trade_id: "11".to_owned(), assets, settles_at: None };
    let tally = books.conn.write(|conn| {
        donations::ops::received(conn, &bot, &offer, now)?;
        donations::ops::answered(conn, &bot, "1", &accepted(HashMap::new()), now)?;
        apply(conn, &bot, id, plan.portions().next().unwrap(), now)
    });
    assert_eq!(tally.unwrap(), Tally::default(), "the donation may have brought it");
    let named = HashMap::from([(gift.key(), (AssetId::new(1), AssetId::new(2)))]);
    let named = accepted(named);
    books.conn.write(|conn| donations::ops::answered(conn, &bot, "1", &named, now)).unwrap();
    let items = items::ops::of_bot(&mut books.conn, bot.id).unwrap();
    assert_eq!((items.len(), items[0].state), (1, ItemState::Available));
    let item = items::ops::get(&mut books.conn, items[0].id).unwrap();
    assert_eq!(item.received_via, "donation");
}
