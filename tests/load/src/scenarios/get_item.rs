//! `GetItem`, one caller and many.

use astro_sdk::v1::GetItemRequest;
use astro_tests::Backend;

use crate::bench::{Bench, Measured};
use crate::report::Target;

/// Items that are asked for.
const IDS: u64 = 20_000;

pub(super) fn requests(bench: &Bench) -> anyhow::Result<Vec<GetItemRequest>> {
    let ids = bench.stage.item_ids(IDS)?;
    Ok(ids.into_iter().map(|item_id| GetItemRequest { item_id }).collect())
}

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let requests = requests(bench)?;
    let time = bench.plan.time;
    let one = bench.read(1, time, requests.clone()).await?;
    let half = Target::at_least("ratio", one.ratio(), 0.5);
    bench.row("GetItem", "1", "echo", &one, vec![half])?;
    let many = bench.read(64, time, requests).await?;
    let targets = of_many(bench.stage.backend, &many);
    bench.row("GetItem", "64", "echo", &many, targets)
}

fn of_many(backend: Backend, many: &Measured) -> Vec<Target> {
    let (ratio, micros) = match backend {
        Backend::Sqlite => (0.45, 120.0),
        Backend::Postgres => (0.3, 150.0),
    };
    vec![
        Target::at_least("ratio", many.ratio(), ratio),
        Target::at_most("server µs", many.server_micros(), micros),
    ]
}
