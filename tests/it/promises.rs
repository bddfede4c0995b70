//! What is promised stays with whom it is promised to, whatever comes and goes meanwhile, and nothing
//! is promised that is not there.

use std::time::Duration;

use astro_sdk::bot::v1::{Asset, TradeOutcome};
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::Behaviour;

use crate::donations::{DONOR, asset, history, offered, took, trade};
use crate::evidence::stranger;
use crate::puppet::Puppet;
use crate::stacks::inventory;
use crate::world::open_discrepancies;

on_each_database!(
    what_was_given_away_again_does_not_come_back_to_the_pool,
    a_promised_item_that_is_missing_gives_way_to_none,
    an_item_whose_reservation_is_over_gives_way,
    what_is_taken_back_while_another_part_is_offered_is_given_up_in_the_end,
    an_item_that_is_seen_again_is_in_its_reservation,
    what_was_left_alone_once_is_missed_again,
    two_claims_are_told_when_a_missing_item_is_seen_again,
);

/// The trade of a delivery that is reversed.
const TRADE: u64 = 77;
/// Lets a second look count.
const LATER: Duration = Duration::from_secs(90);

async fn free(app: &App) -> Item {
    let mut items = app.items(&[ItemState::Available]).await;
    assert_eq!(items.len(), 1, "{items:?}");
    items.remove(0)
}

/// Two looks that do not show what is not listed here.
async fn misses(app: &App, bot: &mut Puppet, assets: &[u64]) {
    for _ in 0..2 {
        app.clock.advance(LATER);
        bot.lists_anew(app, &app.bot_id, assets).await;
    }
}

async fn resolve(app: &App, row: &Discrepancy, resolution: DiscrepancyResolution) {
    let request = ResolveDiscrepancyRequest {
        discrepancy_id: row.id.clone(),
        resolution: resolution.into(),
        ..Default::default()
    };
    app.admin.raw().syncs().resolve_discrepancy(request).await.unwrap();
}

/// Asset 1 was delivered in [`TRADE`], and a run has made an item of its own of asset 9, as which it
/// came back.
async fn adopted_before_it_is_told(app: &App) -> (Puppet, Item, Item) {
    let mut bot = Puppet::connect(app, true).await.unwrap();
    bot.lists(app, &[1]).await;
    bot.status("online").await;
    let first = free(app).await;
    app.assign(std::slice::from_ref(&first), &app.person("winner", Behaviour::ACCEPT)).await;
    let order = bot.offer(1).await;
    let until = app.clock.now().plus(Duration::from_secs(7 * 86_400));
    bot.accepted(&order, TRADE, 1_000_000, Some(until)).await;
    bot.lists_anew(app, &app.bot_id, &[9]).await;
    let second = free(app).await;
    (bot, first, second)
}

async fn what_was_given_away_again_does_not_come_back_to_the_pool(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, first, second) = adopted_before_it_is_told(&app).await;
    app.assign(std::slice::from_ref(&second), &app.person("heir", Behaviour::ACCEPT)).await;
    let order = bot.offer(2).await;
    bot.accepted(&order, TRADE + 1, 1_000_000, None).await;
    bot.reversed(TRADE, &[(1, Some(9))]).await;
    let gone = app.item(&first.id).await;
    assert_eq!(gone.state(), ItemState::Missing, "asset 9 is the heir's: {gone:?}");
    assert_eq!(gone.asset.as_ref().unwrap().asset_id, 0);
    // A person is told, once, and can end it.
    misses(&app, &mut bot, &[]).await;
    let rows = open_discrepancies(&app).await;
    assert_eq!((rows.len(), rows[0].kind()), (1, DiscrepancyKind::MissingAsset), "{rows:?}");
    assert_eq!((&rows[0].item_id, rows[0].asset_id), (&first.id, 0));
    resolve(&app, &rows[0], DiscrepancyResolution::WriteOff).await;
    assert_eq!(app.item(&first.id).await.state(), ItemState::Withdrawn);
    misses(&app, &mut bot, &[]).await;
    assert!(open_discrepancies(&app).await.is_empty());
}

async fn a_promised_item_that_is_missing_gives_way_to_none(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, first, second) = adopted_before_it_is_told(&app).await;
    bot.status("rate_limited").await;
    bot.committed().await.unwrap();
    let heir = app.person("heir", Behaviour::ACCEPT);
    let assignment = app.assign(std::slice::from_ref(&second), &heir).await;
    misses(&app, &mut bot, &[]).await;
    assert_eq!(app.item(&second.id).await.state(), ItemState::Missing);
    bot.reversed(TRADE, &[(1, Some(9))]).await;
    assert_eq!(app.item(&first.id).await.state(), ItemState::Missing);
    let promised = app.item(&second.id).await;
    assert_eq!((promised.state(), &promised.assignment_id), (ItemState::Missing, &assignment.id));
    bot.lists_anew(&app, &app.bot_id, &[9]).await;
    assert_eq!(app.item(&second.id).await.state(), ItemState::Assigned);
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Queued);
}

async fn an_item_whose_reservation_is_over_gives_way(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, first, second) = adopted_before_it_is_told(&app).await;
    let item_ids = vec![second.id.clone()];
    let request = ReserveItemsRequest { item_ids, ttl_seconds: 3_600, ..Default::default() };
    let mut items = app.client.raw().items();
    let reserved = items.reserve_items(request).await.unwrap().into_inner();
    misses(&app, &mut bot, &[]).await;
    let reservation_id = reserved.reservation.unwrap().id;
    let request = ReleaseReservationRequest { reservation_id, ..Default::default() };
    items.release_reservation(request).await.unwrap();
    assert_eq!(app.item(&second.id).await.state(), ItemState::Missing);
    bot.reversed(TRADE, &[(1, Some(9))]).await;
    let back = app.item(&first.id).await;
    assert_eq!((back.state(), back.asset.unwrap().asset_id), (ItemState::Available, 9));
    assert_eq!(app.item(&second.id).await.state(), ItemState::Withdrawn);
}

async fn what_is_taken_back_while_another_part_is_offered_is_given_up_in_the_end(backend: Backend) {
    let app = App::start(backend).await;
    let other = app.further_bot("other bot").await;
    let mut near = Puppet::connect(&app, true).await.unwrap();
    let mut far =
        Puppet::connect_as(&app, other.account.steam_id.0, &other.key, true).await.unwrap();
    for (bot, offer) in [(&mut near, 1), (&mut far, 2)] {
        offered(bot, offer, DONOR, offer..=offer).await;
        took(bot, (offer, 10 + offer), offer..=offer, None).await;
    }
    let pool = app.items(&[ItemState::Available]).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let near_first = app.assignment(&assignment.id).await.bot_id == app.bot_id;
    let (mut first, mut second, donation) =
        if near_first { (near, far, 12) } else { (far, near, 11) };
    first.status("online").await;
    let order = first.offer(1).await;
    history(&mut second, trade(donation, TradeOutcome::Reversed)).await;
    let gone = app.items(&[ItemState::Withdrawn]).await.remove(0);
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Offered);
    first.accepted(&order, TRADE, 1_000_000, None).await;
    second.status("online").await;
    let attempt = second.attempt().await;
    assert!(!second.ask(&attempt).await, "its item is with the donor again");
    let failed = app.assignment(&assignment.id).await;
    assert_eq!(failed.state(), AssignmentState::Failed, "{failed:?}");
    assert_eq!(app.item(&gone.id).await.assignment_id, "");
}

async fn an_item_that_is_seen_again_is_in_its_reservation(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.lists(&app, &[1, 2]).await;
    let pool = app.items(&[ItemState::Available]).await;
    let item_ids = pool.iter().map(|item| item.id.clone()).collect();
    let request = ReserveItemsRequest { item_ids, ttl_seconds: 3_600, ..Default::default() };
    let reserved = app.client.raw().items().reserve_items(request).await.unwrap().into_inner();
    misses(&app, &mut bot, &[2]).await;
    assert_eq!(app.items(&[ItemState::Missing]).await.len(), 1);
    bot.lists_anew(&app, &app.bot_id, &[1, 2]).await;
    assert_eq!(app.items(&[ItemState::Reserved]).await.len(), 2, "it was seen again");
    for amount in [3, 1] {
        let request = StartSyncRequest { bot_id: app.bot_id.clone(), ..Default::default() };
        app.admin.raw().syncs().start_sync(request).await.unwrap();
        let sync_id = bot.sync().await;
        let assets = vec![Asset { amount, ..asset(1) }, asset(2)];
        inventory(&mut bot, &app, &sync_id, assets).await;
        let held = app.items(&[ItemState::Reserved]).await.len();
        assert_eq!(held, if amount == 1 { 2 } else { 1 }, "it is {amount} units");
    }
    let request = CreateAssignmentRequest {
        user_id: app.person("winner", Behaviour::ACCEPT).steam_id.0,
        reservation_id: reserved.reservation.unwrap().id,
        ..Default::default()
    };
    let whole = app.client.raw().assignments().create_assignment(request).await.unwrap();
    assert_eq!(whole.into_inner().assignment.unwrap().items.len(), 2);
}

async fn what_was_left_alone_once_is_missed_again(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.lists(&app, &[1]).await;
    misses(&app, &mut bot, &[]).await;
    let row = open_discrepancies(&app).await.remove(0);
    resolve(&app, &row, DiscrepancyResolution::Ignore).await;
    bot.lists_anew(&app, &app.bot_id, &[1]).await;
    let item = free(&app).await;
    misses(&app, &mut bot, &[]).await;
    assert_eq!(app.item(&item.id).await.state(), ItemState::Missing);
    let rows = open_discrepancies(&app).await;
    assert_eq!((rows.len(), rows[0].kind()), (1, DiscrepancyKind::MissingAsset), "{rows:?}");
    assert_ne!(rows[0].id, row.id);
}

async fn two_claims_are_told_when_a_missing_item_is_seen_again(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.lists(&app, &[1]).await;
    misses(&app, &mut bot, &[]).await;
    let (mut foreign, _theirs, _) = stranger(&app).await;
    foreign.lists(&app, &[1]).await;
    bot.lists_anew(&app, &app.bot_id, &[1]).await;
    let item = free(&app).await;
    let rows = open_discrepancies(&app).await;
    assert_eq!((rows.len(), rows[0].kind()), (1, DiscrepancyKind::ClaimedTwice), "{rows:?}");
    assert_eq!(rows[0].item_id, item.id);
}
