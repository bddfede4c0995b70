//! Words of closed sets that are written into statements instead of bound to them.
//!
//! A partial index (`WHERE state = 'QUEUED'`) is of no use to a statement whose word is bound: the plan
//! has to be right for every other word too, so that it reads the whole table.
use diesel::backend::Backend;
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Nullable, Text};

/// A word of a closed set: the program's own, so that it needs no quoting.
pub trait Word: Copy {
    /// As it is stored.
    fn word(self) -> &'static str;
}

/// A column that has one of some words, or none of them.
#[derive(Debug, Clone)]
pub struct Words<C> {
    column: C,
    verb: (&'static str, &'static str),
    words: Vec<&'static str>,
}

/// Rows whose column has one of these words, written in the index's own order if a partial index is to
/// lead to them.
pub fn one_of<C, W: Word>(column: C, words: &[W]) -> Words<C> {
    Words { column, verb: (" = ", " IN ("), words: words.iter().map(|word| word.word()).collect() }
}

/// Rows whose column has none of these words.
pub fn none_of<C, W: Word>(column: C, words: &[W]) -> Words<C> {
    Words { verb: (" <> ", " NOT IN ("), ..one_of(column, words) }
}

/// Text that may be none: then it is none of the words, and not one of the others either.
pub trait Textual {}

impl Textual for Text {}
impl Textual for Nullable<Text> {}

impl<C> Expression for Words<C>
where
    C: Expression<SqlType: Textual>,
{
    type SqlType = Bool;
}

impl<C, From> AppearsOnTable<From> for Words<C> where
    C: AppearsOnTable<From> + Expression<SqlType: Textual>
{
}

impl<C, From> SelectableExpression<From> for Words<C> where
    C: SelectableExpression<From> + Expression<SqlType: Textual>
{
}

impl<C> ValidGrouping<()> for Words<C> {
    type IsAggregate = is_aggregate::No;
}

impl<C> QueryId for Words<C> {
    type QueryId = ();
    // Its text depends on the words, which are no part of the type.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, DB> QueryFragment<DB> for Words<C>
where
    DB: Backend,
    C: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        let (one, several) = self.verb;
        let [word] = self.words.as_slice() else {
            out.push_sql(several);
            for (at, word) in self.words.iter().enumerate() {
                out.push_sql(if at == 0 { "'" } else { ", '" });
                out.push_sql(word);
                out.push_sql("'");
            }
            out.push_sql(")");
            return Ok(());
        };
        out.push_sql(one);
        out.push_sql("'");
        out.push_sql(word);
        out.push_sql("'");
        Ok(())
    }
}
