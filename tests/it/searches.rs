//! Which assignments a list has: by why they are blocked, by their bot, by the offer on Steam.

use astro_sdk::bot::v1::AttemptFailure;
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::Behaviour;

use crate::puppet::Puppet;

on_each_database!(
    blocked_ones_are_listed_by_their_reason,
    assignments_are_listed_by_their_bot,
    an_assignment_is_found_by_the_offer_that_steam_shows,
);

async fn listed(app: &App, filter: AssignmentFilter) -> Vec<String> {
    let request = ListAssignmentsRequest { filter: Some(filter), ..Default::default() };
    let answer = app.client.raw().assignments().list_assignments(request).await.unwrap();
    answer.into_inner().assignments.into_iter().map(|one| one.id).collect()
}

async fn blocked_ones_are_listed_by_their_reason(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(3).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let mut ids = Vec::new();
    let failures = [AttemptFailure::HoldTooLong, AttemptFailure::Declined];
    for (item, failure) in pool.iter().zip(failures) {
        let winner = app.person(failure.as_str_name(), Behaviour::IGNORE);
        ids.push(app.assign(std::slice::from_ref(item), &winner).await.id);
        let attempt = bot.attempt().await;
        assert!(bot.ask(&attempt).await);
        bot.ended(&attempt, failure).await;
    }
    let waiting = app.assign(&pool[2..], &app.person("winner", Behaviour::IGNORE)).await.id;
    let of = |reasons: &[BlockedReason], states: &[AssignmentState]| AssignmentFilter {
        blocked_reasons: reasons.iter().map(|reason| *reason as i32).collect(),
        states: states.iter().map(|state| *state as i32).collect(),
        ..Default::default()
    };
    let (hold, declined) = (BlockedReason::HoldTooLong, BlockedReason::OfferDeclined);
    let blocked = [AssignmentState::Blocked];
    assert_eq!(listed(&app, of(&[], &blocked)).await, [ids[1].clone(), ids[0].clone()]);
    assert_eq!(listed(&app, of(&[hold], &blocked)).await, ids[..1]);
    assert_eq!(listed(&app, of(&[declined], &[])).await, ids[1..]);
    assert_eq!(listed(&app, of(&[declined, hold], &[])).await.len(), 2);
    assert_eq!(listed(&app, of(&[BlockedReason::Stack], &blocked)).await.len(), 0);
    // Only what is blocked has a reason; other states beside it take nothing more.
    assert_eq!(listed(&app, of(&[hold], &[AssignmentState::Queued])).await.len(), 0);
    let some = [AssignmentState::Queued, AssignmentState::Delivering, AssignmentState::Blocked];
    assert_eq!(listed(&app, of(&[hold], &some)).await, ids[..1]);
    assert_eq!(listed(&app, of(&[], &some)).await.len(), 3);
    assert_eq!(listed(&app, of(&[], &[])).await[0], waiting);
}

async fn assignments_are_listed_by_their_bot(backend: Backend) {
    let app = App::start(backend).await;
    let near = app.pool_of(1).await.remove(0);
    let other = app.further_bot("other bot").await;
    let far = other.pool_of(&app, &["Far Away"]).await.remove(0);
    let winner = app.person("winner", Behaviour::IGNORE);
    let [near, far] = [app.assign(&[near], &winner).await.id, app.assign(&[far], &winner).await.id];
    let of = |bots: &[&str]| AssignmentFilter {
        bot_ids: bots.iter().map(|bot| (*bot).to_owned()).collect(),
        ..Default::default()
    };
    assert_eq!(listed(&app, of(&[&app.bot_id])).await, std::slice::from_ref(&near));
    assert_eq!(listed(&app, of(&[&other.id])).await, std::slice::from_ref(&far));
    assert_eq!(listed(&app, of(&[&other.id, &app.bot_id])).await, [far, near]);
}

async fn an_assignment_is_found_by_the_offer_that_steam_shows(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let mut ids = Vec::new();
    for (item, offer) in pool.iter().zip([71, 72]) {
        let winner = app.person(&format!("winner {offer}"), Behaviour::IGNORE);
        ids.push(app.assign(std::slice::from_ref(item), &winner).await.id);
        bot.offer(offer).await;
    }
    let of =
        |offer: &str| AssignmentFilter { trade_offer_id: offer.to_owned(), ..Default::default() };
    assert_eq!(listed(&app, of("72")).await, ids[1..]);
    assert_eq!(listed(&app, of("7")).await, Vec::<String>::new());
    let settled = AssignmentFilter { states: vec![AssignmentState::Settled.into()], ..of("72") };
    assert_eq!(listed(&app, settled).await, Vec::<String>::new());
    // Another organisation has none of it, and the platform's key sees all.
    let (_, stranger) = app.another_org("other").await;
    let request = ListAssignmentsRequest { filter: Some(of("72")), ..Default::default() };
    let theirs = stranger.raw().assignments().list_assignments(request.clone()).await.unwrap();
    assert_eq!(theirs.into_inner().assignments, []);
    let all = app.admin.raw().assignments().list_assignments(request).await.unwrap();
    assert_eq!(all.into_inner().assignments[0].id, ids[1]);
}
