//! Many want the same thing at once: one gets it.

use astro_sdk::v1::{
    CreateAssignmentRequest, ErrorReason, ListAssignmentsRequest, ReserveItemsRequest,
};
use astro_sdk::{Client, Code, Error, new_request_id};
use astro_tests::{App, Backend, on_each_database};
use futures_util::future::join_all;
use steam_sim::Behaviour;

on_each_database!(
    an_item_goes_to_one_of_two_systems_that_want_it,
    one_request_sent_many_times_at_once_has_one_effect_and_one_answer,
    a_pool_is_shared_out_without_giving_an_item_twice,
);

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

async fn create(client: &Client, request: CreateAssignmentRequest) -> Result<String, Error> {
    let answer = client.raw().assignments().create_assignment(request).await?;
    Ok(answer.into_inner().assignment.unwrap().id)
}

async fn assignments(app: &App) -> usize {
    let request = ListAssignmentsRequest { page_size: 500, ..Default::default() };
    let answer = app.client.raw().assignments().list_assignments(request).await.unwrap();
    answer.into_inner().assignments.len()
}
