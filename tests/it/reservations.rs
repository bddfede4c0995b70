//! Reservations as a list: who holds what until when, and what became of those that ended.

use std::collections::BTreeSet;
use std::time::Duration;

use astro_sdk::v1::*;
use astro_sdk::{Client, new_request_id};
use astro_tests::{App, Backend, on_each_database, sql};
use steam_sim::Behaviour;

use crate::world::key_id;

on_each_database!(
    each_reservation_tells_who_holds_what_and_what_became_of_it,
    each_reservation_is_on_one_page_though_several_were_made_in_the_same_moment,
    a_page_of_reservations_asks_once_for_the_items_of_all,
);

async fn reserve(client: &Client, items: &[Item]) -> Reservation {
    let request = ReserveItemsRequest {
        item_ids: items.iter().map(|item| item.id.clone()).collect(),
        ttl_seconds: 600,
        request_id: new_request_id(),
        ..Default::default()
    };
    let answer = client.raw().items().reserve_items(request).await.unwrap().into_inner();
    answer.reservation.unwrap()
}

async fn list(client: &Client, request: ListReservationsRequest) -> ListReservationsResponse {
    client.raw().items().list_reservations(request).await.unwrap().into_inner()
}

async fn held(client: &Client) -> Vec<Reservation> {
    list(client, ListReservationsRequest { held_only: true, ..Default::default() })
        .await
        .reservations
}

fn sorted(mut reservation: Reservation) -> Reservation {
    reservation.item_ids.sort();
    reservation
}

async fn each_reservation_tells_who_holds_what_and_what_became_of_it(backend: Backend) {
    let app = App::start(backend).await;
    let (_, stranger) = app.another_org("stranger").await;
    let pool = app.pool_of(6).await;
    let source = format!("key:{}", key_id(&app.client_key));
    let expiring = reserve(&app.client, &pool[..1]).await;
    app.clock.advance(Duration::from_secs(300));
    let released = reserve(&app.client, &pool[1..2]).await;
    let used = reserve(&app.client, &pool[2..4]).await;
    let request = CreateSessionRequest::default();
    let session = app.client.raw().access().create_session(request).await.unwrap().into_inner();
    let by_session = sorted(reserve(&app.client_with(&session.secret), &pool[4..]).await);
    assert_eq!((expiring.state(), expiring.items_count), (ReservationState::Held, 1));
    assert_eq!((expiring.source.as_str(), &expiring.end_time), (source.as_str(), &None));
    let all = [&by_session, &used, &released, &expiring].map(|one| sorted(one.clone()));
    let told: Vec<_> = held(&app.client).await.into_iter().map(sorted).collect();
    assert_eq!(told, all, "a list tells what was answered");
    assert_eq!(by_session.source, format!("session:{}", session.session.unwrap().id));

    let reservation_id = released.id.clone();
    let request = ReleaseReservationRequest { reservation_id, ..Default::default() };
    let answer = app.client.raw().items().release_reservation(request).await.unwrap();
    let answer = answer.into_inner().reservation.unwrap();
    assert_eq!(answer.state(), ReservationState::Released);
    assert_eq!((answer.item_ids, answer.end_time.is_some()), (vec![pool[1].id.clone()], true));
    let winner = app.person("winner", Behaviour::IGNORE);
    let (item_ids, reservation_id) = (Vec::new(), used.id.clone());
    let prize = CreateAssignmentRequest { item_ids, reservation_id, ..app.prize(&[], &winner) };
    let assignment = app.client.raw().assignments().create_assignment(prize).await.unwrap();
    let assignment = assignment.into_inner().assignment.unwrap();
    app.clock.advance(Duration::from_secs(301));
    let left = app.until("the first one to expire", async || {
        let left = held(&app.client).await;
        (left.len() == 1).then_some(left)
    });
    assert_eq!(
        left.await.into_iter().map(sorted).collect::<Vec<_>>(),
        std::slice::from_ref(&by_session)
    );

    let told = list(&app.client, ListReservationsRequest::default()).await;
    assert!(told.next_page_token.is_empty());
    let ends: Vec<_> = told
        .reservations
        .iter()
        .map(|one| (one.id.clone(), one.state(), one.items_count, one.assignment_id.clone()))
        .collect();
    let none = String::new;
    let wanted = vec![
        (by_session.id.clone(), ReservationState::Held, 2, none()),
        (used.id.clone(), ReservationState::Used, 2, assignment.id),
        (released.id.clone(), ReservationState::Released, 1, none()),
        (expiring.id.clone(), ReservationState::Expired, 1, none()),
    ];
    assert_eq!(ends, wanted);
    for over in &told.reservations[1..] {
        assert!(over.end_time.is_some() && over.item_ids.is_empty(), "{over:?}");
    }
    assert!(list(&stranger, ListReservationsRequest::default()).await.reservations.is_empty());
    let all = list(&app.admin, ListReservationsRequest::default()).await.reservations;
    assert_eq!(all, told.reservations);
}

async fn each_reservation_is_on_one_page_though_several_were_made_in_the_same_moment(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let pool = app.pool_of(10).await;
    let mut made = Vec::new();
    for item in &pool {
        made.push(reserve(&app.client, std::slice::from_ref(item)).await.id);
    }
    for reservation_id in made.drain(..3) {
        let request = ReleaseReservationRequest { reservation_id, ..Default::default() };
        app.client.raw().items().release_reservation(request).await.unwrap();
    }
    let mut conn = sql::open(&app.database_url).unwrap();
    let set = "UPDATE reservations SET created_at = (SELECT min(created_at) FROM reservations)";
    sql::run(&mut conn, set).unwrap();
    let held: BTreeSet<String> = made.into_iter().collect();
    for (client, held_only, wanted) in
        [(&app.client, true, 7_usize), (&app.admin, true, 7), (&app.client, false, 10)]
    {
        let (mut seen, mut pages) = (Vec::new(), 0);
        let mut request = ListReservationsRequest { page_size: 2, held_only, ..Default::default() };
        loop {
            let page = list(client, request.clone()).await;
            seen.extend(page.reservations.into_iter().map(|one| one.id));
            pages += 1;
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let different: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!((seen.len(), different.len(), pages), (wanted, wanted, wanted.div_ceil(2)));
        assert!(different.is_superset(&held) && (different == held) == held_only);
    }
}

async fn a_page_of_reservations_asks_once_for_the_items_of_all(backend: Backend) {
    astro_tests::witness::call();
    let app = App::start(backend).await;
    let pool = app.pool_of(3).await;
    for item in &pool {
        reserve(&app.client, std::slice::from_ref(item)).await;
    }
    let asked = || astro_tests::witness::asked_for(&app.database_url, "reservation_id");
    let before = asked();
    let told = held(&app.client).await;
    assert_eq!(asked() - before, 1);
    assert!(told.iter().all(|one| one.item_ids.len() == 1) && told.len() == 3, "{told:?}");
}
