//! Counts the calls of each key, and of all keys of an organisation together, and tells who is too
//! fast. A server counts by itself: two on one database let twice as many calls in.
use super::limits::{COUNTED_MAX, COUNTED_SWEPT_EVERY, RATES_OF_ORGANIZATION, burst_seconds};
use crate::kernel::time::Passed;
use crate::kernel::{Caller, Clock, Error, OrgId, Rates, Reach};
use astro_sdk::methods::Bucket;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a limit lets in, as HTTP's draft of RateLimit fields words it.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// How much of it is left.
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// The calls of all keys. Clones count together.
#[derive(Debug, Clone)]
pub struct Rate(Option<Arc<Counted>>);

#[derive(Debug)]
struct Counted {
    usual: Rates,
    clock: Clock,
    calls: Mutex<Calls>,
}

#[derive(Debug)]
struct Calls {
    passed: Passed,
    watch: Watch,
    keys: Meters<String>,
    orgs: Meters<OrgId>,
}

impl Rate {
    /// Lets so many calls a second of each key in, or any number.
    pub fn new(usual: Option<Rates>, clock: Clock) -> Self {
        Self(usual.map(|usual| {
            let calls = Calls {
                passed: Passed::since(clock.now()),
                watch: Watch::default(),
                keys: Meters::default(),
                orgs: Meters::default(),
            };
            Arc::new(Counted { usual, clock, calls: Mutex::new(calls) })
        }))
    }

    /// Counts a call, and tells what is left to the caller; none where nothing is counted.
    ///
    /// A key that was given more than the usual is counted apart from its organisation.
    pub(super) fn take(&self, caller: &Caller, bucket: Bucket) -> Option<Level> {
        let Counted { usual, clock, calls } = &**self.0.as_ref()?;
        let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
        let now = calls.passed.look(clock.now());
        calls.watch.set(now);
        let Calls { watch, keys, orgs, .. } = &mut *calls;
        let usual = usual.of(bucket);
        let shared = usual.saturating_mul(RATES_OF_ORGANIZATION);
        let rate = match caller.rates.of(bucket) {
            0 => usual,
            own => own,
        };
        let own = keys.of(caller.principal.id(), bucket, (rate, shared), watch).take(now);
        let own = own.of(Whose::Key, bucket);
        let Reach::Organization(org) = caller.reach else { return Some(own) };
        if rate > usual || own.wait.is_some() {
            return Some(own);
        }
        let others = orgs.of(&org, bucket, (shared, shared), watch).take(now);
        let others = others.of(Whose::Organization, bucket);
        Some(if others.wait.is_some() || others.left < own.left { others } else { own })
    }
}

/// Time as governor reads it: what it was when the calls were locked last.
#[derive(Debug, Clone, Default)]
struct Watch(Arc<AtomicU64>);

impl Watch {
    fn set(&self, now: Duration) {
        self.0.store(u64::try_from(now.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl governor::clock::Clock for Watch {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// The calls of many, by who they are.
#[derive(Debug)]
struct Meters<K> {
    each: HashMap<K, Buckets>,
    /// Of those for whom there was no room.
    rest: Buckets,
    swept: Duration,
}

/// One for each bucket.
type Buckets = [Option<Meter>; 3];

impl<K> Default for Meters<K> {
    fn default() -> Self {
        Self { each: HashMap::new(), rest: Buckets::default(), swept: Duration::ZERO }
    }
}

impl<K: Eq + Hash> Meters<K> {
    /// The meter that counts the calls of `who`, who may make so many a second, or share the other
    /// rate with those for whom there is no room.
    fn of<Q>(
        &mut self,
        who: &Q,
        bucket: Bucket,
        (rate, shared): (u32, u32),
        watch: &Watch,
    ) -> &mut Meter
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        self.make_room(governor::clock::Clock::now(watch));
        if self.each.len() >= COUNTED_MAX && !self.each.contains_key(who) {
            return Meter::of(&mut self.rest, bucket, shared, watch);
        }
        if !self.each.contains_key(who) {
            self.each.insert(who.to_owned(), Buckets::default());
        }
        let own = self.each.get_mut(who).unwrap_or(&mut self.rest);
        Meter::of(own, bucket, rate, watch)
    }

    /// Forgets, now and then, who may make all their calls again: nothing is known of them that a new
    /// meter would not know.
    fn make_room(&mut self, now: Duration) {
        let (usual, full) = COUNTED_SWEPT_EVERY;
        let every = if self.each.len() < COUNTED_MAX { usual } else { full };
        if now < self.swept + every {
            return;
        }
        self.swept = now;
        self.each.retain(|_, meters| meters.iter().flatten().any(|meter| now < meter.full_at));
        self.each.shrink_to(self.each.len() * 2);
    }
}

/// Counts the calls of one bucket.
#[derive(Debug)]
struct Meter {
    rate: u32,
    burst: u32,
    limiter: RateLimiter<NotKeyed, InMemoryState, Watch, StateInformationMiddleware>,
    /// When all calls may be made at once again.
    full_at: Duration,
}

impl Meter {
    fn of<'a>(of: &'a mut Buckets, bucket: Bucket, rate: u32, watch: &Watch) -> &'a mut Self {
        let place = &mut of[bucket as usize];
        if place.as_ref().is_some_and(|meter| meter.rate != rate) {
            *place = None;
        }
        place.get_or_insert_with(|| Self::new(bucket, rate, watch))
    }

    fn new(bucket: Bucket, rate: u32, watch: &Watch) -> Self {
        let rate = NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN);
        let seconds = NonZeroU32::new(burst_seconds(bucket)).unwrap_or(NonZeroU32::MIN);
        let burst = rate.saturating_mul(seconds);
        let quota = Quota::per_second(rate).allow_burst(burst);
        let limiter = RateLimiter::direct_with_clock(quota, watch.clone()).with_middleware();
        Self { rate: rate.get(), burst: burst.get(), limiter, full_at: Duration::ZERO }
    }

    fn take(&mut self, now: Duration) -> Count {
        let count = match self.limiter.check() {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let per_call = Duration::from_secs(1) / self.rate;
                self.full_at = now + per_call * (self.burst - left.min(self.burst));
                Count { left, ..Count::default() }
            }
            // Whole milliseconds, and never too early.
            Err(until) => {
                let millis = until.wait_time_from(now).as_micros().div_ceil(1000).max(1);
                let wait = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
                Count { wait: Some(wait), ..Count::default() }
            }
        };
        let full_in = self.full_at.saturating_sub(now);
        Count { rate: self.rate, burst: self.burst, full_in, ..count }
    }
}

/// What a meter tells.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    rate: u32,
    burst: u32,
    left: u32,
    wait: Option<Duration>,
    full_in: Duration,
}

/// Whose calls are counted.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Key,
    Organization,
}

impl Count {
    fn of(self, whose: Whose, bucket: Bucket) -> Level {
        let limit = match (whose, bucket) {
            (Whose::Key, Bucket::Read) => "read",
            (Whose::Key, Bucket::Write) => "write",
            (Whose::Key, Bucket::Stream) => "stream",
            (Whose::Organization, Bucket::Read) => "organization/read",
            (Whose::Organization, Bucket::Write) => "organization/write",
            (Whose::Organization, Bucket::Stream) => "organization/stream",
        };
        let Self { rate, burst, left, wait, full_in } = self;
        Level { limit, rate, burst, window: burst_seconds(bucket), left, wait, full_in }
    }
}

/// What is left of the limit that a call met first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    limit: &'static str,
    /// Calls a second.
    rate: u32,
    /// Calls at once.
    burst: u32,
    /// Seconds in which as many come back.
    window: u32,
    left: u32,
    /// Time until the limit takes another call, if it took none.
    wait: Option<Duration>,
    full_in: Duration,
}

impl Level {
    /// Why the call is refused, if it is.
    pub(super) fn refusal(&self) -> Option<Error> {
        self.wait.map(|wait| Error::TooFast { limit: self.limit, rate: self.rate, wait })
    }

    /// Tells the caller.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let Self { limit, burst, window, left, .. } = self;
        let seconds = seconds(self.full_in);
        let policy = HeaderValue::try_from(format!("\"{limit}\";q={burst};w={window}"));
        let left = HeaderValue::try_from(format!("\"{limit}\";r={left};t={seconds}"));
        headers.extend(policy.map(|value| (POLICY, value)));
        headers.extend(left.map(|value| (LEFT, value)));
    }
}

/// Whole seconds, and never too few.
pub(super) fn seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
