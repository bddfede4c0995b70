//! A long mixed load, and what it leaves in memory.

use std::sync::Arc;
use std::time::Duration;

use astro_sdk::v1::{ListEventsRequest, ListItemsRequest};

use super::{get_item, reserve};
use crate::bench::{Bench, Callers, Measured, Side, Spent, ask};
use crate::drive::{Tally, op};
use crate::report::Target;

/// The others' time, so often: an hour of `--seconds 300`.
const TIMES: u32 = 12;
/// Looks at the memory.
const LOOKS: u32 = 24;
const CALLERS: usize = 8;

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let calls = bench.stage.calls(CALLERS).await?;
    let get = ask(calls.clone(), Arc::new(get_item::requests(bench)?));
    let list = ListItemsRequest { page_size: 50, ..Default::default() };
    let list = ask(calls.clone(), Arc::new(vec![list]));
    let events = ListEventsRequest { page_size: 50, newest_first: true, ..Default::default() };
    let events = ask(calls.clone(), Arc::new(vec![events]));
    let cycle = reserve::cycling(calls, bench.stage.org_id.clone());
    let mixed = op(move |number| match number % 10 {
        0..=4 => get(number),
        5 | 6 => list(number),
        7 => events(number),
        _ => cycle(number),
    });
    let side = Callers::new(CALLERS, mixed);
    let (mut tally, before) = (Tally::new(), Spent::now(&bench.stage)?);
    let time = bench.plan.time * TIMES / LOOKS;
    let mut memory = Vec::new();
    for _ in 0..LOOKS {
        tally.append(&side.run(time).await?);
        memory.push(bench.stage.server()?.memory().1 as f64 / f64::from(1 << 20));
    }
    let spent = Spent::now(&bench.stage)?.since(before);
    let last = memory[memory.len() - 1];
    let hour = slope(&memory[memory.len() / 2..]) * 3600.0 / time.as_secs_f64();
    let targets = vec![
        Target::at_most("MiB at the end", last, 200.0),
        Target::at_most("MiB more in an hour, by the second half", hour, 10.0),
    ];
    let took = Duration::as_secs(&(bench.plan.time * TIMES));
    let case = format!("mixed load for {took} s");
    bench.row(&case, "8", "", &Measured { tally, spent, ceiling: None }, targets)
}

/// By how much the values grow from one to the next, by least squares.
fn slope(values: &[f64]) -> f64 {
    let number = values.len() as f64;
    let (middle, mean) = ((number - 1.0) / 2.0, values.iter().sum::<f64>() / number);
    let apart = |at: usize| at as f64 - middle;
    let along: f64 = values.iter().enumerate().map(|(at, value)| apart(at) * (value - mean)).sum();
    along / (0..values.len()).map(|at| apart(at).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_evenly_is_told_by_how_much() {
        assert!((slope(&[3.0, 5.0, 7.0, 9.0]) - 2.0).abs() < 1e-9);
        assert!(slope(&[4.0, 4.0, 4.0]).abs() < 1e-9);
    }
}
