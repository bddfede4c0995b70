//! What other people do with the bot's items on Steam, told by the real worker: gifts and prizes
//! that are taken back, trades and offers by hand.

use std::time::Duration;

use astro_sdk::v1::*;
use astro_tests::{App, Backend, DEADLINE, Worker, on_each_database};
use steam_sim::{Account, AssetId, Behaviour, ItemSpec, OfferState};

use crate::donations::told;
use crate::world::{hide_history, lose, sync};

on_each_database!(
    a_protected_gift_that_is_taken_back_leaves_the_books,
    a_protected_prize_that_is_taken_back_is_free_again,
    an_item_that_somebody_traded_away_by_hand_is_reported_with_its_trade,
    an_item_that_was_missed_is_explained_once_the_history_can_be_read,
    an_offer_that_somebody_sent_by_hand_is_withdrawn_and_never_confirmed,
);

/// A game whose trades can be reversed for seven days.
const PROTECTING: (u32, u64) = (730, 2);

/// A worker that reads this game too, and hears at once of a reversed trade.
fn worker(app: &App) -> Worker {
    let mut config = app.bot_config();
    let (app_id, context_id) = PROTECTING;
    config.app_contexts.push(astro_bot::AppContext { app_id, context_id });
    config.pace.notice_interval = Duration::from_millis(50);
    config.pace.sweep_spacing = Duration::from_millis(20);
    Worker::start(config)
}

fn give(app: &App, to: &Account, names: &[&str]) -> Vec<AssetId> {
    let specs: Vec<ItemSpec> = names.iter().map(|name| ItemSpec::named(*name)).collect();
    app.sim.give_items(to.steam_id, PROTECTING.0, PROTECTING.1, &specs, 1)
}

/// Two runs at most, and books and Steam agree.
async fn converges(app: &App) {
    sync(app).await;
    let run = sync(app).await;
    assert_eq!((run.state(), run.accuracy_percent), (SyncState::Succeeded, 100.0), "{run:?}");
    assert_eq!(run.discrepancies_found, 0);
}

async fn a_protected_gift_that_is_taken_back_leaves_the_books(backend: Backend) {
    let app = App::start(backend).await;
    let bot = worker(&app);
    let donor = app.person("donor", Behaviour::IGNORE);
    let assets = give(&app, &donor, &["Knife", "Gloves"]);
    app.sim.donate(donor.steam_id, app.bot_account.steam_id, &assets, "donation").unwrap();
    let pool = app.available(2).await;
    assert!(pool.iter().all(|item| item.tradable_time.is_some()), "{pool:?}");
    let request = ListDonationsRequest::default();
    let listed = app.client.raw().donations().list_donations(request).await.unwrap().into_inner();
    assert!(listed.donations[0].settle_time.is_some());
    converges(&app).await;
    let there = app.item(&pool[0].id).await;
    assert_eq!(
        (there.state(), there.asset.clone().unwrap().context_id),
        (ItemState::Available, 16)
    );
    assert!(!app.sim.reverse_trades(donor.steam_id).is_empty());
    let reversed = app.until("the donation to be reversed", async || {
        let request = GetDonationRequest { donation_id: listed.donations[0].id.clone() };
        let answer = app.client.raw().donations().get_donation(request).await.unwrap().into_inner();
        let donation = answer.donation.unwrap();
        (donation.state() == DonationState::Reversed).then_some(donation)
    });
    reversed.await;
    let items = app.items(&[]).await;
    assert!(items.iter().all(|item| item.state() == ItemState::Withdrawn), "{items:?}");
    converges(&app).await;
    bot.stop().await;
    app.audit();
}

async fn a_protected_prize_that_is_taken_back_is_free_again(backend: Backend) {
    let app = App::start(backend).await;
    give(&app, &app.bot_account, &["Knife", "Gloves"]);
    let bot = worker(&app);
    let pool = app.available(2).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool[..1], &winner).await;
    let delivered = app.assignment_in(&assignment.id, &[AssignmentState::Delivered]).await;
    assert!(delivered.settle_time.is_some());
    assert!(!app.sim.reverse_trades(winner.steam_id).is_empty());
    app.assignment_in(&assignment.id, &[AssignmentState::Reversed]).await;
    let back = app.item(&pool[0].id).await;
    assert_eq!(back.state(), ItemState::Available);
    assert_ne!(back.asset.clone().unwrap().asset_id, pool[0].asset.clone().unwrap().asset_id);
    converges(&app).await;
    let held = app.items(&[ItemState::Available]).await;
    assert_eq!(held.len(), 2, "each asset is one item: {held:?}");
    bot.stop().await;
    app.audit();
}

async fn an_item_that_somebody_traded_away_by_hand_is_reported_with_its_trade(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let thief = app.person("thief", Behaviour::ACCEPT);
    let asset = AssetId(pool[0].asset.clone().unwrap().asset_id);
    let offer = app.sim.offer(app.bot_account.steam_id, thief.steam_id, &[asset], &[], "by hand");
    let offer = offer.unwrap();
    let bot = app.bot();
    let found = app.until("the trade to be reported", async || {
        let request = ListDiscrepanciesRequest::default();
        let listed =
            app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
        listed.discrepancies.into_iter().next()
    });
    let found = found.await;
    assert_eq!((found.kind(), &found.item_id), (DiscrepancyKind::UnknownTrade, &pool[0].id));
    assert_eq!(found.user_id, thief.steam_id.0);
    let trade = app.sim.look(|books| {
        let offer = books.offer(offer).unwrap();
        offer.trade.map(|id| id.0.to_string())
    });
    assert_eq!(trade, Some(found.trade_id));
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Missing);
    assert_eq!(app.item(&pool[1].id).await.state(), ItemState::Available);
    bot.stop().await;
}

async fn an_item_that_was_missed_is_explained_once_the_history_can_be_read(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let missed = lose(&app, &pool[0]).await;
    assert_eq!((missed.kind(), &*missed.trade_id), (DiscrepancyKind::MissingAsset, ""));
    let bot = app.bot();
    let explained = app.until("the trade to be found", async || {
        // Each run is an event to look again after.
        sync(&app).await;
        let request = ListDiscrepanciesRequest::default();
        let listed =
            app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
        let row = listed.discrepancies.into_iter().next().unwrap();
        (row.kind() == DiscrepancyKind::UnknownTrade).then_some(row)
    });
    let explained = explained.await;
    assert_eq!((&explained.id, &explained.sync_id), (&missed.id, &missed.sync_id));
    assert!(!explained.trade_id.is_empty() && explained.user_id != 0);
    bot.stop().await;
}

async fn an_offer_that_somebody_sent_by_hand_is_withdrawn_and_never_confirmed(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    hide_history(&app);
    let bot = app.bot();
    let friend = app.person("friend", Behaviour::IGNORE);
    let asset = AssetId(pool[0].asset.clone().unwrap().asset_id);
    let offer = app.sim.offer(app.bot_account.steam_id, friend.steam_id, &[asset], &[], "hi");
    let offer = offer.unwrap();
    let resolved = app.until("the offer to be withdrawn", async || {
        let events = told(&app, "sync.discrepancy_resolved").await;
        (!events.is_empty()).then_some(())
    });
    tokio::time::timeout(DEADLINE, resolved).await.unwrap();
    let state = app.sim.look(|books| books.offer(offer).unwrap().state);
    assert_eq!(state, OfferState::Canceled);
    let request = ListDiscrepanciesRequest::default();
    let listed = app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
    let row = &listed.discrepancies[0];
    assert_eq!(
        (row.kind(), row.resolution()),
        (DiscrepancyKind::UnknownOffer, DiscrepancyResolution::Vanished,)
    );
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Available);
    bot.stop().await;
    app.audit();
}
