//! A hundred callers want the same item at once.

use std::time::Instant;

use anyhow::ensure;
use futures_util::future::join_all;

use super::{create, get_item};
use crate::bench::{Bench, Measured, Spent};
use crate::drive::{Tally, per};
use crate::pool::Pool;
use crate::report::Target;

const CALLERS: u64 = 100;
/// Connections that they share.
const CONNECTIONS: usize = 4;

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let pool = Pool::of(&bench.stage, &bench.stage.url)?;
    let calls = bench.stage.calls(CONNECTIONS).await?;
    let requests = get_item::requests(bench)?;
    let get = bench.read(64, bench.plan.time / 2, requests).await?;
    let (mut won, mut lost) = (Tally::new(), Tally::new());
    let (before, began) = (Spent::now(&bench.stage)?, Instant::now());
    let mut round = 0;
    while began.elapsed() < bench.plan.time {
        let Some(item) = pool.take(1) else { break };
        let callers = (0..CALLERS).map(|caller| {
            let request = create::request(1_000_000_000 + round * CALLERS + caller, item.clone());
            let calls = calls.clone();
            // Each is a task of its own, or they would all wait for whoever is asked first.
            tokio::spawn(async move {
                let since = Instant::now();
                let won = calls.ask(caller, request).await;
                (won, since.elapsed())
            })
        });
        let mut winners = 0;
        for outcome in join_all(callers).await {
            match outcome? {
                (Ok(()), latency) => {
                    winners += 1;
                    won.record(latency, 1);
                }
                (Err(code), latency) => {
                    lost.record(latency, 1);
                    won.fail(code);
                }
            }
        }
        ensure!(winners == 1, "{winners} callers got the same item");
        round += 1;
    }
    won.took = began.elapsed();
    lost.took = won.took;
    let spent = Spent::now(&bench.stage)?.since(before);
    let longer = per(lost.at(0.99).as_secs_f64(), won.at(0.99).as_secs_f64());
    let targets = vec![
        Target::at_most("losers' p99 against the winners'", longer, 2.0),
        Target::at_least(
            "refusals against GetItem's rate",
            per(lost.rate(), get.tally.rate()),
            0.3,
        ),
    ];
    let measured = Measured { tally: won, spent, ceiling: None };
    bench.row("the same item: winners", "100", "", &measured, targets)?;
    let measured = Measured { tally: lost, spent, ceiling: None };
    bench.row("the same item: losers", "100", "", &measured, Vec::new())
}
