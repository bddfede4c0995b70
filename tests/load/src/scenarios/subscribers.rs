//! A thousand subscribers of the log, and what they hear when.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use astro_sdk::v1::{WatchEventsRequest, WatchEventsResponse};
use astro_server::kernel::Clock;
use bytes::Bytes;
use tokio::task::JoinSet;

use super::reserve;
use crate::bench::{Arrivals, Bench, Callers, Measured, Side, Spent};
use crate::calls::Calls;
use crate::drive::{Tally, per};
use crate::pool::Pool;
use crate::report::Target;

/// Subscribers, and how many have a key and a connection in common.
const SUBSCRIBERS: usize = 1_000;
const PER_KEY: usize = 100;
/// One of so many reads its events whole, and tells how late they were; the others count them, since
/// a thousand that read would take more of the machine than the server.
const WHOLE: usize = 20;
/// Changes a second; each reserves two items.
const CHANGES: f64 = 50.0;
/// The events of that, alone: what else happens is told to some before others have subscribed.
const EVENTS: &str = "item.reserved";
/// Callers that change as much as they can.
const FLAT_OUT: usize = 16;
/// Longest wait for what is under way; how often that is looked at, and the silence that ends it.
const QUIET: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);
const STILL: Duration = Duration::from_secs(1);

/// A message whose events are not read.
#[derive(Clone, PartialEq, prost::Message)]
struct Unread {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    events: Vec<Bytes>,
}

/// What the subscribers heard.
#[derive(Default)]
struct Heard {
    counts: Vec<AtomicU64>,
    late: Mutex<Vec<Duration>>,
    /// The events' ids, of each of those who read them.
    ids: Vec<Mutex<Vec<String>>>,
}

impl Heard {
    fn count(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Waits until all have heard the same and nobody hears anything new; tells how long
    /// it took until then. Who lags is waited for no longer than [`QUIET`].
    async fn quiet(&self) -> Duration {
        let began = Instant::now();
        let (mut before, mut since) = (self.count(), Instant::now());
        while began.elapsed() < QUIET {
            tokio::time::sleep(LOOK).await;
            let now = self.count();
            if now != before {
                (before, since) = (now, Instant::now());
            } else if since.elapsed() >= STILL && self.check().is_ok() {
                break;
            }
        }
        began.elapsed().saturating_sub(since.elapsed())
    }

    fn take_late(&self) -> Tally {
        let mut tally = Tally::new();
        let late = std::mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner));
        late.into_iter().for_each(|late| tally.record(late, 1));
        tally
    }

    /// That all heard the same, in the same order.
    fn check(&self) -> anyhow::Result<u64> {
        let counts: Vec<u64> = self.counts.iter().map(|c| c.load(Ordering::Relaxed)).collect();
        let most = counts.iter().copied().max().unwrap_or_default();
        let behind = counts.iter().filter(|count| **count != most).count();
        ensure!(behind == 0, "{behind} subscribers did not hear all {most} events");
        let mut logs = self.ids.iter().map(|ids| {
            let ids = ids.lock().unwrap_or_else(PoisonError::into_inner);
            ids.clone()
        });
        let first = logs.next().unwrap_or_default();
        ensure!(logs.all(|ids| ids == first), "subscribers heard the events in different orders");
        Ok(most)
    }
}

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let pool = Pool::of(&bench.stage, &bench.stage.url)?;
    let (_, idle) = bench.stage.server()?.memory();
    let (heard, _streams) = subscribe(bench).await?;
    let op = reserve::reserving(bench.stage.calls(4).await?, bench.stage.org_id.clone());

    let (before, began) = (Spent::now(&bench.stage)?, Instant::now());
    let time = bench.plan.time * 2;
    let changed = Arrivals { rate: CHANGES, op: op.clone() }.run(time).await?;
    heard.quiet().await;
    let spent = Spent::now(&bench.stage)?.since(before);
    let events = heard.check()?;
    let (peak, _) = bench.stage.server()?.memory();
    let mut tally = heard.take_late();
    // Rate and processor time are those of a delivery.
    tally.took = began.elapsed().min(time);
    tally.errors = changed.errors;
    let more = peak.saturating_sub(idle) as f64 / f64::from(1 << 20);
    let targets = vec![
        Target::at_most("p99 in ms", tally.at(0.99).as_secs_f64() * 1e3, 100.0),
        Target::at_most("MiB over idle", more, 64.0),
    ];
    let rate = per(events as f64, time.as_secs_f64());
    let case = format!("{SUBSCRIBERS} subscribers, {rate:.0} events/s (1 of {WHOLE} timed)");
    bench.row(&case, "50/s", "", &Measured { tally, spent, ceiling: None }, targets)?;

    pool.refill()?;
    let (before, heard_before) = (Spent::now(&bench.stage)?, heard.count());
    let began = Instant::now();
    let side = Callers::new(FLAT_OUT, op);
    let changed = side.run(bench.plan.time).await?;
    let behind = heard.quiet().await;
    let took = began.elapsed().saturating_sub(STILL);
    let spent = Spent::now(&bench.stage)?.since(before);
    heard.check()?;
    let deliveries = per((heard.count() - heard_before) as f64, took.as_secs_f64());
    let mut tally = heard.take_late();
    tally.took = took;
    tally.errors.clone_from(&changed.errors);
    let case = format!(
        "flat out: {deliveries:.0} deliveries/s, {:.0} changes/s, {:.1} s behind at the end",
        per(changed.done() as f64, changed.took.as_secs_f64()),
        behind.as_secs_f64()
    );
    bench.row(&case, "16", "", &Measured { tally, spent, ceiling: None }, Vec::new())
}

async fn subscribe(bench: &Bench) -> anyhow::Result<(Arc<Heard>, JoinSet<()>)> {
    let mut heard = Heard::default();
    heard.counts.resize_with(SUBSCRIBERS, AtomicU64::default);
    heard.ids.resize_with(SUBSCRIBERS / WHOLE, Mutex::default);
    let heard = Arc::new(heard);
    let mut streams = JoinSet::new();
    for first in (0..SUBSCRIBERS).step_by(PER_KEY) {
        let key = bench.stage.client_key().await?;
        let calls = Calls::connect(bench.stage.address, &key, 1).await?;
        for at in first..first + PER_KEY {
            let types = vec![EVENTS.to_owned()];
            let request = WatchEventsRequest { types, ..Default::default() };
            if at % WHOLE == 0 {
                let stream = calls.stream::<_, WatchEventsResponse>(0, request).await?;
                streams.spawn(read(stream, heard.clone(), at));
            } else {
                let mut stream = calls.stream::<_, Unread>(0, request).await?;
                let heard = heard.clone();
                streams.spawn(async move {
                    while let Ok(Some(message)) = stream.message().await {
                        let events = message.events.len() as u64;
                        heard.counts[at].fetch_add(events, Ordering::Relaxed);
                    }
                });
            }
        }
    }
    Ok((heard, streams))
}

async fn read(mut stream: tonic::Streaming<WatchEventsResponse>, heard: Arc<Heard>, at: usize) {
    while let Ok(Some(message)) = stream.message().await {
        let now = u64::try_from(Clock::default().now().micros()).unwrap_or_default();
        let now = Duration::from_micros(now);
        let since = |event: &astro_sdk::v1::Event| {
            let made = event.create_time.unwrap_or_default();
            let made = Duration::new(
                u64::try_from(made.seconds).unwrap_or_default(),
                u32::try_from(made.nanos).unwrap_or_default(),
            );
            now.saturating_sub(made)
        };
        let late: Vec<Duration> = message.events.iter().map(since).collect();
        heard.counts[at].fetch_add(late.len() as u64, Ordering::Relaxed);
        heard.late.lock().unwrap_or_else(PoisonError::into_inner).extend(late);
        let mut ids = heard.ids[at / WHOLE].lock().unwrap_or_else(PoisonError::into_inner);
        ids.extend(message.events.into_iter().map(|event| event.id));
    }
}
