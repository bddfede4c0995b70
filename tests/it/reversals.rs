//! Deliveries that are reversed on Steam: the items come back once, and nobody is promised one twice.

use std::time::Duration;

use astro_sdk::v1::*;
use astro_tests::{App, Backend, Worker, on_each_database};
use steam_sim::{Behaviour, ItemSpec};

use crate::puppet::Puppet;

on_each_database!(
    what_a_winner_reverses_on_steam_is_the_pools_again,
    a_reversed_delivery_brings_its_items_back_once,
    a_reversal_that_is_told_before_its_delivery_is_applied_to_it,
    a_reversal_of_an_earlier_session_is_applied_to_its_delivery,
    an_item_whose_new_id_is_not_known_is_missing_until_it_is,
    a_settled_delivery_stays_settled_and_its_items_come_back_all_the_same,
    a_part_that_is_reversed_comes_back_and_the_rest_goes_on,
    an_item_that_a_sync_found_before_is_recorded_once,
    an_asset_that_is_promised_again_is_not_promised_twice,
);

/// The trade of every test.
const TRADE: u64 = 77;
/// Ids of assets that came back are so much higher.
const BACK: u64 = 2_000_000;

fn asset_id(item: &Item) -> u64 {
    item.asset.clone().unwrap().asset_id
}

/// A delivery, under trade protection for so many days if any.
async fn delivered(app: &App, items: &[Item], days: u64) -> (Puppet, Assignment) {
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(items, &winner).await;
    let mut bot = Puppet::connect(app, true).await.unwrap();
    bot.status("online").await;
    let order = bot.offer(1).await;
    let until = app.clock.now().plus(Duration::from_secs(days * 86_400));
    bot.accepted(&order, TRADE, 1_000_000, (days > 0).then_some(until)).await;
    (bot, app.assignment(&assignment.id).await)
}

/// How often something happened to items and assignments so far.
async fn happened(app: &App) -> usize {
    let log = app.events().await;
    let of = |event: &&Event| ["item", "assignment"].contains(&event.event_category.as_str());
    log.iter().filter(of).count()
}

async fn told(app: &App, name: &str) -> Vec<Event> {
    let log = app.events().await;
    log.into_iter().filter(|event| event.event_type == name).collect()
}

async fn what_a_winner_reverses_on_steam_is_the_pools_again(backend: Backend) {
    let app = App::start(backend).await;
    // Of a game whose trades are protected.
    let rifle = [ItemSpec::named("AK-47 | Redline")];
    app.sim.give_items(app.bot_account.steam_id, 730, 2, &rifle, 1);
    let worker = || {
        let mut config = app.bot_config();
        config.app_contexts = vec![astro_bot::AppContext { app_id: 730, context_id: 2 }];
        Worker::start(config)
    };
    let bot = worker();
    let pool = app.available(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let delivered = app.assignment_in(&assignment.id, &[AssignmentState::Delivered]).await;
    assert!(delivered.settle_time.is_some());
    bot.stop().await;
    assert_eq!(app.sim.reverse_trades(winner.steam_id).len(), 1);
    let bot = worker();
    let reversed = app.assignment_in(&assignment.id, &[AssignmentState::Reversed]).await;
    assert_eq!(reversed.items[0].delivery_status, "reversed");
    let item = app.available(1).await.remove(0);
    bot.stop().await;
    assert_eq!(item.id, pool[0].id);
    let now = app.sim.look(|books| books.assets_of(app.bot_account.steam_id)[0].key.id);
    assert_eq!(asset_id(&item), now.0);
    // An inventory that was read before the history told of it may have had it taken in: that record
    // is withdrawn.
    let mut items = app.items(&[]).await;
    items.retain(|item| item.state() != ItemState::Withdrawn);
    assert_eq!(items.len(), 1, "what came back is no item beside the old one");
    app.audit();
}

async fn a_reversed_delivery_brings_its_items_back_once(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let (mut bot, assignment) = delivered(&app, &pool, 7).await;
    assert_eq!(assignment.state(), AssignmentState::Delivered);
    let place = |item: &Item| (asset_id(item), Some(asset_id(item) + BACK));
    let back: Vec<_> = pool.iter().map(place).collect();
    bot.reversed(TRADE + 1, &back).await;
    assert_eq!(app.assignment(&assignment.id).await, assignment, "that was another trade");
    bot.reversed(TRADE, &back).await;
    let reversed = app.assignment(&assignment.id).await;
    assert_eq!(reversed.state(), AssignmentState::Reversed);
    assert!(reversed.reverse_time.is_some());
    assert!(reversed.items.iter().all(|item| item.delivery_status == "reversed"));
    for before in &pool {
        let item = app.item(&before.id).await;
        assert_eq!(
            (item.state(), asset_id(&item)),
            (ItemState::Available, asset_id(before) + BACK)
        );
        assert_eq!((item.assigned_to_user_id, item.deliver_time), (0, None));
    }
    assert_eq!(told(&app, "item.reversed").await.len(), 2);
    assert_eq!(told(&app, "assignment.reversed").await[0].severity(), EventSeverity::Warning);
    let before = happened(&app).await;
    bot.reversed(TRADE, &back).await;
    assert_eq!(happened(&app).await, before, "the second report changes nothing");
    // What came back can be given to somebody else.
    let heir = app.person("heir", Behaviour::ACCEPT);
    app.assign(&[app.item(&pool[0].id).await], &heir).await;
    bot.reversed(TRADE, &back).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Assigned);
}

async fn a_reversal_that_is_told_before_its_delivery_is_applied_to_it(backend: Backend) {
    reversed_before_delivered(backend, false).await;
}

async fn a_reversal_of_an_earlier_session_is_applied_to_its_delivery(backend: Backend) {
    reversed_before_delivered(backend, true).await;
}

/// A winner accepts and reverses while the bot is away; the history tells it first, and the delivery
/// is reported later, in the next session or in the same.
async fn reversed_before_delivered(backend: Backend, next_session: bool) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let mut order = bot.offer(1).await;
    let (old, back) = (asset_id(&pool[0]), asset_id(&pool[0]) + BACK);
    bot.reversed_with(winner.steam_id.0, TRADE, &[(old, Some(back))]).await;
    // What came back shows already, and is no further item.
    let run = bot.lists(&app, &[back]).await;
    assert_eq!((run.state(), run.items_added_count), (SyncState::Succeeded, 0));
    if next_session {
        drop(bot);
        bot = Puppet::connect(&app, true).await.unwrap();
        order = bot.delivery().await;
    }
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Offered);
    bot.accepted(&order, TRADE, 1_000_000, None).await;
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Reversed);
    let item = app.item(&pool[0].id).await;
    assert_eq!((item.state(), asset_id(&item)), (ItemState::Available, back));
    bot.lists_anew(&app, &app.bot_id, &[back]).await;
    assert_eq!(app.items(&[]).await.len(), 1, "there is no second one");
    assert!(told(&app, "assignment.reversed_late").await.is_empty());
}

async fn an_item_whose_new_id_is_not_known_is_missing_until_it_is(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let (mut bot, assignment) = delivered(&app, &pool, 7).await;
    bot.reversed(TRADE, &[(asset_id(&pool[0]), None)]).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Missing);
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Reversed);
    let new = asset_id(&pool[0]) + BACK;
    bot.reversed(TRADE, &[(asset_id(&pool[0]), Some(new))]).await;
    let item = app.item(&pool[0].id).await;
    assert_eq!((item.state(), asset_id(&item)), (ItemState::Available, new));
}

async fn a_settled_delivery_stays_settled_and_its_items_come_back_all_the_same(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let (mut bot, assignment) = delivered(&app, &pool, 0).await;
    assert_eq!(assignment.state(), AssignmentState::Settled);
    bot.reversed(TRADE, &[(asset_id(&pool[0]), Some(asset_id(&pool[0]) + BACK))]).await;
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Settled);
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Available);
    assert_eq!(told(&app, "assignment.reversed_late").await[0].severity(), EventSeverity::Error);
}

async fn a_part_that_is_reversed_comes_back_and_the_rest_goes_on(backend: Backend) {
    let app = App::start(backend).await;
    let near = app.pool_of(1).await.remove(0);
    let other = app.further_bot("other bot").await;
    let far = other.pool_of(&app, &["Far Away"]).await.remove(0);
    let (mut bot, assignment) = delivered(&app, &[near.clone(), far], 7).await;
    assert_eq!(assignment.state(), AssignmentState::Queued);
    bot.reversed(TRADE, &[(asset_id(&near), Some(asset_id(&near) + BACK))]).await;
    assert_eq!(app.item(&near.id).await.state(), ItemState::Available);
    let reversed = told(&app, "assignment.part_reversed").await;
    assert_eq!((reversed.len(), &*reversed[0].bot_id), (1, &*app.bot_id));
    let worker = other.start(&app);
    let whole = app.assignment_in(&assignment.id, &[AssignmentState::Delivered]).await;
    worker.stop().await;
    let mut ends: Vec<_> = whole.items.iter().map(|item| &*item.delivery_status).collect();
    ends.sort_unstable();
    assert_eq!(ends, ["delivered", "reversed"]);
}

async fn an_item_that_a_sync_found_before_is_recorded_once(backend: Backend) {
    let app = App::start(backend).await;
    let (old, found) = found_before(&app).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.reversed(TRADE, &[(asset_id(&old), Some(asset_id(&found)))]).await;
    let item = app.item(&old.id).await;
    assert_eq!((item.state(), asset_id(&item)), (ItemState::Available, asset_id(&found)));
    assert_eq!(app.item(&found.id).await.state(), ItemState::Withdrawn);
}

async fn an_asset_that_is_promised_again_is_not_promised_twice(backend: Backend) {
    let app = App::start(backend).await;
    let (old, found) = found_before(&app).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let heir = app.person("heir", Behaviour::ACCEPT);
    app.assign(std::slice::from_ref(&found), &heir).await;
    bot.reversed(TRADE, &[(asset_id(&old), Some(asset_id(&found)))]).await;
    assert_eq!(app.item(&old.id).await.state(), ItemState::Missing);
    assert_eq!(app.item(&found.id).await.state(), ItemState::Assigned);
}

/// An item that was delivered, and another that a sync made of what came back since.
async fn found_before(app: &App) -> (Item, Item) {
    let pool = app.pool_of(1).await;
    let (bot, _) = delivered(app, &pool, 7).await;
    drop(bot);
    app.give(&app.bot_account, &["Item 1"]);
    let bot = app.bot();
    let found = app.until("the asset to be found", async || {
        app.items(&[ItemState::Available]).await.pop().filter(|item| item.received_via == "sync")
    });
    let found = found.await;
    bot.stop().await;
    (pool[0].clone(), found)
}
