//! What clients do all day is prepared once on each connection: to parse and plan a statement costs a
//! database more than to run it.

use astro_sdk::v1::{
    CancelAssignmentRequest, CreateAssignmentRequest, ItemFilter, ListDonationsRequest,
    ReleaseReservationRequest, ReserveItemsRequest, SetTradeUrlRequest,
};
use astro_tests::{App, Backend, on_each_database, witness};
use steam_sim::Behaviour;
use uuid::Uuid;

on_each_database!(
    what_clients_do_all_day_is_prepared_once,
    a_page_of_donations_asks_once_for_the_items_of_all,
);

async fn what_clients_do_all_day_is_prepared_once(backend: Backend) {
    witness::call();
    let app = App::start(backend).await;
    let items = app.pool_of(2).await;
    let user_id = app.person("somebody", Behaviour::ACCEPT).steam_id.0;
    let trade_url = app.sim.account_named("somebody").unwrap().trade_url();
    let raw = app.client.raw();
    for _ in 0..20 {
        let request_id = || Uuid::new_v4().to_string();
        let request = SetTradeUrlRequest {
            user_id,
            trade_url: trade_url.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        raw.users().set_trade_url(request).await.unwrap();
        let request = CreateAssignmentRequest {
            user_id,
            item_ids: items.iter().map(|item| item.id.clone()).collect(),
            request_id: request_id(),
            ..Default::default()
        };
        let assignment = raw.assignments().create_assignment(request).await.unwrap().into_inner();
        let assignment_id = assignment.assignment.unwrap().id;
        let request = CancelAssignmentRequest {
            assignment_id,
            request_id: request_id(),
            ..Default::default()
        };
        raw.assignments().cancel_assignment(request).await.unwrap();
        let request = ReserveItemsRequest {
            filter: Some(ItemFilter::default()),
            count: 2,
            ttl_seconds: 60,
            request_id: request_id(),
            ..Default::default()
        };
        let reserved = raw.items().reserve_items(request).await.unwrap().into_inner();
        let reservation_id = reserved.reservation.unwrap().id;
        let request = ReleaseReservationRequest { reservation_id, request_id: request_id() };
        raw.items().release_reservation(request).await.unwrap();
    }
    let (anew, kept) = witness::prepared(&app.database_url);
    assert!(kept > 10, "nothing was seen");
    assert!(anew.is_empty(), "prepared again and again:\n{}", anew.join("\n"));
}

async fn a_page_of_donations_asks_once_for_the_items_of_all(backend: Backend) {
    witness::call();
    let app = App::start(backend).await;
    let bot = app.bot();
    for donor in ["one", "another", "a third"] {
        app.donate(donor, &["Key", "Hat"]);
    }
    app.available(6).await;
    bot.stop().await;
    let asked = || witness::asked_for(&app.database_url, "received_trade_offer_id");
    let before = asked();
    let request = ListDonationsRequest::default();
    let page = app.client.raw().donations().list_donations(request).await.unwrap().into_inner();
    assert_eq!(asked() - before, 1);
    assert_eq!(page.donations.len(), 3);
    assert!(page.donations.iter().flat_map(|d| &d.items).all(|item| !item.item_id.is_empty()));
}
