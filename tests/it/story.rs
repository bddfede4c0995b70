//! The main job: a donation becomes an item in the pool, and the pool's item becomes a prize.

use astro_sdk::new_request_id;
use astro_sdk::v1::{
    CreateAssignmentRequest, Event, ItemFilter, ItemState, ListItemHistoryRequest,
    ReserveItemsRequest,
};
use astro_tests::{App, Backend, on_each_database};
use steam_sim::{AssetId, Behaviour};

on_each_database!(a_donated_item_reaches_its_winner_and_every_step_is_logged);

async fn a_donated_item_reaches_its_winner_and_every_step_is_logged(backend: Backend) {
    let app = App::start(backend).await;
    let bot = app.bot();
    let (donor, _) = app.donate("donor", &["Key", "Hat"]);
    let pool = app.available(2).await;
    assert!(pool.iter().all(|item| item.received_from_user_id == donor.steam_id.0));

    let filter = ItemFilter { market_hash_names: vec!["Key".to_owned()], ..Default::default() };
    let request = ReserveItemsRequest {
        filter: Some(filter),
        count: 1,
        request_id: new_request_id(),
        ..Default::default()
    };
    let reserved = app.client.raw().items().reserve_items(request).await.unwrap().into_inner();
    let reservation = reserved.reservation.unwrap();
    assert_eq!(reserved.items.len(), 1);
    assert_eq!(reserved.items[0].state(), ItemState::Reserved);

    let winner = app.person("winner", Behaviour::ACCEPT);
    let request = CreateAssignmentRequest {
        item_ids: Vec::new(),
        reservation_id: reservation.id,
        external_system: "tests".to_owned(),
        external_id: "giveaway 1".to_owned(),
        ..app.prize(&[], &winner)
    };
    let answer = app.client.raw().assignments().create_assignment(request).await.unwrap();
    let assignment = app.delivered(&answer.into_inner().assignment.unwrap().id).await;

    let item = app.item(&reserved.items[0].id).await;
    assert_eq!(item.state(), ItemState::Delivered);
    assert_eq!(app.belongings(&winner), ["Key"]);
    assert_eq!(app.belongings(&app.bot_account), ["Hat"]);
    let asset_id = AssetId(item.asset.clone().unwrap().asset_id);
    assert!(app.sim.look(|books| books.find(winner.steam_id, asset_id).is_some()));
    assert_eq!(assignment.items[0].delivered_asset_id, asset_id.0);
    app.audit();

    bot.stop().await;
    every_step_is_logged(&app, &item.id, &assignment.id).await;

    let request = ListItemHistoryRequest { item_id: item.id, ..Default::default() };
    let history = app.client.raw().items().list_item_history(request).await.unwrap().into_inner();
    assert_eq!(history.entries[0].event_type, "item.delivered");
    assert_eq!(history.entries[0].user_id, winner.steam_id.0);
}

async fn every_step_is_logged(app: &App, item_id: &str, assignment_id: &str) {
    let events = app.events().await;
    let steps = |types: &[&str], of: &dyn Fn(&Event) -> bool| {
        let found: Vec<&str> = events
            .iter()
            .filter(|event| of(event) && types.contains(&event.event_type.as_str()))
            .map(|event| event.event_type.as_str())
            .collect();
        assert_eq!(found, types);
    };
    steps(
        &["item.received", "item.reserved", "item.assigned", "item.offered", "item.delivered"],
        &|event| event.item_id == item_id,
    );
    steps(
        &[
            "assignment.created",
            "assignment.delivering",
            "assignment.attempt_started",
            "assignment.offer_sent",
            "assignment.offered",
            "assignment.delivered",
        ],
        &|event| event.assignment_id == assignment_id,
    );
    steps(&["donation.offered", "donation.received"], &|_| true);
}
