//! SQLite's connections for looks on the caller's own thread: one takes microseconds, and the way to
//! another thread and back takes as long again. They wait for no lock: what meets one, or finds all of
//! them in use, goes the long way.
use super::Options;
use super::address::Address;
use super::conn::Conn;
use crate::db::limits::SQLITE_CACHE;
use crate::kernel::Result;
use crate::outside::Chance;
use diesel::ConnectionError;
use diesel::connection::SimpleConnection as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) struct Near(Mutex<Vec<Conn>>);

impl Near {
    /// Opens one for each thread that serves calls.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub(super) fn open(
        address: &Address,
        options: Options,
        chance: &Chance,
    ) -> Result<Self, ConnectionError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let open = |_| {
            let mut conn = Conn::open_with(address, options, chance.clone())?;
            conn.keep(SQLITE_CACHE)
                .and_then(|()| {
                    conn.batch_execute("PRAGMA busy_timeout = 0; PRAGMA query_only = ON")
                })
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        };
        let conns: Result<_, _> = (0..threads.min(options.readers)).map(open).collect();
        conns.map(|conns| Self(Mutex::new(conns)))
    }

    /// Runs one reading statement here and now; nothing if that cannot be.
    pub(super) fn look<T>(&self, work: &impl Fn(&mut Conn) -> Result<T>) -> Option<Result<T>> {
        let mut conn = self.free().pop()?;
        let outcome = conn.look(work);
        self.free().push(conn);
        match outcome {
            Err(error) if error.is_transient() => None,
            outcome => Some(outcome),
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Conn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
