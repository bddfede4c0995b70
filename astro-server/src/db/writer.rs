//! All writes pass through here: worker threads that each commit up to a batch of requests at once.
//!
//! SQLite has one writer, so one thread takes batches that share an fsync. PostgreSQL groups the
//! commits of many connections by itself, so sixteen threads take one request each.
use super::Finish;
use super::conn::{Conn, Pool};
use crate::kernel::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot, watch};

/// Requests that wait at most; more wait in their own tasks.
const QUEUE: usize = 4096;
/// Times a transaction runs again after a conflict.
const RUNS_MAX: usize = 10;

/// The queue to the worker threads.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Task>>);

/// One request: it may run more than once, and answers exactly once, after its commit.
trait Task: Send {
    fn run(&mut self, conn: &mut Conn) -> Result<()>;
    fn answer(self: Box<Self>, commit: Result<()>);
}

struct Request<F, T> {
    work: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Task for Request<F, T>
where
    F: FnMut(&mut Conn) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, conn: &mut Conn) -> Result<()> {
        // A defect in one request must not take its neighbours in the batch with it.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(conn)))
            .unwrap_or_else(|_| Err(Error::Internal("a transaction panicked".to_owned())));
        self.value = Some(outcome?);
        Ok(())
    }

    fn answer(self: Box<Self>, commit: Result<()>) {
        let value = self.value;
        let outcome = commit.and_then(|()| value.ok_or(Error::Stopping));
        // The caller may have gone; the commit stands.
        let _ = self.reply.send(outcome);
    }
}

impl Writer {
    pub(super) fn start(
        pool: &Pool,
        threads: usize,
        batch: usize,
        changed: &watch::Sender<u64>,
        finish: Finish,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        for n in 0..threads {
            let (pool, receiver, changed) = (pool.clone(), receiver.clone(), changed.clone());
            std::thread::Builder::new().name(format!("db-writer-{n}")).spawn(move || {
                while let Some(tasks) = next(&receiver, batch) {
                    serve(&pool, tasks, finish);
                    changed.send_modify(|n| *n = n.wrapping_add(1));
                }
            })?;
        }
        Ok(Self(sender))
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: FnMut(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Request { work, value: None, reply });
        self.0.send(task).await.map_err(|_| Error::Stopping)?;
        answer.await.unwrap_or(Err(Error::Stopping))
    }
}

fn next(
    receiver: &Mutex<mpsc::Receiver<Box<dyn Task>>>,
    batch: usize,
) -> Option<Vec<Box<dyn Task>>> {
    let mut receiver = receiver.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut tasks = vec![receiver.blocking_recv()?];
    while tasks.len() < batch
        && let Ok(task) = receiver.try_recv()
    {
        tasks.push(task);
    }
    Some(tasks)
}

/// The whole batch in one transaction; where one of it fails, each by itself.
fn serve(pool: &Pool, mut tasks: Vec<Box<dyn Task>>, finish: Finish) {
    let mut conn = match pool.get() {
        Ok(conn) => conn,
        Err(error) => {
            let error = Error::Unavailable(error.to_string());
            return tasks.into_iter().for_each(|task| task.answer(Err(error.clone())));
        }
    };
    if tasks.len() > 1
        && conn
            .write(|conn| {
                tasks.iter_mut().try_for_each(|task| task.run(conn))?;
                finish(conn)
            })
            .is_ok()
    {
        return tasks.into_iter().for_each(|task| task.answer(Ok(())));
    }
    for mut task in tasks {
        let mut runs = 0;
        let commit = loop {
            runs += 1;
            let run = |conn: &mut Conn| {
                task.run(conn)?;
                finish(conn)
            };
            match conn.write(run) {
                Err(Error::Conflict(_)) if runs < RUNS_MAX => {}
                commit => break commit,
            }
        };
        task.answer(commit);
    }
}
