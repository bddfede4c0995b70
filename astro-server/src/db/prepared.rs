//! Statements that a connection prepares once though Diesel would do it each time.
//!
//! It does so for each UPDATE, because the columns of a changeset may differ from call to call, for
//! each `IN (…)` on SQLite, because its length may, and wherever SQL is written out. A database then
//! parses and plans anew, which costs more than to run it. Ours have a few texts each, and what is
//! prepared is kept by its text.
use super::MultiBackend;
use diesel::backend::Backend;
use diesel::internal::derives::multiconnection::AstPassHelper;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

/// A statement that is prepared once for each of its texts.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<Q>(Q);

/// What may be kept prepared: a statement of a few texts, so none with a list of any length in it.
pub trait Prepare: QueryId + Sized {
    /// The statement, to be prepared once for each of its texts.
    fn prepared(self) -> Prepared<Self> {
        Prepared(self)
    }
}

impl<Q: QueryId> Prepare for Q {}

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    // The text is the key.
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// Begins the text of a statement in its database's own form.
pub trait Writes: Backend {
    /// An empty text.
    fn text(&self) -> Self::QueryBuilder;
}

impl Writes for Pg {
    fn text(&self) -> Self::QueryBuilder {
        Self::QueryBuilder::default()
    }
}

impl Writes for Sqlite {
    fn text(&self) -> Self::QueryBuilder {
        Self::QueryBuilder::default()
    }
}

/// The text of either database.
type EitherText = <MultiBackend as Backend>::QueryBuilder;

impl Writes for MultiBackend {
    fn text(&self) -> Self::QueryBuilder {
        match self {
            Self::Postgres(backend) => EitherText::Postgres(backend.text()),
            Self::Sqlite(backend) => EitherText::Sqlite(backend.text()),
        }
    }
}

impl<DB: Writes, Q: QueryFragment<DB>> QueryFragment<DB> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if out.bind_collector().is_some() || out.debug_binds().is_some() {
            return self.0.walk_ast(out);
        }
        // As a text it cannot object to being kept, which it does when it is walked through.
        let mut text = out.backend().text();
        self.0.to_sql(&mut text, out.backend())?;
        out.push_sql(&text.finish());
        Ok(())
    }
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, Conn> diesel::RunQueryDsl<Conn> for Prepared<Q> {}
