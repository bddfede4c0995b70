//! A bot worker within the test process.

use std::time::Duration;

use astro_bot::{Config, Pace};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A worker that runs. Dropping it stops it, without waiting.
pub struct Worker {
    task: JoinHandle<anyhow::Result<()>>,
    stop: DropGuard,
}

impl Worker {
    /// Starts a worker.
    pub fn start(config: Config) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(astro_bot::run(config, stop.clone()));
        Self { task, stop: stop.drop_guard() }
    }

    /// Stops it in order and waits for its end.
    ///
    /// # Panics
    /// When the worker failed.
    pub async fn stop(self) {
        drop(self.stop);
        self.task.await.expect("the worker does not panic").expect("the worker can work");
    }
}

/// Schedules in milliseconds, for a Steam that answers at once.
pub fn fast_pace() -> Pace {
    let ms = Duration::from_millis;
    Pace {
        poll_interval: ms(50),
        request_spacing: ms(1),
        inventory_spacing: ms(5),
        login_spacing: ms(5),
        limit_first: ms(100),
        limit_cap: ms(1_000),
        away_first: ms(20),
        away_cap: ms(500),
        maintenance_wait: ms(500),
        connect_timeout: ms(5_000),
        request_timeout: ms(10_000),
        search: vec![ms(50), ms(150), ms(400), ms(1_000)],
        second_read: ms(50),
        confirm_spacing: ms(50),
        confirm_deadline: ms(30_000),
        retry_first: ms(20),
        retry_cap: ms(500),
        trade_patience: ms(10_000),
        escrow_poll: ms(50),
        login_cooldown: ms(50),
        login_retry_first: ms(100),
        login_retry_cap: ms(1_000),
        link_retry_first: ms(20),
        link_retry_cap: ms(200),
        welcome_timeout: ms(10_000),
        stop_grace: ms(2_000),
        ..Pace::default()
    }
}
