//! A call that changes something may be repeated: the same request has one effect and one answer.

use astro_sdk::methods::METHODS;
use astro_sdk::v1::{CreateAssignmentRequest, ErrorReason, GetAssignmentRequest};
use astro_sdk::{Code, Error, new_request_id};
use astro_tests::{App, Backend, on_each_database};
use steam_sim::Behaviour;

use crate::requests::{Ids, request};
use crate::world::{World, refusal};

on_each_database!(
    a_repeated_request_has_one_effect_and_the_same_answer,
    an_external_id_is_used_once_for_ever,
    a_checked_request_changes_nothing,
);

async fn a_repeated_request_has_one_effect_and_the_same_answer(backend: Backend) {
    let world = World::new(backend, 4).await;
    let admin_key = world.app.admin_key();
    let mut seen = 0;
    for method in METHODS.iter().filter(|method| method.deduplicated) {
        let ids =
            Ids { request: new_request_id(), variant: 1, ..ids_for(&world, method.name).await };
        // The platform's own calls need the platform's key.
        let key = if method.name == "CreateOrganization" { &admin_key } else { &world.key };
        let message = request(method, &ids);
        let first = world.call(method, key, message.clone()).await;
        let first = first.unwrap_or_else(|status| panic!("{}: {status}", method.name));
        let events = world.app.events().await.len();
        let again = world.call(method, key, message).await.unwrap();
        assert_eq!(again, first, "{}: another answer", method.name);
        assert_eq!(world.app.events().await.len(), events, "{}: a second effect", method.name);

        let other = Ids { variant: 2, reservation: ids.assignment.clone(), ..ids.clone() };
        let other = match method.name {
            "RetryAssignment" => Ids { assignment: ids.item.clone(), ..other },
            "StartSync" | "RemoveBot" => Ids { bot: ids.item.clone(), ..other },
            _ => other,
        };
        let refused = world.call(method, key, request(method, &other)).await.unwrap_err();
        let expected = (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned());
        assert_eq!(refusal(refused), expected, "{}", method.name);
        assert_eq!(world.app.events().await.len(), events, "{}: an effect", method.name);
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} calls are deduplicated");
}

/// The ids that let each method succeed whatever the others did before.
async fn ids_for(world: &World, method: &str) -> Ids {
    let ids = world.ids.clone();
    match method {
        "CreateAssignment" => Ids { item: world.free[0].id.clone(), ..ids },
        "ReserveItems" => Ids { item: world.free[1].id.clone(), ..ids },
        "RetryAssignment" | "ReassignAssignment" => {
            let winner = world.app.person(&format!("{method} winner"), Behaviour::ACCEPT);
            let free = if method == "RetryAssignment" { 2 } else { 3 };
            let items = std::slice::from_ref(&world.free[free]);
            let assignment = world.app.assign(items, &winner).await;
            Ids { assignment: assignment.id, ..ids }
        }
        // The world's own bot holds items.
        "RemoveBot" => Ids { bot: world.app.further_bot("mistaken").await.id, ..ids },
        _ => ids,
    }
}

async fn an_external_id_is_used_once_for_ever(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let named = |item: usize| CreateAssignmentRequest {
        external_system: "tests".to_owned(),
        external_id: "giveaway 1".to_owned(),
        ..app.prize(&pool[item..=item], &winner)
    };
    let mut assignments = app.client.raw().assignments();
    let answer = assignments.create_assignment(named(0)).await.unwrap().into_inner();
    let first = answer.assignment.unwrap();
    let refused = assignments.create_assignment(named(1)).await.map_err(Error::from).unwrap_err();
    assert_eq!(refused.code, Code::AlreadyExists);
    assert!(refused.is(ErrorReason::ExternalIdExists), "{refused}");
    assert_eq!(refused.metadata["assignment_id"], first.id);

    let request = astro_sdk::v1::CancelAssignmentRequest {
        assignment_id: first.id.clone(),
        ..Default::default()
    };
    assignments.cancel_assignment(request).await.unwrap();
    let refused = assignments.create_assignment(named(1)).await.map_err(Error::from).unwrap_err();
    assert!(refused.is(ErrorReason::ExternalIdExists), "{refused}");
    let elsewhere = CreateAssignmentRequest { external_system: "other".to_owned(), ..named(1) };
    assignments.create_assignment(elsewhere).await.unwrap();
    let request = GetAssignmentRequest { assignment_id: first.id };
    let kept = assignments.get_assignment(request).await.unwrap().into_inner();
    assert_eq!(kept.assignment.unwrap().external_id, "giveaway 1");
}

async fn a_checked_request_changes_nothing(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let before = app.events().await.len();
    let request = CreateAssignmentRequest { validate_only: true, ..app.prize(&pool, &winner) };
    let answer = app.client.raw().assignments().create_assignment(request).await.unwrap();
    assert_eq!(answer.into_inner().assignment.unwrap().id, "");
    assert_eq!(app.events().await.len(), before);
    assert_eq!(app.item(&pool[0].id).await, pool[0]);
}
