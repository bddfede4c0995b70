//! Transactions: one snapshot for a read, bounded waits for a write, a savepoint for a part of one.
use super::conn::{Conn, Engine};
use crate::db::limits::{DATABASE_WAIT, IDLE_IN_TRANSACTION, LOCK_WAIT, READ_STATEMENT};
use crate::kernel::{Error, Result};
use diesel::connection::{
    AnsiTransactionManager, Connection, SimpleConnection as _, TransactionManager,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

type Manager = <Engine as Connection>::TransactionManager;

/// What a transaction is for, and how long it may wait.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    /// Sees one snapshot, writes nothing.
    Read,
    /// Waits so long for locks and statements.
    Write(Duration),
}

impl Conn {
    /// Runs `work` in a transaction that takes its write lock at once on SQLite, so that it never
    /// fails half-way with SQLITE_BUSY.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    pub fn write<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.begin(Mode::Write(DATABASE_WAIT))?;
        self.finish(work)
    }

    /// Runs `work`, which only reads, on one snapshot and within the time that reads have.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    pub fn read<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.begin(Mode::Read)?;
        self.finish(work)
    }

    /// Runs `work` so that its failure, a panic too, undoes what it did and nothing else of the
    /// transaction around it.
    ///
    /// # Errors
    /// Outside, that the transaction as a whole is lost; inside, those of `work`.
    pub fn part<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<Result<T>> {
        Manager::begin_transaction(&mut self.engine)?;
        let outcome = caught(|| work(self));
        match &outcome {
            Ok(_) => Manager::commit_transaction(&mut self.engine)?,
            Err(_) => Manager::rollback_transaction(&mut self.engine)?,
        }
        Ok(outcome)
    }

    /// Runs one statement, in no transaction but the one that the database makes for it.
    pub(super) fn look<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        caught(|| work(self))
    }

    /// Begins a transaction, with its limits in the same round trip and in no other place: a
    /// pooler may give the next transaction another session.
    pub(super) fn begin(&mut self, mode: Mode) -> Result<()> {
        match &mut self.engine {
            Engine::Postgres(conn) => {
                let begun =
                    AnsiTransactionManager::begin_transaction_sql(conn, &postgres_begin(mode));
                // It may stand in a transaction that Diesel does not know of.
                begun.inspect_err(|_| drop(conn.batch_execute("ROLLBACK")))?;
            }
            Engine::Sqlite(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, &sqlite_begin(mode))?;
            }
        }
        Ok(())
    }

    /// Ends a transaction that was begun with the outcome of `work`.
    pub(super) fn finish<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        match caught(|| work(self)) {
            Ok(value) => {
                Manager::commit_transaction(&mut self.engine)?;
                Ok(value)
            }
            Err(error) => {
                // A connection that cannot even roll back is broken, and its pool sees that.
                let _ = Manager::rollback_transaction(&mut self.engine);
                Err(error)
            }
        }
    }
}

fn postgres_begin(mode: Mode) -> String {
    let (kind, lock, statement) = match mode {
        Mode::Read => ("REPEATABLE READ READ ONLY", LOCK_WAIT, READ_STATEMENT),
        Mode::Write(wait) => ("READ COMMITTED", wait.min(LOCK_WAIT), wait),
    };
    let (lock, statement) = (lock.as_millis(), statement.as_millis());
    let idle = IDLE_IN_TRANSACTION.as_millis();
    format!(
        "BEGIN ISOLATION LEVEL {kind}; SET LOCAL lock_timeout = {lock}; \
         SET LOCAL statement_timeout = {statement}; \
         SET LOCAL idle_in_transaction_session_timeout = {idle}"
    )
}

fn sqlite_begin(mode: Mode) -> String {
    match mode {
        Mode::Read => "BEGIN DEFERRED".to_owned(),
        Mode::Write(wait) => {
            format!("PRAGMA busy_timeout = {}; BEGIN IMMEDIATE", wait.as_millis())
        }
    }
}

/// A defect in one piece of work must not take others with it.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Internal("a transaction panicked".to_owned())))
}
