//! Prints how long after a change its followers hear of it: those of the same server, and those of
//! another one on the same database. `cargo run --release -p astro-tests --example follow`

#![allow(clippy::print_stdout, reason = "it is a command")]

use std::pin::pin;
use std::time::{Duration, Instant};

use astro_sdk::Client;
use astro_sdk::v1::{SetTradeUrlRequest, WatchEventsRequest};
use astro_tests::{App, Backend, postgres};
use futures_util::StreamExt;
use steam_sim::Behaviour;
use tokio::sync::oneshot;

/// Changes, and the pause between two of them.
const CHANGES: usize = 500;
const PAUSE: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() {
    measure("SQLite", Backend::Sqlite).await;
    if postgres::is_available("PostgreSQL") {
        measure("PostgreSQL", Backend::Postgres).await;
    }
}

async fn measure(name: &str, backend: Backend) {
    let app = App::start(backend).await;
    let second = app.second_server().await;
    let mut made = Vec::new();
    let own = follow(app.client_with(&app.client_key)).await;
    let other = follow(second.client_with(&app.client_key)).await;
    let people: Vec<_> =
        (0..CHANGES).map(|n| app.person(&format!("p{n}"), Behaviour::IGNORE)).collect();
    let mut tick = tokio::time::interval(PAUSE);
    for person in people {
        tick.tick().await;
        let request = SetTradeUrlRequest { trade_url: person.trade_url(), ..Default::default() };
        app.client.raw().users().set_trade_url(request).await.expect("the server takes it");
        made.push(Instant::now());
    }
    for (who, heard) in [("same server", own), ("another server", other)] {
        let heard = heard.await.expect("the watch goes on");
        let mut late: Vec<Duration> =
            heard.iter().zip(made.iter()).map(|(h, m)| h.saturating_duration_since(*m)).collect();
        late.sort();
        let at = |part: usize| late[(late.len() - 1) * part / 100].as_secs_f64() * 1e3;
        println!("{name}, {who}: p50 {:.1} ms, p99 {:.1} ms after the answer", at(50), at(99));
    }
}

/// Follows the log; the moments at which the changes were heard of.
async fn follow(client: Client) -> oneshot::Receiver<Vec<Instant>> {
    let (tell, told) = oneshot::channel();
    let (ready, is_ready) = oneshot::channel();
    tokio::spawn(async move {
        let request =
            WatchEventsRequest { types: vec!["user.met".to_owned()], ..Default::default() };
        let mut watch = pin!(client.events().watch(request));
        let _ = ready.send(());
        let mut heard = Vec::new();
        while heard.len() < CHANGES {
            let Some(Ok(_)) = watch.next().await else { return };
            heard.push(Instant::now());
        }
        let _ = tell.send(heard);
    });
    let _ = is_ready.await;
    // The server begins with what comes after its first message; this is far more than that takes.
    tokio::time::sleep(Duration::from_millis(500)).await;
    told
}
