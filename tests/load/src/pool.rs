//! Free items to take, and how they come back between two slices.

use std::sync::{Arc, Mutex, PoisonError};

use astro_server::db::Conn;
use astro_tests::{Backend, sql};

use crate::stage::{FREE, Stage};

/// What was promised or held is free again, as if its promise had been cancelled; without events,
/// for which nobody looks.
const GIVE_BACK: [&str; 4] = [
    "UPDATE assignment_items SET delivery_status = 'returned' WHERE delivery_status = 'pending'",
    "UPDATE assignments SET state = 'CANCELLED', cancelled_at = created_at, version = version + 1
     WHERE state = 'QUEUED'",
    "UPDATE items SET state = 'AVAILABLE', assigned_to_user_id = NULL, assigned_at = NULL,
       assignment_id = NULL, reservation_id = NULL, version = version + 1
     WHERE org_id = (SELECT id FROM organizations LIMIT 1) AND state = 'ASSIGNED'
       OR org_id = (SELECT id FROM organizations LIMIT 1) AND state = 'RESERVED'",
    "UPDATE reservations SET state = 'RELEASED', ended_at = created_at WHERE state = 'HELD'",
];

/// Free items of a database.
pub(crate) struct Pool {
    conn: Mutex<Conn>,
    free_sql: String,
    free: Mutex<Vec<String>>,
}

impl Pool {
    /// The free items of the stage's database, or of the bare one's.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn of(stage: &Stage, url: &str) -> anyhow::Result<Arc<Self>> {
        let mut conn = sql::open(url)?;
        if stage.backend == Backend::Postgres {
            sql::run(&mut conn, "SET synchronous_commit = off")?;
        }
        let id = stage.id_text();
        let free_sql =
            format!("SELECT {id} AS line FROM items WHERE state = 'AVAILABLE' LIMIT {FREE}");
        let (conn, free) = (Mutex::new(conn), Mutex::default());
        let pool = Arc::new(Self { conn, free_sql, free });
        pool.refill()?;
        Ok(pool)
    }

    /// Takes so many, if there are as many.
    pub(crate) fn take(&self, count: usize) -> Option<Vec<String>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let left = free.len().checked_sub(count)?;
        Some(free.split_off(left))
    }

    /// Lets all come back that were taken, by whatever way.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn refill(&self) -> anyhow::Result<()> {
        let mut conn = self.conn.lock().unwrap_or_else(PoisonError::into_inner);
        GIVE_BACK.iter().try_for_each(|statement| sql::run(&mut conn, statement))?;
        let found = sql::lines(&mut conn, &self.free_sql)?;
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }
}
