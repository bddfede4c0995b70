//! A look at the tables themselves, past the server.

use astro_server::db::{Address, Conn};
use diesel::connection::SimpleConnection as _;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::Text};

/// A row of a query: one text.
#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Opens the database, as it is.
///
/// # Errors
/// When it cannot be reached.
pub fn open(database_url: &str) -> anyhow::Result<Conn> {
    Ok(Conn::open(&Address::parse(database_url)?)?)
}

/// The texts that a query with one column, called `line`, finds.
///
/// # Errors
/// Those of the database.
pub fn lines(conn: &mut Conn, sql: &str) -> anyhow::Result<Vec<String>> {
    let found: Vec<Line> = match conn {
        Conn::Postgres(conn) => sql_query(sql).load(conn)?,
        Conn::Sqlite(conn) => sql_query(sql).load(conn)?,
    };
    Ok(found.into_iter().map(|line| line.line).collect())
}

/// Runs statements.
///
/// # Errors
/// Those of the database.
pub fn run(conn: &mut Conn, sql: &str) -> anyhow::Result<()> {
    Ok(conn.batch_execute(sql)?)
}
