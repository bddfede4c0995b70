//! The server's side of a bot's session, with a bot that says what the test wants.

use std::time::Duration;

use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::{
    AttemptDelivered, AttemptPhase, AttemptSent, InventoryChunk, OfferAnswered, OfferOutcome,
    SteamStatus, TradeOutcome, TradeSeen, TradesSeen, bot_event::Event,
};
use astro_sdk::new_request_id;
use astro_sdk::v1::{
    AssignmentState, Discrepancy, DiscrepancyKind, EventSeverity, ItemState, ListBotsRequest,
    SyncState,
};
use astro_tests::{App, Backend, on_each_database};
use prost_types::Timestamp;
use steam_sim::Behaviour;

use crate::donations::{DONOR, offered, told, took, trade};
use crate::puppet::Puppet;
use crate::world::{open_discrepancies, sync_over};

on_each_database!(
    a_report_that_cannot_be_recorded_holds_up_no_other,
    a_bot_that_is_not_on_steam_is_given_nothing_to_deliver,
    a_question_asked_twice_is_answered_with_no_and_the_offer_looked_for,
    a_refused_report_is_a_difference_and_is_asked_for_again,
    a_refused_answer_to_a_donation_is_asked_for_again,
    a_trade_that_cannot_be_recorded_keeps_no_other_from_it,
    an_inventory_that_cannot_be_used_fails_its_run_and_no_session,
    a_worker_with_an_older_session_changes_nothing,
    the_end_of_a_login_is_shown_and_told_two_weeks_before,
);

async fn a_report_that_cannot_be_recorded_holds_up_no_other(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, false).await.unwrap();
    let attempt_id = new_request_id();
    let trade_offer_id = "123".to_owned();
    bot.report(Event::AttemptSent(AttemptSent { attempt_id, trade_offer_id })).await;
    bot.status("rate_limited").await;
    bot.committed().await.unwrap();
    let log = app.events().await;
    let told: Vec<&str> = log.iter().map(|event| event.event_type.as_str()).collect();
    assert!(told.contains(&"bot.event_refused"), "{told:?}");
    assert!(told.contains(&"bot.steam_status"), "{told:?}");
}

async fn a_bot_that_is_not_on_steam_is_given_nothing_to_deliver(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("needs_operator").await;
    bot.committed().await.unwrap();
    let assignment = app.assign(&pool, &winner).await;
    // Whatever orders a sync has looked for deliveries before.
    bot.next_sync(&app).await;
    assert_eq!(app.assignment(&assignment.id).await.delivery_attempts, 0);
    bot.status("online").await;
    bot.attempt().await;
    assert_eq!(app.assignment(&assignment.id).await.delivery_attempts, 1);
}

async fn a_question_asked_twice_is_answered_with_no_and_the_offer_looked_for(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let attempt_id = bot.attempt().await;
    for expected in [true, false] {
        assert_eq!(bot.ask(&attempt_id).await, expected);
    }
    // A bot drops what it may not send.
    let again = bot.delivery().await;
    assert_eq!((again.phase(), again.attempt_id), (AttemptPhase::Started, attempt_id));
    assert!(again.start_age.is_some());
}

/// The open difference about a report that was refused.
async fn refused(app: &App) -> Discrepancy {
    let mut rows = open_discrepancies(app).await;
    assert_eq!((rows.len(), rows[0].kind()), (1, DiscrepancyKind::ReportRefused), "{rows:?}");
    rows.remove(0)
}

async fn a_refused_report_is_a_difference_and_is_asked_for_again(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let order = bot.offer(1).await;
    let attempt_id = order.attempt_id.clone();
    let malformed = AttemptDelivered { attempt_id, trade_id: "x".to_owned(), ..Default::default() };
    for wait in [11, 21] {
        bot.report(Event::AttemptDelivered(malformed.clone())).await;
        bot.committed().await.unwrap();
        let row = refused(&app).await;
        assert_eq!((&row.assignment_id, &row.item_id), (&assignment.id, &pool[0].id));
        assert_eq!((row.user_id, &row.bot_id), (winner.steam_id.0, &app.bot_id));
        assert!(row.item_name.contains("trade_offer_id"), "{}", row.item_name);
        assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Offered);
        bot.wait(&app, Duration::from_secs(wait)).await;
        let again = bot.delivery().await;
        assert_eq!((again.phase(), &again.attempt_id), (AttemptPhase::Offered, &order.attempt_id));
    }
    bot.accepted(&order, 77, 1_000_000, None).await;
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Settled);
    assert!(open_discrepancies(&app).await.is_empty());
    assert_eq!(told(&app, "sync.discrepancy_found").await[0].severity(), EventSeverity::Error);
    assert_eq!(told(&app, "sync.discrepancy_resolved").await.len(), 1);
}

async fn a_refused_answer_to_a_donation_is_asked_for_again(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    offered(&mut bot, 1, DONOR, 1..=1).await;
    assert_eq!(bot.answer().await, "1");
    let mut malformed = OfferAnswered { trade_offer_id: "1".to_owned(), ..Default::default() };
    malformed.set_outcome(OfferOutcome::Accepted);
    bot.report(Event::OfferAnswered(malformed)).await;
    bot.committed().await.unwrap();
    assert_eq!(refused(&app).await.user_id, DONOR);
    bot.wait(&app, Duration::from_secs(11)).await;
    assert_eq!(bot.answer().await, "1");
    took(&mut bot, (1, 11), 1..=1, None).await;
    assert!(open_discrepancies(&app).await.is_empty());
    assert_eq!(app.items(&[]).await.len(), 1);
}

async fn a_trade_that_cannot_be_recorded_keeps_no_other_from_it(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    offered(&mut bot, 1, DONOR, 1..=1).await;
    took(&mut bot, (1, 11), 1..=1, None).await;
    let seen = async |bot: &mut Puppet, trades: Vec<TradeSeen>| {
        bot.report(Event::TradesSeen(TradesSeen { trades })).await;
        bot.committed().await.unwrap();
    };
    let bad = trade(88, TradeOutcome::Unspecified);
    seen(&mut bot, vec![bad, trade(11, TradeOutcome::Reversed)]).await;
    assert_eq!(app.items(&[ItemState::Withdrawn]).await.len(), 1, "the donor has it again");
    let row = refused(&app).await;
    assert!(row.item_name.contains("outcome"), "{}", row.item_name);
    assert_eq!(row.user_id, DONOR);
    // What is told of others says nothing about it.
    seen(&mut bot, vec![trade(89, TradeOutcome::Complete)]).await;
    assert_eq!(refused(&app).await.id, row.id);
    seen(&mut bot, vec![trade(88, TradeOutcome::Complete)]).await;
    assert!(open_discrepancies(&app).await.is_empty());
}

async fn an_inventory_that_cannot_be_used_fails_its_run_and_no_session(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let sync_id = bot.sync().await;
    // The first chunk never came.
    let chunk = InventoryChunk { sync_id: sync_id.clone(), index: 1, ..Default::default() };
    bot.send(Frame::Inventory(chunk)).await;
    let run = sync_over(&app, &sync_id).await;
    assert_eq!(run.state(), SyncState::Failed);
    assert!(run.error_message.contains("chunk 1 came instead of 0"), "{}", run.error_message);
    let next = bot.lists_anew(&app, &app.bot_id, &[1]).await;
    assert_eq!((next.state(), next.items_added_count), (SyncState::Succeeded, 1));
}

async fn a_worker_with_an_older_session_changes_nothing(backend: Backend) {
    let app = App::start(backend).await;
    let mut old = Puppet::connect(&app, false).await.unwrap();
    let refused = Puppet::connect(&app, false).await.err().unwrap();
    assert_eq!(refused.reason, "BOT_LEASE_HELD", "{refused}");
    let mut new = Puppet::connect(&app, true).await.unwrap();
    old.status("rate_limited").await;
    let lost = old.committed().await.unwrap_err();
    assert_eq!(lost.reason, "BOT_LEASE_LOST", "{lost}");
    new.status("online").await;
    new.committed().await.unwrap();
    let log = app.events().await;
    let told = log.iter().filter(|event| event.event_type == "bot.steam_status").count();
    assert_eq!(told, 1, "only what the new session reported");
}

async fn the_end_of_a_login_is_shown_and_told_two_weeks_before(backend: Backend) {
    const DAY: Duration = Duration::from_secs(86_400);
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let end = |days: u32| {
        let micros = app.clock.now().plus(DAY * days).micros();
        Timestamp { seconds: micros.div_euclid(1_000_000), nanos: 0 }
    };
    let shown = async || {
        let answer = app.client.raw().bots().list_bots(ListBotsRequest::default()).await.unwrap();
        let bot = answer.into_inner().bots.remove(0);
        (bot.steam_status, bot.steam_token_expire_time)
    };
    let report = |refresh_token_expire_time| {
        let status = "maintenance".to_owned();
        Event::SteamStatus(SteamStatus { status, refresh_token_expire_time, ..Default::default() })
    };
    let first = Some(end(20));
    bot.report(report(first)).await;
    // A worker that does not know it takes nothing back.
    bot.report(report(None)).await;
    bot.committed().await.unwrap();
    assert_eq!(shown().await, ("maintenance".to_owned(), first));
    assert!(told(&app, "bot.steam_token_expires").await.is_empty());
    app.clock.advance(DAY * 7);
    let warned =
        app.until("the warning", async || told(&app, "bot.steam_token_expires").await.pop());
    let warning = warned.await;
    assert_eq!((warning.severity(), &warning.bot_id), (EventSeverity::Warning, &app.bot_id));
    bot.report(report(first)).await;
    // Somebody logged in, but not for long.
    let next = Some(end(3));
    bot.report(report(next)).await;
    bot.committed().await.unwrap();
    assert_eq!(told(&app, "bot.steam_token_expires").await.len(), 2);
    assert_eq!(shown().await.1, next);
}
