//! A caller that comes back fifty times a second, beside searches that find nothing.

use std::sync::Arc;

use astro_sdk::v1::{ItemFilter, ListItemsRequest};

use super::get_item;
use crate::bench::{Arrivals, Bench, Beside, Callers, ask};
use crate::report::Target;

/// Calls a second.
const RATE: f64 = 50.0;
const SEARCHES: usize = 10;

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let requests = Arc::new(get_item::requests(bench)?);
    let get = ask(bench.stage.calls(1).await?, requests);
    let filter = ItemFilter { text: "no such thing".to_owned(), ..Default::default() };
    let search = ListItemsRequest { filter: Some(filter), page_size: 50, ..Default::default() };
    let search = ask(bench.stage.calls(SEARCHES).await?, Arc::new(vec![search]));
    let alone = Arrivals { rate: RATE, op: get.clone() };
    let beside =
        Beside { side: Arrivals { rate: RATE, op: get }, other: Callers::new(SEARCHES, search) };
    let measured = bench.against(&beside, &alone, bench.plan.time).await?;
    let alone = measured.ceiling.as_ref().map_or(0.0, |(alone, _)| alone.at(0.99).as_secs_f64());
    let longer = measured.tally.at(0.99).as_secs_f64() / alone;
    let targets = vec![Target::at_most("p99 against alone", longer, 2.0)];
    bench.row("GetItem, 50/s, beside ten searches", "50/s", "itself alone", &measured, targets)
}
