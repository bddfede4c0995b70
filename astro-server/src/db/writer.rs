//! All writes pass through here: worker threads that each commit up to a batch of requests at once.
//!
//! SQLite has one writer, so one thread takes batches that share an fsync. PostgreSQL groups the
//! commits of many connections by itself, so its threads take one request each.
use super::Finish;
use super::conn::Conn;
use super::pool::Pool;
use super::probe::File;
use super::transaction::Mode;
use super::trouble::Trouble;
use crate::db::limits::{DATABASE_WAIT, RERUN_WAIT, RERUNS_MAX};
use crate::kernel::{Error, Result};
use crate::outside::Threads;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};

/// Requests that wait at most; more wait in their own tasks.
const QUEUE: usize = 4096;
/// Time after which a batch takes in no more: none of its callers may stop waiting before the commit.
pub(super) const BATCH_TIME: Duration = Duration::from_secs(1);
/// Least time worth beginning a transaction for.
const WAIT_MIN: Duration = Duration::from_millis(200);
/// Time between two runs of a transaction that met a conflict, times the number of the run.
const RERUN_PAUSE: Duration = Duration::from_millis(4);

/// The queue to the worker threads.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Task>>);

/// One request: it may run more than once, and answers exactly once, after its commit.
trait Task: Send {
    /// When its caller stops waiting; none if nobody waits any more.
    fn deadline(&self) -> Option<Instant>;
    fn run(&mut self, conn: &mut Conn) -> Result<()>;
    fn answer(self: Box<Self>, commit: Result<()>);
}

struct Request<F, T> {
    work: F,
    value: Option<T>,
    deadline: Instant,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Task for Request<F, T>
where
    F: FnMut(&mut Conn) -> Result<T> + Send,
    T: Send,
{
    fn deadline(&self) -> Option<Instant> {
        (!self.reply.is_closed()).then_some(self.deadline)
    }

    fn run(&mut self, conn: &mut Conn) -> Result<()> {
        // What nobody waits for any more is not carried out: the caller was told otherwise.
        if !self.reply.is_closed() {
            self.value = Some((self.work)(conn)?);
        }
        if self.reply.is_closed() { Err(Error::Stopping) } else { Ok(()) }
    }

    fn answer(self: Box<Self>, commit: Result<()>) {
        let value = self.value;
        let outcome = commit.and_then(|()| value.ok_or(Error::Stopping));
        // The caller may have gone; the commit stands.
        let _ = self.reply.send(outcome);
    }
}

/// What a worker thread needs.
#[derive(Clone)]
pub(super) struct Worker {
    pub(super) pool: Arc<Pool>,
    /// SQLite's file.
    pub(super) file: Option<Arc<File>>,
    /// Requests that share a commit.
    pub(super) batch: usize,
    /// Changes with each commit.
    pub(super) changed: watch::Sender<u64>,
    /// The last thing of each transaction.
    pub(super) finish: Finish,
}

impl Writer {
    pub(super) fn start(threads: Threads, worker: &Worker, number: usize) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        for n in 0..number {
            let (worker, receiver) = (worker.clone(), receiver.clone());
            threads.start(&format!("db-writer-{n}"), async move {
                while let Some(tasks) = next(&receiver, worker.batch).await {
                    worker.serve(tasks).await;
                    worker.changed.send_modify(|n| *n = n.wrapping_add(1));
                }
            })?;
        }
        Ok(Self(sender))
    }

    /// Runs `work` and answers once it is committed, or within `wait` that it will not be.
    pub(super) async fn write<T, F>(&self, work: F, wait: Duration, trouble: &Trouble) -> Result<T>
    where
        F: FnMut(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + wait;
        let task = Box::new(Request { work, value: None, deadline, reply });
        let answered = async {
            self.0.send(task).await.map_err(|_| Error::Stopping)?;
            answer.await.unwrap_or(Err(Error::Stopping))
        };
        let late = |_| Err(trouble.queue("writes"));
        tokio::time::timeout_at(deadline, answered).await.unwrap_or_else(late)
    }
}

async fn next(
    receiver: &Mutex<mpsc::Receiver<Box<dyn Task>>>,
    batch: usize,
) -> Option<Vec<Box<dyn Task>>> {
    let mut receiver = receiver.lock().await;
    let mut tasks = vec![receiver.recv().await?];
    while tasks.len() < batch
        && let Ok(task) = receiver.try_recv()
    {
        tasks.push(task);
    }
    Some(tasks)
}

impl Worker {
    /// The whole batch in one transaction; what cannot be part of it, each by itself.
    async fn serve(&self, mut tasks: Vec<Box<dyn Task>>) {
        tasks.retain(|task| task.deadline().is_some());
        if tasks.len() > 1 {
            tasks = self.together(tasks);
        }
        for task in tasks {
            self.alone(task).await;
        }
    }

    /// Gives back those that must run by themselves.
    fn together(&self, mut tasks: Vec<Box<dyn Task>>) -> Vec<Box<dyn Task>> {
        let deadline = tasks.iter().filter_map(|task| task.deadline()).max();
        let mut outcomes = Vec::with_capacity(tasks.len());
        let done = self.transaction(deadline, &mut false, |conn| {
            let began = Instant::now();
            for task in &mut tasks {
                // The first of them waits for the last.
                if began.elapsed() > BATCH_TIME {
                    break;
                }
                outcomes.push(conn.part(|conn| task.run(conn))?);
            }
            Ok(())
        });
        match done {
            Ok(()) => {}
            // Nobody else would get further.
            Err(error @ Error::Unavailable(_)) if outcomes.is_empty() => {
                tasks.into_iter().for_each(|task| task.answer(Err(error.clone())));
                return Vec::new();
            }
            Err(_) => return tasks,
        }
        let mut again = tasks.split_off(outcomes.len());
        for (task, outcome) in tasks.into_iter().zip(outcomes) {
            match outcome {
                Err(error) if may_pass(&error) => again.push(task),
                outcome => task.answer(outcome),
            }
        }
        again
    }

    async fn alone(&self, mut task: Box<dyn Task>) {
        let started = Instant::now();
        let mut runs = 0;
        let outcome = loop {
            runs += 1;
            let Some(deadline) = task.deadline() else { return };
            let mut committing = false;
            match self.transaction(Some(deadline), &mut committing, |conn| task.run(conn)) {
                // A commit that failed may have been one, all the same.
                Err(error) if committing && error.is_transient() => {
                    break Err(Error::Unavailable(format!(
                        "whether the change was stored is not known: {error}"
                    )));
                }
                Err(error)
                    if may_pass(&error) && runs < RERUNS_MAX && started.elapsed() < RERUN_WAIT => {}
                outcome => break outcome,
            }
            // Those who met must not meet again.
            sleep(RERUN_PAUSE * self.pool.chance().up_to(runs)).await;
        };
        task.answer(outcome);
    }

    /// Tells by `committing` whether the work was done and only the commit could fail.
    fn transaction(
        &self,
        deadline: Option<Instant>,
        committing: &mut bool,
        work: impl FnOnce(&mut Conn) -> Result<()>,
    ) -> Result<()> {
        let left =
            deadline.map_or(DATABASE_WAIT, |at| at.saturating_duration_since(Instant::now()));
        // Told a little before the caller stops waiting, and with the reason.
        let wait = left.saturating_sub(WAIT_MIN).max(WAIT_MIN);
        let there = || self.file.as_ref().map_or(Ok(()), |file| file.check());
        // A file that was moved away would take it, and show it once it is back.
        let begun = there().and_then(|()| self.pool.begin(Mode::Write(wait)));
        let outcome = begun.and_then(|mut conn| {
            conn.finish(|conn| {
                work(conn)?;
                (self.finish)(conn)?;
                *committing = true;
                Ok(())
            })
        });
        // What went into a file that nobody can find any more was not stored.
        let outcome = outcome.and_then(|()| there());
        self.pool.trouble().wrote(&outcome);
        outcome
    }
}

/// Whether another run may end otherwise.
fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Conflict(_) | Error::Taken(_) | Error::Unavailable(_))
}
