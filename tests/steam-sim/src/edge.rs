//! Steam's edge before any page: maintenance and request budgets, on the simulator's clock.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::clock::{SimTime, seconds};
use crate::http::{Call, Reply};

/// How many requests are answered in a span of the simulator's clock. Steam counts by IP address,
/// and all clients of a simulator have one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    /// The span. In JSON `window_secs`.
    #[serde(rename = "window_secs", with = "seconds")]
    pub window: Duration,
    /// Requests to each host in it.
    pub per_host: u32,
    /// Requests for inventories in it, which count for their host too.
    pub inventory: u32,
    /// Whether the refusal says in `Retry-After` how long to wait.
    #[serde(default)]
    pub retry_after: bool,
}

#[derive(Default)]
pub(crate) struct Edge {
    pub limits: Option<RateLimits>,
    pub maintenance: Vec<(SimTime, SimTime)>,
    /// Seconds by which `QueryTime` is wrong.
    pub skew: i64,
    answered: HashMap<String, VecDeque<SimTime>>,
}

impl Edge {
    pub(crate) fn new(limits: Option<RateLimits>) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The refusal of this request and its reason, if the edge refuses it.
    pub(crate) fn refuse(&mut self, call: &Call, now: SimTime) -> Option<(Reply, &'static str)> {
        if self.maintenance.iter().any(|(from, until)| (*from..*until).contains(&now)) {
            let page = "<html><body>Steam is currently down for maintenance</body></html>";
            return Some((Reply::html(StatusCode::SERVICE_UNAVAILABLE, page), "maintenance"));
        }
        let limits = self.limits?;
        let inventory = call.path.starts_with("/inventory/").then(|| "/inventory".to_owned());
        let buckets = [(Some(call.host.clone()), limits.per_host), (inventory, limits.inventory)];
        let buckets = || buckets.iter().filter_map(|(name, max)| Some((name.as_ref()?, *max)));
        let waits = buckets().filter_map(|(name, max)| self.wait(name, max, limits.window, now));
        if let Some(wait) = waits.max() {
            let page = "<html><body>Too Many Requests</body></html>";
            let reply = Reply::html(StatusCode::TOO_MANY_REQUESTS, page);
            let secs = wait.as_secs().max(1).to_string();
            let tell = limits.retry_after;
            let reply = if tell { reply.header("retry-after", &secs) } else { reply };
            return Some((reply, "rate limit"));
        }
        for (name, _) in buckets() {
            let times = self.answered.entry(name.clone()).or_default();
            times.retain(|time| *time + limits.window > now);
            times.push_back(now);
        }
        None
    }

    /// How long until a bucket has room; `None` when it has.
    fn wait(&self, bucket: &str, max: u32, window: Duration, now: SimTime) -> Option<Duration> {
        let times = self.answered.get(bucket);
        let recent: Vec<_> =
            times.into_iter().flatten().filter(|time| **time + window > now).collect();
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let over = recent.len().checked_sub(max)?;
        // When this one is out of the span, there is room again.
        let leaves = recent.get(over).map_or(now, |time| **time) + window;
        let millis = u64::try_from(leaves.0 - now.0).unwrap_or(0);
        Some(Duration::from_millis(millis))
    }
}
