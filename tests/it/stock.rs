//! When inventories are read again, and what a reading means.

use std::time::Duration;

use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::{
    AppContext, Asset, AssetDescription, InventoryChunk, InventoryFailed, TradeOutcome, TradeSeen,
};
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};

use crate::donations::{
    DONOR, SHIFT, asset, described, history, moved, offered, told, took, trade,
};
use crate::puppet::Puppet;

on_each_database!(
    an_inventory_is_read_again_after_a_trade_and_after_a_failure,
    a_run_tells_how_far_books_and_steam_agreed,
    what_came_in_a_trade_that_was_no_donation_has_its_giver,
    a_protected_item_is_the_same_in_another_context,
    an_item_that_changes_while_it_is_compared_is_left_to_the_next_run,
);

/// Answers a run with these assets in both contexts of the game.
async fn read(bot: &mut Puppet, sync_id: &str, assets: Vec<Asset>, about: Vec<AssetDescription>) {
    let context = |context_id| AppContext { app_id: 440, context_id };
    let chunk = InventoryChunk {
        sync_id: sync_id.to_owned(),
        last: true,
        covered: vec![context(2), context(16)],
        assets,
        descriptions: about,
        ..Default::default()
    };
    bot.send(Frame::Inventory(chunk)).await;
}

/// Answers the next run with the assets of these ids; gives the run as it ended.
async fn next(bot: &mut Puppet, app: &App, ids: &[u64]) -> Sync {
    let sync_id = bot.sync().await;
    let assets = ids.iter().copied().map(asset).collect();
    read(bot, &sync_id, assets, ids.iter().copied().map(described).collect()).await;
    ended(app, &sync_id).await
}

async fn ended(app: &App, sync_id: &str) -> Sync {
    app.until("the run to end", async || {
        let request = GetSyncRequest { sync_id: sync_id.to_owned() };
        let sync =
            app.client.raw().syncs().get_sync(request).await.unwrap().into_inner().sync.unwrap();
        let over = matches!(sync.state(), SyncState::Succeeded | SyncState::Failed);
        over.then_some(sync)
    })
    .await
}

const SOON: Duration = Duration::from_secs(11);

async fn an_inventory_is_read_again_after_a_trade_and_after_a_failure(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    assert_eq!(next(&mut bot, &app, &[]).await.trigger, "session");
    offered(&mut bot, 1, DONOR, 1..=1).await;
    took(&mut bot, (1, 11), 1..=1, None).await;
    bot.wait(&app, SOON).await;
    // While it reads, another trade is made: what it reads may be older.
    let sync_id = bot.sync().await;
    offered(&mut bot, 2, DONOR, 2..=2).await;
    took(&mut bot, (2, 12), 2..=2, None).await;
    read(&mut bot, &sync_id, vec![asset(SHIFT + 1)], vec![described(1)]).await;
    assert_eq!(ended(&app, &sync_id).await.trigger, "trade");
    bot.wait(&app, SOON).await;
    let sync_id = bot.sync().await;
    let failed = InventoryFailed { sync_id: sync_id.clone(), message: "Steam is away".to_owned() };
    bot.send(Frame::InventoryFailed(failed)).await;
    let failed = ended(&app, &sync_id).await;
    assert_eq!((&*failed.trigger, failed.state()), ("trade", SyncState::Failed));
    let details = format!("{:?}", failed.error_details);
    assert!(details.contains("Steam is away") && details.contains("failures_in_a_row"));
    bot.wait(&app, Duration::from_secs(31)).await;
    let again = next(&mut bot, &app, &[SHIFT + 1, SHIFT + 2]).await;
    assert_eq!((&*again.trigger, again.accuracy_percent), ("failure", 100.0));
    bot.wait(&app, Duration::from_secs(3600)).await;
    assert_eq!(next(&mut bot, &app, &[SHIFT + 1, SHIFT + 2]).await.trigger, "schedule");
    assert!(app.items(&[ItemState::Missing]).await.is_empty());
    let request = StartSyncRequest { bot_id: app.bot_id.clone(), ..Default::default() };
    let asked =
        app.admin.raw().syncs().start_sync(request).await.unwrap().into_inner().sync.unwrap();
    assert_eq!(asked.trigger, "request");
}

async fn a_run_tells_how_far_books_and_steam_agreed(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    offered(&mut bot, 1, DONOR, 1..=3).await;
    took(&mut bot, (1, 11), 1..=3, None).await;
    next(&mut bot, &app, &[SHIFT + 1, SHIFT + 2, SHIFT + 3]).await;
    bot.wait(&app, Duration::from_secs(3600)).await;
    // One of three is not there, and one is there that nobody knows: 2 + 2 of 3 + 3.
    let half = next(&mut bot, &app, &[SHIFT + 1, SHIFT + 2, 9]).await;
    assert!((half.accuracy_percent - 66.666).abs() < 0.01, "{}", half.accuracy_percent);
    assert_eq!(half.items_added_count, 1);
    let request = ListSyncsRequest { page_size: 1, ..Default::default() };
    let listed = app.client.raw().syncs().list_syncs(request).await.unwrap().into_inner().syncs;
    assert_eq!(listed[0].accuracy_percent.to_bits(), half.accuracy_percent.to_bits());
    bot.wait(&app, Duration::from_secs(3600)).await;
    let whole = next(&mut bot, &app, &[SHIFT + 1, SHIFT + 2, SHIFT + 3, 9]).await;
    assert_eq!(whole.accuracy_percent.to_bits(), 100.0_f64.to_bits());
}

async fn what_came_in_a_trade_that_was_no_donation_has_its_giver(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let sync_id = bot.sync().await;
    let came = |asset_id: u64| TradeSeen {
        received: vec![moved(asset_id)],
        ..trade(700 + asset_id, TradeOutcome::Complete)
    };
    // The history tells of the first before the inventory shows it, of the second after.
    history(&mut bot, came(1)).await;
    let ids = [SHIFT + 1, SHIFT + 2];
    let assets = ids.map(asset).to_vec();
    read(&mut bot, &sync_id, assets, ids.map(described).to_vec()).await;
    assert_eq!(ended(&app, &sync_id).await.items_added_count, 2);
    for _ in 0..2 {
        history(&mut bot, came(2)).await;
    }
    let items = app.items(&[ItemState::Available]).await;
    assert_eq!(items.len(), 2);
    for item in &items {
        assert_eq!((&*item.received_via, item.received_from_user_id), ("trade", DONOR));
    }
    assert_eq!(told(&app, "item.corrected").await.len(), 1);
    // What came and went back is missed, and it is known why.
    history(&mut bot, TradeSeen { outcome: TradeOutcome::Reversed.into(), ..came(1) }).await;
    for _ in 0..2 {
        bot.wait(&app, Duration::from_secs(3600)).await;
        next(&mut bot, &app, &[SHIFT + 2]).await;
    }
    let request = ListDiscrepanciesRequest::default();
    let listed = app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
    let row = &listed.discrepancies[0];
    assert_eq!((row.kind(), &*row.trade_id), (DiscrepancyKind::UnknownTrade, "701"));
}

async fn a_protected_item_is_the_same_in_another_context(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    offered(&mut bot, 1, DONOR, 1..=1).await;
    let settles_at = app.clock.now().plus(Duration::from_secs(2 * 86_400));
    took(&mut bot, (1, 11), 1..=1, Some(settles_at)).await;
    let item = app.items(&[ItemState::Available]).await.remove(0);
    next(&mut bot, &app, &[SHIFT + 1]).await;
    bot.wait(&app, Duration::from_secs(3600)).await;
    let sync_id = bot.sync().await;
    let tradable_time = prost_types::Timestamp {
        seconds: settles_at.micros().div_euclid(1_000_000) + 60,
        nanos: 0,
    };
    let protected = Asset { context_id: 16, ..asset(SHIFT + 1) };
    let about = AssetDescription {
        tradable: false,
        tradable_time: Some(tradable_time),
        ..described(SHIFT + 1)
    };
    read(&mut bot, &sync_id, vec![protected], vec![about]).await;
    let run = ended(&app, &sync_id).await;
    assert_eq!((run.items_added_count, run.items_updated_count), (0, 1));
    let there = app.item(&item.id).await;
    assert_eq!(there.state(), ItemState::Available);
    assert_eq!(
        (there.asset.clone().unwrap().context_id, there.tradable_time),
        (16, Some(tradable_time))
    );
    bot.wait(&app, Duration::from_secs(3 * 86_400)).await;
    next(&mut bot, &app, &[SHIFT + 1]).await;
    let free = app.item(&item.id).await;
    assert_eq!((free.asset.clone().unwrap().context_id, free.tradable_time), (2, None));
    assert_eq!(app.items(&[]).await.len(), 1);
}

async fn an_item_that_changes_while_it_is_compared_is_left_to_the_next_run(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    offered(&mut bot, 1, DONOR, 1..=2).await;
    took(&mut bot, (1, 11), 1..=2, None).await;
    next(&mut bot, &app, &[SHIFT + 1, SHIFT + 2]).await;
    bot.wait(&app, Duration::from_secs(3600)).await;
    let sync_id = bot.sync().await;
    let item = app.items(&[ItemState::Available]).await.remove(0);
    let request = ReserveItemsRequest { item_ids: vec![item.id.clone()], ..Default::default() };
    app.client.raw().items().reserve_items(request).await.unwrap();
    read(&mut bot, &sync_id, vec![], vec![]).await;
    assert_eq!(ended(&app, &sync_id).await.items_updated_count, 1, "the other one");
    let missed = told(&app, "item.not_seen").await;
    assert_eq!(missed.len(), 1);
    assert_ne!(missed[0].item_id, item.id);
}
