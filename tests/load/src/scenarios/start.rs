//! What a start takes, and what a server has that does nothing.

use std::time::Duration;

use crate::bench::{Bench, Measured, Spent};
use crate::drive::Tally;
use crate::report::Target;

/// Starts that are measured.
const STARTS: usize = 5;
/// Time after which a server is idle.
const IDLE: Duration = Duration::from_secs(2);

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut tally = Tally::new();
    for _ in 0..if bench.plan.quick { 1 } else { STARTS } {
        bench.stage.restart().await?;
        tally.record(bench.stage.started_in, 1);
        tally.took += bench.stage.started_in;
    }
    tokio::time::sleep(IDLE).await;
    let (_, idle) = bench.stage.server()?.memory();
    let targets = vec![
        Target::at_most("seconds", tally.at(0.5).as_secs_f64(), 0.3),
        Target::at_most("idle MiB", idle as f64 / f64::from(1 << 20), 25.0),
    ];
    let spent = Spent::now(&bench.stage)?;
    let measured = Measured { tally, spent, ceiling: None };
    bench.row("start", "1", "", &measured, targets)
}
