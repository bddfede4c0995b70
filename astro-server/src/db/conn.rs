//! The connections and how they are opened.
#![allow(missing_docs)] // `MultiConnection` generates items without
use super::Options;
use super::address::{self, Address};
use crate::db::limits::{DATABASE_CONNECT, SQLITE_CACHE, WAL_BYTES_MAX};
use crate::kernel::Timestamp;
use crate::outside::Chance;
use diesel::connection::{CacheSize, SimpleConnection};
use diesel::prelude::*;
use uuid::Uuid;

/// A database's own connection, for SQL; the URL decides which.
#[derive(diesel::MultiConnection)]
pub enum Engine {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// SQLite, built in.
    Sqlite(SqliteConnection),
}

impl Engine {
    /// Opens a connection.
    ///
    /// # Errors
    /// When the database cannot be reached; for a wish for TLS without the feature `postgres-tls`.
    pub fn open(address: &Address) -> ConnectionResult<Self> {
        match address {
            Address::Postgres(url) => open_postgres(url),
            Address::Sqlite(path) => open_sqlite(path),
        }
    }
}

/// A connection to either database, and the chance that its transactions draw from.
pub struct Conn {
    pub(super) engine: Engine,
    chance: Chance,
}

impl Conn {
    /// Opens a connection, on the machine's chance.
    ///
    /// # Errors
    /// See [`Engine::open`].
    pub fn open(address: &Address) -> ConnectionResult<Self> {
        Self::open_with(address, Options::default(), Chance::default())
    }

    /// Opens a connection that is used so, and draws from this chance.
    ///
    /// # Errors
    /// See [`Engine::open`].
    pub fn open_with(
        address: &Address,
        options: Options,
        chance: Chance,
    ) -> ConnectionResult<Self> {
        let mut engine = Engine::open(address)?;
        if !options.prepare {
            // A pooler may give each transaction another session, which knows no statement of ours.
            engine.set_prepared_statement_cache_size(CacheSize::Disabled);
        }
        Ok(Self { engine, chance })
    }

    /// Lets SQLite keep so many bytes of its file in memory; PostgreSQL's memory is its own.
    pub(super) fn keep(&mut self, bytes: u64) -> QueryResult<()> {
        match &mut self.engine {
            Engine::Postgres(_) => Ok(()),
            Engine::Sqlite(conn) => {
                conn.batch_execute(&format!("PRAGMA cache_size = -{}", bytes / 1024))
            }
        }
    }

    /// A new id of any kind, made now.
    pub(crate) fn id<T: From<Uuid>>(&self, now: Timestamp) -> T {
        self.chance.id(now.0).into()
    }

    /// The chance of this transaction.
    pub(crate) fn chance(&self) -> &Chance {
        &self.chance
    }
}

impl std::ops::Deref for Conn {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl std::ops::DerefMut for Conn {
    fn deref_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }
}

fn open_postgres(url: &str) -> ConnectionResult<Engine> {
    #[allow(clippy::wildcard_enum_match_arm)] // the library's enum may grow
    PgConnection::establish(&bounded(url)).map(Engine::Postgres).map_err(|error| match error {
        ConnectionError::BadConnection(text)
            if !cfg!(feature = "postgres-tls")
                && ["SSL", "sslmode", "no encryption"].iter().any(|word| text.contains(word)) =>
        {
            ConnectionError::BadConnection(
                "this build does not speak TLS to PostgreSQL: build it with \
                 `cargo build --release --features postgres-tls`, or use a unix socket or a private \
                 network, and sslmode=prefer or disable"
                    .to_owned(),
            )
        }
        ConnectionError::BadConnection(text) => {
            ConnectionError::BadConnection(address::without_password(&text, url))
        }
        other => other,
    })
}

/// The address with time limits, so that a network that swallows packets holds nobody for long.
/// What the operator set stays.
fn bounded(url: &str) -> String {
    let mut bounded = url.to_owned();
    let limits = [
        ("connect_timeout", DATABASE_CONNECT.as_secs()),
        ("tcp_user_timeout", DATABASE_CONNECT.as_secs() * 2000),
        ("keepalives_idle", 2),
        ("keepalives_interval", 1),
        ("keepalives_count", 3),
    ];
    for (name, value) in limits {
        if !url.contains(&format!("{name}=")) {
            let joint = if bounded.contains('?') { '&' } else { '?' };
            bounded.push_str(&format!("{joint}{name}={value}"));
        }
    }
    bounded
}

fn open_sqlite(path: &std::path::Path) -> ConnectionResult<Engine> {
    let name = path.to_str().ok_or_else(|| {
        ConnectionError::InvalidConnectionUrl("the path of the database is not UTF-8".to_owned())
    })?;
    let mut conn = SqliteConnection::establish(name)?;
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -{};
         PRAGMA journal_size_limit = {WAL_BYTES_MAX};",
        SQLITE_CACHE / 1024
    ))
    .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(Engine::Sqlite(conn))
}

/// One expression, compiled for each database with `$conn` as its own connection type: for the
/// few statements (`ON CONFLICT`, multi-row `VALUES`) that `MultiConnection` cannot render, and for
/// what calls do all day: it is found by its type, while `MultiConnection` writes its text each time.
macro_rules! each {
    ($conn:ident, $query:expr) => {
        match $conn {
            $crate::db::Engine::Postgres($conn) => $query,
            $crate::db::Engine::Sqlite($conn) => $query,
        }
    };
}
pub(crate) use each;

/// A boxed query, narrowed to what belongs within a [`Reach`](crate::kernel::Reach) by its column of
/// organisations.
macro_rules! within {
    ($query:expr, $column:expr, $reach:expr) => {
        match $reach {
            $crate::kernel::Reach::Platform => $query,
            $crate::kernel::Reach::Organization(org) => $query.filter($column.eq(org)),
            // Nothing that an organisation has.
            $crate::kernel::Reach::Commons => {
                $query.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("1 = 0"))
            }
        }
    };
}
pub(crate) use within;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_own_time_limits_stay() {
        let own = bounded("postgres://db/astro?connect_timeout=9");
        assert!(own.contains("connect_timeout=9&tcp_user_timeout=4000"), "{own}");
        assert_eq!(own.matches("connect_timeout").count(), 1);
        assert!(bounded("postgres://db/astro").contains("astro?connect_timeout=2&"));
    }
}
