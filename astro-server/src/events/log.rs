//! The end of the log: brought up to date, on PostgreSQL by sealing, and told to who waits for it.
use super::sealer::{Sealer, Turn, portion};
use super::{Position, store};
use crate::db::Db;
use crate::events::limits::LOG_LATE;
use crate::kernel::{Error, Result};
use crate::supervise;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinError;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often to look without being told: other servers write too. It is what their followers wait
/// for at most, beside the sealing itself.
const POLL: Duration = Duration::from_millis(50);
/// Between two batches while there is always something to seal: gathers.
const GAP: Duration = Duration::from_millis(10);
/// Before another look while another server seals: our own events may have come too late for it.
/// Doubled up to the usual time, since one that hangs would be looked at without end.
const BUSY: Duration = Duration::from_millis(3);
/// After an error.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a caller waits at most for its own events to get their positions.
const FLUSH_WAIT: Duration = Duration::from_secs(1);
/// Time after which a look at the log that does not end makes it late.
const HANGS: Duration = Duration::from_secs(1);
/// How often a long catching-up tells how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

/// The log of this database. Clones share it.
#[derive(Clone, Debug)]
pub struct Log {
    id: Uuid,
    head: watch::Receiver<Position>,
    /// None on SQLite, where nothing is ever without a position.
    flushes: Option<mpsc::UnboundedSender<oneshot::Sender<()>>>,
    lag: watch::Receiver<Duration>,
}

impl Log {
    /// Gives the events of an older version their positions and keeps the log's end up to date until
    /// `stop`. To be started before anything is written: each write gives positions to all that
    /// has none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn start(db: Db, stop: CancellationToken) -> Result<Self> {
        let id = db.read(|conn| store::log_id(conn)).await?;
        let of = db.clone();
        let done = db.threads().run(move || catch_up(&of)).await;
        done.unwrap_or_else(|_| Err(Error::Internal("the log's sealer panicked".to_owned())))?;
        let (head, heads) = watch::channel(db.read(|conn| store::end(conn)).await?);
        let (lag, lags) = watch::channel(Duration::ZERO);
        let (flushes, requests) = mpsc::unbounded_channel();
        let flushes = db.is_postgres().then_some(flushes);
        let keeper = Keeper { db, head, lag, requests, behind: Behind::default() };
        let keeper = Arc::new(Mutex::new(keeper));
        supervise::spawn("end of the log", &stop, move || {
            let keeper = keeper.clone();
            async move { keeper.lock().await.run().await }
        });
        Ok(Self { id, head: heads, flushes, lag: lags })
    }

    /// Its id, which a copy keeps: positions and hashes tell copies apart.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Its end, as it moves.
    pub fn head(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }

    /// For how long this server has not seen all committed events with positions.
    pub fn lag(&self) -> watch::Receiver<Duration> {
        self.lag.clone()
    }

    /// Waits until all that was committed before has its position, a second at most: who writes and
    /// then lists sees the own events.
    pub async fn flush(&self) {
        let Some(flushes) = &self.flushes else { return };
        let (done, answer) = oneshot::channel();
        if flushes.send(done).is_ok() {
            // Too late, or stopping: the list shows what has a position.
            let _ = timeout(FLUSH_WAIT, answer).await;
        }
    }

    /// Waits while the log keeps up, and else for a second: who follows it looks by itself then.
    pub async fn behind(&self) {
        let mut lag = self.lag.clone();
        if lag.wait_for(|lag| *lag >= PAUSE).await.is_err() {
            std::future::pending::<()>().await;
        }
        sleep(PAUSE).await;
    }
}

/// SQLite: gives positions to what a version without them wrote, a portion a transaction. To be
/// called before anything is written, which would do all of it at once.
///
/// # Errors
/// Those of the database.
pub fn catch_up(db: &Db) -> Result<()> {
    if db.is_postgres() {
        return Ok(());
    }
    let mut conn = db.connect()?;
    let (mut done, mut told) = (0, Instant::now());
    loop {
        let sealed = conn.write(portion)?;
        done += sealed;
        if sealed == 0 {
            return Ok(());
        }
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            tracing::info!(done, "Giving the log's events their positions: {done} so far");
        }
    }
}

/// Keeps the end up to date.
struct Keeper {
    db: Db,
    head: watch::Sender<Position>,
    lag: watch::Sender<Duration>,
    requests: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    behind: Behind,
}

impl Keeper {
    async fn run(&mut self) {
        let mut changes = self.db.changes();
        let mut sealer = Sealer::new(self.db.clone());
        let mut waiting: Vec<oneshot::Sender<()>> = Vec::new();
        let mut busy = Busy::default();
        loop {
            waiting.retain(|request| !request.is_closed());
            while let Ok(request) = self.requests.try_recv() {
                waiting.push(request);
            }
            let wait = !waiting.is_empty();
            let began = Instant::now();
            changes.mark_unchanged();
            let turned = self.db.threads().run(move || {
                let turn = sealer.turn(wait);
                (sealer, turn)
            });
            let Ok((back, turn)) = self.watched(turned, HANGS).await else {
                tracing::error!("The log's sealer panicked; it begins anew");
                sealer = Sealer::new(self.db.clone());
                self.note(&Err(Error::Internal("the sealer panicked".to_owned())));
                sleep(PAUSE).await;
                continue;
            };
            sealer = back;
            self.note(&turn);
            let pause = busy.after(turn.as_ref().is_ok_and(|(turn, _)| *turn == Turn::Busy));
            match turn {
                Ok((Turn::More, _)) => continue,
                // Who asks waits in the database for its turn.
                Ok((Turn::Busy, _)) => tokio::select! {
                    Some(request) = self.requests.recv() => waiting.push(request),
                    () = sleep(pause) => {}
                },
                Err(_) => sleep(PAUSE).await,
                Ok((Turn::Done, _)) => {
                    for request in waiting.drain(..) {
                        // The caller may have gone.
                        let _ = request.send(());
                    }
                    tokio::select! {
                        _ = changes.changed() => sleep(GAP.saturating_sub(began.elapsed())).await,
                        Some(request) = self.requests.recv() => waiting.push(request),
                        () = sleep(POLL) => {}
                    }
                }
            }
        }
    }

    /// Waits for a turn; one that takes longer than `hangs` is a log that falls behind.
    async fn watched<T>(
        &mut self,
        turn: impl Future<Output = std::result::Result<T, JoinError>>,
        hangs: Duration,
    ) -> std::result::Result<T, JoinError> {
        let mut turn = std::pin::pin!(turn);
        loop {
            match timeout(hangs, turn.as_mut()).await {
                Ok(turned) => return turned,
                Err(_) => {
                    let why = "the database does not answer the sealer".to_owned();
                    self.note(&Err(Error::Unavailable(why)));
                }
            }
        }
    }

    /// Tells the end and the lag, and says in the log when it begins and ends to be late.
    fn note(&mut self, turn: &Result<(Turn, Position)>) {
        if let Ok((_, head)) = turn {
            self.head.send_if_modified(|told| std::mem::replace(told, *head) != *head);
        }
        let done = matches!(turn, Ok((Turn::Done, _)));
        let lag = self.behind.note(done, Instant::now());
        self.lag.send_if_modified(|told| std::mem::replace(told, lag) != lag);
        match self.behind.news(lag) {
            None => {}
            Some(true) => {
                let why = turn.as_ref().err().map(ToString::to_string).unwrap_or_default();
                let seconds = lag.as_secs();
                tracing::warn!(
                    seconds,
                    why,
                    "The log is {seconds} s behind; followers wait. {why}"
                );
            }
            Some(false) => tracing::info!("The log is up to date again"),
        }
    }
}

/// The pause before the next look while another server seals.
#[derive(Debug, Default)]
struct Busy(Option<Duration>);

impl Busy {
    /// After a turn that found another server at it, or did not.
    fn after(&mut self, busy: bool) -> Duration {
        let next = self.0.map_or(BUSY, |last| (last * 2).min(POLL));
        self.0 = busy.then_some(next);
        next
    }
}

/// Since when the log has not been up to date, and whether that was said.
#[derive(Debug, Default)]
struct Behind {
    since: Option<Instant>,
    said: bool,
}

impl Behind {
    /// Notes a turn, after which everything had its position (`done`) or not; the lag.
    fn note(&mut self, done: bool, now: Instant) -> Duration {
        if done {
            self.since = None;
            return Duration::ZERO;
        }
        now.duration_since(*self.since.get_or_insert(now))
    }

    /// What is to be said: that it is late now, or no longer.
    fn news(&mut self, lag: Duration) -> Option<bool> {
        let late = lag >= LOG_LATE;
        let news = (late && !self.said) || (self.said && lag.is_zero());
        if news {
            self.said = late;
        }
        news.then_some(late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_server_that_seals_is_looked_at_less_and_less_often() {
        let mut busy = Busy::default();
        let pauses: Vec<_> = (0..7).map(|_| busy.after(true).as_millis()).collect();
        assert_eq!(pauses, [3, 6, 12, 24, 48, 50, 50]);
        busy.after(false);
        assert_eq!(busy.after(true), BUSY);
    }

    #[tokio::test]
    async fn a_log_whose_sealer_hangs_falls_behind() {
        let folder = tempfile::tempdir().unwrap();
        let address = crate::db::Address::Sqlite(folder.path().join("astro.db"));
        let db = Db::open(&address, crate::events::seal).unwrap();
        let ((head, _head), (lag, mut lags)) =
            (watch::channel(Position::START), watch::channel(Duration::ZERO));
        let (_flushes, requests) = mpsc::unbounded_channel();
        let mut keeper = Keeper { db, head, lag, requests, behind: Behind::default() };
        let hangs = tokio::spawn(std::future::pending::<()>());
        tokio::select! {
            _ = keeper.watched(hangs, Duration::from_millis(1)) => panic!("it hangs"),
            behind = lags.wait_for(|lag| !lag.is_zero()) => drop(behind.unwrap()),
        }
    }

    #[test]
    fn a_late_log_is_told_once_and_its_recovery_too() {
        let mut behind = Behind::default();
        let start = Instant::now();
        let news = |behind: &mut Behind, done, seconds| {
            let lag = behind.note(done, start + Duration::from_secs(seconds));
            behind.news(lag)
        };
        assert_eq!(news(&mut behind, false, 0), None);
        assert_eq!(news(&mut behind, false, 4), None);
        assert_eq!(news(&mut behind, false, 6), Some(true));
        assert_eq!(news(&mut behind, false, 9), None);
        assert_eq!(news(&mut behind, true, 10), Some(false));
        assert_eq!(news(&mut behind, true, 11), None);
    }
}
