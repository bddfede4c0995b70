//! Server and bot die at their worst moments, and the next ones make good.

use astro_sdk::v1::ListAssignmentsRequest;
use astro_sdk::{Code, Error};
use astro_tests::{App, Backend, Node, on_each_database};
use steam_sim::{Behaviour, Matcher, OfferState};

use crate::NODE;

on_each_database!(
    a_server_that_dies_before_its_answer_gives_it_when_asked_again,
    a_server_that_dies_while_the_bot_reports_hears_the_report_again,
    a_bot_that_dies_anywhere_in_a_delivery_is_followed_by_one_that_delivers_once,
    a_bot_that_dies_after_taking_a_donation_is_followed_by_one_that_reports_it,
);

async fn a_server_that_dies_before_its_answer_gives_it_when_asked_again(backend: Backend) {
    let crash = ["--crash-at", "CreateAssignment"];
    let mut app = App::start_process(backend, NODE, &crash).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let request = app.prize(&pool, &winner);
    let lost = app.client.raw().assignments().create_assignment(request.clone()).await;
    assert_eq!(lost.map_err(Error::from).unwrap_err().code, Code::Unavailable);
    assert!(!app.node().ended().await.unwrap().success());

    app.restart_process(NODE, &[]).await;
    let listed = ListAssignmentsRequest::default();
    let made = app.client.raw().assignments().list_assignments(listed.clone()).await.unwrap();
    let made = made.into_inner().assignments;
    assert_eq!(made.len(), 1, "it was committed before the crash");
    let answer = app.client.raw().assignments().create_assignment(request).await.unwrap();
    assert_eq!(answer.into_inner().assignment.unwrap(), made[0], "the kept answer");
    let now = app.client.raw().assignments().list_assignments(listed).await.unwrap().into_inner();
    assert_eq!(now.assignments.len(), 1);

    let bot = app.bot();
    app.delivered_with_retries(&made[0].id).await;
    bot.stop().await;
    assert_eq!(app.belongings(&winner), ["Item 1"]);
    app.audit();
}

async fn a_server_that_dies_while_the_bot_reports_hears_the_report_again(backend: Backend) {
    let mut app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    // Each server dies after it has committed one report and before it acknowledges it.
    app.restart_process(NODE, &["--crash-at", "after-event"]).await;
    let bot = app.bot();
    for _ in 0..3 {
        assert!(!app.node().ended().await.unwrap().success());
        app.restart_process(NODE, &["--crash-at", "after-event"]).await;
    }
    app.restart_process(NODE, &[]).await;
    app.delivered_with_retries(&assignment.id).await;
    bot.stop().await;
    delivered_once(&app, &winner);
}

async fn a_bot_that_dies_anywhere_in_a_delivery_is_followed_by_one_that_delivers_once(
    backend: Backend,
) {
    let app = App::start(backend).await;
    for point in ["before-send", "after-send", "after-confirm"] {
        let pool = app.pool_of(1).await;
        let winner = app.person(&format!("winner {point}"), Behaviour::ACCEPT);
        let assignment = app.assign(&pool, &winner).await;
        let mut bot = app.bot_process(NODE, point);
        assert!(!bot.ended().await.unwrap().success(), "{point}");
        let bot = app.bot();
        app.delivered_with_retries(&assignment.id).await;
        bot.stop().await;
        delivered_once(&app, &winner);
    }
    killed_with_the_answer_on_its_way(&app).await;
}

/// No place of the bot's choosing: killed from outside, while Steam's answer is under way.
async fn killed_with_the_answer_on_its_way(app: &App) {
    let pool = app.pool_of(1).await;
    let winner = app.person("winner killed", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let gate = app.sim.hold(Matcher::path("/tradeoffer/new/send"));
    let bot: Node = app.bot_process(NODE, "nowhere");
    gate.wait_until_held().await;
    bot.kill().await.unwrap();
    gate.release();
    let bot = app.bot();
    app.delivered_with_retries(&assignment.id).await;
    bot.stop().await;
    delivered_once(app, &winner);
}

async fn a_bot_that_dies_after_taking_a_donation_is_followed_by_one_that_reports_it(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let mut bot = app.bot_process(NODE, "after-accept");
    let (donor, _) = app.donate("donor", &["Key", "Hat"]);
    assert!(!bot.ended().await.unwrap().success());
    assert!(app.belongings(&donor).is_empty(), "Steam has moved the items");
    let bot = app.bot();
    let pool = app.available(2).await;
    bot.stop().await;
    assert_eq!(pool.len(), 2);
    assert!(pool.iter().all(|item| item.received_from_user_id == donor.steam_id.0));
    assert_eq!(app.belongings(&app.bot_account), ["Hat", "Key"]);
    app.audit();
}

/// One offer of the bot's reached the winner, who has one item.
fn delivered_once(app: &App, winner: &steam_sim::Account) {
    let books = app.sim.books();
    let offers = books.offers_from(app.bot_account.steam_id);
    let states: Vec<OfferState> =
        offers.filter(|offer| offer.to == winner.steam_id).map(|offer| offer.state).collect();
    assert_eq!(states, [OfferState::Accepted], "{}", winner.name);
    assert_eq!(app.belongings(winner).len(), 1, "{}", winner.name);
    app.audit();
}
