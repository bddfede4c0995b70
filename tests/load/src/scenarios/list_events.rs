//! `ListEvents` at the start of the log and anywhere in it.

use astro_sdk::v1::ListEventsRequest;

use crate::bench::Bench;
use crate::report::Target;

const CALLERS: usize = 8;
/// Events of a page, and of the pages that lead on.
const PAGE: (i32, i32) = (50, 500);
/// Places that are looked at.
const PLACES: [(&str, f64); 3] = [("a tenth in", 0.1), ("half in", 0.5), ("at nine tenths", 0.9)];

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let time = bench.plan.time / if bench.plan.quick { 1 } else { 2 };
    let page = ListEventsRequest { page_size: PAGE.0, ..Default::default() };
    let first = bench.read(CALLERS, time, vec![page.clone()]).await?;
    let p99 = first.tally.at(0.99);
    let flat = bench.flat("list-events", p99);
    bench.row("from the start", "8", "echo", &first, flat.into_iter().collect())?;
    let mut requests = Vec::new();
    for (name, request) in places(bench, &page).await? {
        requests.push((name, request));
    }
    requests.push(("newest first", ListEventsRequest { newest_first: true, ..page.clone() }));
    for (name, request) in requests {
        let measured = bench.read(CALLERS, time, vec![request]).await?;
        let longer = measured.tally.at(0.99).as_secs_f64() / p99.as_secs_f64();
        let targets = vec![Target::at_most("p99 against the start's", longer, 1.5)];
        bench.row(name, "8", "echo", &measured, targets)?;
    }
    Ok(())
}

/// Pages at these places of the log, which is walked through to find them.
async fn places(
    bench: &Bench,
    page: &ListEventsRequest,
) -> anyhow::Result<Vec<(&'static str, ListEventsRequest)>> {
    let calls = bench.stage.calls(1).await?;
    let mut places = PLACES.iter().peekable();
    let mut found = Vec::new();
    let mut request = ListEventsRequest { page_size: PAGE.1, ..page.clone() };
    let mut passed = 0.0;
    while let Some((name, share)) = places.peek() {
        let answer = calls.call(0, request.clone()).await?;
        if answer.events.is_empty() {
            break;
        }
        passed += answer.events.len() as f64;
        request.resume_token = answer.resume_token;
        if passed >= share * bench.stage.items as f64 {
            let resume_token = request.resume_token.clone();
            found.push((*name, ListEventsRequest { resume_token, ..page.clone() }));
            places.next();
        }
    }
    Ok(found)
}
