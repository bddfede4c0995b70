//! Migrations: two folders of the same names, embedded.
use super::conn::{Conn, Engine};
use crate::kernel::{Error, Result};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, RunQueryDsl as _, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::time::Duration;

const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");

/// Key of the advisory lock under which one server at a time migrates a PostgreSQL database.
const LOCK: i64 = 0x6173_7472_6f00;
/// Time that a migration waits for a table that others use: everybody who comes later waits behind it.
const TABLE_WAIT: Duration = Duration::from_secs(10);

impl Conn {
    /// Runs the migrations that have not run yet and tells their names.
    ///
    /// # Errors
    /// [`Error::Internal`] with what the database said, [`Error::Invalid`] for a database whose
    /// encoding cannot hold every text.
    #[allow(clippy::disallowed_methods)] // PostgreSQL's alone, which has no lock to take first
    pub fn migrate(&mut self) -> Result<Vec<String>> {
        match &mut self.engine {
            Engine::Postgres(conn) => {
                require_utf8(conn)?;
                // One transaction: the lock ends with it, whatever becomes of this server, and a
                // pooler keeps one session for it.
                conn.transaction(|conn| {
                    let wait = TABLE_WAIT.as_millis();
                    conn.batch_execute(&format!(
                        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
                         SELECT pg_advisory_xact_lock({LOCK}); SET LOCAL lock_timeout = {wait}"
                    ))?;
                    conn.run_pending_migrations(POSTGRES).map(names).map_err(failed)
                })
            }
            // In one transaction: a server that starts at the same time waits for its end.
            Engine::Sqlite(_) => self.write(|conn| match &mut conn.engine {
                Engine::Sqlite(conn) => {
                    conn.run_pending_migrations(SQLITE).map(names).map_err(failed)
                }
                Engine::Postgres(_) => Ok(Vec::new()),
            }),
        }
    }

    /// Undoes every migration: for tests.
    ///
    /// # Errors
    /// [`Error::Internal`] with what the database said.
    pub fn revert_migrations(&mut self) -> Result<()> {
        match &mut self.engine {
            Engine::Postgres(conn) => conn.revert_all_migrations(POSTGRES).map(drop),
            Engine::Sqlite(conn) => conn.revert_all_migrations(SQLITE).map(drop),
        }
        .map_err(failed)
    }
}

/// Names of people and items have every script: another encoding would refuse some of them, or
/// store what it does not understand.
fn require_utf8(conn: &mut diesel::PgConnection) -> Result<()> {
    let encoding: Encoding = sql_query("SHOW server_encoding").get_result(conn)?;
    if encoding.server_encoding == "UTF8" {
        return Ok(());
    }
    Err(Error::invalid(
        "database_url",
        format!(
            "the database's encoding is {}, and Astro needs UTF8: make another one with \
             CREATE DATABASE astro ENCODING 'UTF8' TEMPLATE template0",
            encoding.server_encoding
        ),
    ))
}

#[derive(diesel::QueryableByName)]
struct Encoding {
    #[diesel(sql_type = diesel::sql_types::Text)]
    server_encoding: String,
}

fn names(versions: Vec<diesel::migration::MigrationVersion<'_>>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Internal(format!("migration: {error}"))
}
