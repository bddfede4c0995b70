//! The one connection type, its pool and its transactions.
#![allow(missing_docs)] // `MultiConnection` generates items without

use super::address::{self, Address};
use crate::kernel::{Error, Result};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, R2D2Connection};
use diesel::result::{DatabaseErrorKind, Error as DbError};

/// A connection to either database; the URL decides which.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// SQLite, built in.
    Sqlite(SqliteConnection),
}

impl Conn {
    /// Opens a connection.
    ///
    /// # Errors
    /// When the database cannot be reached; for a wish for TLS, which this build does not speak.
    pub fn open(address: &Address) -> ConnectionResult<Self> {
        match address {
            Address::Postgres(url) => open_postgres(url),
            Address::Sqlite(path) => open_sqlite(path),
        }
    }

    /// Runs `work` in a transaction that takes its write lock at once on SQLite, so that it never
    /// fails half-way with SQLITE_BUSY.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    pub fn write<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        match self {
            Self::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(
                conn,
                "BEGIN ISOLATION LEVEL READ COMMITTED",
            )?,
            Self::Sqlite(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
            }
        }
        match work(self) {
            Ok(value) => {
                <Self as Connection>::TransactionManager::commit_transaction(self)?;
                Ok(value)
            }
            Err(error) => {
                <Self as Connection>::TransactionManager::rollback_transaction(self)?;
                Err(error)
            }
        }
    }
}

fn open_postgres(url: &str) -> ConnectionResult<Conn> {
    #[allow(clippy::wildcard_enum_match_arm)] // the library's enum may grow
    PgConnection::establish(url).map(Conn::Postgres).map_err(|error| match error {
        ConnectionError::BadConnection(text) if text.contains("SSL") || text.contains("sslmode") => {
            ConnectionError::BadConnection(
                "this build does not speak TLS to PostgreSQL: use a unix socket, a private network \
                 or a TLS sidecar, and sslmode=prefer or disable"
                    .to_owned(),
            )
        }
        ConnectionError::BadConnection(text) => {
            ConnectionError::BadConnection(address::without_password(&text, url))
        }
        other => other,
    })
}

fn open_sqlite(path: &std::path::Path) -> ConnectionResult<Conn> {
    let name = path.to_str().ok_or_else(|| {
        ConnectionError::InvalidConnectionUrl("the path of the database is not UTF-8".to_owned())
    })?;
    let mut conn = SqliteConnection::establish(name)?;
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536;",
    )
    .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(Conn::Sqlite(conn))
}

/// One expression, compiled for each database with `$conn` as its own connection type: for the
/// few statements (`ON CONFLICT`, multi-row `VALUES`) that `MultiConnection` cannot render.
macro_rules! each {
    ($conn:ident, $query:expr) => {
        match $conn {
            $crate::db::Conn::Postgres($conn) => $query,
            $crate::db::Conn::Sqlite($conn) => $query,
        }
    };
}
pub(crate) use each;

/// r2d2's manager, because the derived `establish` would try every variant in turn.
pub(super) struct Manager(pub(super) Address);

/// The pool of connections.
pub(super) type Pool = r2d2::Pool<Manager>;

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<Conn, r2d2::Error> {
        Conn::open(&self.0).map_err(r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), r2d2::Error> {
        conn.ping().map_err(r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        conn.is_broken()
    }
}

impl From<DbError> for Error {
    #[allow(clippy::wildcard_enum_match_arm)] // the library's enum may grow
    fn from(error: DbError) -> Self {
        let text = error.to_string();
        match &error {
            // What a unique index refuses was checked before: another transaction was faster, and
            // the next run sees what it did.
            DbError::DatabaseError(
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::UniqueViolation,
                _,
            ) => Self::Conflict(text),
            // PostgreSQL's deadlock (40P01) comes without a kind of its own.
            DbError::DatabaseError(DatabaseErrorKind::Unknown, info)
                if info.message().contains("deadlock detected")
                    || info.message().contains("database is locked") =>
            {
                Self::Conflict(text)
            }
            DbError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _,
            )
            | DbError::BrokenTransactionManager => Self::Unavailable(text),
            DbError::DatabaseError(DatabaseErrorKind::Unknown, info)
                if info.message().contains("disk is full")
                    || info.message().contains("No space left")
                    || info.message().contains("terminating connection")
                    || info.message().contains("server closed the connection") =>
            {
                Self::Unavailable(text)
            }
            _ => Self::Internal(format!("database: {text}")),
        }
    }
}
