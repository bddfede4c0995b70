//! Somebody who is refused all the time, beside those who create.

use super::create::{self, CALLERS, creating};
use crate::bench::{Arrivals, Bench, Beside, Callers};
use crate::drive::op;
use crate::pool::Pool;
use crate::report::Target;

/// Refusals a second.
const RATE: f64 = 200.0;
/// An item that is not there.
const NOBODYS: &str = "01a228ce-0000-7000-8000-000000000000";

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let pool = Pool::of(&bench.stage, &bench.stage.url)?;
    let calls = bench.stage.calls(CALLERS).await?;
    let create = creating(calls, pool.clone());
    let refused = {
        let (calls, nobodys) = (bench.stage.calls(1).await?, vec![NOBODYS.to_owned()]);
        op(move |number| {
            let (calls, request) = (calls.clone(), create::request(number, nobodys.clone()));
            async move { calls.ask(number, request).await }
        })
    };
    let alone = Callers::taking(CALLERS, &pool, create.clone());
    let beside = Beside {
        side: Callers::taking(CALLERS, &pool, create),
        other: Arrivals { rate: RATE, op: refused },
    };
    let measured = bench.against(&beside, &alone, bench.plan.time).await?;
    let alone = measured.ceiling.as_ref().map_or(0.0, |(alone, _)| alone.at(0.99).as_secs_f64());
    let longer = measured.tally.at(0.99).as_secs_f64() / alone;
    let targets = vec![Target::at_most("p99 against without", longer, 1.2)];
    let case = "CreateAssignment beside 200 refusals/s";
    bench.row(case, "64", "itself without", &measured, targets)
}
