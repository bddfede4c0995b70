//! What fails by a fault of the bot is begun again: the one place that does so.

use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::backoff::Backoff;

/// What is told of a task between its begin and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It has failed, and is begun again after a pause.
    Failed,
    /// It has run for longer than the longest pause: it works.
    Works,
}

/// Runs a task until it ends by itself, and begins it again, ever later, whenever it panics; `tell`
/// hears of it. None if it was ended from outside, or has failed when `stop` is cancelled; one that
/// runs then has to end by itself.
pub(crate) async fn keep<F, G>(
    name: &str,
    mut retry: Backoff,
    stop: &CancellationToken,
    begin: impl Fn() -> F,
    tell: impl Fn(Turn) -> G,
) -> Option<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
    G: Future<Output = ()>,
{
    let proof = retry.cap() * 2;
    loop {
        // Ends with this task.
        let mut task = JoinSet::new();
        task.spawn(begin().in_current_span());
        let ended = match timeout(proof, task.join_next()).await {
            Ok(ended) => ended,
            Err(_) => {
                retry.reset();
                tell(Turn::Works).await;
                task.join_next().await
            }
        };
        match ended {
            Some(Ok(done)) => return Some(done),
            Some(Err(error)) if error.is_panic() => {
                tracing::error!("The {name} failed and is begun again: {error}");
            }
            Some(Err(_)) | None => return None,
        }
        tell(Turn::Failed).await;
        tokio::select! {
            () = stop.cancelled() => return None,
            () = retry.pause() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    use super::*;
    use crate::outside::Chance;

    fn retry(pause: Duration) -> Backoff {
        Backoff::new(pause, pause, &Chance::default())
    }

    #[tokio::test]
    async fn what_fails_is_begun_again_until_it_ends_by_itself() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let begin = || async {
            let run = RUNS.fetch_add(1, Ordering::SeqCst);
            assert!(run == 2, "planted");
            run
        };
        let told = Mutex::new(Vec::new());
        let tell = async |turn| told.lock().unwrap().push(turn);
        let (retry, stop) = (retry(Duration::from_millis(1)), CancellationToken::new());
        // A slow machine may let a failing run pass for one that works.
        let ended = keep("task", retry, &stop, begin, tell).await;
        assert_eq!(ended, Some(2));
        told.lock().unwrap().retain(|turn| *turn == Turn::Failed);
        assert_eq!(told.into_inner().unwrap(), [Turn::Failed; 2]);
    }

    #[tokio::test]
    async fn what_has_failed_is_not_begun_again_once_it_is_told_to_stop() {
        let (retry, stop) = (retry(Duration::from_secs(3600)), CancellationToken::new());
        let tell = async |_| stop.cancel();
        let begin = || async { panic!("planted") };
        assert_eq!(keep("task", retry, &stop, begin, tell).await, None::<()>);
    }

    #[tokio::test]
    async fn what_runs_for_longer_than_the_longest_pause_works() {
        let (retry, stop) = (retry(Duration::from_millis(1)), CancellationToken::new());
        let begin = || {
            let stop = stop.clone();
            async move { stop.cancelled().await }
        };
        let told = Mutex::new(Vec::new());
        let tell = async |turn| {
            told.lock().unwrap().push(turn);
            stop.cancel();
        };
        assert_eq!(keep("task", retry, &stop, begin, tell).await, Some(()));
        assert_eq!(told.into_inner().unwrap(), [Turn::Works]);
    }
}
