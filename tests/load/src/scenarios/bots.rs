//! Many bots whose inventories are looked at every five minutes.

use anyhow::Context;
use futures_util::future::try_join_all;
use tokio::time::Instant;

use crate::bench::{Bench, Measured, Spent};
use crate::drive::{Tally, per};
use crate::report::Target;
use crate::session::Session;

/// Bots that are wanted, and how many of them are measured: all have the same to do.
const WANTED: f64 = 200.0;
const BOTS: usize = 20;
/// Assets of each: what a full inventory of a game has.
const ASSETS: u64 = 1_860;
/// Seconds between two looks at an inventory.
const EVERY: f64 = 300.0;
/// Looks that are measured.
const ROUNDS: usize = 5;

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut sessions = Vec::new();
    for _ in 0..BOTS {
        sessions.push(Session::open(&mut bench.stage, ASSETS).await?);
    }
    // The first one adopts everything.
    try_join_all(sessions.iter_mut().map(Session::answer)).await?;
    let (before, began) = (Spent::now(&bench.stage)?, Instant::now());
    let mut tally = Tally::new();
    for _ in 0..ROUNDS {
        for session in &sessions {
            session.order(&bench.stage).await?;
        }
        let took = try_join_all(sessions.iter_mut().map(Session::answer)).await;
        took.context("a round")?.into_iter().for_each(|took| tally.record(took, 1));
    }
    tally.took = began.elapsed();
    let spent = Spent::now(&bench.stage)?.since(before);
    let all = spent.server + spent.database.unwrap_or_default();
    let each = per(all.as_secs_f64(), tally.done() as f64);
    let targets = vec![Target::at_most("% of a core", each * WANTED / EVERY * 100.0, 5.0)];
    let case =
        format!("sync of {ASSETS} assets of each of {BOTS} bots, as of {WANTED} in 5 minutes");
    bench.row(&case, "20", "", &Measured { tally, spent, ceiling: None }, targets)
}
