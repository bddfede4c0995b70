//! The database: one code on SQLite and PostgreSQL, chosen by the URL at run time.
mod address;
mod conn;
mod error;
pub mod limits;
mod migrate;
mod near;
mod pool;
mod prepared;
mod probe;
pub mod schema;
pub mod seek;
#[cfg(test)]
mod tests;
mod text;
mod transaction;
mod trouble;
pub mod types;
mod words;
mod writer;

pub use address::Address;
pub use conn::{Conn, Engine, MultiBackend, MultiRawValue};
pub(crate) use conn::{each, within};
pub use prepared::Prepare;
pub(crate) use text::has_part;
pub use trouble::Able;
pub use types::{Document, Guid};
pub use words::{Word, none_of, one_of};

use crate::db::limits::{
    DATABASE_WAIT, READERS_DEFAULT, SEARCHES_OF, SHORT_READERS_OF, SQLITE_BATCH, WRITERS_DEFAULT,
};
use crate::kernel::{Error, Result};
use crate::outside::{Chance, Outside, Threads};
use near::Near;
use pool::Pool;
use probe::File;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::DropGuard;
use transaction::Mode;
use trouble::Trouble;
use writer::{Worker, Writer};

/// How the database's connections are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Reads at once, each on a connection of its own; a quarter of them are kept for short ones.
    pub readers: usize,
    /// PostgreSQL's writes at once, each on a connection of its own. SQLite has one writer.
    pub writers: usize,
    /// Whether statements are prepared once for each connection, which poolers that give each
    /// transaction another one (PgBouncer before 1.21) do not bear.
    pub prepare: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: READERS_DEFAULT, writers: WRITERS_DEFAULT, prepare: true }
    }
}

impl Options {
    /// The readers that are kept for short reads, and those for all: one of each at least.
    fn places(self) -> (usize, usize) {
        let short = (self.readers / SHORT_READERS_OF).max(1);
        (short, self.readers.saturating_sub(short).max(1))
    }

    /// Connections that reads and writes take at once.
    fn connections(self, writers: usize) -> usize {
        let (short, readers) = self.places();
        short + readers + writers
    }
}

/// What the last thing in each transaction is that writes.
pub type Finish = fn(&mut Conn) -> Result<()>;

/// The database. Clones share its connections.
#[derive(Clone)]
pub struct Db {
    address: Address,
    pool: Arc<Pool>,
    /// SQLite's connections for looks on the caller's thread.
    near: Option<Arc<Near>>,
    /// SQLite's file: a new connection to one that is gone would make an empty one.
    file: Option<Arc<File>>,
    writer: Writer,
    readers: Arc<Semaphore>,
    /// Places for short reads alone.
    short: Arc<Semaphore>,
    /// Places for going through much, within those for all.
    searches: Arc<Semaphore>,
    changed: watch::Sender<u64>,
    threads: Threads,
    _probe: Arc<DropGuard>,
}

impl Db {
    /// Opens the database with the usual options.
    ///
    /// # Errors
    /// See [`Db::open_with`].
    pub fn open(address: &Address, finish: Finish) -> anyhow::Result<Self> {
        Self::open_with(address, Options::default(), &Outside::default(), finish)
    }

    /// Opens the database, makes SQLite's folder if need be, and runs the migrations. Each
    /// transaction that writes ends with `finish`.
    ///
    /// # Errors
    /// When the folder cannot be made, the database cannot be reached or a migration fails.
    pub fn open_with(
        address: &Address,
        options: Options,
        outside: &Outside,
        finish: Finish,
    ) -> anyhow::Result<Self> {
        let (threads, beside, batch) = match address {
            Address::Postgres(_) => (options.writers, options.writers, 1),
            Address::Sqlite(_) => (1, 0, SQLITE_BATCH),
        };
        address.prepare()?;
        let chance = outside.chance.clone();
        let mut conn = Conn::open_with(address, options, chance.clone()).map_err(explained)?;
        for name in conn.migrate()? {
            tracing::info!(migration = name, "Ran migration {name}");
        }
        // SQLite's log lives as long as a connection does.
        let file = File::of(address)?.map(Arc::new);
        let near = match (address, outside.threads) {
            (Address::Sqlite(_), Threads::Own) => Some(Near::open(address, options, &chance)?),
            (Address::Sqlite(_), Threads::Callers) | (Address::Postgres(_), _) => None,
        };
        let pool = Arc::new(Pool::new(address.clone(), options, chance, beside, Trouble::none()));
        let probe = probe::start(outside.threads, &pool, file.clone(), conn)?;
        let changed = watch::Sender::new(0);
        let worker = Worker {
            pool: match address {
                Address::Postgres(_) => pool.clone(),
                Address::Sqlite(_) => Arc::new(pool.of_writer()),
            },
            file: file.clone(),
            batch,
            changed: changed.clone(),
            finish,
        };
        let writer = Writer::start(outside.threads, &worker, threads)?;
        let (short, readers) = options.places();
        let (short, readers) = (Arc::new(Semaphore::new(short)), Arc::new(Semaphore::new(readers)));
        let searches = (options.readers / SEARCHES_OF).max(1);
        Ok(Self {
            address: address.clone(),
            pool,
            near: near.map(Arc::new),
            file,
            writer,
            readers,
            short,
            searches: Arc::new(Semaphore::new(searches)),
            changed,
            threads: outside.threads,
            _probe: Arc::new(probe),
        })
    }

    /// Runs `work` in a transaction and answers once it is committed. `work` may run again, so it
    /// has no effect outside the database; it does not run for a caller who went away.
    ///
    /// # Errors
    /// Those of `work`, which undo the transaction, and those of the database, within
    /// [`DATABASE_WAIT`].
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: FnMut(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.write_within(DATABASE_WAIT, work).await
    }

    /// The same for work that nobody at a screen waits for: it may take this long.
    ///
    /// # Errors
    /// See [`Db::write`].
    pub async fn write_within<T, F>(&self, wait: Duration, work: F) -> Result<T>
    where
        F: FnMut(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let writing = self.writer.write(work, wait, self.pool.trouble());
        tokio::select! {
            biased;
            outcome = writing => outcome,
            cause = self.pool.trouble().stays_away() => Err(Error::Unavailable(cause)),
        }
    }

    /// Runs `work`, which only reads, on one snapshot of the database.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Unavailable`] when the database cannot take it in time.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.read_at(self.readers.clone().acquire_owned(), in_transaction(work)).await
    }

    /// The same for a piece of much that is gone through: few do that at once, in turns, since they would
    /// take all processors from those who know what they want.
    ///
    /// # Errors
    /// See [`Db::read`].
    pub async fn search<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let turn = tokio::time::timeout(DATABASE_WAIT / 2, self.searches.acquire()).await;
        let late = |_| self.pool.trouble().queue("searches");
        let _turn = turn.map_err(late)?.map_err(|_| Error::Stopping)?;
        self.read(work).await
    }

    /// The same for what every call needs before anything else, such as its key, and what takes no
    /// time: it has places of its own beside the others', so that long reads keep nobody out.
    ///
    /// # Errors
    /// See [`Db::read`].
    pub async fn read_short<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.read_at(self.any_place(), in_transaction(work)).await
    }

    /// Runs `work`, which is one statement that finds what it wants by its id: that sees one snapshot
    /// without a transaction, whose two round trips would take as long again. `work` may run again.
    ///
    /// # Errors
    /// See [`Db::read`].
    pub async fn look<T, F>(&self, work: F) -> Result<T>
    where
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        if let Some(outcome) = self.look_here(&work) {
            return outcome;
        }
        let looking = self.read_at(self.any_place(), move |pool: &Pool| pool.look(work));
        // Nothing bounds a statement outside a transaction, behind whatever pooler there is.
        let looked = tokio::time::timeout(DATABASE_WAIT, looking).await;
        looked.unwrap_or_else(|_| Err(self.pool.trouble().queue("reads")))
    }

    /// The look on this thread, if it can be had at once.
    fn look_here<T>(&self, work: &impl Fn(&mut Conn) -> Result<T>) -> Option<Result<T>> {
        let near = self.near.as_ref()?;
        self.file.as_ref().map_or(Ok(()), |file| file.check()).ok()?;
        let outcome = near.look(work)?;
        self.pool.trouble().read(&outcome);
        Some(outcome)
    }

    /// A place of any kind.
    async fn any_place(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        tokio::select! {
            biased;
            place = self.readers.clone().acquire_owned() => place,
            place = self.short.clone().acquire_owned() => place,
        }
    }

    async fn read_at<T, F>(
        &self,
        place: impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>>,
        work: F,
    ) -> Result<T>
    where
        F: FnOnce(&Pool) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let reading = async {
            let place = tokio::time::timeout(DATABASE_WAIT / 2, place).await;
            let late = |_| self.pool.trouble().queue("reads");
            let place = place.map_err(late)?.map_err(|_| Error::Stopping)?;
            let (pool, file) = (self.pool.clone(), self.file.clone());
            let done = self.threads.run(move || {
                let there = file.map_or(Ok(()), |file| file.check());
                let outcome = there.and_then(|()| work(&pool));
                pool.trouble().read(&outcome);
                drop(place);
                outcome
            });
            done.await.unwrap_or(Err(Error::Stopping))
        };
        tokio::select! {
            biased;
            outcome = reading => outcome,
            cause = self.pool.trouble().stays_away() => Err(Error::Unavailable(cause)),
        }
    }

    /// Why the database is away, if it is; each change is told.
    pub fn away(&self) -> watch::Receiver<Option<String>> {
        self.pool.trouble().away()
    }

    /// What the database does for its callers; changes are told.
    pub fn able(&self) -> watch::Receiver<Able> {
        self.pool.trouble().able()
    }

    /// A connection of one's own, beside the pool.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn connect(&self) -> Result<Conn> {
        self.file.as_ref().map_or(Ok(()), |file| file.check())?;
        self.pool.connect()
    }

    /// Where work on it that may block goes.
    pub(crate) fn threads(&self) -> Threads {
        self.threads
    }

    /// The chance that its transactions draw from.
    pub(crate) fn chance(&self) -> &Chance {
        self.pool.chance()
    }

    /// Whether it is PostgreSQL, where several servers may write at once.
    pub fn is_postgres(&self) -> bool {
        matches!(self.address, Address::Postgres(_))
    }

    /// Changes with each commit of this process: who reads the event log looks again then.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// Work that reads in a transaction.
fn in_transaction<T>(work: impl FnOnce(&mut Conn) -> Result<T>) -> impl FnOnce(&Pool) -> Result<T> {
    |pool| pool.begin(Mode::Read)?.finish(work)
}

/// With what helps against the refusal that a start meets most. The text is only for people.
fn explained(error: diesel::ConnectionError) -> anyhow::Error {
    let text = error.to_string();
    let error = anyhow::Error::from(error);
    if !text.contains("too many") && !text.contains("connection slots") {
        return error;
    }
    error.context(
        "PostgreSQL has no connection left for this server: raise its max_connections, or lower \
         --database-writers and --database-readers of all servers",
    )
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Db")
    }
}
