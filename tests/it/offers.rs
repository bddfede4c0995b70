//! What becomes of a delivery whose offer ended without an answer, or could not be sent.

use std::time::Duration;

use astro_sdk::bot::v1::AttemptFailure;
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::{Behaviour, OfferState};

use crate::puppet::{Puppet, moved};

on_each_database!(
    an_offer_that_nobody_answers_is_withdrawn_and_sent_anew,
    a_withdrawn_offer_lets_others_go_first,
    an_offer_that_ran_out_on_steam_is_sent_anew,
    an_offer_that_somebody_withdrew_by_hand_waits_for_a_person,
    a_retry_gives_the_full_number_of_tries,
    what_steam_rolls_back_is_the_bots_under_its_new_id,
    what_steam_rolls_back_of_a_cancelled_promise_is_free,
);

/// Time after which an organisation's offers are withdrawn by default, and a second more.
const PATIENCE: Duration = Duration::from_secs(3 * 86_400 + 1);

async fn an_offer_that_nobody_answers_is_withdrawn_and_sent_anew(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let assignment = app.assign(&pool, &winner).await;
    let bot = app.bot();
    app.assignment_in(&assignment.id, &[AssignmentState::Offered]).await;
    app.clock.advance(PATIENCE);
    let again = app.until("a second offer", async || {
        let now = app.assignment(&assignment.id).await;
        let second = now.delivery_attempts == 2 && now.state() == AssignmentState::Offered;
        second.then_some(now)
    });
    assert_eq!(again.await.blocked_reason(), BlockedReason::Unspecified);
    let states: Vec<OfferState> = app.sim.look(|books| {
        books.offers_from(app.bot_account.steam_id).map(|offer| offer.state).collect()
    });
    assert_eq!(states, [OfferState::Canceled, OfferState::Active]);
    app.sim.set_behaviour(winner.steam_id, Behaviour::ACCEPT).unwrap();
    app.delivered(&assignment.id).await;
    bot.stop().await;
    let log = app.events().await;
    let withdrawn = |name: &str| log.iter().filter(|event| event.event_type == name).count();
    assert_eq!(withdrawn("assignment.offer_withdrawing"), 1);
    assert_eq!(withdrawn("assignment.offer_withdrawn"), 1);
    app.audit();
}

async fn a_withdrawn_offer_lets_others_go_first(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(5).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    // One person has room for four offers.
    let mut assignments = Vec::new();
    for item in &pool {
        assignments.push(app.assign(std::slice::from_ref(item), &winner).await);
    }
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let mut first = Vec::new();
    for offer in 1..=4 {
        first.push(bot.offer(offer).await);
    }
    app.clock.advance(PATIENCE);
    let oldest = &assignments[0].id;
    app.until("the offers to be withdrawn", async || {
        let message = app.assignment(oldest).await.status_message;
        message.starts_with("nobody answers the offer").then_some(())
    })
    .await;
    bot.ended(&first[0].attempt_id, AttemptFailure::Cancelled).await;
    let next = bot.delivery().await;
    assert_eq!(next.assignment_id, assignments[4].id, "who waited has its turn");
}

async fn an_offer_that_ran_out_on_steam_is_sent_anew(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let assignment = app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    // However often.
    for offer in 1..=10 {
        let order = bot.offer(offer).await;
        assert_eq!(order.assignment_id, assignment.id);
        bot.ended(&order.attempt_id, AttemptFailure::Expired).await;
    }
    let now = app.assignment(&assignment.id).await;
    assert!(now.delivery_attempts >= 10, "{now:?}");
    assert_eq!(now.blocked_reason(), BlockedReason::Unspecified);
}

async fn an_offer_that_somebody_withdrew_by_hand_waits_for_a_person(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let assignment = app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let order = bot.offer(1).await;
    bot.ended(&order.attempt_id, AttemptFailure::Cancelled).await;
    let blocked = app.assignment(&assignment.id).await;
    assert_eq!(blocked.state(), AssignmentState::Blocked);
    assert_eq!(blocked.blocked_reason(), BlockedReason::Other);
}

async fn a_retry_gives_the_full_number_of_tries(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let assignment = app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    for round in 1..=2 {
        let mut failed = 0;
        let blocked = loop {
            let attempt = bot.attempt().await;
            assert!(bot.ask(&attempt).await);
            bot.ended(&attempt, AttemptFailure::SteamUnavailable).await;
            failed += 1;
            let now = app.assignment(&assignment.id).await;
            if now.state() == AssignmentState::Blocked {
                break now;
            }
            bot.wait(&app, Duration::from_secs(1800)).await;
        };
        assert_eq!(blocked.blocked_reason(), BlockedReason::SteamUnavailable);
        assert_eq!((failed, blocked.delivery_attempts), (8, 8 * round));
        let assignment_id = assignment.id.clone();
        let request = RetryAssignmentRequest { assignment_id, ..Default::default() };
        app.client.raw().assignments().retry_assignment(request).await.unwrap();
    }
}

async fn what_steam_rolls_back_is_the_bots_under_its_new_id(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let before = pool[0].asset.clone().unwrap().asset_id;
    let winner = app.person("winner", Behaviour::IGNORE);
    let assignment = app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let order = bot.offer(1).await;
    bot.held(&order).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::InEscrow);
    let returned = moved(&order, 1_000, 2_000);
    bot.over(&order.attempt_id, AttemptFailure::Other, returned).await;
    let item = app.item(&pool[0].id).await;
    assert_eq!(
        (item.state(), item.asset.clone().unwrap().asset_id),
        (ItemState::Assigned, before + 2_000)
    );
    let request = RetryAssignmentRequest { assignment_id: assignment.id, ..Default::default() };
    app.client.raw().assignments().retry_assignment(request).await.unwrap();
    assert_eq!(bot.delivery().await.give[0].asset_id, before + 2_000);
}

async fn what_steam_rolls_back_of_a_cancelled_promise_is_free(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let before = pool[0].asset.clone().unwrap().asset_id;
    let winner = app.person("winner", Behaviour::IGNORE);
    let assignment = app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let order = bot.offer(1).await;
    let assignment_id = assignment.id.clone();
    let request = CancelAssignmentRequest { assignment_id, ..Default::default() };
    app.client.raw().assignments().cancel_assignment(request).await.unwrap();
    bot.held(&order).await;
    let returned = moved(&order, 1_000, 2_000);
    bot.over(&order.attempt_id, AttemptFailure::Other, returned).await;
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Cancelled);
    let item = app.item(&pool[0].id).await;
    let place = (item.state(), item.asset.clone().unwrap().asset_id);
    assert_eq!(place, (ItemState::Available, before + 2_000));
}
