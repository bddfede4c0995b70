//! Items that pass on to another person: by hand, and to runner-ups in turn.

use std::time::Duration;

use astro_sdk::v1::*;
use astro_sdk::{Error, new_request_id};
use astro_tests::{App, Backend, on_each_database};
use steam_sim::{Account, Behaviour};

use crate::puppet::Puppet;
use crate::world::lose;

on_each_database!(
    what_nobody_claims_passes_to_the_runner_ups_in_turn,
    a_promise_without_an_offer_passes_on_at_once,
    a_promise_whose_offer_is_out_passes_on_once_the_offer_is_withdrawn,
    who_accepts_before_the_withdrawal_keeps_the_items,
    the_last_word_counts,
    a_promise_that_is_held_or_over_does_not_pass_on,
    the_part_that_is_not_delivered_passes_on,
    a_missing_item_blocks_whoever_is_promised_it,
);

fn to(assignment: &Assignment, heir: &Account) -> ReassignAssignmentRequest {
    ReassignAssignmentRequest {
        assignment_id: assignment.id.clone(),
        user_id: heir.steam_id.0,
        trade_url: heir.trade_url(),
        request_id: new_request_id(),
        ..Default::default()
    }
}

async fn reassign(
    app: &App,
    request: ReassignAssignmentRequest,
) -> Result<(Assignment, Option<Assignment>), Error> {
    let answer = app.client.raw().assignments().reassign_assignment(request).await?.into_inner();
    Ok((answer.assignment.unwrap(), answer.successor))
}

async fn set_trade_url(app: &App, person: &Account) {
    let request = SetTradeUrlRequest { trade_url: person.trade_url(), ..Default::default() };
    app.client.raw().users().set_trade_url(request).await.unwrap();
}

/// Names of what happened to the item since it was assigned first.
async fn life_of(app: &App, item: &Item) -> Vec<String> {
    let log = app.events().await;
    let own = log.into_iter().filter(|event| event.item_id == item.id);
    own.map(|event| event.event_type).skip_while(|name| name != "item.assigned").collect()
}

async fn what_nobody_claims_passes_to_the_runner_ups_in_turn(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let second = app.person("second", Behaviour::IGNORE);
    let third = app.person("third", Behaviour::ACCEPT);
    set_trade_url(&app, &second).await;
    set_trade_url(&app, &third).await;
    let request = CreateAssignmentRequest {
        runner_up_user_ids: vec![second.steam_id.0, third.steam_id.0],
        external_system: "tests".to_owned(),
        external_id: "giveaway 1".to_owned(),
        assignment_reason: "for the fun of it".to_owned(),
        ttl_seconds: 3600,
        ..app.prize(&pool, &winner)
    };
    let answer = app.client.raw().assignments().create_assignment(request).await.unwrap();
    let first = answer.into_inner().assignment.unwrap();
    assert_eq!(first.runner_up_user_ids, [second.steam_id.0, third.steam_id.0]);
    let bot = app.bot();
    app.assignment_in(&first.id, &[AssignmentState::Offered]).await;
    app.clock.advance(Duration::from_secs(3601));
    let expired = app.assignment_in(&first.id, &[AssignmentState::Expired]).await;
    assert_eq!(expired.items[0].delivery_status, "returned");

    let next = app.assignment_in(&expired.successor_id, &[AssignmentState::Offered]).await;
    assert_eq!((next.user_id, next.predecessor_id.as_str()), (second.steam_id.0, &*first.id));
    assert_eq!(next.runner_up_user_ids, [third.steam_id.0]);
    assert_eq!((next.external_system.as_str(), next.external_id.as_str()), ("tests", ""));
    assert_eq!(next.assignment_reason, "for the fun of it");
    let claim = next.expire_time.unwrap().seconds - next.assign_time.unwrap().seconds;
    assert_eq!(claim, 3600);
    app.clock.advance(Duration::from_secs(3601));
    let expired = app.assignment_in(&next.id, &[AssignmentState::Expired]).await;
    let last = app.delivered(&expired.successor_id).await;
    bot.stop().await;
    assert_eq!((last.user_id, last.runner_up_user_ids.len()), (third.steam_id.0, 0));
    assert_eq!(app.belongings(&third), ["Item 1"]);
    let life = life_of(&app, &pool[0]).await;
    assert!(!life.contains(&"item.returned".to_owned()), "it was free in between: {life:?}");
    assert_eq!(life.iter().filter(|name| *name == "item.passed_on").count(), 2, "{life:?}");
    app.audit();
}

async fn a_promise_without_an_offer_passes_on_at_once(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let heir = app.person("heir", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let request = ReassignAssignmentRequest { ttl_seconds: 600, ..to(&assignment, &heir) };
    let (old, next) = reassign(&app, request).await.unwrap();
    let next = next.unwrap();
    assert_eq!((old.state(), &old.successor_id), (AssignmentState::Cancelled, &next.id));
    assert_eq!((next.state(), &next.predecessor_id), (AssignmentState::Queued, &old.id));
    let claim = next.expire_time.unwrap().seconds - next.assign_time.unwrap().seconds;
    assert_eq!(claim, 600);
    let item = app.item(&pool[0].id).await;
    assert_eq!((item.state(), &item.assignment_id), (ItemState::Assigned, &next.id));
    assert_eq!(item.assigned_to_user_id, heir.steam_id.0);
    let bot = app.bot();
    app.delivered(&next.id).await;
    bot.stop().await;
    assert!(app.belongings(&winner).is_empty());
    assert_eq!(app.belongings(&heir), ["Item 1"]);
    let life = life_of(&app, &pool[0]).await;
    assert_eq!(life[..2], ["item.assigned", "item.passed_on"]);
}

/// An offer to the winner that is out, with the bot away.
async fn out(app: &App, winner: &Account) -> (Item, Assignment) {
    let item = app.pool_of(1).await.remove(0);
    let assignment = app.assign(std::slice::from_ref(&item), winner).await;
    let bot = app.bot();
    let offered = app.assignment_in(&assignment.id, &[AssignmentState::Offered]).await;
    bot.stop().await;
    (item, offered)
}

async fn a_promise_whose_offer_is_out_passes_on_once_the_offer_is_withdrawn(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let heir = app.person("heir", Behaviour::ACCEPT);
    let (item, assignment) = out(&app, &winner).await;
    let (old, next) = reassign(&app, to(&assignment, &heir)).await.unwrap();
    assert_eq!((old.state(), next), (AssignmentState::Offered, None));
    assert_eq!(old.successor_id, "");
    assert_eq!(app.item(&item.id).await.state(), ItemState::InOffer);
    let bot = app.bot();
    let old = app.assignment_in(&old.id, &[AssignmentState::Cancelled]).await;
    app.delivered(&old.successor_id).await;
    bot.stop().await;
    assert!(app.belongings(&winner).is_empty());
    assert_eq!(app.belongings(&heir), ["Item 1"]);
    let life = life_of(&app, &item).await;
    assert!(!life.contains(&"item.returned".to_owned()), "it was free in between: {life:?}");
    app.audit();
}

async fn who_accepts_before_the_withdrawal_keeps_the_items(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let heir = app.person("heir", Behaviour::ACCEPT);
    let (_, assignment) = out(&app, &winner).await;
    app.sim.set_behaviour(winner.steam_id, Behaviour::ACCEPT).unwrap();
    reassign(&app, to(&assignment, &heir)).await.unwrap();
    let bot = app.bot();
    let old = app.delivered(&assignment.id).await;
    bot.stop().await;
    assert_eq!(old.successor_id, "");
    assert_eq!(app.belongings(&winner), ["Item 1"]);
    assert!(app.belongings(&heir).is_empty());
    let log = app.events().await;
    assert!(log.iter().any(|event| event.event_type == "assignment.not_passed_on"));
    let request = ListAssignmentsRequest::default();
    let listed =
        app.client.raw().assignments().list_assignments(request).await.unwrap().into_inner();
    assert_eq!(listed.assignments.len(), 1);
}

async fn the_last_word_counts(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let [one, other] = ["one", "other"].map(|name| app.person(name, Behaviour::ACCEPT));
    let (item, assignment) = out(&app, &winner).await;
    reassign(&app, to(&assignment, &one)).await.unwrap();
    reassign(&app, to(&assignment, &other)).await.unwrap();
    let bot = app.bot();
    let old = app.assignment_in(&assignment.id, &[AssignmentState::Cancelled]).await;
    assert_eq!(app.delivered(&old.successor_id).await.user_id, other.steam_id.0);
    bot.stop().await;
    assert_eq!(app.item(&item.id).await.assigned_to_user_id, other.steam_id.0);

    let (item, assignment) = out(&app, &winner).await;
    reassign(&app, to(&assignment, &one)).await.unwrap();
    let assignment_id = assignment.id.clone();
    let request = CancelAssignmentRequest { assignment_id, ..Default::default() };
    app.client.raw().assignments().cancel_assignment(request).await.unwrap();
    let bot = app.bot();
    let old = app.assignment_in(&assignment.id, &[AssignmentState::Cancelled]).await;
    bot.stop().await;
    assert_eq!(old.successor_id, "");
    assert_eq!(app.item(&item.id).await.state(), ItemState::Available);
}

async fn a_promise_that_is_held_or_over_does_not_pass_on(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let heir = app.person("heir", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let order = bot.offer(1).await;
    bot.held(&order).await;
    let refused = reassign(&app, to(&assignment, &heir)).await.unwrap_err();
    assert!(refused.is(ErrorReason::AssignmentState), "{refused}");
    assert_eq!(refused.metadata["state"], "HELD");
    bot.accepted(&order, 1, 1_000_000, None).await;
    let refused = reassign(&app, to(&assignment, &heir)).await.unwrap_err();
    assert!(refused.is(ErrorReason::AssignmentState), "{refused}");
}

async fn a_missing_item_blocks_whoever_is_promised_it(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let heir = app.person("heir", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    // A bot that is paused looks at its inventory and sends nothing.
    let request =
        PauseBotRequest { bot_id: app.bot_id.clone(), paused: true, ..Default::default() };
    app.admin.raw().bots().pause_bot(request).await.unwrap();
    lose(&app, &pool[0]).await;
    let (old, next) = reassign(&app, to(&assignment, &heir)).await.unwrap();
    assert_eq!(old.state(), AssignmentState::Cancelled);
    let next = app.assignment(&next.unwrap().id).await;
    assert_eq!(next.state(), AssignmentState::Blocked);
    assert_eq!(next.blocked_reason(), BlockedReason::ItemMissing);
    let item = app.item(&pool[0].id).await;
    assert_eq!((item.state(), item.assignment_id), (ItemState::Missing, next.id));
}

async fn the_part_that_is_not_delivered_passes_on(backend: Backend) {
    let app = App::start(backend).await;
    let near = app.pool_of(1).await.remove(0);
    let other = app.further_bot("other bot").await;
    let far = other.pool_of(&app, &["Far Away"]).await.remove(0);
    let winner = app.person("winner", Behaviour::ACCEPT);
    let heir = app.person("heir", Behaviour::ACCEPT);
    let assignment = app.assign(&[near, far], &winner).await;
    let bot = app.bot();
    let half = app.until("a part to be delivered", async || {
        let assignment = app.assignment(&assignment.id).await;
        (assignment.bot_id == other.id).then_some(assignment)
    });
    let half = half.await;
    let (old, next) = reassign(&app, to(&half, &heir)).await.unwrap();
    assert_eq!((old.state(), old.items.len()), (AssignmentState::Cancelled, 2));
    let worker = other.start(&app);
    let next = app.delivered(&next.unwrap().id).await;
    for worker in [bot, worker] {
        worker.stop().await;
    }
    assert_eq!(next.items.len(), 1);
    assert_eq!(app.belongings(&winner), ["Item 1"]);
    assert_eq!(app.belongings(&heir), ["Far Away"]);
    app.audit();
}
