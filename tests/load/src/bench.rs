//! Measuring: what runs in turns with what, and what it took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use astro_sdk::rpc::Rpc;
use futures_util::future::BoxFuture;

use crate::calls::Calls;
use crate::drive::{Op, Tally, closed, op, open, per};
use crate::echo::Echo;
use crate::flame;
use crate::pool::Pool;
use crate::process::Process;
use crate::report::{Ceiling, Row, Target};
use crate::scenarios::Scenario;
use crate::stage::Stage;
use crate::tell;

/// About how long one side runs before the other has its turn.
const SLICE: Duration = Duration::from_secs(1);
/// Part of the time that each side runs before it counts.
const WARM_UP: u32 = 4;

/// How it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Time for each side.
    pub(crate) time: Duration,
    /// Whether less will do.
    pub(crate) quick: bool,
    /// Whether a flame graph is wanted.
    pub(crate) profile: bool,
}

/// A side of a comparison.
pub(crate) trait Side: Send + Sync {
    /// What is not measured: before each slice.
    fn prepare(&self) -> anyhow::Result<()> {
        Ok(())
    }

    /// Runs for a while.
    fn run(&self, time: Duration) -> BoxFuture<'_, anyhow::Result<Tally>>;
}

/// So many callers of an operation, one call after the other.
pub(crate) struct Callers {
    pub(crate) number: usize,
    pub(crate) op: Op,
    /// What they take from.
    pub(crate) pool: Option<Arc<Pool>>,
}

impl Callers {
    pub(crate) fn new(number: usize, op: Op) -> Self {
        Self { number, op, pool: None }
    }

    pub(crate) fn taking(number: usize, pool: &Arc<Pool>, op: Op) -> Self {
        Self { number, op, pool: Some(pool.clone()) }
    }
}

impl Side for Callers {
    fn prepare(&self) -> anyhow::Result<()> {
        self.pool.as_ref().map_or(Ok(()), |pool| pool.refill())
    }

    fn run(&self, time: Duration) -> BoxFuture<'_, anyhow::Result<Tally>> {
        Box::pin(async move { Ok(closed(self.number, time, &self.op).await) })
    }
}

/// Arrivals of an operation at a rate.
pub(crate) struct Arrivals {
    pub(crate) rate: f64,
    pub(crate) op: Op,
}

impl Side for Arrivals {
    fn run(&self, time: Duration) -> BoxFuture<'_, anyhow::Result<Tally>> {
        Box::pin(async move { Ok(open(self.rate, time, &self.op).await) })
    }
}

/// A side beside which something else goes on, whose calls are counted in errors alone.
pub(crate) struct Beside<A, B> {
    pub(crate) side: A,
    pub(crate) other: B,
}

impl<A: Side, B: Side> Side for Beside<A, B> {
    fn prepare(&self) -> anyhow::Result<()> {
        self.side.prepare()
    }

    fn run(&self, time: Duration) -> BoxFuture<'_, anyhow::Result<Tally>> {
        Box::pin(async move {
            let (mine, other) = tokio::join!(self.side.run(time), self.other.run(time));
            let (mut mine, other) = (mine?, other?);
            for (code, count) in other.errors {
                *mine.errors.entry(format!("beside: {code}")).or_default() += count;
            }
            Ok(mine)
        })
    }
}

/// Processor time that something took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) server: Duration,
    pub(crate) database: Option<Duration>,
}

impl Spent {
    /// So far.
    pub(crate) fn now(stage: &Stage) -> anyhow::Result<Self> {
        let database = stage.database().as_ref().map(Process::cpu);
        Ok(Self { server: stage.server()?.cpu(), database })
    }

    /// Since then.
    pub(crate) fn since(self, before: Self) -> Self {
        let database = self.database.zip(before.database).map(|(now, then)| now - then);
        Self { server: self.server - before.server, database }
    }

    /// And this on top.
    pub(crate) fn add(&mut self, other: Self) {
        self.server += other.server;
        let database = other.database.map(|more| self.database.unwrap_or_default() + more);
        self.database = database;
    }
}

/// What was measured of a side, and of its ceiling.
pub(crate) struct Measured {
    pub(crate) tally: Tally,
    pub(crate) spent: Spent,
    /// The ceiling's own, and the median of the slices' ratios.
    pub(crate) ceiling: Option<(Tally, f64)>,
}

impl Measured {
    /// The ratio to the ceiling.
    pub(crate) fn ratio(&self) -> f64 {
        self.ceiling.as_ref().map_or(0.0, |ceiling| ceiling.1)
    }

    /// Microseconds of the server's processor time for each operation that was answered.
    pub(crate) fn server_micros(&self) -> f64 {
        per(self.spent.server.as_secs_f64() * 1e6, self.tally.answered() as f64)
    }

    /// The same of the database's processes.
    pub(crate) fn database_micros(&self) -> Option<f64> {
        let spent = self.spent.database?.as_secs_f64() * 1e6;
        Some(per(spent, self.tally.answered() as f64))
    }
}

/// A stage with all that is measured on it.
pub(crate) struct Bench {
    pub(crate) stage: Stage,
    pub(crate) echo: Echo,
    pub(crate) plan: Plan,
    /// What was found so far.
    pub(crate) rows: Vec<Row>,
    /// What the smallest size took, for what must not grow with the size.
    pub(crate) smallest: BTreeMap<String, Duration>,
    scenario: &'static str,
}

impl Bench {
    pub(crate) fn new(
        stage: Stage,
        echo: Echo,
        plan: Plan,
        smallest: BTreeMap<String, Duration>,
    ) -> Self {
        Self { stage, echo, plan, rows: Vec::new(), smallest, scenario: "" }
    }

    /// Tells what comes.
    pub(crate) fn begin(&mut self, scenario: &Scenario) {
        self.scenario = scenario.name;
        if let Ok(server) = self.stage.server() {
            server.forget_peak();
        }
        let (backend, items) = (self.stage.backend, self.stage.items);
        tell(&format!("{backend:?}, {items} items: {}", scenario.name));
    }

    /// Measures one side.
    pub(crate) async fn alone(&self, side: &dyn Side, time: Duration) -> anyhow::Result<Measured> {
        let (mut tally, mut spent) = (Tally::new(), Spent::default());
        side.prepare()?;
        side.run(time / WARM_UP).await?;
        for slice in slices(time) {
            self.slice(side, slice, &mut tally, &mut spent).await?;
        }
        Ok(Measured { tally, spent, ceiling: None })
    }

    /// Measures one side and its ceiling, in turns.
    pub(crate) async fn against(
        &self,
        side: &dyn Side,
        ceiling: &dyn Side,
        time: Duration,
    ) -> anyhow::Result<Measured> {
        if self.plan.profile {
            self.profile(side).await?;
        }
        let (mut tally, mut spent) = (Tally::new(), Spent::default());
        let mut other = Tally::new();
        for side in [side, ceiling] {
            side.prepare()?;
            side.run(time / WARM_UP).await?;
        }
        let mut ratios = Vec::new();
        for slice in slices(time) {
            let mine = self.slice(side, slice, &mut tally, &mut spent).await?;
            ceiling.prepare()?;
            let theirs = ceiling.run(slice).await?;
            other.append(&theirs);
            ratios.push(per(mine.rate(), theirs.rate()));
        }
        ratios.sort_by(f64::total_cmp);
        let ratio = ratios[ratios.len() / 2];
        Ok(Measured { tally, spent, ceiling: Some((other, ratio)) })
    }

    async fn slice(
        &self,
        side: &dyn Side,
        time: Duration,
        tally: &mut Tally,
        spent: &mut Spent,
    ) -> anyhow::Result<Tally> {
        side.prepare()?;
        let before = Spent::now(&self.stage)?;
        let done = side.run(time).await?;
        spent.add(Spent::now(&self.stage)?.since(before));
        tally.append(&done);
        Ok(done)
    }

    async fn profile(&self, side: &dyn Side) -> anyhow::Result<()> {
        side.prepare()?;
        let recording = flame::Recording::start(self.stage.server_id()?)?;
        side.run(self.plan.time).await?;
        let file = format!("{}-{:?}.svg", self.scenario, self.stage.backend).to_lowercase();
        recording.draw(&file)?;
        tell(&format!("wrote {file}"));
        Ok(())
    }

    /// Measures a read against the echo of the bytes that answer it.
    pub(crate) async fn read<Q: Rpc>(
        &self,
        callers: usize,
        time: Duration,
        requests: Vec<Q>,
    ) -> anyhow::Result<Measured> {
        let calls = self.stage.calls(callers).await?;
        let first = requests.first().context("nothing is asked for")?;
        let bytes = calls.bytes(Q::PATH, prost::Message::encode_to_vec(first).into()).await?;
        let echo = self.echo.answers(bytes, callers).await?;
        let requests = Arc::new(requests);
        let side = Callers::new(callers, ask(calls, requests.clone()));
        let ceiling = Callers::new(callers, ask(echo, requests));
        self.against(&side, &ceiling, time).await
    }

    /// Keeps what was found.
    pub(crate) fn row(
        &mut self,
        case: &str,
        callers: &str,
        ceiling: &str,
        measured: &Measured,
        mut targets: Vec<Target>,
    ) -> anyhow::Result<()> {
        if measured.tally.done() == 0 {
            // Latencies of nothing meet every target.
            targets.insert(0, Target::at_least("operations done", 0.0, 1.0));
        }
        let (tally, millis) = (&measured.tally, |at: Duration| at.as_secs_f64() * 1e3);
        let row = Row {
            scenario: self.scenario.to_owned(),
            case: case.to_owned(),
            database: format!("{:?}", self.stage.backend),
            items: self.stage.items,
            callers: callers.to_owned(),
            rate: tally.rate(),
            latency_ms: [0.5, 0.9, 0.99, 0.999].map(|share| millis(tally.at(share))),
            max_ms: millis(tally.max()),
            errors: tally.errors.clone(),
            server_cpu_us: measured.server_micros(),
            database_cpu_us: measured.database_micros(),
            peak_memory_bytes: self.stage.server()?.memory().0,
            database_bytes: self.stage.size()?,
            ceiling: measured.ceiling.as_ref().map(|(tally, ratio)| Ceiling {
                name: ceiling.to_owned(),
                rate: tally.rate(),
                p99_ms: millis(tally.at(0.99)),
                ratio: *ratio,
            }),
            targets,
        };
        tell(&format!("  {}", row.line()));
        self.rows.push(row);
        Ok(())
    }

    /// The target that this p99 is at most half as long again as at the smallest size; none there.
    pub(crate) fn flat(&mut self, case: &str, p99: Duration) -> Option<Target> {
        let Some(smallest) = self.smallest.get(case) else {
            self.smallest.insert(case.to_owned(), p99);
            return None;
        };
        let growth = per(p99.as_secs_f64(), smallest.as_secs_f64());
        Some(Target::at_most("p99 against the smallest size", growth, 1.5))
    }
}

/// An operation that makes one of these calls after the other.
pub(crate) fn ask<Q: Rpc>(calls: Calls, requests: Arc<Vec<Q>>) -> Op {
    op(move |number| {
        let at = usize::try_from(number).unwrap_or_default() % requests.len();
        let (calls, request) = (calls.clone(), requests[at].clone());
        async move { calls.ask(number, request).await }
    })
}

/// The time in slices of about a second.
fn slices(time: Duration) -> impl Iterator<Item = Duration> {
    let number = (time.as_secs_f64() / SLICE.as_secs_f64()).round().max(1.0) as u32;
    std::iter::repeat_n(time / number, number as usize)
}
