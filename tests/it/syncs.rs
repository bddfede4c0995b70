//! The books follow the bots' inventories, and conclude nothing from half a look.

use std::time::Duration;

use astro_sdk::Error;
use astro_sdk::bot::v1::AttemptFailure;
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::{AssetId, Behaviour, Fault, FaultKind, Matcher};

use crate::puppet::Puppet;
use crate::world::{hide_history, lose, open_discrepancies, sync};

on_each_database!(
    what_a_bot_has_already_is_taken_into_the_pool_once,
    an_item_that_is_gone_is_written_off_by_a_person,
    what_comes_back_under_another_number_is_another_item,
    an_item_that_is_seen_again_is_free_again_and_what_waited_for_it_goes_on,
    a_delivery_that_steam_refused_for_missing_items_goes_on_when_all_are_seen,
    a_delivery_that_steam_refuses_though_all_is_there_waits_for_a_person_in_the_end,
    an_inventory_that_cannot_be_read_changes_nothing,
    a_reservation_with_a_missing_item_is_not_assigned_as_if_it_were_whole,
);

async fn what_a_bot_has_already_is_taken_into_the_pool_once(backend: Backend) {
    let app = App::start(backend).await;
    app.give(&app.bot_account, &["Hat", "Key", "Key"]);
    let bot = app.bot();
    let pool = app.available(3).await;
    let names: Vec<&str> = pool.iter().map(|item| item.market_hash_name.as_str()).collect();
    assert_eq!(names.iter().filter(|name| **name == "Key").count(), 2);
    assert!(pool.iter().all(|item| item.received_via == "sync"));
    // The run that found them may not be over.
    sync(&app).await;
    let again = sync(&app).await;
    assert_eq!((again.state(), again.accuracy_percent), (SyncState::Succeeded, 100.0));
    assert_eq!((again.items_added_count, again.steam_inventory_count), (0, 3));
    assert_eq!((again.database_available_count, again.database_total_count), (3, 3));
    bot.stop().await;
    assert_eq!(app.items(&[]).await.len(), 3);
}

async fn an_item_that_is_gone_is_written_off_by_a_person(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let discrepancy = lose(&app, &pool[0]).await;
    assert_eq!(discrepancy.kind(), DiscrepancyKind::MissingAsset);
    assert_eq!(discrepancy.item_id, pool[0].id);
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Missing);
    assert_eq!(app.item(&pool[1].id).await.state(), ItemState::Available);
    let winner = app.person("winner", Behaviour::ACCEPT);
    let prize = app.prize(&pool[..1], &winner);
    let refused =
        app.client.raw().assignments().create_assignment(prize).await.map_err(Error::from);
    assert!(refused.unwrap_err().is(ErrorReason::ItemNotAvailable));

    let resolve = |resolution: DiscrepancyResolution| ResolveDiscrepancyRequest {
        discrepancy_id: discrepancy.id.clone(),
        resolution: resolution.into(),
        note: "traded away by hand".to_owned(),
        ..Default::default()
    };
    let mut syncs = app.admin.raw().syncs();
    let adopt = resolve(DiscrepancyResolution::Adopt);
    let refused = syncs.resolve_discrepancy(adopt).await.map_err(Error::from).unwrap_err();
    assert!(refused.is(ErrorReason::FieldInvalid), "{refused}");
    let write_off = resolve(DiscrepancyResolution::WriteOff);
    let resolved = syncs.resolve_discrepancy(write_off.clone()).await.unwrap().into_inner();
    let resolved = resolved.discrepancy.unwrap();
    assert_eq!(resolved.resolution(), DiscrepancyResolution::WriteOff);
    assert_eq!(resolved.note, "traded away by hand");
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Withdrawn);
    let again = syncs.resolve_discrepancy(write_off).await.map_err(Error::from).unwrap_err();
    assert!(again.is(ErrorReason::DiscrepancyState), "{again}");
    let request = ListDiscrepanciesRequest { open_only: true, ..Default::default() };
    let open = syncs.list_discrepancies(request).await.unwrap().into_inner();
    assert!(open.discrepancies.is_empty());
}

async fn what_comes_back_under_another_number_is_another_item(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let asset = AssetId(pool[0].asset.clone().unwrap().asset_id);
    let keeper = app.person("keeper", Behaviour::ACCEPT);
    hide_history(&app);
    let bot_account = app.bot_account.steam_id;
    app.sim.offer(bot_account, keeper.steam_id, &[asset], &[], "by hand").unwrap();
    let bot = app.bot();
    sync(&app).await;
    let doubted = app.item(&pool[0].id).await;
    assert_eq!(doubted.state(), ItemState::Available, "one look proves nothing");
    app.clock.advance(Duration::from_secs(90));
    sync(&app).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Missing);

    // It comes back under another number, so it is another asset, and the old one stays missing.
    let back = app.sim.look(|books| books.assets_of(keeper.steam_id)[0].key.id);
    app.sim.set_behaviour(bot_account, Behaviour::ACCEPT).unwrap();
    app.sim.donate(keeper.steam_id, bot_account, &[back], "back").unwrap();
    app.sim.set_behaviour(bot_account, Behaviour::IGNORE).unwrap();
    sync(&app).await;
    let free = app.available(2).await;
    assert_eq!(free.len(), 2);
    assert!(free.iter().all(|item| item.id != pool[0].id));
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Missing);
    bot.stop().await;
    app.audit();
}

async fn an_item_that_is_seen_again_is_free_again_and_what_waited_for_it_goes_on(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("rate_limited").await;
    let pool = {
        bot.lists(&app, &[1, 2, 3]).await;
        app.items(&[ItemState::Available]).await
    };
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool[1..], &winner).await;
    // Steam shows one of the promised items only, and then not all at once.
    for _ in 0..2 {
        app.clock.advance(Duration::from_secs(90));
        bot.lists_anew(&app, &app.bot_id, &[3]).await;
    }
    let blocked = app.assignment(&assignment.id).await;
    assert_eq!(blocked.blocked_reason(), BlockedReason::ItemMissing);
    let rows = open_discrepancies(&app).await;
    assert_eq!(rows.len(), 2);
    let promised = rows.iter().find(|row| row.item_id == pool[1].id).unwrap();
    assert_eq!(promised.kind(), DiscrepancyKind::AssignedMissing);
    assert_eq!(promised.assignment_id, assignment.id);
    bot.lists_anew(&app, &app.bot_id, &[1, 3]).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Available);
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Blocked);
    bot.lists_anew(&app, &app.bot_id, &[1, 2, 3]).await;
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Queued);
    assert_eq!(app.item(&pool[1].id).await.state(), ItemState::Assigned);
    assert!(open_discrepancies(&app).await.is_empty());
    let request = ListDiscrepanciesRequest::default();
    let all = app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
    let row = all.discrepancies.iter().find(|row| row.id == promised.id).unwrap();
    assert_eq!(row.resolution(), DiscrepancyResolution::Vanished);
    assert!(row.note.contains(&assignment.id) && row.note.contains("goes on"), "{}", row.note);
    bot.status("online").await;
    bot.attempt().await;
}

async fn a_delivery_that_steam_refused_for_missing_items_goes_on_when_all_are_seen(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.lists(&app, &[1]).await;
    let pool = app.items(&[ItemState::Available]).await;
    bot.status("online").await;
    let assignment = app.assign(&pool, &app.person("winner", Behaviour::ACCEPT)).await;
    let attempt = bot.attempt().await;
    assert!(bot.ask(&attempt).await);
    bot.ended(&attempt, AttemptFailure::ItemsUnavailable).await;
    let blocked = app.assignment(&assignment.id).await;
    assert_eq!(blocked.blocked_reason(), BlockedReason::ItemMissing);
    // The inventory is asked for by that.
    bot.lists(&app, &[1]).await;
    let waits = app.assignment(&assignment.id).await;
    assert_eq!(waits.state(), AssignmentState::Queued);
    bot.wait(&app, Duration::from_secs(11)).await;
    assert_ne!(bot.attempt().await, attempt);
}

async fn a_delivery_that_steam_refuses_though_all_is_there_waits_for_a_person_in_the_end(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.lists(&app, &[1]).await;
    let pool = app.items(&[ItemState::Available]).await;
    bot.status("online").await;
    let assignment = app.assign(&pool, &app.person("winner", Behaviour::ACCEPT)).await;
    let end = loop {
        let attempt = bot.attempt().await;
        assert!(bot.ask(&attempt).await);
        bot.ended(&attempt, AttemptFailure::ItemsUnavailable).await;
        // The inventory is asked for by that.
        bot.lists(&app, &[1]).await;
        let now = app.assignment(&assignment.id).await;
        if now.state() != AssignmentState::Queued {
            break now;
        }
        bot.wait(&app, Duration::from_secs(1801)).await;
    };
    assert_eq!(
        (end.state(), end.blocked_reason()),
        (AssignmentState::Blocked, BlockedReason::Other)
    );
    assert!(end.delivery_attempts > 1, "a failure that passes is tried again");
    assert!(end.status_message.contains("astro assignments retry"), "{}", end.status_message);
    let request = RetryAssignmentRequest { assignment_id: assignment.id, ..Default::default() };
    app.client.raw().assignments().retry_assignment(request).await.unwrap();
    bot.attempt().await;
}

async fn an_inventory_that_cannot_be_read_changes_nothing(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let before = app.items(&[]).await;
    let fault = FaultKind::Fail { status: 403, body: String::new(), eresult: None };
    app.sim.inject(Fault::every(1, Matcher::path("/inventory/"), fault));
    let bot = app.bot();
    let failed = sync(&app).await;
    assert_eq!(failed.state(), SyncState::Failed);
    assert!(!failed.error_message.is_empty());
    assert_eq!(app.items(&[]).await, before);
    app.sim.clear_faults();
    let read = sync(&app).await;
    assert_eq!(read.state(), SyncState::Succeeded);
    assert_eq!(read.steam_inventory_count, i32::try_from(pool.len()).unwrap());
    bot.stop().await;
}

async fn a_reservation_with_a_missing_item_is_not_assigned_as_if_it_were_whole(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let item_ids = pool.iter().map(|item| item.id.clone()).collect();
    let request = ReserveItemsRequest { item_ids, ..Default::default() };
    let reserved = app.client.raw().items().reserve_items(request).await.unwrap().into_inner();
    lose(&app, &pool[0]).await;
    let request = CreateAssignmentRequest {
        user_id: app.person("winner", Behaviour::ACCEPT).steam_id.0,
        reservation_id: reserved.reservation.unwrap().id,
        ..Default::default()
    };
    let refused =
        app.client.raw().assignments().create_assignment(request).await.map_err(Error::from);
    assert!(refused.unwrap_err().is(ErrorReason::ItemNotAvailable));
    assert_eq!(app.item(&pool[1].id).await.state(), ItemState::Reserved);
}
