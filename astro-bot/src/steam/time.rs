//! Steam's clock: codes and keys are made for its time, not ours.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::{
    error::{Signal, api_json},
    http::{Http, Request},
    wire,
};
use crate::clock;

/// When to try again after the clock could not be read.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// The difference between Steam's clock and ours.
#[derive(Debug)]
pub(crate) struct SteamTime {
    offset_seconds: AtomicI64,
    every: Duration,
    due: Mutex<Instant>,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(deserialize_with = "wire::i64")]
    server_time: i64,
}

impl SteamTime {
    /// A clock that equals ours until it is read.
    pub(crate) fn new(every: Duration) -> Self {
        Self { offset_seconds: AtomicI64::new(0), every, due: Mutex::new(Instant::now()) }
    }

    /// Steam's time, Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.at(clock::now().timestamp())
    }

    /// What Steam's clock shows when ours shows this.
    pub(crate) fn at(&self, ours: i64) -> i64 {
        ours + self.offset_seconds.load(Ordering::Relaxed)
    }

    /// Has the clock read again at its next use.
    pub(crate) async fn doubt(&self) {
        *self.due.lock().await = Instant::now();
    }

    /// Reads Steam's clock if that is due. A failure is logged and changes nothing: our own clock
    /// is right most of the time.
    pub(crate) async fn refresh(&self, http: &Http) {
        let mut due = self.due.lock().await;
        if Instant::now() < *due {
            return;
        }
        match query(http).await {
            Ok(server_time) => {
                let offset = server_time - clock::now().timestamp();
                self.offset_seconds.store(offset, Ordering::Relaxed);
                *due = Instant::now() + self.every;
            }
            Err(signal) => {
                tracing::warn!("Could not read Steam's clock: {signal}");
                *due = Instant::now() + self.every.min(AFTER_FAILURE);
            }
        }
    }
}

async fn query(http: &Http) -> Result<i64, Signal> {
    let answer = http.perform(Request::api("ITwoFactorService/QueryTime/v1").post(vec![])).await?;
    let value = api_json(&answer)?;
    let reply = value.get("response").cloned().unwrap_or_default();
    let reply: Reply =
        serde_json::from_value(reply).map_err(|error| Signal::Garbled(error.to_string()))?;
    Ok(reply.server_time)
}
