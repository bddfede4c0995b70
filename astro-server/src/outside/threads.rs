//! The only place where work that may block goes to a thread of its own.
use std::io;
use tokio::runtime::Builder;
use tokio::task::{JoinError, spawn_blocking};

/// Where work that may block goes: to threads of its own, or to the caller's, of a simulation that
/// has one thread alone. There nothing else runs meanwhile, and nothing is waited for but by tokio's
/// clock, so that what happens when is the simulation's choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Threads {
    #[default]
    Own,
    Callers,
}

impl Threads {
    /// Runs work that may block, and waits for its end.
    ///
    /// # Errors
    /// When it panicked, or the runtime ended.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        match self {
            Self::Own => spawn_blocking(work).await,
            Self::Callers => Ok(work()),
        }
    }

    /// Starts a task that may block between its waits: on a thread of this name, or as one of the
    /// caller's runtime.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn start(
        self,
        name: &str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        match self {
            Self::Own => {
                let runtime = Builder::new_current_thread().enable_time().build()?;
                let thread = std::thread::Builder::new().name(name.to_owned());
                thread.spawn(move || runtime.block_on(task)).map(drop)
            }
            Self::Callers => {
                tokio::spawn(task);
                Ok(())
            }
        }
    }
}
