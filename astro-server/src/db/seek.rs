//! Where a page begins: beyond a row, in the order of two columns.
//!
//! `(a, b) > (x, y)` is a place in an index on both columns. The databases do not see that
//! `a > x OR (a = x AND b > y)` says the same, and read all rows before it.
use diesel::backend::Backend;
use diesel::expression::{
    AppearsOnTable, AsExpression, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, SingleValue, SqlType};

/// Where rows lie, seen from one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// After it, where the columns are in ascending order.
    After,
    /// After it, where they are in descending order.
    Before,
    /// Up to it and with it, in ascending order.
    UpTo,
    /// The same in descending order.
    DownTo,
}

impl Side {
    fn sign(self) -> &'static str {
        match self {
            Self::After => ") > (",
            Self::Before => ") < (",
            Self::UpTo => ") <= (",
            Self::DownTo => ") >= (",
        }
    }
}

/// Two columns that lie on a side of two values.
#[derive(Debug, Clone, Copy)]
pub struct Beside<A, B, X, Y> {
    columns: (A, B),
    side: Side,
    values: (X, Y),
}

/// Rows on this side of a row.
pub fn beside<A, B, X, Y>(
    columns: (A, B),
    side: Side,
    row: (X, Y),
) -> Beside<A, B, X::Expression, Y::Expression>
where
    A: Expression<SqlType: SqlType + SingleValue>,
    B: Expression<SqlType: SqlType + SingleValue>,
    X: AsExpression<A::SqlType>,
    Y: AsExpression<B::SqlType>,
{
    Beside { columns, side, values: (row.0.as_expression(), row.1.as_expression()) }
}

/// The piece of a list that a page is looked for in: rows of `$query` in the order of a column and the
/// id. `$led`, if there is one, is what an index leads to of it: of that, no more rows are gone through
/// than the page says, so that no statement lasts.
macro_rules! piece {
    ($conn:expr, $page:expr, $ascending:expr, $t:ident.$column:ident: $key:ty, $id:ident,
     |$cursor:ident| $read:expr, $write:expr, $led:expr, $query:expr) => {{
        use $crate::db::seek::{Side, beside};
        let (page, ascending, order): (&$crate::kernel::Page, bool, _) =
            ($page, $ascending, ($t::$column, $t::id));
        let (beyond, within) = match ascending {
            true => (Side::After, Side::UpTo),
            false => (Side::Before, Side::DownTo),
        };
        let first: Option<($key, $id)> = match &page.after {
            Some($cursor) => Some(($read, $id($cursor.id))),
            None => None,
        };
        let begun = |query: $t::BoxedQuery<'static, $crate::db::MultiBackend>| {
            let query = match first.clone() {
                Some(row) => query.filter(beside(order, beyond, row)),
                None => query,
            };
            match ascending {
                true => query.order(($t::$column.asc(), $t::id.asc())),
                false => query.order(($t::$column.desc(), $t::id.desc())),
            }
        };
        let led: Option<$t::BoxedQuery<'static, $crate::db::MultiBackend>> = $led;
        let bound: Option<($key, $id)> = match led {
            Some(led) => {
                begun(led).select(order).offset(page.piece - 1).limit(1).load($conn)?.pop()
            }
            None => None,
        };
        let query = match bound.clone() {
            Some(row) => begun($query).filter(beside(order, within, row)),
            None => begun($query),
        };
        let rows = query.limit(page.size + 1).load($conn)?;
        Ok($crate::kernel::page::Piece { rows, upto: bound.map(|(key, id)| $write(key, id.0)) })
    }};
}
pub(crate) use piece;

/// The same by age.
macro_rules! piece_by_age {
    ($conn:expr, $page:expr, $ascending:expr, $t:ident, $id:ident, $led:expr, $query:expr) => {
        $crate::db::seek::piece!(
            $conn, $page, $ascending, $t.created_at: $crate::kernel::Timestamp, $id,
            |cursor| cursor.time()?, $crate::kernel::page::Cursor::at, $led, $query
        )
    };
}
pub(crate) use piece_by_age;

impl<A, B, X, Y> Expression for Beside<A, B, X, Y> {
    type SqlType = Bool;
}

impl<A, B, X, Y, From> AppearsOnTable<From> for Beside<A, B, X, Y>
where
    A: AppearsOnTable<From>,
    B: AppearsOnTable<From>,
    X: AppearsOnTable<From>,
    Y: AppearsOnTable<From>,
{
}

impl<A, B, X, Y, From> SelectableExpression<From> for Beside<A, B, X, Y>
where
    A: SelectableExpression<From>,
    B: SelectableExpression<From>,
    X: SelectableExpression<From>,
    Y: SelectableExpression<From>,
{
}

impl<A, B, X, Y> ValidGrouping<()> for Beside<A, B, X, Y> {
    type IsAggregate = is_aggregate::No;
}

impl<A, B, X, Y> QueryId for Beside<A, B, X, Y> {
    type QueryId = ();
    // Its text depends on the side, which is no part of the type.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<A, B, X, Y, DB> QueryFragment<DB> for Beside<A, B, X, Y>
where
    DB: Backend,
    A: QueryFragment<DB>,
    B: QueryFragment<DB>,
    X: QueryFragment<DB>,
    Y: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(");
        self.columns.0.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.columns.1.walk_ast(out.reborrow())?;
        out.push_sql(self.side.sign());
        self.values.0.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.values.1.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}
