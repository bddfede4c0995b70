//! A look at the tables themselves, past the server.

use std::sync::{Arc, Mutex, PoisonError};

use astro_server::db::{Address, Conn, Engine};
use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection as _};
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
pub fn lines(conn: &mut Engine, sql: &str) -> anyhow::Result<Vec<String>> {
    let found: Vec<Line> = match conn {
        Engine::Postgres(conn) => sql_query(sql).load(conn)?,
        Engine::Sqlite(conn) => sql_query(sql).load(conn)?,
    };
    Ok(found.into_iter().map(|line| line.line).collect())
}

/// Runs statements.
///
/// # Errors
/// Those of the database.
pub fn run(conn: &mut Engine, sql: &str) -> anyhow::Result<()> {
    Ok(conn.batch_execute(sql)?)
}

/// The statements that this runs, without their values.
pub fn statements(conn: &mut Conn, run: impl FnOnce(&mut Conn)) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = seen.clone();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let statement = text.split(" -- binds:").next().unwrap_or_default().to_owned();
            note.lock().unwrap_or_else(PoisonError::into_inner).push(statement);
        }
    });
    run(conn);
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| ());
    seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A row of a plan: PostgreSQL's has one text, SQLite's last column.
#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// A row of PostgreSQL's plan.
#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// The lines of what an `EXPLAIN` tells.
///
/// # Errors
/// Those of the database.
pub fn plan(conn: &mut Engine, sql: &str) -> anyhow::Result<Vec<String>> {
    Ok(match conn {
        Engine::Postgres(conn) => {
            let lines: Vec<PlanLine> = sql_query(sql).load(conn)?;
            lines.into_iter().map(|line| line.line).collect()
        }
        Engine::Sqlite(conn) => {
            let steps: Vec<Step> = sql_query(sql).load(conn)?;
            steps.into_iter().map(|step| step.detail).collect()
        }
    })
}
