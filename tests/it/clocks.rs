//! A clock that ran ahead and was set right keeps nobody waiting for its time.

use std::time::Duration;

use astro_sdk::bot::v1::AttemptFailure;
use astro_sdk::v1::*;
use astro_server::db::Engine;
use astro_server::kernel::Timestamp;
use astro_tests::{App, Backend, on_each_database, sql};
use steam_sim::Behaviour;

use crate::donations::{fact, told};
use crate::puppet::Puppet;

on_each_database!(
    a_lease_that_a_clock_ahead_wrote_keeps_no_worker_out,
    a_delivery_that_a_clock_ahead_put_off_is_tried_again,
    a_reservation_that_a_clock_ahead_made_ends_after_its_own_time,
    a_sync_of_a_clock_ahead_holds_up_no_other,
    a_delivery_that_a_server_ahead_of_another_put_off_is_tried_by_the_other,
);

/// How far the clock ran ahead.
const AHEAD: Duration = Duration::from_secs(10 * 86_400);

/// A moment as the database writes it.
fn literal(conn: &Engine, at: Timestamp) -> String {
    match conn {
        Engine::Postgres(_) => format!("'{}'", at.0.to_rfc3339()),
        Engine::Sqlite(_) => at.micros().to_string(),
    }
}

async fn a_lease_that_a_clock_ahead_wrote_keeps_no_worker_out(backend: Backend) {
    let app = App::start(backend).await;
    // A server whose clock was ahead wrote it and died.
    let mut conn = sql::open(&app.database_url).unwrap();
    let seen = app.clock.now().plus(AHEAD);
    let end = seen.plus(Duration::from_secs(9));
    let (seen, end) = (literal(&conn, seen), literal(&conn, end));
    let lease = format!(
        "UPDATE bots SET lease_epoch = 1, lease_holder = 'gone', lease_expires_at = {end}, \
         last_seen_at = {seen}"
    );
    sql::run(&mut conn, &lease).unwrap();
    let mut bot = Puppet::connect(&app, false).await.expect("nobody has the session");
    bot.status("online").await;
    bot.committed().await.unwrap();
    // A lease of the present keeps others out.
    let refused = Puppet::connect(&app, false).await.err().unwrap();
    assert_eq!(refused.reason, "BOT_LEASE_HELD");
}

async fn a_delivery_that_a_clock_ahead_put_off_is_tried_again(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    app.clock.advance(AHEAD);
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let attempt = bot.attempt().await;
    bot.ended(&attempt, AttemptFailure::SteamUnavailable).await;
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Queued);
    app.clock.turn_back(AHEAD);
    assert_ne!(bot.attempt().await, attempt);
}

/// Two servers on one database; the clock of the first is ahead.
async fn a_delivery_that_a_server_ahead_of_another_put_off_is_tried_by_the_other(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let second = app.second_process(crate::NODE, &[]).await;
    app.clock.advance(Duration::from_secs(3600));
    let winner = app.person("winner", Behaviour::ACCEPT);
    app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let attempt = bot.attempt().await;
    bot.ended(&attempt, AttemptFailure::SteamUnavailable).await;
    app.bot_relay.lead_to(second.address());
    let mut bot = Puppet::connect(&app, false).await.expect("a lease from the future is none");
    assert_ne!(bot.attempt().await, attempt);
    second.stop().await;
}

async fn a_reservation_that_a_clock_ahead_made_ends_after_its_own_time(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    app.clock.advance(AHEAD);
    let ttl = Duration::from_secs(600);
    let request = ReserveItemsRequest {
        item_ids: vec![pool[0].id.clone()],
        ttl_seconds: 600,
        ..Default::default()
    };
    let answer = app.client.raw().items().reserve_items(request).await.unwrap();
    let reserved = answer.into_inner();
    app.clock.turn_back(AHEAD);
    let corrected = app.until("the reservation to be pulled back", async || {
        told(&app, "item.reservation_corrected").await.pop()
    });
    assert_eq!(fact(&corrected.await, "reservation_id"), reserved.reservation.unwrap().id);
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Reserved, "its time is not over");
    app.clock.advance(ttl * 2);
    app.available(1).await;
}

async fn a_sync_of_a_clock_ahead_holds_up_no_other(backend: Backend) {
    let app = App::start(backend).await;
    app.clock.advance(AHEAD);
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let ahead = bot.lists(&app, &[1]).await;
    assert_eq!(ahead.state(), SyncState::Succeeded);
    app.clock.turn_back(AHEAD);
    // By its schedule, and what it shows is believed.
    let next = bot.lists(&app, &[]).await;
    assert_eq!((next.state(), &*next.trigger), (SyncState::Succeeded, "schedule"));
    app.clock.advance(Duration::from_secs(90));
    bot.lists_anew(&app, &app.bot_id, &[]).await;
    assert_eq!(app.items(&[]).await[0].state(), ItemState::Missing);
    // One that it began and never ended is given up.
    // Further than before, or the run of that time would still be a new one.
    app.clock.advance(AHEAD * 2);
    bot.sync().await;
    app.clock.turn_back(AHEAD * 2);
    let given_up =
        app.until("the run to be given up", async || told(&app, "sync.failed").await.pop());
    given_up.await;
    bot.lists_anew(&app, &app.bot_id, &[1]).await;
    assert_eq!(app.items(&[]).await[0].state(), ItemState::Available);
}
