//! Tasks that never end: one that fails all the same is told of, and begun again.

use std::sync::Arc;

use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tracing::Instrument as _;

use crate::{backoff::Backoff, config::Pace, decide::Input};

/// Runs the task until it ends by itself, which it does when the bot stops.
pub(crate) async fn keep<F>(
    name: &'static str,
    inputs: mpsc::Sender<Input>,
    pace: Arc<Pace>,
    begin: impl Fn() -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut retry = Backoff::new(pace.retry_first, pace.retry_cap);
    // One that has run for longer than the longest pause works again.
    let proof = pace.retry_cap * 2;
    loop {
        // Ends with this task.
        let mut task = JoinSet::new();
        task.spawn(begin().in_current_span());
        let ended = match timeout(proof, task.join_next()).await {
            Ok(ended) => ended,
            Err(_) => {
                retry.reset();
                tell(&inputs, Input::Works(name)).await;
                task.join_next().await
            }
        };
        match ended {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!("The {name} failed and is begun again: {error}");
            }
            Some(_) | None => return,
        }
        tell(&inputs, Input::Failed(name)).await;
        retry.pause().await;
    }
}

async fn tell(inputs: &mpsc::Sender<Input>, input: Input) {
    // The loop is gone when the bot stops.
    let _ = inputs.send(input).await;
}
