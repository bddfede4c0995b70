//! The script, and the attempts that were seen.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::Notify;

use crate::fault::Fault;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It had its answer, to the end.
    Answered,
    /// The client went away first.
    Cancelled,
    /// The connection was closed, by the script or by the server.
    Cut,
}

/// One attempt that arrived.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// `astro.v1.ItemService/GetItem`.
    #[serde(skip)]
    pub method: String,
    /// The metadata; several values of a name are joined by commas.
    pub headers: BTreeMap<String, String>,
    /// The deadline that it carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// The message.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub request: Value,
    /// Time since the attempt before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_ms: Option<u64>,
    /// How it ended, once it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// What is scripted and what was seen.
#[derive(Debug, Default)]
pub struct Record {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    script: HashMap<String, VecDeque<Fault>>,
    attempts: Vec<Attempt>,
    /// How many attempts were forgotten: numbers go on.
    forgotten: usize,
    last: HashMap<String, Instant>,
}

impl Record {
    /// Replaces the script.
    pub fn load(&self, faults: &BTreeMap<String, Vec<Fault>>) {
        let script = faults.iter().map(|(method, faults)| (method.clone(), faults.clone().into()));
        self.state().script = script.collect();
    }

    /// Replaces the script of one method.
    pub fn load_method(&self, method: &str, faults: Vec<Fault>) {
        self.state().script.insert(method.to_owned(), faults.into());
    }

    /// The attempts so far, oldest first.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.clone()
    }

    /// Forgets the attempts so far.
    pub fn forget(&self) {
        let mut state = self.state();
        state.forgotten += state.attempts.len();
        state.attempts.clear();
        state.last.clear();
    }

    /// Waits for another attempt, or for the end of one, since `before` looked.
    pub async fn changed(&self, mut before: impl FnMut() -> bool) {
        loop {
            let changed = self.changed.notified();
            if before() {
                return;
            }
            changed.await;
        }
    }

    /// Notes an attempt and gives its number.
    pub(super) fn arrived(&self, mut attempt: Attempt) -> usize {
        let now = Instant::now();
        let mut state = self.state();
        let last = state.last.insert(attempt.method.clone(), now);
        let gap = last.map(|last| now.duration_since(last).as_millis());
        attempt.gap_ms = gap.and_then(|gap| u64::try_from(gap).ok());
        state.attempts.push(attempt);
        let number = state.forgotten + state.attempts.len() - 1;
        drop(state);
        self.changed.notify_waiters();
        number
    }

    /// Adds the message of an attempt, and gives what happens to it.
    pub(super) fn asked(&self, number: usize, method: &str, request: Value) -> Fault {
        let mut state = self.state();
        if let Some(attempt) = state.attempt(number) {
            attempt.request = request;
        }
        state.script.get_mut(method).and_then(VecDeque::pop_front).unwrap_or_default()
    }

    /// Notes how an attempt ended.
    pub(super) fn ended(&self, number: usize, ended: Ended) {
        if let Some(attempt) = self.state().attempt(number) {
            attempt.ended = Some(ended);
        }
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn attempt(&mut self, number: usize) -> Option<&mut Attempt> {
        self.attempts.get_mut(number.checked_sub(self.forgotten)?)
    }
}

/// Milliseconds of a `grpc-timeout` (`30S`, `500m`).
pub(super) fn timeout_ms(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => value.checked_mul(3_600_000),
        "M" => value.checked_mul(60_000),
        "S" => value.checked_mul(1_000),
        "m" => Some(value),
        "u" => Some(value / 1_000),
        "n" => Some(value / 1_000_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::timeout_ms;

    #[test]
    fn a_timeout_is_read_in_every_unit() {
        let read = ["1H", "2M", "30S", "500m", "7000u", "9000000n"].map(timeout_ms);
        let wanted = [3_600_000, 120_000, 30_000, 500, 7, 9].map(Some);
        assert_eq!(read, wanted);
        assert_eq!(["", "m", "5", "5x"].map(timeout_ms), [None; 4]);
    }
}
