//! The polls of the trade offers.

use std::time::Duration;

use steam_sim::JournalEntry;

use crate::{
    server::PATIENCE,
    stage::{Stage, start},
};

/// How far back a poll goes, in seconds.
fn reach(entry: &JournalEntry) -> Option<i64> {
    let cutoff: i64 = entry.fields.get("time_historical_cutoff")?.parse().ok()?;
    Some(entry.time_ms / 1000 - cutoff)
}

#[tokio::test(start_paused = true)]
async fn from_time_to_time_a_poll_goes_back_a_day_and_the_others_go_on() {
    let mut stage = Stage::within().await;
    let mut config = stage.config();
    config.pace.full_poll_interval = Duration::from_millis(200);
    let _bot = start(config);
    let (_, _session) = stage.server.session(1, 0).await;
    let is_poll = |entry: &JournalEntry| entry.path.contains("GetTradeOffers/");
    let is_full = |entry: &JournalEntry| is_poll(entry) && reach(entry) >= Some(80_000);
    let first = stage.sim.wait_for_request(is_full, PATIENCE).await.unwrap();
    let later = |entry: &JournalEntry| entry.number > first.number && is_full(entry);
    let second = stage.sim.wait_for_request(later, PATIENCE).await.unwrap();
    let between = stage.sim.journal("GetTradeOffers/").into_iter().filter(|entry| {
        (first.number..second.number).contains(&entry.number) && reach(entry) < Some(4_000)
    });
    assert!(between.count() >= 3, "the short ones go on");
}
