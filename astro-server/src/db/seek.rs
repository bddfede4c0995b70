//! Where a page begins: beyond a row, in the order of two columns or three.
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

/// Columns that lie on a side of as many values.
#[derive(Debug, Clone, Copy)]
pub struct Beside<C, V> {
    columns: C,
    side: Side,
    values: V,
}

/// The values of a row, each for one of the columns `C`.
pub trait Row<C> {
    /// What they are in a statement.
    type Values;

    /// Puts them there.
    fn values(self) -> Self::Values;
}

macro_rules! rows {
    ($(($($column:ident $value:ident $at:tt),+);)*) => { $(
        impl<$($column,)+ $($value,)+> Row<($($column,)+)> for ($($value,)+)
        where
            $($column: Expression<SqlType: SqlType + SingleValue>,)+
            $($value: AsExpression<$column::SqlType>,)+
        {
            type Values = ($($value::Expression,)+);

            fn values(self) -> Self::Values {
                ($(self.$at.as_expression(),)+)
            }
        }
    )* };
}

rows! {
    (A X 0, B Y 1);
    (A X 0, B Y 1, C Z 2);
}

/// Rows on this side of a row.
pub fn beside<C, R: Row<C>>(columns: C, side: Side, row: R) -> Beside<C, R::Values> {
    Beside { columns, side, values: row.values() }
}

/// The piece of a list that a page is looked for in: rows of `$query` in the order of these columns,
/// which tell each row from all others. `$led`, if there is one, is what an index leads to of it: of
/// that, no more rows are gone through than the page says, so that no statement lasts.
macro_rules! piece {
    ($conn:expr, $page:expr, $ascending:expr, $t:ident($($column:ident: $key:ty),+),
     |$cursor:ident| $read:expr, $write:expr, $led:expr, $query:expr) => {{
        use $crate::db::seek::{Side, beside};
        let (page, ascending, order): (&$crate::kernel::Page, bool, _) =
            ($page, $ascending, ($($t::$column,)+));
        let (beyond, within) = match ascending {
            true => (Side::After, Side::UpTo),
            false => (Side::Before, Side::DownTo),
        };
        let first: Option<($($key,)+)> = match &page.after {
            Some($cursor) => Some($read),
            None => None,
        };
        let begun = |query: $t::BoxedQuery<'static, $crate::db::MultiBackend>| {
            let query = match first.clone() {
                Some(row) => query.filter(beside(order, beyond, row)),
                None => query,
            };
            match ascending {
                true => query.order(($($t::$column.asc(),)+)),
                false => query.order(($($t::$column.desc(),)+)),
            }
        };
        let led: Option<$t::BoxedQuery<'static, $crate::db::MultiBackend>> = $led;
        let bound: Option<($($key,)+)> = match led {
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
        Ok($crate::kernel::page::Piece { rows, upto: bound.map($write) })
    }};
}
pub(crate) use piece;

/// The same by age.
macro_rules! piece_by_age {
    ($conn:expr, $page:expr, $ascending:expr, $t:ident, $id:ident, $led:expr, $query:expr) => {
        $crate::db::seek::piece!(
            $conn, $page, $ascending, $t(created_at: $crate::kernel::Timestamp, id: $id),
            |cursor| (cursor.time()?, $id(cursor.id)),
            |(at, id): ($crate::kernel::Timestamp, $id)| $crate::kernel::page::Cursor::at(at, id.0),
            $led, $query
        )
    };
}
pub(crate) use piece_by_age;

impl<C, V> Expression for Beside<C, V> {
    type SqlType = Bool;
}

impl<C, V, From> AppearsOnTable<From> for Beside<C, V>
where
    C: AppearsOnTable<From>,
    V: AppearsOnTable<From>,
{
}

impl<C, V, From> SelectableExpression<From> for Beside<C, V>
where
    C: SelectableExpression<From>,
    V: SelectableExpression<From>,
{
}

impl<C, V> ValidGrouping<()> for Beside<C, V> {
    type IsAggregate = is_aggregate::No;
}

impl<C, V> QueryId for Beside<C, V> {
    type QueryId = ();
    // Its text depends on the side, which is no part of the type.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, V, DB> QueryFragment<DB> for Beside<C, V>
where
    DB: Backend,
    C: QueryFragment<DB>,
    V: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(self.side.sign());
        self.values.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}
