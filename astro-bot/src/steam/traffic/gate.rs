//! The traffic to Steam: whose turn it is, and which host wants to be left alone. Steam limits by
//! address first, so all bots of a process that go out through one address share it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::host::Host;
use crate::{backoff::doubled, pace::Pace, steam::wire::Signal};

/// With at most so many requests since the host was last closed, a 429 says nothing about their
/// number: it may mean the headers.
const FEW_REQUESTS: u32 = 20;
/// So many such answers in a row from one endpoint raise the suspicion.
const STRIKES_FOR_SUSPICION: u32 = 2;

/// What spaces requests: a host, or a kind of request that Steam limits far more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    Host(Host),
    Inventory,
    Confirmations,
    Login,
}

impl Lane {
    fn spacing(self, pace: &Pace) -> Duration {
        match self {
            Self::Host(_) => pace.request_spacing,
            Self::Inventory => pace.inventory_spacing,
            Self::Confirmations => pace.confirm_spacing,
            Self::Login => pace.login_spacing,
        }
    }
}

/// What a request taught about its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Steam itself answered, whatever it said.
    Answered,
    /// No connection, no answer, or a gateway in place of Steam.
    Down,
    /// Steam's firewall wants fewer requests, or other headers.
    Limited { retry_after: Option<Duration> },
}

/// The turns and gates of one address.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    state: Mutex<State>,
}

/// The addresses that the bots of a process go out through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses(Arc<Mutex<BTreeMap<String, Arc<Traffic>>>>);

impl Addresses {
    /// The traffic through this proxy, or without one: the same for all who ask.
    pub(super) fn through(&self, proxy: Option<&str>) -> Arc<Traffic> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(proxy.unwrap_or_default().to_owned()).or_default())
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    next_turn: BTreeMap<Lane, Instant>,
    gates: BTreeMap<Host, Gate>,
}

/// One host: open, or closed until a single request has shown that it answers again.
#[derive(Debug, Default)]
pub(super) struct Gate {
    pub(super) closed: Option<Closure>,
    /// Requests in a row that found the host down.
    failures: u32,
    /// How often it was closed in this series, and for how long the last time. A series ends when
    /// the host stayed open for as long as it had been closed.
    times: u32,
    wait: Duration,
    opened_at: Option<Instant>,
    /// Requests since it was last closed.
    requests: u32,
    /// Answers 429 in a row while there were few requests, by endpoint.
    strikes: BTreeMap<&'static str, u32>,
}

#[derive(Debug)]
pub(super) struct Closure {
    limited: bool,
    pub(super) until: Instant,
    /// A request is under way to find out.
    probing: bool,
}

/// What a gate says to a request.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Go,
    /// Go alone, to find out.
    Probe,
    Wait(Instant),
    Refused(Signal),
}

/// Leave to make one request. What comes of it is to be reported.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    traffic: &'a Traffic,
    host: Host,
    endpoint: &'static str,
    probe: bool,
}

impl Traffic {
    /// Waits until the request may be made. If the host has closed its door and does not open it
    /// within `patience`, that is said at once: whoever waits in line would be one of many.
    ///
    /// # Errors
    /// `Signal::Limited` or `Signal::Away`; nothing was sent then.
    pub(crate) async fn admit(
        &self,
        host: Host,
        lane: Option<Lane>,
        endpoint: &'static str,
        patience: Duration,
        pace: &Pace,
    ) -> Result<Pass<'_>, Signal> {
        let deadline = Instant::now() + patience;
        // Takes no turn if there is nothing to be had.
        self.pass_gate(host, deadline, |gate, now, until| gate.look(now, until)).await?;
        for lane in lane.into_iter().chain([Lane::Host(host)]) {
            let turn = self.state().take_turn(lane, lane.spacing(pace), Instant::now());
            sleep_until(turn).await;
        }
        let probe = self.pass_gate(host, deadline, Gate::enter).await?;
        Ok(Pass { traffic: self, host, endpoint, probe })
    }

    /// Why a host that bots use cannot be used now.
    pub(crate) fn trouble(&self) -> Option<Signal> {
        let (state, now) = (self.state(), Instant::now());
        state.gates.values().find_map(|gate| match gate.look(now, now) {
            Answer::Refused(signal) => Some(signal),
            Answer::Go | Answer::Probe | Answer::Wait(_) => None,
        })
    }

    /// Waits for the gate; true if the request is a probe.
    async fn pass_gate(
        &self,
        host: Host,
        deadline: Instant,
        ask: impl Fn(&mut Gate, Instant, Instant) -> Answer,
    ) -> Result<bool, Signal> {
        loop {
            let answer = ask(self.state().gate(host), Instant::now(), deadline);
            match answer {
                Answer::Go => return Ok(false),
                Answer::Probe => return Ok(true),
                Answer::Wait(until) => sleep_until(until).await,
                Answer::Refused(signal) => return Err(signal),
            }
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // No state is left half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Tells what came of the request; returns what a 429 means. In Steam's maintenance a host is
    /// left alone for longer. `dice` is random.
    pub(crate) fn report(
        mut self,
        outcome: Outcome,
        pace: &Pace,
        maintenance: bool,
        dice: u8,
    ) -> Option<Signal> {
        let probe = std::mem::take(&mut self.probe);
        let (mut state, now) = (self.traffic.state(), Instant::now());
        let gate = state.gate(self.host);
        let was_closed = gate.closed.is_some();
        let report = Report { outcome, endpoint: self.endpoint, probe, maintenance };
        gate.report(report, pace, now, dice);
        let name = self.host.name();
        match &gate.closed {
            Some(closure) if probe || !was_closed => {
                let seconds = closure.until.saturating_duration_since(now).as_secs();
                let why = gate.signal(closure);
                if maintenance {
                    tracing::info!("{name} is in maintenance and left alone for {seconds} s");
                } else {
                    tracing::warn!("{name} is left alone for {seconds} s: {why}");
                }
            }
            None if was_closed => tracing::info!("{name} answers again"),
            Some(_) | None => {}
        }
        match outcome {
            Outcome::Limited { .. } => Some(gate.limited()),
            Outcome::Answered | Outcome::Down => None,
        }
    }
}

impl Drop for Pass<'_> {
    /// A request that was given up has found out nothing; the next one may.
    fn drop(&mut self) {
        if self.probe
            && let Some(closure) = &mut self.traffic.state().gate(self.host).closed
        {
            closure.probing = false;
        }
    }
}

impl State {
    fn gate(&mut self, host: Host) -> &mut Gate {
        self.gates.entry(host).or_default()
    }

    pub(super) fn take_turn(&mut self, lane: Lane, spacing: Duration, now: Instant) -> Instant {
        let turn = self.next_turn.get(&lane).map_or(now, |next| (*next).max(now));
        self.next_turn.insert(lane, turn + spacing);
        turn
    }
}

/// See `Gate::report`.
pub(super) struct Report {
    pub(super) outcome: Outcome,
    pub(super) endpoint: &'static str,
    pub(super) probe: bool,
    pub(super) maintenance: bool,
}

impl Gate {
    fn look(&self, now: Instant, deadline: Instant) -> Answer {
        match &self.closed {
            None => Answer::Go,
            Some(closure) if closure.probing => Answer::Refused(self.signal(closure)),
            Some(closure) if now >= closure.until => Answer::Probe,
            // Only the end of a limit is known beforehand.
            Some(closure) if closure.limited && closure.until <= deadline => {
                Answer::Wait(closure.until)
            }
            Some(closure) => Answer::Refused(self.signal(closure)),
        }
    }

    pub(super) fn enter(&mut self, now: Instant, deadline: Instant) -> Answer {
        let answer = self.look(now, deadline);
        if let Some(closure) = &mut self.closed
            && answer == Answer::Probe
        {
            closure.probing = true;
        }
        if matches!(answer, Answer::Go | Answer::Probe) {
            self.requests = self.requests.saturating_add(1);
        }
        answer
    }

    pub(super) fn report(&mut self, report: Report, pace: &Pace, now: Instant, dice: u8) {
        match report.outcome {
            Outcome::Answered => {
                self.failures = 0;
                self.strikes.remove(report.endpoint);
                // What was asked before the door closed says nothing about now.
                if report.probe && self.closed.take().is_some() {
                    self.opened_at = Some(now);
                }
            }
            Outcome::Down => {
                self.failures = self.failures.saturating_add(1);
                if report.probe || self.closed.is_none() && self.failures >= pace.away_after {
                    self.begin_or_go_on(report.probe, now);
                    let doubled = doubled(pace.away_first, pace.away_cap, self.times);
                    let least = if report.maintenance { pace.maintenance_wait } else { doubled };
                    self.close(false, doubled.max(least), now, dice);
                }
            }
            Outcome::Limited { retry_after } => {
                if self.requests <= FEW_REQUESTS {
                    *self.strikes.entry(report.endpoint).or_default() += 1;
                }
                let asked = retry_after.unwrap_or_default().min(pace.limit_cap);
                match &mut self.closed {
                    // Many were under way when the door closed: that is one refusal, not many.
                    Some(closure) if !report.probe => {
                        closure.until = closure.until.max(now + asked);
                    }
                    Some(_) | None => {
                        self.begin_or_go_on(report.probe, now);
                        let doubled = doubled(pace.limit_first, pace.limit_cap, self.times);
                        self.close(true, doubled.max(asked), now, dice);
                    }
                }
            }
        }
    }

    fn begin_or_go_on(&mut self, probe: bool, now: Instant) {
        let short = |opened: Instant| now.saturating_duration_since(opened) < self.wait;
        let same_series = probe || self.opened_at.is_some_and(short);
        self.times = if same_series { self.times.saturating_add(1) } else { 0 };
    }

    /// Closes for this long and up to a quarter longer, by chance: never shorter than Steam asked.
    fn close(&mut self, limited: bool, wait: Duration, now: Instant, dice: u8) {
        self.wait = wait + wait / 4 * u32::from(dice) / 256;
        self.closed = Some(Closure { limited, until: now + self.wait, probing: false });
        self.requests = 0;
    }

    fn signal(&self, closure: &Closure) -> Signal {
        if closure.limited { self.limited() } else { Signal::Away }
    }

    pub(super) fn limited(&self) -> Signal {
        let suspect = self.strikes.iter().find(|(_, strikes)| **strikes >= STRIKES_FOR_SUSPICION);
        Signal::Limited { suspect: suspect.map(|(endpoint, _)| *endpoint) }
    }
}

/// The Web API calls of one account. Steam's terms allow 100,000 a day for each key, and an access
/// token stands for one.
#[derive(Debug)]
pub(crate) struct DayBudget {
    per_day: u32,
    /// Calls in each of the last 24 hours; the place of an hour is its number modulo 24.
    hours: [u32; 24],
    hour: u64,
}

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Budget {
    Enough,
    /// This call was the first of the last tenth.
    NearlySpent,
    /// The call must not be made.
    Spent,
}

impl DayBudget {
    /// A fresh day.
    pub(crate) fn new(per_day: u32) -> Self {
        Self { per_day, hours: [0; 24], hour: 0 }
    }

    /// Takes one call in this hour, counted from any beginning.
    pub(crate) fn take(&mut self, hour: u64) -> Budget {
        while self.hour < hour {
            // Longer than a day ago: all is forgotten.
            self.hour = (self.hour + 1).max(hour.saturating_sub(24));
            self.hours[(self.hour % 24) as usize] = 0;
        }
        let used: u32 = self.hours.iter().sum();
        if used >= self.per_day {
            return Budget::Spent;
        }
        self.hours[(self.hour % 24) as usize] += 1;
        let last_tenth = self.per_day - self.per_day / 10;
        if used + 1 == last_tenth { Budget::NearlySpent } else { Budget::Enough }
    }
}
