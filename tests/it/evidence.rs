//! What a bot reports decides about its own books alone, and a difference between two is told.

use std::time::Duration;

use astro_sdk::bot::v1::{AttemptFailure, ReceivedAsset, TradeOutcome, TradeSeen};
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::Behaviour;

use crate::donations::{DONOR, SHIFT, history, moved, offered, told, took, trade};
use crate::puppet::Puppet;
use crate::world::open_discrepancies;

on_each_database!(
    a_listed_asset_of_another_organisation_stays_theirs_and_is_told,
    a_donated_asset_of_another_organisation_stays_theirs_and_is_told,
    an_asset_that_came_back_under_another_organisations_id_withdraws_nothing,
    two_bots_of_one_organisation_are_told_apart_by_their_own_inventories,
    a_transfer_between_two_bots_of_one_organisation_leaves_one_free_item,
    what_was_traded_away_by_hand_is_not_adopted_from_an_older_inventory,
);

/// A bot of another organisation: its session, its organisation's client, and its id.
pub(crate) async fn stranger(app: &App) -> (Puppet, astro_sdk::Client, String) {
    let (org_id, client) = app.another_org("stranger").await;
    let steam_id = app.bot_account.steam_id.0 + 5_000;
    let request = RegisterBotRequest { org_id: org_id.clone(), steam_id, ..Default::default() };
    let answer = app.admin.raw().bots().register_bot(request).await.unwrap().into_inner();
    let bot_id = answer.bot.unwrap().id;
    let key = app.key(ApiKeyKind::Bot, &org_id, &bot_id).await;
    let bot = Puppet::connect_as(app, steam_id, &key, true).await.unwrap();
    (bot, client, bot_id)
}

/// The app's bot with so many donated items; their asset ids are `SHIFT` above 1, 2, 3…
async fn holder(app: &App, count: u64) -> (Puppet, Vec<Item>) {
    let mut bot = Puppet::connect(app, true).await.unwrap();
    bot.lists(app, &[]).await;
    offered(&mut bot, 1, DONOR + 1, 1..=count).await;
    took(&mut bot, (1, 11), 1..=count, None).await;
    (bot, app.items(&[ItemState::Available]).await)
}

/// How often something happened to the organisation's items, promises and donations so far.
pub(crate) async fn happened(app: &App) -> usize {
    let log = app.events().await;
    let of = ["item", "assignment", "donation"];
    log.iter().filter(|event| of.contains(&event.event_category.as_str())).count()
}

async fn items_of(client: &astro_sdk::Client) -> Vec<Item> {
    let request = ListItemsRequest { page_size: 500, ..Default::default() };
    client.raw().items().list_items(request).await.unwrap().into_inner().items
}

async fn differences_of(client: &astro_sdk::Client) -> Vec<Discrepancy> {
    let request = ListDiscrepanciesRequest { open_only: true, ..Default::default() };
    let answer = client.raw().syncs().list_discrepancies(request).await.unwrap();
    answer.into_inner().discrepancies
}

fn asset_id(item: &Item) -> u64 {
    item.asset.clone().unwrap().asset_id
}

async fn a_listed_asset_of_another_organisation_stays_theirs_and_is_told(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, pool) = holder(&app, 2).await;
    let before = happened(&app).await;
    let (mut foreign, theirs, foreign_bot) = stranger(&app).await;
    foreign.lists(&app, &[SHIFT + 1, 99]).await;
    assert_eq!(app.items(&[]).await, pool, "nothing of ours changed");
    assert_eq!(happened(&app).await, before);
    let held = items_of(&theirs).await;
    assert_eq!(held.len(), 2, "it has what it sees: {held:?}");
    assert!(held.iter().all(|item| item.state() == ItemState::Available));
    let rows = differences_of(&theirs).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].kind(), rows[0].asset_id), (DiscrepancyKind::ClaimedTwice, SHIFT + 1));
    assert!(open_discrepancies(&app).await.is_empty(), "nothing of theirs is told to us");
    // The other way round: what the stranger listed first enters our pool all the same.
    offered(&mut bot, 2, DONOR, 98..=99).await;
    foreign.lists_anew(&app, &foreign_bot, &[SHIFT + 1, 99, SHIFT + 98]).await;
    took(&mut bot, (2, 12), 98..=99, None).await;
    assert_eq!(app.items(&[ItemState::Available]).await.len(), 4);
    assert_eq!(open_discrepancies(&app).await[0].asset_id, SHIFT + 98);
    // It is over when one of the two sees that it has it no more.
    foreign.lists_anew(&app, &foreign_bot, &[]).await;
    app.clock.advance(Duration::from_secs(90));
    foreign.lists_anew(&app, &foreign_bot, &[]).await;
    bot.lists_anew(&app, &app.bot_id, &[SHIFT + 1, SHIFT + 2, SHIFT + 98, SHIFT + 99]).await;
    assert!(open_discrepancies(&app).await.is_empty());
}

async fn a_donated_asset_of_another_organisation_stays_theirs_and_is_told(backend: Backend) {
    let app = App::start(backend).await;
    let (_bot, pool) = holder(&app, 2).await;
    let before = happened(&app).await;
    let (mut foreign, theirs, _) = stranger(&app).await;
    offered(&mut foreign, 1, DONOR, 1..=1).await;
    took(&mut foreign, (1, 11), 1..=1, None).await;
    assert_eq!(app.items(&[]).await, pool);
    assert_eq!(happened(&app).await, before);
    let held = items_of(&theirs).await;
    assert_eq!((held.len(), held[0].state()), (1, ItemState::Available), "{held:?}");
    assert_eq!(held[0].received_via, "donation");
    let rows = differences_of(&theirs).await;
    assert_eq!((rows.len(), rows[0].kind()), (1, DiscrepancyKind::ClaimedTwice));
    assert_eq!(rows[0].item_id, held[0].id);
    // Its own trade of the same number, reversed, takes back nothing of ours.
    history(&mut foreign, trade(11, TradeOutcome::Reversed)).await;
    assert_eq!(app.items(&[]).await, pool);
    assert_eq!(items_of(&theirs).await[0].state(), ItemState::Withdrawn);
}

async fn an_asset_that_came_back_under_another_organisations_id_withdraws_nothing(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let (_bot, pool) = holder(&app, 1).await;
    let (mut foreign, theirs, _) = stranger(&app).await;
    offered(&mut foreign, 1, DONOR, 50..=50).await;
    took(&mut foreign, (1, 21), 50..=50, None).await;
    foreign.status("online").await;
    let item = items_of(&theirs).await.remove(0);
    let winner = app.person("winner", Behaviour::ACCEPT);
    let prize = app.prize(std::slice::from_ref(&item), &winner);
    theirs.raw().assignments().create_assignment(prize).await.unwrap();
    let order = foreign.offer(5).await;
    let before = happened(&app).await;
    let returned = ReceivedAsset {
        app_id: 440,
        asset_id: asset_id(&item),
        returned_asset_id: asset_id(&pool[0]),
        returned_context_id: 2,
        ..Default::default()
    };
    foreign.over(&order.attempt_id, AttemptFailure::Other, vec![returned]).await;
    assert_eq!(app.items(&[]).await, pool);
    assert_eq!(happened(&app).await, before);
    let back = items_of(&theirs).await.remove(0);
    assert_eq!((back.state(), asset_id(&back)), (ItemState::Assigned, asset_id(&pool[0])));
    assert_eq!(differences_of(&theirs).await[0].kind(), DiscrepancyKind::ClaimedTwice);
}

async fn two_bots_of_one_organisation_are_told_apart_by_their_own_inventories(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, pool) = holder(&app, 1).await;
    let other = app.further_bot("other bot").await;
    let mut second =
        Puppet::connect_as(&app, other.account.steam_id.0, &other.key, true).await.unwrap();
    second.lists(&app, &[asset_id(&pool[0])]).await;
    let free = app.items(&[ItemState::Available]).await;
    assert_eq!(free.len(), 2, "each bot's books say what it sees");
    let rows = open_discrepancies(&app).await;
    assert_eq!((rows.len(), rows[0].kind()), (1, DiscrepancyKind::ClaimedTwice));
    assert_eq!(rows[0].bot_id, other.id);
    let found = told(&app, "sync.discrepancy_found").await;
    assert!(found[0].event_description.contains(&app.bot_id), "{}", found[0].event_description);
    // The first bot's inventory is asked for by that, and shows who has it.
    bot.lists(&app, &[]).await;
    app.clock.advance(Duration::from_secs(90));
    bot.lists_anew(&app, &app.bot_id, &[]).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Missing);
    let free = app.items(&[ItemState::Available]).await;
    assert_eq!((free.len(), &free[0].bot_id), (1, &other.id));
}

async fn a_transfer_between_two_bots_of_one_organisation_leaves_one_free_item(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, pool) = holder(&app, 1).await;
    let other = app.further_bot("other bot").await;
    let mut second =
        Puppet::connect_as(&app, other.account.steam_id.0, &other.key, true).await.unwrap();
    // By hand, and told to each of the two by its own history and inventory.
    let asset = asset_id(&pool[0]);
    second.lists(&app, &[asset + SHIFT]).await;
    let given = vec![moved(asset)];
    history(&mut bot, TradeSeen { given, ..trade(70, TradeOutcome::Complete) }).await;
    let received = vec![moved(asset)];
    history(&mut second, TradeSeen { received, ..trade(70, TradeOutcome::Complete) }).await;
    let free = app.items(&[ItemState::Available]).await;
    assert_eq!((free.len(), &free[0].bot_id), (1, &other.id));
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Missing);
    let kinds: Vec<_> = open_discrepancies(&app).await.iter().map(Discrepancy::kind).collect();
    assert_eq!(kinds, [DiscrepancyKind::UnknownTrade]);
}

async fn what_was_traded_away_by_hand_is_not_adopted_from_an_older_inventory(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    // The run began; the bot read before the trade, and tells of the trade first.
    let sync_id = bot.sync().await;
    let given = vec![moved(7)];
    history(&mut bot, TradeSeen { given, ..trade(70, TradeOutcome::Complete) }).await;
    bot.order_again(&sync_id);
    bot.lists(&app, &[7, 8]).await;
    let pool = app.items(&[]).await;
    assert_eq!(pool.iter().map(asset_id).collect::<Vec<_>>(), [8]);
    // An inventory that was read later is the better witness.
    let later = bot.lists_anew(&app, &app.bot_id, &[7, 8]).await;
    assert_eq!(later.items_added_count, 1);
}
