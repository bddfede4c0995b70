//! The poller: one reading of the trade offers serves donations and deliveries.

use std::sync::Arc;

use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};

use crate::{
    backoff::Backoff,
    config::Pace,
    decide::{Condition, Input},
    steam::{Class, OffersPage, OffersQuery, Steam, SteamError},
};

/// Steam backdates changes by up to this much.
const BACKDATED_SECONDS: i64 = 1800;

/// Polls for ever.
pub(crate) async fn poll(
    steam: Arc<Steam>,
    pace: Arc<Pace>,
    offers: watch::Sender<Arc<OffersPage>>,
    inputs: mpsc::Sender<Input>,
) {
    let mut ticks = interval(pace.poll_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut retry = Backoff::new(pace.retry_first, pace.retry_cap);
    let mut changed_since = None;
    loop {
        ticks.tick().await;
        let started = steam.now();
        let since = changed_since.unwrap_or(started - BACKDATED_SECONDS);
        let read = steam.offers(OffersQuery { changed_since: since, received: true }).await;
        let (condition, detail) = match &read {
            Ok(_) => (Condition::Online, String::new()),
            Err(error) => (condition(error), error.to_string()),
        };
        if inputs.send(Input::Steam { condition, detail }).await.is_err() {
            return;
        }
        match read {
            Ok(page) => {
                if changed_since.is_none() {
                    prepare(&steam).await;
                }
                // What was garbled must be in the next reading too.
                if page.is_whole() || changed_since.is_none() {
                    changed_since = Some(started - BACKDATED_SECONDS);
                } else {
                    tracing::warn!("{} trade offers could not be read", page.skipped);
                }
                retry.reset();
                let page = Arc::new(page);
                offers.send_replace(Arc::clone(&page));
                if inputs.send(Input::Polled(page)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!("Could not read the trade offers: {error}");
                retry.pause().await;
            }
        }
    }
}

async fn prepare(steam: &Steam) {
    if let Err(error) = steam.acknowledge_trade_protection().await {
        tracing::info!("Could not accept the terms of trade protection: {error}");
    }
}

fn condition(error: &SteamError) -> Condition {
    match error.class {
        Class::Session { operator_needed: true } => Condition::NeedsOperator,
        Class::RateLimited => Condition::RateLimited,
        Class::Session { operator_needed: false } | Class::Permanent | Class::Transient => {
            Condition::Reconnecting
        }
    }
}
