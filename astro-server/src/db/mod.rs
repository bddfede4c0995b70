//! The database: one code on SQLite and PostgreSQL, chosen by the URL at run time.
mod address;
mod conn;
mod migrate;
pub mod schema;
pub mod types;
mod writer;

pub use address::Address;
pub(crate) use conn::each;
pub use conn::{Conn, MultiBackend};
pub use types::{Document, Guid};

use crate::kernel::{Error, Result};
use conn::{Manager, Pool};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use writer::Writer;

/// Readers at once, beside the writers: more is no faster on small machines.
const READERS: usize = 8;
/// PostgreSQL's writers.
const POSTGRES_WRITERS: usize = 16;
/// Requests that share a commit on SQLite.
const SQLITE_BATCH: usize = 64;
/// Time to wait for a connection before the caller is told to try again.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);

/// What the last thing in each transaction is that writes.
pub type Finish = fn(&mut Conn) -> Result<()>;

/// The database. Clones share its connections.
#[derive(Clone)]
pub struct Db {
    address: Address,
    pool: Pool,
    writer: Writer,
    readers: Arc<Semaphore>,
    changed: watch::Sender<u64>,
}

impl Db {
    /// Opens the database, makes SQLite's folder if need be, and runs the migrations. Each
    /// transaction that writes ends with `finish`.
    ///
    /// # Errors
    /// When the folder cannot be made, the database cannot be reached or a migration fails.
    pub fn open(address: &Address, finish: Finish) -> anyhow::Result<Self> {
        let (threads, batch) = match address {
            Address::Postgres(_) => (POSTGRES_WRITERS, 1),
            Address::Sqlite(_) => (1, SQLITE_BATCH),
        };
        address.prepare()?;
        let mut conn = Conn::open(address)?;
        for name in conn.migrate()? {
            tracing::info!(migration = name, "Ran migration {name}");
        }
        drop(conn);
        let pool = Pool::builder()
            .max_size(u32::try_from(READERS + threads).unwrap_or(u32::MAX))
            .min_idle(Some(1))
            .connection_timeout(CONNECTION_WAIT)
            .build(Manager(address.clone()))?;
        let changed = watch::Sender::new(0);
        let writer = Writer::start(&pool, threads, batch, &changed, finish)?;
        let (address, readers) = (address.clone(), Arc::new(Semaphore::new(READERS)));
        Ok(Self { address, pool, writer, readers, changed })
    }

    /// Runs `work` in a transaction and answers once it is committed. `work` may run again, so it
    /// has no effect outside the database.
    ///
    /// # Errors
    /// Those of `work`, which undo the transaction, and those of the database.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: FnMut(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.writer.write(work).await
    }

    /// Runs `work`, which only reads.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Unavailable`] when no connection becomes free in time.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let permit = self.readers.clone().acquire_owned().await.map_err(|_| Error::Stopping)?;
        let pool = self.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut conn = pool.get().map_err(|e| Error::Unavailable(e.to_string()))?;
            let outcome = work(&mut conn);
            drop(permit);
            outcome
        });
        done.await.unwrap_or_else(|_| Err(Error::Internal("a read panicked".to_owned())))
    }

    /// A connection of one's own, beside the pool.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn connect(&self) -> Result<Conn> {
        Conn::open(&self.address).map_err(|error| Error::Unavailable(error.to_string()))
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

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Db")
    }
}

/// An organisation for tests, since the slices below `orgs` may not ask it for one.
#[cfg(test)]
pub(crate) fn insert_org(
    conn: &mut Conn,
    id: crate::kernel::OrgId,
    now: crate::kernel::Timestamp,
) -> Result<()> {
    use diesel::prelude::*;
    use schema::organizations;
    let row = (
        organizations::id.eq(id),
        organizations::slug.eq("red"),
        organizations::display_name.eq("Red"),
        organizations::donation_keyword.eq("donation"),
        organizations::donation_app_ids.eq(Document(serde_json::json!([]))),
        organizations::claim_ttl_seconds.eq(60),
        organizations::adopt_unknown_items.eq(true),
        organizations::created_at.eq(now),
        organizations::updated_at.eq(now),
    );
    diesel::insert_into(organizations::table).values(row).execute(conn)?;
    Ok(())
}
