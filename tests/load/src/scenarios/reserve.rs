//! `ReserveItems` by filter, and what a giveaway does: reserve, assign, cancel.

use astro_sdk::new_request_id;
use astro_sdk::v1::{
    CancelAssignmentRequest, CreateAssignmentRequest, ItemFilter, ReserveItemsRequest,
};

use super::create::{self, CALLERS};
use crate::bench::{Bench, Callers};
use crate::calls::{Calls, code};
use crate::drive::{Op, op};
use crate::pool::Pool;
use crate::report::Target;

/// Kinds of items that there are.
const KINDS: u64 = 50;

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let pool = Pool::of(&bench.stage, &bench.stage.url)?;
    let create = create::creating(bench.stage.calls(CALLERS).await?, pool.clone());
    let create = Callers::taking(CALLERS, &pool, create);
    let calls = bench.stage.calls(CALLERS).await?;
    let org = bench.stage.org_id.clone();
    let time = bench.plan.time;

    let reserve = Callers::taking(CALLERS, &pool, reserving(calls.clone(), org.clone()));
    let measured = bench.against(&reserve, &create, time).await?;
    let targets = vec![Target::at_least("ratio", measured.ratio(), 0.8)];
    bench.row("ReserveItems by kind, 2 items", "64", "CreateAssignment", &measured, targets)?;

    let cycle = Callers::taking(CALLERS, &pool, cycling(calls, org));
    let measured = bench.against(&cycle, &create, time).await?;
    let targets = vec![Target::at_least("ratio", measured.ratio(), 0.3)];
    bench.row("reserve, assign, cancel", "64", "CreateAssignment", &measured, targets)
}

fn reserve(number: u64, org_id: &str) -> ReserveItemsRequest {
    let kind = format!("Key {}", number % KINDS);
    let filter = ItemFilter { market_hash_names: vec![kind], ..Default::default() };
    ReserveItemsRequest {
        org_id: org_id.to_owned(),
        filter: Some(filter),
        count: 2,
        request_id: new_request_id(),
        ..Default::default()
    }
}

/// Holds two items of a kind.
pub(super) fn reserving(calls: Calls, org: String) -> Op {
    op(move |number| {
        let (calls, request) = (calls.clone(), reserve(number, &org));
        async move { calls.ask(number, request).await }
    })
}

/// Holds two items, promises them and takes the promise back.
pub(super) fn cycling(calls: Calls, org: String) -> Op {
    op(move |number| {
        let (calls, request) = (calls.clone(), reserve(number, &org));
        async move {
            let held = calls.call(number, request).await.map_err(|status| code(&status))?;
            let reservation_id = held.reservation.unwrap_or_default().id;
            let request =
                CreateAssignmentRequest { reservation_id, ..create::request(number, Vec::new()) };
            let made = calls.call(number, request).await.map_err(|status| code(&status))?;
            let cancel = CancelAssignmentRequest {
                assignment_id: made.assignment.unwrap_or_default().id,
                request_id: new_request_id(),
                ..Default::default()
            };
            calls.ask(number, cancel).await
        }
    })
}
