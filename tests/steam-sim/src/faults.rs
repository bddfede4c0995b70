//! Faults which tests inject: answers lost after they took effect, refusals, delays and gates.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::seconds;
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
}

impl FaultKind {
    /// No effect, and the `strError` with which Steam's pages refuse a trade action.
    pub fn str_error(code: u32) -> Self {
        let body = serde_json::json!({ "strError": crate::web::send_error(code) });
        Self::Fail { status: 500, body: body.to_string(), eresult: None }
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
    seen: u32,
}

#[derive(Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        let Fault { matcher, kind, when } = fault;
        self.rules.push(Rule { matcher, verdict: Verdict::Fault(kind), when, seen: 0 });
    }

    pub(crate) fn hold(&mut self, matcher: Matcher) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        let verdict = Verdict::Hold(gate.clone());
        self.rules.push(Rule { matcher, verdict, when: When::Every(1), seen: 0 });
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
    pub(crate) fn pick(&mut self, call: &Call, account: Option<SteamId>) -> Option<Verdict> {
        let hit = |rule: &mut Rule| {
            if !rule.matcher.matches(call, account) {
                return false;
            }
            rule.seen = rule.seen.saturating_add(1);
            match rule.when {
                When::Times(times) => rule.seen <= times,
                When::Every(k) => rule.seen.is_multiple_of(k.max(1)),
            }
        };
        let found = self.rules.iter_mut().find_map(|rule| hit(rule).then(|| rule.verdict.clone()));
        self.rules.retain(|rule| match (rule.when, &rule.verdict) {
            (When::Times(times), _) => rule.seen < times,
            (When::Every(_), Verdict::Hold(gate)) => !gate.is_released(),
            (When::Every(_), Verdict::Fault(_)) => true,
        });
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
