//! The sweep: reads the trade history at the start of each session, hourly, and when something
//! tells of a reversed trade.

use std::sync::Arc;

use tokio::{sync::Notify, time::sleep};

use crate::{
    backoff::Backoff,
    decide::Input,
    desk::Desk,
    frames::{self, TradeSeen},
    verdict,
};

/// How far back the history is read: trades can be reversed for seven days.
const DAYS: i64 = 8;
const DAY_SECONDS: i64 = 86_400;

/// Sweeps whenever `orders` says so or it is time to; for ever.
pub(crate) async fn sweep(desk: Desk, orders: Arc<Notify>) {
    // Before the first session there is nobody to tell.
    orders.notified().await;
    loop {
        desk.probe.at("sweep");
        let started = desk.steam.now();
        let trades = read(&desk).await;
        desk.tell(Input::Swept(trades)).await;
        sleep(desk.pace.sweep_spacing).await;
        let (hour, chance) = (desk.pace.sweep_interval, &desk.outside.chance);
        let mut hourly = Backoff::new(hour, hour, chance);
        tokio::select! {
            () = orders.notified() => {}
            () = hourly.pause() => {}
            () = bell(&desk, started) => tracing::warn!("Steam tells of a reversed trade"),
        }
    }
}

/// The trades of the last days that can be told, however long it takes to read them.
async fn read(desk: &Desk) -> Vec<TradeSeen> {
    let mut retry = desk.retry();
    let patience = i64::try_from(desk.pace.trade_patience.as_secs()).unwrap_or(i64::MAX);
    // A trade in escrow can be reversed that much later.
    let days = DAYS + i64::from(desk.max_hold_days);
    loop {
        let now = desk.steam.now();
        match desk.steam.history(now - days * DAY_SECONDS).await {
            Ok(trades) => {
                let known = trades.iter().filter(|trade| trade.partner.0 != 0);
                let told = known.filter_map(|trade| {
                    let outcome = verdict::outcome(trade, now, patience)?;
                    Some(frames::trade_seen(trade, outcome))
                });
                return told.collect();
            }
            Err(error) => tracing::warn!("Could not read the trade history: {error}"),
        }
        retry.pause().await;
    }
}

/// Waits until the bell tells of a reversal at `since` or later, Steam's time.
async fn bell(desk: &Desk, since: i64) {
    loop {
        sleep(desk.pace.notice_interval).await;
        match desk.steam.last_reversal().await {
            Ok(last) if last.is_some_and(|at| at >= since) => return,
            Ok(_) => {}
            Err(error) => tracing::debug!("Could not read the notifications: {error}"),
        }
    }
}
