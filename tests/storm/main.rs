//! A storm: many clients on few items, with servers killed and database connections cut. Afterwards
//! every item is in one place, and its events lead to its state.
//!
//! `cargo test -p astro-tests --test storm` takes a minute; `ASTRO_STORM_SECONDS=3600` before it
//! makes that an hour.

#![allow(clippy::print_stdout, reason = "it tells what it did")]

mod clients;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use astro_sdk::v1::{Event, ItemState};
use astro_server::events::verify;
use astro_tests::{App, Backend, SecondServer, fold, postgres, sql};
use tokio::task::JoinSet;
use tokio::time::sleep;

use clients::{Tally, storm};

/// `astro-node`: the server as a process.
const NODE: &str = env!("CARGO_BIN_EXE_astro-node");
/// Clients at once.
const CLIENTS: u64 = 16;
/// Donations, and items in each.
const DONATIONS: usize = 4;
const ITEMS: usize = 50;
/// Between two blows.
const CALM: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_every_item_ends_in_one_place_and_its_events_lead_there() {
    let mut app = App::start_process(Backend::Sqlite, NODE, &[]).await;
    weather(&mut app, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_every_item_ends_in_one_place_and_its_events_lead_there() {
    if postgres::is_available("on_postgres_every_item_ends_in_one_place") {
        let mut app = App::start_process(Backend::Postgres, NODE, &[]).await;
        weather(&mut app, None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_two_servers_every_item_ends_in_one_place_and_its_events_lead_there() {
    if postgres::is_available("on_two_servers_every_item_ends_in_one_place") {
        let mut app = App::start_process(Backend::Postgres, NODE, &[]).await;
        let second = app.second_process(NODE, &[]).await;
        weather(&mut app, Some(second)).await;
    }
}

/// Has the items donated; the bot that takes them leaves again.
async fn fill(app: &App) {
    let bot = app.bot();
    let names: Vec<String> = (0..ITEMS).map(|number| format!("Item {number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for number in 0..DONATIONS {
        app.donate(&format!("donor-{number}"), &names);
    }
    app.available(DONATIONS * ITEMS).await;
    bot.stop().await;
}

async fn weather(app: &mut App, mut second: Option<SecondServer>) {
    fill(app).await;
    let length = std::env::var("ASTRO_STORM_SECONDS").ok().and_then(|text| text.parse().ok());
    let ends = Instant::now() + Duration::from_secs(length.unwrap_or(60));
    let mut running = JoinSet::new();
    for number in 1..=CLIENTS {
        let client = match &second {
            Some(second) if number % 2 == 0 => second.client_with(&app.client_key),
            Some(_) | None => app.client_with(&app.client_key),
        };
        running.spawn(storm(client, number, ends));
    }
    let follower = tokio::spawn(clients::follow(app.client_with(&app.client_key)));
    let mut blows = 0;
    while Instant::now() + CALM < ends {
        sleep(CALM).await;
        blow(app, second.as_mut(), blows).await;
        blows += 1;
    }
    let mut tally = Tally::default();
    while let Some(done) = running.join_next().await {
        tally.add(done.expect("no client meets an answer that must not be"));
    }
    let log = app.events().await;
    check(app, &log).await;
    follower.abort();
    println!("{blows} blows, {} events, {tally}", log.len());
    assert!(tally.done > CLIENTS, "hardly anything was done: {tally}");
}

/// Kills a server, or cuts connections of the database.
async fn blow(app: &mut App, second: Option<&mut SecondServer>, number: usize) {
    match (number % 3, second) {
        (0, _) => app.restart_process(NODE, &[]).await,
        (1, Some(second)) => second.restart_process(app, NODE, &[]).await,
        _ if app.database_url.starts_with("postgres") => {
            let mut conn = sql::open(&app.database_url).expect("the database can be reached");
            let cut = "SELECT CAST(pg_terminate_backend(pid) AS TEXT) AS line FROM \
                       (SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                        AND pid <> pg_backend_pid() ORDER BY random() LIMIT 6) AS picked";
            sql::lines(&mut conn, cut).expect("connections can be cut");
        }
        _ => app.restart_process(NODE, &[]).await,
    }
}

/// Checks that the books, the log and each other's references agree.
async fn check(app: &App, log: &[Event]) {
    let told = fold(log);
    let all: Vec<ItemState> = (1..=10).filter_map(|n| ItemState::try_from(n).ok()).collect();
    let items = app.items(&all).await;
    assert_eq!(items.len(), DONATIONS * ITEMS, "an item was lost or doubled");
    let states: HashMap<String, String> =
        items.iter().map(|item| (item.id.clone(), word(item.state()))).collect();
    assert_eq!(told, states);
    let mut conn = sql::open(&app.database_url).expect("the database can be reached");
    let open = "SELECT i.state AS line FROM items AS i WHERE (i.state = 'ASSIGNED') <> \
                ((SELECT count(*) FROM assignment_items AS a JOIN assignments AS s \
                  ON s.id = a.assignment_id WHERE a.item_id = i.id AND s.state = 'QUEUED') = 1)";
    assert_eq!(sql::lines(&mut conn, open).expect("the items can be read"), [""; 0]);
    let held = "SELECT i.state AS line FROM items AS i WHERE (i.state = 'RESERVED') <> \
                EXISTS (SELECT 1 FROM reservations AS r WHERE r.id = i.reservation_id \
                  AND r.state = 'HELD')";
    assert_eq!(sql::lines(&mut conn, held).expect("the items can be read"), [""; 0]);
    assert_eq!(verify(&mut conn).expect("the log can be read"), []);
}

fn word(state: ItemState) -> String {
    state.as_str_name().trim_start_matches("ITEM_STATE_").to_owned()
}
