//! Connections, opened when they are needed. Who may have one is bounded elsewhere: by the readers'
//! permits and the writers' threads.
use super::Options;
use super::address::Address;
use super::conn::Conn;
use super::transaction::Mode;
use super::trouble::{REFUSED, Trouble};
use crate::kernel::limits::{CONNECTION_IDLE, RERUN_WAIT};
use crate::kernel::{Error, Result};
use diesel::r2d2::R2D2Connection as _;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The connections that nobody uses, the one used last on top, so that those below grow old.
pub(super) struct Pool {
    address: Address,
    options: Options,
    trouble: Trouble,
    idle: Mutex<Idle>,
    returned: Condvar,
}

#[derive(Default)]
struct Idle {
    conns: Vec<(Conn, Instant)>,
    /// Open ones, in use or not.
    open: usize,
}

impl Pool {
    /// An empty pool.
    pub(super) fn new(address: Address, options: Options, trouble: Trouble) -> Self {
        Self { address, options, trouble, idle: Mutex::default(), returned: Condvar::new() }
    }

    /// Where the database is in trouble.
    pub(super) fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// A connection in a new transaction. One that died while nobody used it is replaced.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database takes no connection or no transaction.
    pub(super) fn begin(&self, mode: Mode) -> Result<Conn> {
        let taken = self.lock().conns.pop();
        if let Some((mut conn, _)) = taken {
            match conn.begin(mode) {
                Ok(()) => return Ok(conn),
                Err(error) if !conn.is_broken() => {
                    self.put_unbegun(conn);
                    return Err(error);
                }
                Err(_) => self.forget(conn),
            }
            // Its neighbours died with it.
            self.drop_idle(|_| true);
        }
        let mut conn = self.open()?;
        match conn.begin(mode) {
            Ok(()) => Ok(conn),
            Err(error) => {
                self.put_unbegun(conn);
                Err(error)
            }
        }
    }

    fn put_unbegun(&self, conn: Conn) {
        match conn {
            // It only waited for a lock.
            Conn::Sqlite(_) => self.put(conn),
            // It may stand in a transaction that was half begun.
            Conn::Postgres(_) => self.forget(conn),
        }
    }

    /// Takes a connection back.
    pub(super) fn put(&self, mut conn: Conn) {
        if conn.is_broken() {
            return self.forget(conn);
        }
        self.lock().conns.push((conn, Instant::now()));
        self.returned.notify_one();
    }

    /// Closes connections that were not used for long.
    pub(super) fn tidy(&self) {
        self.drop_idle(|since| since.elapsed() > CONNECTION_IDLE);
    }

    /// A new connection that the pool does not count.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(super) fn connect(&self) -> Result<Conn> {
        Conn::open_with(&self.address, self.options).map_err(|error| {
            self.trouble.because(&error.to_string());
            Error::Unavailable(REFUSED.to_owned())
        })
    }

    fn open(&self) -> Result<Conn> {
        let error = match self.connect() {
            Ok(conn) => {
                self.lock().open += 1;
                return Ok(conn);
            }
            Err(error) => error,
        };
        // PostgreSQL may have no room for one more; then those that are open have to do.
        let busy = |idle: &mut Idle| idle.conns.is_empty() && idle.open > 0;
        let waited = self.returned.wait_timeout_while(self.lock(), RERUN_WAIT, busy);
        let (mut idle, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some((conn, _)) = idle.conns.pop() {
            return Ok(conn);
        }
        if idle.open == 0 || self.trouble.is_away() {
            return Err(error);
        }
        Err(Error::Unavailable(format!(
            "it takes no further connection ({} are open): if it has no room for more, raise its \
             max_connections or lower --database-writers and --database-readers",
            idle.open
        )))
    }

    fn forget(&self, conn: Conn) {
        drop(conn);
        let mut idle = self.lock();
        idle.open = idle.open.saturating_sub(1);
    }

    fn drop_idle(&self, old: impl Fn(Instant) -> bool) {
        let mut idle = self.lock();
        let (dropped, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut idle.conns).into_iter().partition(|(_, since)| old(*since));
        idle.conns = kept;
        idle.open = idle.open.saturating_sub(dropped.len());
        // Closing one may take a while; others need the list.
        std::mem::drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
