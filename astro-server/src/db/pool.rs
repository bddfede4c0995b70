//! Connections, opened when they are needed. Who may have one is bounded elsewhere: by the readers'
//! permits and the writers' threads, so that nobody waits here for another's.
use super::Options;
use super::address::Address;
use super::conn::Conn;
use super::transaction::Mode;
use super::trouble::{REFUSED, Trouble};
use crate::db::limits::{CONNECTION_IDLE, RERUN_WAIT, SQLITE_CACHE, SQLITE_WRITER_CACHE};
use crate::kernel::{Error, Result};
use crate::outside::Chance;
use diesel::ConnectionError;
use diesel::r2d2::{self, HandleError, ManageConnection, PooledConnection, R2D2Connection};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::Instant;

/// The pool, and what is wrong with its database.
pub(super) struct Pool {
    conns: r2d2::Pool<Manager>,
    manager: Manager,
    trouble: Trouble,
}

/// A connection of the pool, which goes back when it is dropped.
pub(super) type Pooled = PooledConnection<Manager>;

/// Opens connections, and knows those that broke.
#[derive(Clone)]
pub(super) struct Manager {
    address: Address,
    options: Options,
    chance: Chance,
    /// Bytes of SQLite's file that each connection keeps.
    cache: u64,
    /// Callers that wait for a connection now.
    wanted: Arc<AtomicUsize>,
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = ConnectionError;

    /// r2d2 tries what failed for ever; while nobody waits, the database is left in peace.
    fn connect(&self) -> Result<Conn, ConnectionError> {
        if self.wanted.load(Ordering::Relaxed) == 0 {
            return Err(ConnectionError::BadConnection(String::new()));
        }
        let mut conn = Conn::open_with(&self.address, self.options, self.chance.clone())?;
        conn.keep(self.cache).map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), ConnectionError> {
        conn.ping().map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        conn.is_broken()
    }
}

impl HandleError<ConnectionError> for Trouble {
    fn handle_error(&self, error: ConnectionError) {
        let why = error.to_string();
        if !why.is_empty() {
            self.because(&why);
        }
    }
}

impl Pool {
    /// An empty pool, with room for every reader and so many writers beside them.
    pub(super) fn new(
        address: Address,
        options: Options,
        chance: Chance,
        writers: usize,
        trouble: Trouble,
    ) -> Self {
        Self::with_room(
            options.connections(writers),
            SQLITE_CACHE,
            address,
            options,
            chance,
            trouble,
        )
    }

    /// A pool for SQLite's one writer: what it has read and prepared stays with it.
    pub(super) fn of_writer(&self) -> Self {
        let Manager { address, options, chance, .. } = self.manager.clone();
        Self::with_room(1, SQLITE_WRITER_CACHE, address, options, chance, self.trouble.clone())
    }

    fn with_room(
        size: usize,
        cache: u64,
        address: Address,
        options: Options,
        chance: Chance,
        trouble: Trouble,
    ) -> Self {
        let manager = Manager { address, options, chance, cache, wanted: Arc::default() };
        let conns = r2d2::Pool::builder()
            .max_size(u32::try_from(size).unwrap_or(u32::MAX))
            .min_idle(Some(0))
            .idle_timeout(Some(CONNECTION_IDLE))
            .max_lifetime(None)
            .connection_timeout(RERUN_WAIT)
            // The transaction's own BEGIN shows whether it is alive.
            .test_on_check_out(false)
            .error_handler(Box::new(trouble.clone()))
            .build_unchecked(manager.clone());
        Self { conns, manager, trouble }
    }

    /// Where the database is in trouble.
    pub(super) fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// What its connections draw from.
    pub(super) fn chance(&self) -> &Chance {
        &self.manager.chance
    }

    /// A connection in a new transaction. Those that died while nobody used them are replaced.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database takes no connection or no transaction.
    pub(super) fn begin(&self, mode: Mode) -> Result<Pooled> {
        let began = Instant::now();
        loop {
            let mut conn = self.take()?;
            match conn.begin(mode) {
                Ok(()) => return Ok(conn),
                // Its neighbours died with it.
                Err(_) if conn.is_broken() && began.elapsed() < RERUN_WAIT => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Runs one reading statement outside a transaction, again on another connection if that one had
    /// died while nobody used it.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Unavailable`] when the database takes no connection.
    pub(super) fn look<T>(&self, work: impl Fn(&mut Conn) -> Result<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            let mut conn = self.take()?;
            match conn.look(&work) {
                Err(_) if conn.is_broken() && began.elapsed() < RERUN_WAIT => {}
                outcome => return outcome,
            }
        }
    }

    /// A new connection that the pool does not count.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(super) fn connect(&self) -> Result<Conn> {
        let Manager { address, options, chance, .. } = &self.manager;
        Conn::open_with(address, *options, chance.clone()).map_err(|error| {
            self.trouble.because(&error.to_string());
            Error::Unavailable(REFUSED.to_owned())
        })
    }

    fn take(&self) -> Result<Pooled> {
        self.manager.wanted.fetch_add(1, Ordering::Relaxed);
        let conn = self.conns.get();
        self.manager.wanted.fetch_sub(1, Ordering::Relaxed);
        conn.map_err(|_| {
            let open = self.conns.state().connections;
            if self.trouble.is_away() {
                return Error::Unavailable(REFUSED.to_owned());
            }
            self.trouble.closed(Instant::now());
            if open == 0 {
                return Error::Unavailable(REFUSED.to_owned());
            }
            // PostgreSQL had no room for one more, and none of the others came back.
            Error::Unavailable(format!(
                "it takes no further connection ({open} are open): if it has no room for more, \
                 raise its max_connections or lower --database-writers and --database-readers"
            ))
        })
    }
}
