//! Migrations: two folders of the same names, embedded.
use super::conn::Conn;
use crate::kernel::{Error, Result};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");

/// Key of the advisory lock under which one server at a time migrates a PostgreSQL database.
const LOCK: i64 = 0x6173_7472_6f00;

impl Conn {
    /// Runs the migrations that have not run yet and tells their names.
    ///
    /// # Errors
    /// [`Error::Internal`] with what the database said.
    pub fn migrate(&mut self) -> Result<Vec<String>> {
        match self {
            Self::Postgres(conn) => {
                lock(conn, "pg_advisory_lock")?;
                let done = conn.run_pending_migrations(POSTGRES).map(names).map_err(failed);
                lock(conn, "pg_advisory_unlock")?;
                done
            }
            // In one transaction: a server that starts at the same time waits for its end.
            Self::Sqlite(_) => self.write(|conn| match conn {
                Self::Sqlite(conn) => {
                    conn.run_pending_migrations(SQLITE).map(names).map_err(failed)
                }
                Self::Postgres(_) => Ok(Vec::new()),
            }),
        }
    }

    /// Undoes every migration: for tests.
    ///
    /// # Errors
    /// [`Error::Internal`] with what the database said.
    pub fn revert_migrations(&mut self) -> Result<()> {
        match self {
            Self::Postgres(conn) => conn.revert_all_migrations(POSTGRES).map(drop),
            Self::Sqlite(conn) => conn.revert_all_migrations(SQLITE).map(drop),
        }
        .map_err(failed)
    }
}

fn lock(conn: &mut diesel::PgConnection, function: &str) -> Result<()> {
    use diesel::connection::SimpleConnection as _;
    Ok(conn.batch_execute(&format!("SELECT {function}({LOCK})"))?)
}

fn names(versions: Vec<diesel::migration::MigrationVersion<'_>>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Internal(format!("migration: {error}"))
}
