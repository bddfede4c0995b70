//! Faults which tests inject: answers lost after they took effect, refusals, delays and gates.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::{SimTime, seconds};
use crate::http::Call;
use crate::ids::SteamId;

/// Which requests a fault hits. Absent parts match everything.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matcher {
    /// Such as `POST`.
    pub method: Option<String>,
    /// A part of the path, such as `/tradeoffer/new/send`.
    pub path: Option<String>,
    /// A part of the host's name, such as `api.`.
    pub host: Option<String>,
    /// The account whose session the request carries.
    pub account: Option<SteamId>,
}

impl Matcher {
    /// All requests whose path contains this.
    pub fn path(part: impl Into<String>) -> Self {
        Self { path: Some(part.into()), ..Self::default() }
    }

    /// Only this HTTP method.
    pub fn method(self, method: impl Into<String>) -> Self {
        Self { method: Some(method.into()), ..self }
    }

    /// Only requests in this account's sessions.
    pub fn account(self, account: SteamId) -> Self {
        Self { account: Some(account), ..self }
    }

    fn matches(&self, call: &Call, account: Option<SteamId>) -> bool {
        let part = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| text.contains(wanted.as_str()))
        };
        let method = self.method.as_ref();
        method.is_none_or(|method| method.eq_ignore_ascii_case(call.method.as_str()))
            && part(&self.path, &call.path)
            && part(&self.host, &call.host)
            && self.account.is_none_or(|wanted| account == Some(wanted))
    }
}

/// Which of the matching requests a fault hits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The next so many.
    Times(u32),
    /// Each k-th, for ever; 1 is every one.
    Every(u32),
    /// All of them for this long on the simulator's clock. In JSON `{"for": seconds}`.
    For(#[serde(with = "seconds")] Duration),
    /// Each with the same chance, for ever. Which ones is the seed's doing alone, so that a test
    /// meets the same again.
    Chance {
        /// One in so many on average; 1 is every one.
        one_in: u32,
        /// Any number.
        seed: u64,
    },
}

/// Whether chance hits the `seen`-th request: the SplitMix64 generator's number for it.
fn chance_hits(one_in: u32, seed: u64, seen: u32) -> bool {
    let mut mixed = seed.wrapping_add(u64::from(seen).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)).is_multiple_of(u64::from(one_in.max(1)))
}

/// What the client gets instead of the true answer to a request which took effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LostAnswer {
    /// The connection closes without an answer.
    Closed,
    /// 500 with an empty body.
    Status500,
    /// 502 as a gateway gives it.
    Status502,
    /// 500 with `strError` (16), Steam's "timeout".
    StrError16,
    /// 200 with an empty body.
    Empty200,
}

/// What a fault does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request takes effect, and its answer is lost.
    EffectThen(LostAnswer),
    /// The request has no effect.
    Fail {
        /// The HTTP status answered.
        status: u16,
        /// The body answered; JSON when it begins with `{`, else HTML.
        #[serde(default)]
        body: String,
        /// The `x-eresult` header answered.
        #[serde(default)]
        eresult: Option<u32>,
    },
    /// The connection closes before the request has an effect.
    Drop,
    /// The request takes effect after this much real time. In JSON `{"delay": seconds}`.
    Delay(#[serde(with = "seconds")] Duration),
    /// The request takes effect, and its true answer carries this `x-eresult`.
    Eresult(u32),
    /// The request takes effect, and the second half of its answer's body is missing.
    Truncate,
    /// The request takes effect, and in its true answer each of these parts is told as the other
    /// one, such as `"amount":"7"` as `"amount":"-7"`: what no rule of the simulator would make. It
    /// need not be JSON.
    Rewrite(Vec<(String, String)>),
    /// Another fault whose answer carries these headers too.
    With {
        /// By name.
        headers: BTreeMap<String, String>,
        /// The other fault.
        kind: Box<FaultKind>,
    },
}

impl FaultKind {
    /// No effect, and the `strError` with which Steam's pages refuse a trade action.
    pub fn str_error(code: u32) -> Self {
        let body = serde_json::json!({ "strError": crate::web::send_error(code) });
        Self::Fail { status: 500, body: body.to_string(), eresult: None }
    }

    /// No effect, and this status with an empty body.
    pub fn status(status: u16) -> Self {
        Self::Fail { status, body: String::new(), eresult: None }
    }

    /// No effect, and an empty answer of the Web API with this `x-eresult`, such as 84 of a login
    /// which is tried too often, or 1 of a key which is not there.
    pub fn refused(code: u32) -> Self {
        Self::Fail { status: 200, body: String::new(), eresult: Some(code) }
    }

    /// No effect, and 429, with or without seconds to wait in `Retry-After`.
    pub fn too_many_requests(retry_after: Option<u32>) -> Self {
        let kind = Self::status(429);
        match retry_after {
            Some(secs) => kind.with_header("retry-after", secs.to_string()),
            None => kind,
        }
    }

    /// No effect, and the page with which Akamai turns clients away.
    pub fn akamai_denied() -> Self {
        let body = "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>\
                    You don't have permission to access this on this server.</BODY></HTML>";
        Self::Fail { status: 403, body: body.to_owned(), eresult: None }
    }

    /// No effect, and the way to the login page, as for an ended session.
    pub fn login_redirect() -> Self {
        Self::status(302).with_header("location", crate::web::LOGIN_PAGE)
    }

    /// No effect, and what a phone without a session is told.
    pub fn needs_login() -> Self {
        let body = r#"{"success":false,"needauth":true}"#.to_owned();
        Self::Fail { status: 200, body, eresult: None }
    }

    /// The true answer with each first part told as the second.
    pub fn rewrite<const N: usize>(parts: [(&str, &str); N]) -> Self {
        Self::Rewrite(parts.map(|(find, put)| (find.to_owned(), put.to_owned())).to_vec())
    }

    /// The same with one more header in its answer.
    pub fn with_header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (mut headers, kind) = self.peel();
        headers.insert(name.into(), value.into());
        Self::With { headers, kind: Box::new(kind) }
    }

    /// The fault itself and the headers it is wrapped in.
    pub(crate) fn peel(self) -> (BTreeMap<String, String>, Self) {
        match self {
            Self::With { headers, kind } => {
                let (mut inner, kind) = kind.peel();
                inner.extend(headers);
                (inner, kind)
            }
            kind @ (Self::EffectThen(_)
            | Self::Fail { .. }
            | Self::Drop
            | Self::Delay(_)
            | Self::Eresult(_)
            | Self::Truncate
            | Self::Rewrite(_)) => (BTreeMap::new(), kind),
        }
    }
}

/// A fault to inject.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests.
    #[serde(default)]
    pub matcher: Matcher,
    /// What happens to them.
    pub kind: FaultKind,
    /// Which of them. Default: the next one.
    #[serde(default = "once")]
    pub when: When,
}

fn once() -> When {
    When::Times(1)
}

impl Fault {
    /// Hits the next matching request only.
    pub fn once(matcher: Matcher, kind: FaultKind) -> Self {
        Self { matcher, kind, when: once() }
    }

    /// Hits every `k`-th matching request.
    pub fn every(k: u32, matcher: Matcher, kind: FaultKind) -> Self {
        Self { matcher, kind, when: When::Every(k) }
    }

    /// Hits one in `one_in` matching requests on average, the same ones for the same seed.
    pub fn by_chance(one_in: u32, seed: u64, matcher: Matcher, kind: FaultKind) -> Self {
        Self { matcher, kind, when: When::Chance { one_in, seed } }
    }

    /// Hits all matching requests for this long on the simulator's clock.
    pub fn lasting(span: Duration, matcher: Matcher, kind: FaultKind) -> Self {
        Self { matcher, kind, when: When::For(span) }
    }
}

/// What the pipeline does with one request.
#[derive(Clone)]
pub(crate) enum Verdict {
    Fault(FaultKind),
    Hold(Arc<Gate>),
}

struct Rule {
    matcher: Matcher,
    verdict: Verdict,
    when: When,
    since: SimTime,
    seen: u32,
}

impl Rule {
    /// Counts a request which matches; says whether the rule hits it.
    fn hits(&mut self, now: SimTime) -> bool {
        self.seen = self.seen.saturating_add(1);
        match self.when {
            When::Times(times) => self.seen <= times,
            When::Every(k) => self.seen.is_multiple_of(k.max(1)),
            When::For(span) => now < self.since + span,
            When::Chance { one_in, seed } => chance_hits(one_in, seed, self.seen),
        }
    }

    fn goes_on(&self, now: SimTime) -> bool {
        match (self.when, &self.verdict) {
            (When::Times(times), _) => self.seen < times,
            (When::For(span), _) => now < self.since + span,
            (When::Every(_) | When::Chance { .. }, Verdict::Hold(gate)) => !gate.is_released(),
            (When::Every(_) | When::Chance { .. }, Verdict::Fault(_)) => true,
        }
    }
}

#[derive(Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault, since: SimTime) {
        let Fault { matcher, kind, when } = fault;
        self.rules.push(Rule { matcher, verdict: Verdict::Fault(kind), when, since, seen: 0 });
    }

    pub(crate) fn hold(&mut self, matcher: Matcher) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        let verdict = Verdict::Hold(gate.clone());
        let (when, since) = (When::Every(1), SimTime(0));
        self.rules.push(Rule { matcher, verdict, when, since, seen: 0 });
        gate
    }

    /// Lets everything through again, also what gates hold.
    pub(crate) fn clear(&mut self) {
        for rule in self.rules.drain(..) {
            if let Verdict::Hold(gate) = rule.verdict {
                gate.release();
            }
        }
    }

    /// The verdict of the oldest rule which hits this request.
    pub(crate) fn pick(
        &mut self,
        call: &Call,
        account: Option<SteamId>,
        now: SimTime,
    ) -> Option<Verdict> {
        let hits = |rule: &mut Rule| rule.matcher.matches(call, account) && rule.hits(now);
        let found = self.rules.iter_mut().find_map(|rule| hits(rule).then(|| rule.verdict.clone()));
        self.rules.retain(|rule| rule.goes_on(now));
        found
    }
}

#[derive(Clone, Copy, Default)]
struct GateState {
    held: u32,
    released: bool,
}

/// Requests which have taken effect and wait here for their answer.
#[derive(Default)]
pub(crate) struct Gate {
    state: watch::Sender<GateState>,
}

impl Gate {
    /// Waits until the gate opens.
    pub(crate) async fn pass(&self) {
        self.state.send_modify(|state| state.held += 1);
        self.until(|state| state.released).await;
    }

    pub(crate) async fn wait_until_held(&self) {
        self.until(|state| state.held > 0).await;
    }

    pub(crate) fn held(&self) -> u32 {
        self.state.borrow().held
    }

    pub(crate) fn release(&self) {
        self.state.send_modify(|state| state.released = true);
    }

    fn is_released(&self) -> bool {
        self.state.borrow().released
    }

    async fn until(&self, mut condition: impl FnMut(&GateState) -> bool) {
        // The sender lives in `self`, so the channel cannot close while anybody waits.
        drop(self.state.subscribe().wait_for(|state| condition(state)).await);
    }
}
