//! Many want the same thing at once: one gets it.

use std::collections::BTreeSet;

use astro_sdk::v1::{
    CreateAssignmentRequest, ErrorReason, ItemFilter, ItemState, ListAssignmentsRequest,
    ListItemsRequest, ReleaseReservationRequest, Reservation, ReserveItemsRequest,
};
use astro_sdk::{Client, Code, Error, new_request_id};
use astro_tests::{App, Backend, DEADLINE, on_each_database, on_postgres, sql};
use futures_util::future::join_all;
use steam_sim::Behaviour;

on_each_database!(
    an_item_goes_to_one_of_two_systems_that_want_it,
    one_request_sent_many_times_at_once_has_one_effect_and_one_answer,
    a_pool_is_shared_out_without_giving_an_item_twice,
    a_pool_is_shared_out_to_its_last_items_and_nobody_is_told_to_try_again,
    the_losers_of_one_external_id_are_told_the_winners_assignment,
    items_named_in_any_order_go_to_one_and_nobody_waits_for_ever,
);

on_postgres!(what_others_hold_and_give_back_is_waited_for);

/// Clients that want something at once.
const CLIENTS: usize = 16;

async fn an_item_goes_to_one_of_two_systems_that_want_it(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(10).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let other = app.key(astro_sdk::v1::ApiKeyKind::Client, &app.org_id, "").await;
    let other = app.client_with(&other);
    for item in &pool {
        let items = std::slice::from_ref(item);
        let (one, two) = tokio::join!(
            create(&app.client, app.prize(items, &winner)),
            create(&other, app.prize(items, &winner)),
        );
        let refused = match (one, two) {
            (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
            (one, two) => panic!("{one:?} and {two:?}"),
        };
        assert_eq!(refused.code, Code::FailedPrecondition);
        assert!(refused.is(ErrorReason::ItemNotAvailable), "{refused}");
        assert_eq!(refused.metadata["item_id"], item.id);
    }
    assert_eq!(assignments(&app).await, pool.len());
}

async fn one_request_sent_many_times_at_once_has_one_effect_and_one_answer(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let request = app.prize(&pool, &winner);
    let calls = (0..32).map(|_| create(&app.client, request.clone()));
    let answers = join_all(calls).await;
    let first = answers[0].as_ref().unwrap();
    assert!(!first.is_empty());
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!(assignments(&app).await, 1);
    let events = app.events().await;
    let made = events.iter().filter(|event| event.event_type == "assignment.created");
    assert_eq!(made.count(), 1);
}

async fn a_pool_is_shared_out_without_giving_an_item_twice(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(5).await;
    let calls = (0..8).map(|_| async {
        let request = ReserveItemsRequest {
            filter: Some(Default::default()),
            count: 1,
            request_id: new_request_id(),
            ..Default::default()
        };
        app.client.raw().items().reserve_items(request).await.map_err(Error::from)
    });
    let (mut won, mut lost) = (Vec::new(), 0);
    for answer in join_all(calls).await {
        match answer {
            Ok(answer) => won.extend(answer.into_inner().reservation.unwrap().item_ids),
            Err(error) => {
                assert!(error.is(ErrorReason::NotEnoughItems), "{error}");
                lost += 1;
            }
        }
    }
    won.sort();
    let mut all: Vec<String> = pool.iter().map(|item| item.id.clone()).collect();
    all.sort();
    assert_eq!((won, lost), (all, 3));
}

async fn a_pool_is_shared_out_to_its_last_items_and_nobody_is_told_to_try_again(backend: Backend) {
    // Reservations of three, so that two items are left.
    const RESERVATIONS: usize = 10;
    let app = App::start(backend).await;
    let pool = app.pool_of(RESERVATIONS * 3 + 2).await;
    let all: BTreeSet<&str> = pool.iter().map(|item| item.id.as_str()).collect();
    for _ in 0..5 {
        let take_all = || async {
            let mut held = Vec::new();
            loop {
                match reserve(&app.client, Vec::new(), 3).await {
                    Ok(reservation) => held.push(reservation),
                    Err(error) if error.is(ErrorReason::NotEnoughItems) => {
                        // Nobody gives any back yet, so there were no more a moment ago either.
                        let left = free(&app.client).await;
                        assert!(left < 3, "told that there are too few of {left}: {error}");
                        return held;
                    }
                    Err(error) => panic!("an honest caller was told: {error}"),
                }
            }
        };
        let held = join_all((0..CLIENTS).map(|_| take_all())).await.concat();
        assert_eq!(held.len(), RESERVATIONS);
        let taken: BTreeSet<&str> =
            held.iter().flat_map(|held| &held.item_ids).map(String::as_str).collect();
        assert_eq!(taken.len(), RESERVATIONS * 3, "an item was given twice");
        assert!(taken.is_subset(&all));
        let released = held.into_iter().map(|held| release(&app.client, held.id));
        join_all(released).await;
    }
}

async fn what_others_hold_and_give_back_is_waited_for() {
    let app = App::start(Backend::Postgres).await;
    app.pool_of(3).await;
    let mut other = sql::open(&app.database_url).unwrap();
    sql::run(&mut other, "BEGIN; SELECT id FROM items FOR UPDATE").unwrap();
    let mut watcher = sql::open(&app.database_url).unwrap();
    let waits = "SELECT pid::text AS line FROM pg_locks JOIN pg_stat_activity USING (pid) \
                 WHERE NOT granted AND datname = current_database()";
    let given_back = async {
        while sql::lines(&mut watcher, waits).unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        sql::run(&mut other, "ROLLBACK").unwrap();
    };
    let given_back = tokio::time::timeout(DEADLINE, given_back);
    let (reserved, waited) = tokio::join!(reserve(&app.client, Vec::new(), 3), given_back);
    waited.expect("the reservation waits for the items");
    assert_eq!(reserved.unwrap().item_ids.len(), 3);
}

/// How many items are in the pool.
async fn free(client: &Client) -> usize {
    let filter = ItemFilter { states: vec![ItemState::Available.into()], ..Default::default() };
    let request = ListItemsRequest { filter: Some(filter), ..Default::default() };
    client.raw().items().list_items(request).await.unwrap().into_inner().items.len()
}

async fn the_losers_of_one_external_id_are_told_the_winners_assignment(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(CLIENTS).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    // First all want the same item, then each another.
    for same in [true, false] {
        let calls = (0..CLIENTS).map(|n| {
            let item = if same { &pool[0] } else { &pool[1 + n % (CLIENTS - 1)] };
            let request = CreateAssignmentRequest {
                external_system: "giveaways".to_owned(),
                external_id: format!("same item: {same}"),
                ..app.prize(std::slice::from_ref(item), &winner)
            };
            create(&app.client, request)
        });
        let answers = join_all(calls).await;
        let made: Vec<&String> = answers.iter().flatten().collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert_eq!(refused.code, Code::AlreadyExists, "{refused}");
            assert!(refused.is(ErrorReason::ExternalIdExists), "{refused}");
            assert_eq!(&refused.metadata["assignment_id"], made[0]);
        }
    }
}

async fn items_named_in_any_order_go_to_one_and_nobody_waits_for_ever(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(10).await;
    let ids: Vec<String> = pool.iter().map(|item| item.id.clone()).collect();
    for _ in 0..5 {
        let calls = (0..CLIENTS).map(|n| {
            let mut ids = ids.clone();
            ids.rotate_left(n % 10);
            if n % 2 == 0 {
                ids.reverse();
            }
            reserve(&app.client, ids, 0)
        });
        let (won, lost): (Vec<_>, Vec<_>) =
            join_all(calls).await.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        for refused in lost.into_iter().filter_map(Result::err) {
            assert!(refused.is(ErrorReason::ItemNotAvailable), "{refused}");
        }
        for held in won.into_iter().flatten() {
            release(&app.client, held.id).await;
        }
    }
}

/// Reserves these items, or `count` of any.
async fn reserve(client: &Client, item_ids: Vec<String>, count: i32) -> Result<Reservation, Error> {
    let filter = item_ids.is_empty().then(Default::default);
    let request_id = new_request_id();
    let request = ReserveItemsRequest { item_ids, filter, count, request_id, ..Default::default() };
    let answer = client.raw().items().reserve_items(request).await.map_err(Error::from)?;
    Ok(answer.into_inner().reservation.unwrap())
}

async fn release(client: &Client, reservation_id: String) {
    let request = ReleaseReservationRequest { reservation_id, request_id: new_request_id() };
    client.raw().items().release_reservation(request).await.unwrap();
}

async fn create(client: &Client, request: CreateAssignmentRequest) -> Result<String, Error> {
    let answer = client.raw().assignments().create_assignment(request).await?;
    Ok(answer.into_inner().assignment.unwrap().id)
}

async fn assignments(app: &App) -> usize {
    let request = ListAssignmentsRequest { page_size: 500, ..Default::default() };
    let answer = app.client.raw().assignments().list_assignments(request).await.unwrap();
    answer.into_inner().assignments.len()
}
