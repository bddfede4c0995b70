//! Column types that PostgreSQL and SQLite store differently: one line each.
use crate::kernel::{AssetId, AssignmentId, BotId, ItemId, OrgId, SteamId, Timestamp};
use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{self as st};
use serde_json::Value;
use uuid::Uuid;

/// A JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document(pub Value);

/// A UUID that is no id of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guid(pub Uuid);

/// Lets a kernel type stand where a value of the SQL type is wanted, and come back from one.
macro_rules! expression {
    ($name:ty, $sql:ty) => {
        impl diesel::expression::AsExpression<$sql> for $name {
            type Expression = diesel::internal::derives::as_expression::Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl diesel::expression::AsExpression<diesel::sql_types::Nullable<$sql>> for $name {
            type Expression = diesel::internal::derives::as_expression::Bound<
                diesel::sql_types::Nullable<$sql>,
                Self,
            >;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<'a> diesel::expression::AsExpression<$sql> for &'a $name {
            type Expression = diesel::internal::derives::as_expression::Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<'a> diesel::expression::AsExpression<diesel::sql_types::Nullable<$sql>> for &'a $name {
            type Expression = diesel::internal::derives::as_expression::Bound<
                diesel::sql_types::Nullable<$sql>,
                Self,
            >;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<DB: diesel::backend::Backend>
            diesel::serialize::ToSql<diesel::sql_types::Nullable<$sql>, DB> for $name
        where
            Self: diesel::serialize::ToSql<$sql, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                <Self as diesel::serialize::ToSql<$sql, DB>>::to_sql(self, out)
            }
        }
        impl<DB: diesel::backend::Backend, ST: diesel::sql_types::SingleValue>
            diesel::deserialize::Queryable<ST, DB> for $name
        where
            Self: diesel::deserialize::FromSql<ST, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> diesel::deserialize::Result<Self> {
                Ok(row)
            }
        }
    };
}
pub(crate) use expression;

/// `Sql for Rust(inner) = PgType | SqliteType(how to read it), |value| to_stored, |stored| from_stored;`
/// Read in place: a page of items has some two thousand of these.
macro_rules! columns {
    ($($sql:ident for $name:ident($rust:ty) = $pg:ident | $lite:ident($read:ident),
       |$v:ident| $to:expr, |$r:ident| $from:expr;)*) => {
        /// The SQL types, for `table!`.
        #[allow(missing_docs)]
        pub mod sql { $(
            #[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
            pub struct $sql;
        )* }
        $(
        $crate::db::types::expression!($name, sql::$sql);

        impl diesel::sql_types::HasSqlType<sql::$sql> for diesel::pg::Pg {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                <diesel::pg::Pg as diesel::sql_types::HasSqlType<diesel::sql_types::$pg>>::metadata(lookup)
            }
        }
        impl diesel::sql_types::HasSqlType<sql::$sql> for diesel::sqlite::Sqlite {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                <diesel::sqlite::Sqlite as diesel::sql_types::HasSqlType<diesel::sql_types::$lite>>::metadata(lookup)
            }
        }
        impl diesel::sql_types::HasSqlType<sql::$sql> for $crate::db::MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                $crate::db::MultiBackend::lookup_sql_type::<sql::$sql>(lookup)
            }
        }
        impl diesel::serialize::ToSql<sql::$sql, diesel::pg::Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>) -> diesel::serialize::Result {
                <$rust as diesel::serialize::ToSql<diesel::sql_types::$pg, diesel::pg::Pg>>::to_sql(&self.0, out)
            }
        }
        impl diesel::serialize::ToSql<sql::$sql, diesel::sqlite::Sqlite> for $name {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>) -> diesel::serialize::Result {
                let $v = &self.0;
                out.set_value($to);
                Ok(diesel::serialize::IsNull::No)
            }
        }
        impl diesel::serialize::ToSql<sql::$sql, $crate::db::MultiBackend> for $name {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, $crate::db::MultiBackend>) -> diesel::serialize::Result {
                out.set_value((sql::$sql, self));
                Ok(diesel::serialize::IsNull::No)
            }
        }
        impl diesel::deserialize::FromSql<sql::$sql, diesel::pg::Pg> for $name {
            fn from_sql(value: <diesel::pg::Pg as diesel::backend::Backend>::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                <$rust as diesel::deserialize::FromSql<diesel::sql_types::$pg, diesel::pg::Pg>>::from_sql(value).map(Self)
            }
        }
        impl diesel::deserialize::FromSql<sql::$sql, diesel::sqlite::Sqlite> for $name {
            fn from_sql(mut value: <diesel::sqlite::Sqlite as diesel::backend::Backend>::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let $r = value.$read();
                Ok(Self($from))
            }
        }
        impl diesel::deserialize::FromSql<sql::$sql, $crate::db::MultiBackend> for $name {
            fn from_sql(value: $crate::db::MultiRawValue<'_>) -> diesel::deserialize::Result<Self> {
                value.from_sql::<Self, sql::$sql>()
            }
        }
    )* };
}
pub(crate) use columns;

/// The ids of a slice, and how they are stored; its `schema.rs` finds their SQL types in `sql`.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $crate::kernel::ids::ids! { $($(#[$doc])* $name),* }
        $crate::db::types::columns! { $(
            $name for $name(uuid::Uuid) = Uuid | Binary(read_blob),
                |v| v.as_bytes().as_slice(), |r| uuid::Uuid::from_slice(r)?;
        )* }
    };
}
pub(crate) use id;

columns! {
    OrgId for OrgId(Uuid) = Uuid | Binary(read_blob), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(r)?;
    BotId for BotId(Uuid) = Uuid | Binary(read_blob), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(r)?;
    ItemId for ItemId(Uuid) = Uuid | Binary(read_blob), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(r)?;
    AssignmentId for AssignmentId(Uuid) = Uuid | Binary(read_blob), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(r)?;
    Guid for Guid(Uuid) = Uuid | Binary(read_blob), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(r)?;
    Instant for Timestamp(DateTime<Utc>) = Timestamptz | BigInt(read_long),
        |v| v.timestamp_micros(), |r| DateTime::from_timestamp_micros(r).ok_or("timestamp out of range")?;
    Doc for Document(Value) = Jsonb | Text(read_text), |v| v.to_string(), |r| serde_json::from_str(r)?;
}

/// There is an earliest and a latest moment.
impl st::SqlOrd for sql::Instant {}

/// A Steam number: the same `BIGINT` on both.
macro_rules! steam_numbers {
    ($($name:ident),*) => { $(
        expression!($name, st::BigInt);

        impl<DB: Backend> ToSql<st::BigInt, DB> for $name where i64: ToSql<st::BigInt, DB> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }
        impl<DB: Backend> FromSql<st::BigInt, DB> for $name where i64: FromSql<st::BigInt, DB> {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                i64::from_sql(value).map(Self)
            }
        }
    )* };
}

steam_numbers!(SteamId, AssetId);

/// A closed set of words, stored as `text` by both databases.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// All of them, in order.
            #[allow(dead_code)] // not every set is walked
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word in the database and in events.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("{word:?} is no {}", stringify!($name))),
                }
            }
        }
        impl $crate::db::Word for $name {
            fn word(self) -> &'static str {
                self.as_str()
            }
        }
        $crate::db::types::expression!($name, diesel::sql_types::Text);
        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Text, DB>::to_sql(self.as_str(), out)
            }
        }
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::sqlite::Sqlite> for $name {
            fn from_sql(
                mut value: <diesel::sqlite::Sqlite as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                Ok(value.read_text().parse::<Self>()?)
            }
        }
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(
                value: <diesel::pg::Pg as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                Ok(std::str::from_utf8(value.as_bytes())?.parse::<Self>()?)
            }
        }
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, $crate::db::MultiBackend> for $name {
            fn from_sql(
                value: $crate::db::MultiRawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                value.from_sql::<Self, diesel::sql_types::Text>()
            }
        }
    };
}
pub(crate) use text_enum;
