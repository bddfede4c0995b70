//! `CreateAssignment` of two items.

use std::sync::Arc;

use astro_sdk::new_request_id;
use astro_sdk::v1::CreateAssignmentRequest;
use astro_tests::{Backend, fill};

use crate::bare::Bare;
use crate::bench::{Bench, Callers, Measured};
use crate::calls::Calls;
use crate::drive::{NOTHING_LEFT, Op, op};
use crate::pool::Pool;
use crate::report::Target;

pub(super) const CALLERS: usize = 64;
/// Items from which on SQLite reads pages that are not in memory.
const LARGE: u64 = 1_000_000;

/// Promises two items to somebody.
pub(super) fn creating(calls: Calls, pool: Arc<Pool>) -> Op {
    op(move |number| {
        let (calls, items) = (calls.clone(), pool.take(2));
        async move {
            let Some(item_ids) = items else { return Err(NOTHING_LEFT.to_owned()) };
            calls.ask(number, request(number, item_ids)).await
        }
    })
}

/// A request for these items.
pub(super) fn request(number: u64, item_ids: Vec<String>) -> CreateAssignmentRequest {
    CreateAssignmentRequest {
        user_id: fill::FIRST_PERSON + number % fill::PEOPLE,
        item_ids,
        assignment_type: "load".to_owned(),
        external_system: "load".to_owned(),
        external_id: format!("e{number}"),
        request_id: new_request_id(),
        ..Default::default()
    }
}

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let pool = Pool::of(&bench.stage, &bench.stage.url)?;
    let op = creating(bench.stage.calls(CALLERS).await?, pool.clone());
    let side = Callers::taking(CALLERS, &pool, op);
    let time = bench.plan.time;
    let measured = match Bare::of(&bench.stage)? {
        Some(bare) => bench.against(&side, &bare, time).await?,
        None => bench.alone(&side, time).await?,
    };
    let targets = targets(bench, &measured);
    bench.row("CreateAssignment of 2 items", "64", "the bare database", &measured, targets)
}

fn targets(bench: &Bench, measured: &Measured) -> Vec<Target> {
    let mut targets = Vec::new();
    if measured.ceiling.is_some() {
        let wanted = match bench.stage.backend {
            Backend::Sqlite if bench.stage.items >= LARGE => 0.5,
            Backend::Sqlite => 0.6,
            Backend::Postgres => 0.8,
        };
        targets.push(Target::at_least("ratio", measured.ratio(), wanted));
    }
    if let Some(database) = measured.database_micros() {
        let all = measured.server_micros() + database;
        targets.push(Target::at_most("µs of server and database", all, 2500.0));
    }
    targets
}
