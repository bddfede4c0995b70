//! Parts of texts that are looked for.
use diesel::dsl::{AsExprOf, sql};
use diesel::expression::{SqlLiteral, UncheckedBind};
use diesel::sql_types::{Bool, Text};

/// A text that is looked for in a column.
type Part = SqlLiteral<Bool, UncheckedBind<SqlLiteral<Bool>, AsExprOf<String, Text>>>;

/// Rows whose column has this text somewhere, whatever its case: `lower` knows ASCII on SQLite and the
/// database's locale on PostgreSQL.
pub(crate) fn has_part(column: &'static str, text: &str) -> Part {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    sql::<Bool>(&format!("lower({column}) LIKE lower("))
        .bind::<Text, _>(format!("%{escaped}%"))
        .sql(") ESCAPE '\\'")
}
