//! Tasks that run for as long as the server does: what breaks off is told and begins again.
use crate::kernel::{Error, Result};
use futures_util::FutureExt;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Pause before a task begins again, doubled each time that it breaks off soon.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Longest pause; a task that ran for longer begins again after the shortest one.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Runs `task` until `stop` is cancelled, and again whenever it panics or ends by itself.
pub fn spawn<F, Fut>(name: &'static str, stop: &CancellationToken, task: F) -> JoinHandle<()>
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let stop = stop.clone();
    tokio::spawn(async move {
        stop.run_until_cancelled(keep(name, task)).await;
    })
}

async fn keep<F, Fut>(name: &'static str, task: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = ()>,
{
    let mut pause = PAUSE_MIN;
    loop {
        let began = Instant::now();
        let why = match AssertUnwindSafe(task()).catch_unwind().await {
            Ok(()) => "it ended".to_owned(),
            Err(panic) => message(&*panic),
        };
        if began.elapsed() > PAUSE_MAX {
            pause = PAUSE_MIN;
        }
        let seconds = pause.as_secs_f32();
        tracing::error!(
            task = name,
            "The task \"{name}\" broke off and begins again in {seconds} s: {why}"
        );
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Runs `work`; a panic in it is an error like any other.
///
/// # Errors
/// Those of `work`, and [`Error::Internal`] that names it as `name`.
pub async fn caught<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|panic| {
        Err(Error::Internal(format!("{name} panicked: {}", message(&*panic))))
    })
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn a_task_that_panics_or_ends_begins_again() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let stop = CancellationToken::new();
        let (told, mut heard) = tokio::sync::mpsc::channel(1);
        let task = spawn("test", &stop, move || {
            let told = told.clone();
            async move {
                match RUNS.fetch_add(1, Ordering::SeqCst) {
                    0 => panic!("planted"),
                    1 => {}
                    run => {
                        told.send(run).await.unwrap();
                        std::future::pending::<()>().await;
                    }
                }
            }
        });
        assert_eq!(heard.recv().await, Some(2));
        stop.cancel();
        task.await.unwrap();
        assert_eq!(RUNS.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_that_names_its_task() {
        let done: Result<()> = caught("the session", async { panic!("planted {}", 7) }).await;
        let error = done.unwrap_err().to_string();
        assert_eq!(error, "the session panicked: planted 7");
        assert_eq!(caught("the session", async { Ok(1) }).await, Ok(1));
    }
}
